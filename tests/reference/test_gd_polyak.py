"""Published runs of GDPolyak (arXiv:2409.19791), and counts measured once and kept.

`benchmarks/polyak_published.py` reruns all three published experiments on the authors' data. Here is the one whose data
are two numbers, and problems of our own.
"""
import numpy as np
import pytest

import curvopt
from curvopt import problems

START = (1.0970541496874935, 0.5327534435573401)    # torch.manual_seed(3407); torch.randn(2), of the authors' notebook


def counts(problem, method, targets=(1e-6, 1e-10, 1e-14)):
    res = curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method,
                           options={"gtol": 0.0, "ftarget": targets[-1], "history": True, "compiled": False})
    return [int(res.history.nfev[np.argmax(res.history.fun <= t)]) for t in targets]


def test_rosenbrock_quartic_as_published():
    problem = problems.rosenbrock_quartic(10.0, x0=START)
    assert problem.fun(problem.x0, *problem.args) == pytest.approx(5.94786, abs=1e-5)
    assert counts(problem, curvopt.GDPolyak.replace(eta=0.0125, K=100)) == [809, 1617, 2425]


@pytest.mark.parametrize("problem, eta, K, expected", [
    (problems.nonconvex_quartic(), 1.0, 1, [13, 29, 45]),
    (problems.convex_quartic(20), 1.0, 100, [304, 1011, 1920]),
    (problems.symmetric_factorisation(), 0.5, 100, [304, 1011, 1819]),
    (problems.asymmetric_factorisation(), 0.25, 50, [176, 358, 562]),
])
def test_counts_of_our_own_problems(problem, eta, K, expected):
    measured = counts(problem, curvopt.GDPolyak.replace(eta=eta, K=K))
    assert measured == pytest.approx(expected, rel=0.01)


def test_restarts_with_a_bisected_bound():
    # 718/8836/19271 in the authors' code, which evaluates x0 again at each restart; then it overflows for a bound of -1.
    method = curvopt.baselines.GDPolyakRestarts.replace(eta=0.0125, f_lower=-1e-4)
    assert counts(problems.rosenbrock_quartic(10.0, x0=START), method, (1e-6, 1e-10)) == pytest.approx([718, 8836], rel=0.01)
