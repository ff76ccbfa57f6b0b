"""What every clause of the contract is run with: each method, each door, each execution of the loop.

A clause asks for ``method``, ``solve`` (one of the two doors) and ``compiled`` as fixtures. A new method joins by being
listed in `curvopt._catalogue`. What does not suit a method is left out here, as data with the reason.
"""
import math
import pathlib
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.optimize

import curvopt
from curvopt._catalogue import BASELINES, METHODS
from curvopt._jit import ENABLED

# Parameters in place of the defaults, for the problems of this suite: L = 2, distances of about 5, f_star = 0.
SETTINGS = {
    "GD": {"lr": 0.5},          # the default suits no problem in particular
    "ClippedGD": {"gamma": 0.5},
    "NormalizedGD": {"gamma": 0.3},
    "Adam": {"lr": 0.05},       # the default, for the weights of neural networks, would take 5000 iterations
}
# Methods that are two in one: their other half, in the same compiled loop.
HALVES = {"TruncatedNewton in a region": METHODS["TruncatedNewton"].replace(globalization="region")}
# (clause, method or what it needs) -> why the clause does not apply; shown as a skipped test. "*" stands for all clauses:
# such methods do not appear here at all, and have tests of their own.
EXCEPTIONS = {
    ("*", "samples"): "takes finite sums, not plain functions",
    ("test_unbounded", "lower bound"): "a value below the bound it was given is an error of its own",
    ("test_unbounded", "Adam"): "its steps have a fixed length: a dome takes 1e9 of them",
    ("test_a_dome_has_no_minimum", "NormalizedGD"): "its steps have a fixed length: a dome takes 1e9 of them",
    ("test_a_dome_has_no_minimum", "ClippedGD"): "its steps have a fixed length: a dome takes 1e9 of them",
    ("test_converged", "NormalizedGD"): "with a constant step it ends by jumping about the minimizer",
    ("test_one_variable", "NormalizedGD"): "with a constant step it ends by jumping about the minimizer",
    ("test_names_in_any_case", "TruncatedNewton in a region"): "it has no name of its own",
    ("test_unbounded", "AdaGrad"): "its steps get shorter: a dome takes more of them than anyone waits for",
}

METHOD = {name: m.replace(**SETTINGS.get(name, {})) for name, m in {**METHODS, **BASELINES, **HALVES}.items()}


def compiles():
    if not ENABLED:
        return False
    import numba

    return not numba.config.DISABLE_JIT


COMPILES = compiles()


def reason_to_leave_out(clause, name):
    for what in (name, *METHOD[name].needs):
        if (clause, what) in EXCEPTIONS:
            return EXCEPTIONS[clause, what]
    return None


def pytest_generate_tests(metafunc):
    clauses = (pathlib.Path(metafunc.module.__file__).stem, metafunc.function.__name__)
    if "method_name" in metafunc.fixturenames:
        compiled_too = "compiled" in metafunc.fixturenames
        rows = []
        for name in METHOD:
            if reason_to_leave_out("*", name):
                continue
            reason = next(filter(None, (reason_to_leave_out(c, name) for c in clauses)), None)
            marks = [pytest.mark.skip(reason=reason)] if reason else []
            if compiled_too:
                marks.append(pytest.mark.xdist_group(f"compiled-{name.split()[0]}"))
            rows.append(pytest.param(name, marks=marks))
        metafunc.parametrize("method_name", rows)
    if "compiled" in metafunc.fixturenames:
        metafunc.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.skipif(
            not COMPILES, reason="nothing is compiled in this run"))], ids=["interpreted", "compiled"])
    if "door" in metafunc.fixturenames:
        metafunc.parametrize("door", ["curvopt", "scipy"])


@pytest.fixture
def method(method_name):
    return METHOD[method_name]


@pytest.fixture
def solve(door):
    """``solve(fun, x0, method=..., jac=..., ...)`` through one of the two doors."""
    return curvopt.minimize if door == "curvopt" else scipy.optimize.minimize


def bowl_fun(x):
    """Sum of w_i (sqrt(1 + (x_i - 1)^2) - 1), w = 1/2, 1, 3/2, ...; at most 2. Least value 0 at (1, ..., 1)."""
    total = 0.0
    for i in range(x.size):
        t = x[i] - 1.0
        total += min(0.5 * (i + 1), 2.0) * (math.sqrt(1.0 + t * t) - 1.0)
    return total


def bowl_jac(x):
    g = np.empty_like(x)
    for i in range(x.size):
        t = x[i] - 1.0
        g[i] = min(0.5 * (i + 1), 2.0) * t / math.sqrt(1.0 + t * t)
    return g


def bowl_hessp(x, p):
    hp = np.empty_like(x)
    for i in range(x.size):
        t = x[i] - 1.0
        hp[i] = min(0.5 * (i + 1), 2.0) * p[i] / (math.sqrt(1.0 + t * t) * (1.0 + t * t))
    return hp


PLAIN = SimpleNamespace(fun=bowl_fun, jac=bowl_jac, hessp=bowl_hessp, x0=np.array([3.0, -2.0, 1.5]), x_star=np.ones(3))
if COMPILES:
    from numba import njit

    JITTED = SimpleNamespace(fun=njit(bowl_fun), jac=njit(bowl_jac), hessp=njit(bowl_hessp), x0=PLAIN.x0, x_star=PLAIN.x_star)
else:
    JITTED = PLAIN


@pytest.fixture
def plain():
    """A convex, well-conditioned problem that is no quadratic, in plain Python. L = 2; the least value is 0."""
    return PLAIN


@pytest.fixture
def jitted():
    """The same, compiled by numba (plain Python in a run without compilation)."""
    return JITTED


class Spy:
    """Counts the calls of a function and keeps what it was called with."""

    def __init__(self, function):
        self.function, self.calls = function, []

    def __call__(self, *args):
        self.calls.append(tuple(np.array(a) for a in args))
        return self.function(*args)

    def __len__(self):
        return len(self.calls)


@pytest.fixture
def spied():
    """The plain problem with spies for functions, and a method to run it."""
    return SimpleNamespace(fun=Spy(bowl_fun), jac=Spy(bowl_jac), hessp=Spy(bowl_hessp), x0=PLAIN.x0.copy())


@pytest.fixture
def same_run():
    """Assert that two results are the same, bit for bit, with counts, history and reason."""
    def check(a, b):
        for name in ("x", "fun", "jac"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
        for name in ("nit", "nfev", "njev", "nhev", "status", "message"):
            assert getattr(a, name) == getattr(b, name), name
        assert (a.history is None) == (b.history is None)
        if a.history is not None:
            assert a.history.columns == b.history.columns
            for name in a.history.columns:
                if name != "time":
                    np.testing.assert_array_equal(a.history[name], b.history[name], err_msg=name)
    return check
