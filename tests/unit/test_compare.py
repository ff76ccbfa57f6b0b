"""Comparisons: the oracle counts what happens, budgets are equal, rows are right, interruptions lose nothing."""
import contextlib

import numpy as np
import pytest

import curvopt
from curvopt import problems
from curvopt._counted_oracle import SCIPY_NAMES, CountedOracle, Stopped
from curvopt._entries import all_methods, set_up
from curvopt._jit import ENABLED, CompileClock, is_compiled
from curvopt._minimize import find_method

P = problems.rosenbrock(2)


def spied(problem):
    """(problem that counts, counts)."""
    counts = {"fun": 0, "jac": 0, "hessp": 0}

    def spy(name):
        def call(*args):
            counts[name] += 1
            return getattr(problem, name)(*args)
        return call

    return problems.Problem("spied", spy("fun"), spy("jac"), spy("hessp"), problem.x0, problem.args, f_star=0.0), counts


@pytest.mark.parametrize("name", ["MRCG", "BarzilaiBorwein", *SCIPY_NAMES])
def test_counts_are_those_of_a_spy(name):
    problem, counts = spied(P)
    row = curvopt.compare(problem, [name], budget=500).rows[0]
    assert (row["nfev"], row["njev"], row["nhev"]) == tuple(counts.values())
    assert row["units"] == counts["fun"] + counts["jac"] + 2 * counts["hessp"] <= 500


@pytest.mark.parametrize("budget", [1, 2, 7, 50])
def test_no_run_passes_the_budget_and_hard_ones_use_it_up(budget):
    found = curvopt.compare(P, ["GD", "MRCG", "SciPy CG"], budget=budget)
    assert all(budget - 1 <= row["units"] <= budget and row["status"] == "BUDGET" for row in found.rows)


def test_best_values_are_those_of_the_points_seen():
    oracle = CountedOracle(P, 100, 0.0, False)
    seen = [oracle.fun(x) for x in ([3.0, 3.0], [1.0, 2.0], [2.0, 2.0])]
    g = oracle.jac([1.0, 2.0])
    assert oracle.best == min(seen) and oracle.least == np.max(np.abs(g))
    assert oracle.values == [(1, seen[0]), (2, seen[1])] and oracle.gradients == [(4, oracle.least)]
    np.testing.assert_array_equal(oracle.hessp([1.0, 2.0], [0.0, 1.0]), P.hessp(np.array([1.0, 2.0]), np.array([0.0, 1.0])))
    assert oracle.units == 6 and oracle.counts == {"fun": 3, "jac": 1, "hessp": 1}


def test_oracle_stops_before_the_evaluation_that_is_too_much():
    oracle = CountedOracle(P, 2, 0.0, False)
    oracle.fun(P.x0)
    with pytest.raises(Stopped, match="BUDGET"):
        oracle.hessp(P.x0, P.x0)
    oracle.jac(P.x0)
    with pytest.raises(Stopped, match="BUDGET"):
        oracle.fun(P.x0)
    oracle = CountedOracle(P, 10, 1e9, True)
    oracle.jac(P.x0)
    with pytest.raises(Stopped, match="CONVERGED"):
        oracle.fun(P.x0)
    assert oracle.units == 1


def test_the_oracle_changes_no_run():
    """A run on the counting oracle is the run on the problem itself."""
    row = curvopt.compare(P, ["MRCG"], budget=5000, gtol=1e-6).rows[0]
    res = curvopt.minimize(P.fun, P.x0, jac=P.jac, hessp=P.hessp, method="MRCG", options={"gtol": 1e-6, "compiled": False})
    assert (row["nfev"], row["njev"], row["nhev"]) == (res.nfev, res.njev, res.nhev)
    assert row["status"] == "CONVERGED" and row["grad_norm"] == np.max(np.abs(res.jac))


def test_rows_are_ordered_and_complete():
    found = curvopt.compare("rosenbrock:2", ["GD", "MRCG", "L-BFGS-B", "BarzilaiBorwein"], budget=400, gtol=1e-6)
    done = [row["success"] for row in found.rows]
    assert done == sorted(done, reverse=True) and found.rows[0]["method"] == "SciPy L-BFGS-B"
    units = [row["units"] for row in found.rows if row["success"]]
    assert units == sorted(units)
    for row in found.rows:
        assert row["gap"] == row["fun"] and row["time"] >= 0.0
        for what, least in (("fun", row["fun"]), ("grad_norm", row["grad_norm"])):
            at, values = found.curves[row["method"]][what]
            assert np.all(np.diff(at) > 0) and np.all(np.diff(values) < 0) and values[-1] == least


def test_one_method_needs_no_list():
    for one in ("GD", curvopt.SGM):
        assert len(curvopt.compare(P, one, budget=10).rows) == 1


def test_unknown_least_value_is_the_least_seen():
    problem = problems.Problem("nameless", P.fun, P.jac, P.hessp, P.x0)
    found = curvopt.compare(problem, ["MRCG", "GD", "PolyakGD"], budget=100)
    assert not found.f_star_known and min(row["gap"] for row in found.rows) == 0.0
    assert "least value seen" in str(found)
    assert found.skipped == {"PolyakGD": "needs a lower bound of fun"}
    assert "not run, needs a lower bound of fun: PolyakGD" in str(found)
    assert curvopt.compare(problem, ["GD"], budget=10, f_star=-1.0).rows[0]["gap"] > 1.0


