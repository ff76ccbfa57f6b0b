"""Machine code for one small n: which sizes are taken to be n, and the same bits as without."""
import numpy as np
import pytest
from numba import njit

import curvopt
from curvopt import _compiled_shapes
from curvopt._compiled_shapes import ANY, LARGEST_N, known_sizes

METHOD = curvopt.MRCG


def test_places_of_n():
    n, (state, best) = known_sizes(curvopt.QuasiNewton.replace(m=5, dense_after=5), 6)
    inverse = state[5]
    assert n == 6 and best == ((True,), (True,), (False,))
    assert inverse.__class__ is tuple and inverse[0] == (False, True), "S has m + 1 = 6 rows by accident, and n columns"
    assert inverse[7] == (True, True) and inverse[2] == (False,) and state[1] is None
    assert known_sizes(METHOD, LARGEST_N + 1) == known_sizes(curvopt.LBFGS, 10 ** 6) == (ANY, (None, None))
    assert METHOD.again is not None and curvopt.HDM.again is None
    assert known_sizes(curvopt.HDM, 2)[0] == ANY


@pytest.mark.parametrize("n", [2, LARGEST_N + 1])
def test_rows_have_the_bits_of_separate_runs(n):
    p = curvopt.problems.rosenbrock(n)
    starts = np.random.default_rng(n).uniform(-1.5, 1.5, (7, n))
    starts[0, 1] = np.nan       # the state that all share is made by the second row
    many = curvopt.minimize_many(p.fun, starts, jac=p.jac, hessp=p.hessp, method=METHOD)
    assert many.compiled and many.message == "6 converged, 1 not finite"
    for i in range(1, len(starts)):
        one = curvopt.minimize(p.fun, starts[i], jac=p.jac, hessp=p.hessp, method=METHOD, options={"compiled": False})
        assert np.array_equal(one.x, many.x[i]) and np.array_equal(one.jac, many.jac[i])
        assert (one.nit, one.nfev, one.njev, one.nhev) == (many.nit[i], many.nfev[i], many.njev[i], many.nhev[i])


@njit
def pair(x):
    f = (x[0] - 1.0) ** 2 + 3.0 * (x[1] - x[0]) ** 2
    g = np.empty(2)
    g[0], g[1] = 2.0 * (x[0] - 1.0) - 6.0 * (x[1] - x[0]), 6.0 * (x[1] - x[0])
    return f, g


@njit
def pair_of_tuple(x):
    f, g = pair(x)
    return f, (g[0], g[1])


@njit
def jac_with_an_integer(x):
    return 2.0 * x[0], 0


@njit
def three(x):
    return x[0] * x[0], (2.0 * x[0], 0.0, 0.0)


def solve(f, jac=True, **options):
    return curvopt.minimize(f, [3.0, 0.5], jac=jac, method=curvopt.baselines.ArmijoGD,
                            options={"maxiter": 50, **options})


def test_a_gradient_may_be_a_tuple():
    runs = [solve(pair, compiled=True), solve(pair_of_tuple, compiled=True), solve(pair_of_tuple, compiled=False)]
    for run in runs[1:]:
        assert np.array_equal(run.x, runs[0].x) and np.array_equal(run.jac, runs[0].jac) and run.nfev == runs[0].nfev
    assert runs[1].compiled


def test_a_tuple_of_floats_and_integers():
    square = njit(lambda x: x[0] * x[0])
    run = solve(square, jac_with_an_integer, compiled=True)
    assert run.compiled and abs(run.x[0]) < 1e-5 and run.x[1] == 0.5


def test_a_tuple_of_the_wrong_length():
    with pytest.raises(ValueError, match="gradient"):
        solve(three, compiled=True)


def test_an_init_that_makes_other_arrays_is_found_out(monkeypatch):
    """`sized` would lie about them."""
    _, fits = _compiled_shapes.of_size(3, ((True,), None, (False, True)))
    ask = njit(lambda v, a, m: fits((v, a, m)))
    assert ask(np.ones(3), 1.0, np.ones((5, 3))) and not ask(np.ones(4), 1.0, np.ones((5, 3)))
    assert not ask(np.ones(3), 1.0, np.ones((3, 4)))
