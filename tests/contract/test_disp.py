"""Clause: disp=0 is silent, 1 a summary, k > 1 a table with a line every k iterations and the last one."""
import re

import pytest

from curvopt import minimize


@pytest.mark.parametrize("disp", [0, False, None])
def test_silence(disp, method, solve, plain, capfd):
    solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 3, "disp": disp})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("disp", [1, True])
def test_a_summary(disp, method, solve, plain, capsys):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 3, "disp": disp})
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert out.startswith(f"{method.name}: {res.message}") and f"{res.nfev} values" in out


def test_a_table(method, compiled, jitted, capsys):
    res = minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                   options={"maxiter": 10, "gtol": 1e-14, "disp": 4, "compiled": compiled})
    lines = capsys.readouterr().out.splitlines()
    shown = [int(line.split()[0]) for line in lines if re.match(r"\s+\d+\s", line) and "values" not in line]
    assert shown == sorted({*range(0, res.nit + 1, 4), res.nit})
    assert lines[0].split()[:2] == [method.name, "fun"]
    assert lines[-2].startswith(f"{method.name}: ")
    last = lines[-3].split()
    assert (int(last[-3]), int(last[-2]), int(last[-1])) == (res.nfev, res.njev, res.nhev)