def test_every_method_of_the_catalogue_runs_or_says_why():
    found = curvopt.compare(problems.quadratic([1.0, 2.0]), budget=60)
    assert found.errors == {}
    assert {row["method"].removeprefix("SciPy ") for row in found.rows} | set(found.skipped) == set(all_methods())


def test_names_are_set_up_for_the_problem_and_objects_are_not():
    q = problems.quadratic([1.0, 4.0])
    gd, said = set_up(find_method("GD"), q)
    assert gd.lr == 0.25 and said == "lr = 1/L"
    ball, _ = set_up(find_method("HeavyBall"), q)
    assert ball == type(ball).from_curvature(4.0, 1.0)
    polyak, said = set_up(find_method("PolyakGD"), problems.Problem("p", P.fun, P.jac, P.hessp, P.x0, f_lower=-2.0))
    assert polyak.f_star == -2.0 and "f_star = -2" in said
    own = curvopt.baselines.GD.replace(lr=0.1)
    found = curvopt.compare(q, [own, "GD", own.replace(lr=0.2)], budget=20)
    assert [row["method"] for row in found.rows if not row["setting"]] != []
    assert sorted(row["method"] for row in found.rows) == ["GD", "GD (2)", "GD (3)"]


def test_an_exception_in_one_run_is_reported_and_the_others_go_on():
    def broken(x, p):
        raise ZeroDivisionError("no product today")

    problem = problems.Problem("broken", P.fun, P.jac, broken, P.x0, f_star=0.0)
    found = curvopt.compare(problem, ["GD", "MRCG", "L-BFGS-B"], budget=50)
    assert found.errors == {"MRCG": "ZeroDivisionError: no product today"}
    assert {row["method"]: row["status"] for row in found.rows}["MRCG"] == "ERROR"
    assert len(found.rows) == 3 and "error in MRCG: ZeroDivisionError" in str(found)


def test_ctrl_c_keeps_what_is_finished():
    calls = [0]

    def fun(x):
        calls[0] += 1
        if calls[0] == 35:     # in the second run: the first one takes 30 values
            raise KeyboardInterrupt
        return P.fun(x)

    found = curvopt.compare(problems.Problem("slow", fun, P.jac, P.hessp, P.x0), ["GD", "MRCG", "L-BFGS-B"], budget=60)
    assert found.interrupted and "interrupted" in str(found)
    assert [row["method"] for row in found.rows if row["status"] != "INTERRUPTED"] == ["GD"]
    assert len(found.rows) == 2


def test_ctrl_c_between_two_runs(monkeypatch):
    @contextlib.contextmanager
    def bar(total, label, wanted):
        def show(name):
            if name == "MRCG":
                raise KeyboardInterrupt
        yield show

    monkeypatch.setattr("curvopt._compare.progress_bar", bar)
    found = curvopt.compare(P, ["GD", "MRCG"], budget=10)
    assert found.interrupted and [row["method"] for row in found.rows] == ["GD"]


@pytest.mark.thread_unsafe(reason="the clock adds up what all threads compile")
@pytest.mark.skipif(not ENABLED, reason="needs numba")
def test_time_is_without_compilation():
    import numba

    if numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled in this run")
    with CompileClock() as clock:
        numba.njit(lambda x: x * x + 1.0)(2.0)
        once = clock.seconds
        numba.njit(lambda x: x * x + 2.0)(2.0)
    assert 0.0 < once < clock.seconds
    before = clock.seconds
    numba.njit(lambda x: x * x + 3.0)(2.0)
    assert clock.seconds == before


def test_picture_and_page(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    found = curvopt.compare(P, ["GD", "MRCG", "SGM", "L-BFGS-B"], budget=100)
    left, right = found.plot()
    # one line a run and one for the floor; of SGM and MRCG, one family, one is grey
    assert len(left.get_lines()) == 5 and left.get_yscale() == right.get_xscale() == "log"
    assert len(left.get_legend_handles_labels()[1]) == 3
    found.plot((left, right), highlight=["SGM"])
    path = tmp_path / "page.html"
    found.to_html(path)
    text = path.read_text(encoding="utf-8")
    assert text.count("<tr>") == 5 and "SciPy L-BFGS-B" in text and "data:image/png;base64," in text
    plt.close("all")


@pytest.mark.parametrize("change, error, words", [
    ({"problem": "rosenbrok"}, ValueError, "did you mean 'rosenbrock'"), ({"problem": "beale:3"}, ValueError, "one size"),
    ({"problem": "eight:9"}, ValueError, "eight:1 to eight:8"), ({"problem": 3}, TypeError, "must be a curvopt.problems"),
    ({"methods": ["SGMM"]}, ValueError, "did you mean 'SGM'"), ({"methods": []}, ValueError, "methods is empty"),
    ({"budget": 0}, ValueError, "budget"),
    ({"gtol": -1.0}, ValueError, "gtol"), ({"f_star": np.nan}, ValueError, "f_star"),
])
def test_bad_arguments(change, error, words):
    with pytest.raises(error, match=words):
        curvopt.compare(**{"problem": P, "methods": ["GD"], **change})


def test_warmup_returns_the_seconds_of_each():
    if not is_compiled(P.fun):
        with pytest.raises(RuntimeError, match="switches machine code off"):
            curvopt.warmup(["SGM"])
        return
    seconds = curvopt.warmup(["SGM"])
    assert list(seconds) == ["SGM"] and seconds["SGM"] > 0.0
    assert list(curvopt.warmup("SGM", dims=[2, 7])) == ["SGM"]
    with pytest.raises(ValueError, match="dims"):
        curvopt.warmup(["SGM"], dims=1)
