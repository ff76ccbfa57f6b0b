"""Clause: the history: complete, thinned, with the last row always, written and read, and every iterate if wished."""
import csv

import numpy as np
import pytest

from curvopt import Status, baselines, minimize

COLUMNS = ("nit", "fun", "grad_norm", "step", "nfev", "njev", "nhev")


def test_columns_and_rows(method, compiled, jitted):
    res = minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                   options={"maxiter": 10, "history": True, "compiled": compiled})
    h = res.history
    assert h.columns == (*COLUMNS, *method.columns, "time")
    assert len(h) == res.nit + 1 and h.nit.tolist() == list(range(res.nit + 1))
    assert all(len(h[name]) == len(h) for name in h.columns)
    assert all(h[name].dtype == np.int64 for name in ("nit", "nfev", "njev", "nhev"))
    assert h.fun[0] == jitted.fun(jitted.x0) and h.grad_norm[0] == abs(jitted.jac(jitted.x0)).max()
    for name in ("nfev", "njev", "nhev", "time"):
        assert np.all(np.diff(h[name]) >= 0), name
    assert (h.nfev[-1], h.njev[-1], h.nhev[-1]) == (res.nfev, res.njev, res.nhev)
    np.testing.assert_array_equal(h.units, h.nfev + h.njev + 2 * h.nhev)


@pytest.mark.parametrize("every", [2, 5, 100])
def test_thinning_keeps_the_last_row(every, method, compiled, jitted):
    def run(history):
        return minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                        options={"maxiter": 13, "history": history, "compiled": compiled, "chunk": 4, "gtol": 1e-12}).history

    full, thin = run(True), run(every)
    last = int(full.nit[-1])
    kept = sorted({*range(0, last + 1, every), last})
    assert thin.nit.tolist() == kept
    for name in full.columns:
        if name != "time":
            np.testing.assert_array_equal(thin[name], full[name][kept], err_msg=name)


def test_thinning_keeps_the_last_row_when_something_else_ends_the_run(plain):
    def callback(intermediate_result):
        if intermediate_result.nit == 7:
            raise StopIteration

    res = minimize(plain.fun, plain.x0, method=baselines.GD.replace(lr=0.1), jac=plain.jac, callback=callback,
                   options={"history": 5})
    assert res.status == Status.CALLBACK and res.history.nit.tolist() == [0, 5, 7]
    res = minimize(plain.fun, plain.x0, method=baselines.GD.replace(lr=0.1), jac=plain.jac,
                   options={"history": 3, "maxtime": 0.0})
    assert res.history.nit.tolist() == [0]


def test_csv_and_dict(method, plain, tmp_path):
    h = minimize(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                 options={"maxiter": 6, "history": True}).history
    h.to_csv(tmp_path / "run.csv")
    with open(tmp_path / "run.csv", newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert tuple(header) == h.columns and len(rows) == len(h)
    for i, name in enumerate(header):
        np.testing.assert_array_equal([float(row[i]) for row in rows], h[name], err_msg=f"{name}: a digit was lost")
    as_dict = h.to_dict()
    assert tuple(as_dict) == h.columns and all(as_dict[name] is h[name] for name in as_dict)


def test_return_all(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                options={"maxiter": 5, "return_all": True, "history": True})
    assert len(res.allvecs) == res.nit + 1
    np.testing.assert_array_equal(res.allvecs[0], plain.x0)
    np.testing.assert_array_equal([plain.fun(x) for x in res.allvecs], res.history.fun)
    assert not any(np.shares_memory(a, b) for a, b in zip(res.allvecs, res.allvecs[1:]))


def test_access(plain):
    h = minimize(plain.fun, plain.x0, jac=plain.jac, hessp=plain.hessp, method="sgm",
                 options={"maxiter": 3, "history": True}).history
    assert h.fun is h["fun"] and "scaling" in dir(h)
    assert repr(h).startswith("<History of 4 rows: nit, fun")
    with pytest.raises(AttributeError, match="no column 'gap'; there are nit, fun"):
        _ = h.gap
    with pytest.raises(KeyError):
        h["gap"]


def test_pictures(plain):
    plt = pytest.importorskip("matplotlib.pyplot")
    h = minimize(plain.fun, plain.x0, jac=plain.jac, hessp=plain.hessp, method="sgm",
                 options={"maxiter": 3, "history": True}).history
    ax = h.plot()
    assert ax.get_yscale() == "log" and len(ax.lines) == 1
    assert h.plot(ax, f_star=0.0, x="nit", label="SGM") is ax
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["SGM"]
    with pytest.raises(ValueError, match="x must be one of"):
        h.plot(ax, x="iterations")
    plt.close("all")


def test_rows_and_names(plain):
    h = minimize(plain.fun, plain.x0, method=baselines.GD, jac=plain.jac, options={"maxiter": 3, "history": True}).history
    rows = list(h)
    assert len(rows) == len(h) and rows[-1] == h[-1] and list(rows[0]) == list(h.columns)
    assert all(row["fun"] == f and type(row["nit"]) is int for row, f in zip(rows, h.fun))
    assert "fun" in h and "gun" not in h
    for ask in (lambda: h["gun"], lambda: h.gun):
        with pytest.raises((KeyError, AttributeError), match=r"no column 'gun' .did you mean 'fun'.*; there are nit, fun"):
            ask()
    with pytest.raises(IndexError):
        h[len(h)]
