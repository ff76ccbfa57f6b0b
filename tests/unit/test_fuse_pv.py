"""FUSE-PV: the paper's criteria, the automatic switch, rollback, rescue, what the result tells, arguments."""
import math

import numpy as np
import pytest

import curvopt
from curvopt.methods import fuse_auto

ROSENBROCK, LONG = curvopt.problems.rosenbrock(10), curvopt.problems.rosenbrock(100)
AUTO = curvopt.FUSEPV


def run(method, fun=ROSENBROCK.fun, jac=ROSENBROCK.jac, x0=ROSENBROCK.x0, **options):
    return curvopt.minimize(fun, x0, jac=jac, method=method,
                            options={"maxiter": 500, "gtol": 1e-9, "history": True, "compiled": False, **options})


def equal(a, b):
    return (np.array_equal(a.x, b.x) and a.nit == b.nit and a.nfev == b.nfev and a.njev == b.njev
            and all(np.array_equal(a.history[c][1:], b.history[c][1:]) for c in ("fun", "grad_norm", "step", "nfev")))


WEIGHTS = np.logspace(0, 3, 20)


def weighted_l1(x):
    return float(WEIGHTS @ np.abs(x)), WEIGHTS * np.sign(x)


# ---- the paper's criteria --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("switch", [math.inf, ("grad", 0.0), ("loss", 0.0, 10 ** 9), lambda k, x, f, g: False])
def test_a_criterion_that_never_holds_is_adam(switch):
    res = run(AUTO.replace(switch=switch, lr=0.05))
    assert equal(res, run(curvopt.Adam.replace(lr=0.05)))
    assert res.switch_nit is None and "never" in res.switch_reason and res.adam_steps == res.nit


@pytest.mark.parametrize("switch", [0, ("grad", 1e9), lambda k, x, f, g: True])
def test_a_criterion_that_holds_at_once_is_lbfgs(switch):
    res = run(AUTO.replace(switch=switch))
    assert equal(res, run(curvopt.LBFGS)) and res.switch_nit == 0 and res.adam_steps == 0


def test_the_switch_is_where_the_criterion_first_holds_and_final():
    path = run(curvopt.Adam.replace(lr=0.05), return_all=True)
    norms = np.array([np.linalg.norm(ROSENBROCK.jac(x)) for x in path.allvecs])
    changes = np.abs(np.diff(path.history.fun)) <= 1e-2 * np.maximum(1.0, np.abs(path.history.fun[1:]))
    quiet = next(k for k in range(5, 500) if changes[k - 5:k].all())
    for switch, first in ((37, 37), ("epoch", 100), (("grad", 20.0), np.flatnonzero(norms <= 20.0)[0]), (("loss", 1e-2), quiet),
                          (lambda k, x, f, g: f < 50.0, np.flatnonzero(path.history.fun < 50.0)[0])):
        res = run(AUTO.replace(switch=switch, lr=0.05))
        assert res.switch_nit == first == res.adam_steps, switch
        assert np.array_equal(res.history.phase[1:], np.where(np.arange(res.nit) < first, fuse_auto.ADAM, fuse_auto.NEWTON))
        assert res.success and res.fun < 1e-15


def test_the_second_phase_starts_at_the_best_point_and_only_descends():
    switch = 4      # at lr = 1 the path goes up and down
    res = run(AUTO.replace(switch=switch, lr=1.0))
    adam = res.history.fun[:switch + 1]
    assert adam[-1] > adam.min()
    assert res.history.fun[switch + 1] < adam.min()
    noise = 1e-13 * np.abs(res.history.fun[switch + 1:-1])
    assert np.all(np.diff(res.history.fun[switch + 1:]) <= noise)


def test_a_criterion_gets_copies():
    def spoil(k, x, f, g):
        x[:] = np.nan
        g[:] = np.nan
        return k >= 3

    assert equal(run(AUTO.replace(switch=spoil)), run(AUTO.replace(switch=3)))


def test_a_criterion_that_raises_or_gives_no_answer():
    def failing(k, x, f, g):
        if k == 4:
            raise KeyError("mine")
        return False

    with pytest.raises(KeyError, match="mine") as caught:
        run(AUTO.replace(switch=failing))
    assert any("criterion given as `switch`, asked after 4" in note for note in caught.value.__notes__)
    for answer in (None, 1, 0.0, "yes", np.array([True])):
        with pytest.raises(TypeError, match="must return True or False; after 0 iterations it returned"):
            run(AUTO.replace(switch=lambda k, x, f, g, answer=answer: answer))
    with pytest.raises(ValueError, match="criterion is a Python function"):
        run(AUTO.replace(switch=failing), compiled=True)
    assert run(AUTO.replace(switch=lambda k, x, f, g: np.bool_(k == 2))).switch_nit == 2


# ---- the automatic switch --------------------------------------------------------------------------------------------

def test_without_a_stall_it_is_quasi_newton_from_another_first_length():
    res = run(AUTO)
    assert res.success and res.adam_steps == res.probes == res.rescues == 0 and res.switch_nit == 0
    assert np.all(res.history.phase == fuse_auto.NEWTON)


def test_a_rolled_back_probe_leaves_the_path_as_it_was(monkeypatch):
    for name in ("judge", "open_ledger"):       # as plain Python, so that their constants can be changed
        kernel = getattr(fuse_auto, name)
        monkeypatch.setattr(fuse_auto, name, getattr(kernel, "py_func", kernel))

    def with_first_check(calls):
        monkeypatch.setattr(fuse_auto, "FIRST_CHECK", calls)
        monkeypatch.setattr(fuse_auto, "STALL", math.inf)
        return run(AUTO.replace(lr=1e-5), LONG.fun, LONG.jac, LONG.x0, maxiter=2000)

    alone, probed = with_first_check(1e18), with_first_check(50)
    assert alone.probes == 0 and probed.probes >= 3 and probed.probes_kept == 0
    mine = probed.history.phase == fuse_auto.NEWTON
    starts = np.flatnonzero((probed.history.phase == fuse_auto.PROBE)[:-1] & mine[1:]) + 1   # rows that show the point again
    mine[starts] = False
    before = np.flatnonzero(mine[:-1] & (probed.history.phase[1:] == fuse_auto.PROBE))
    mine[before + 1] = True     # the quasi-Newton step after which the probe began is in the row of the new phase
    assert np.array_equal(alone.history.fun, probed.history.fun[mine])
    assert np.array_equal(alone.x, probed.x)
    assert probed.nfev == alone.nfev + probed.adam_steps


def test_kinks_end_the_strong_conditions():
    """At a kink of the path the slope jumps, and no step satisfies the strong conditions; the weak ones can be met."""
    x0 = np.random.default_rng(1).standard_normal(20)
    alone = run(curvopt.QuasiNewton.replace(wolfe="strong"), weighted_l1, True, x0, maxiter=10 ** 5, maxfev=2000)
    auto = run(AUTO, weighted_l1, True, x0, maxiter=10 ** 5, maxfev=2000)
    assert auto.fun < 1e-4 * alone.fun
    calls = np.diff(auto.history.nfev)
    assert np.all(calls[:auto.kink_nit - 1] < fuse_auto.LONG_SEARCH) and calls[auto.kink_nit - 1] >= fuse_auto.LONG_SEARCH
    assert run(AUTO).kink_nit is None
    assert auto.adam_steps == np.count_nonzero(auto.history.phase[:-1] >= fuse_auto.PROBE)


def test_a_start_in_a_corner_calls_for_adam():
    """Where the gradient at hand is no direction of descent, quasi-Newton has nothing to go by; Adam has."""
    def ridge(x):       # max of two planes and a bowl: from the ridge, either gradient leads up the other side
        planes = np.array([x[0] + 50.0 * x[1], x[0] - 50.0 * x[1]])
        i = int(np.argmax(planes))
        return float(planes[i] + 0.01 * x @ x), np.array([1.0, 50.0 - 100.0 * i]) + 0.02 * x

    alone, auto = (run(m, ridge, True, np.array([5.0, 0.0]), maxiter=3000) for m in (curvopt.QuasiNewton, AUTO))
    assert alone.fun > -1.0 and auto.fun < -20.0 and auto.adam_steps > 0


def test_a_failed_search_calls_for_rescue_three_times_at_most():
    """The derivative has the wrong sign: nothing helps, and the run ends with what it is."""
    x0 = np.array([3.0, -2.0])
    res = run(AUTO, lambda x: float(x @ x), lambda x: -2.0 * x, x0, maxiter=10 ** 4)
    assert res.status == curvopt.Status.STEP_FAILED and res.rescues == 1 and res.adam_steps == 50
    assert np.array_equal(res.x, x0)


def test_adam_meets_a_wall_of_values_that_are_not_finite():
    def walled(x):
        f, g = weighted_l1(x)
        return (f, g) if np.all(x > -1e-3) else (math.nan, g)

    res = run(AUTO.replace(lr=0.1, first="adam"), walled, True, np.linspace(0.1, 1.0, 20), maxiter=600)
    assert np.isfinite(res.history.fun).all() and np.all(res.x > -1e-3)
    assert res.adam_steps > 0 and np.any(res.history.step[1:19] == 0.0)


@pytest.mark.parametrize("c", [2.0 ** -20, 2.0 ** 13])
def test_scaling_fun_changes_no_bit(c):
    x0 = np.random.default_rng(1).standard_normal(20)

    def scaled_l1(x):
        f, g = weighted_l1(x)
        return c * f, c * g

    a, b = (run(AUTO, fun, True, x0, maxiter=1500, return_all=True) for fun in (weighted_l1, scaled_l1))
    assert a.adam_steps > 0 and a.adam_steps == b.adam_steps
    assert np.array_equal(np.array(a.allvecs), np.array(b.allvecs))


def test_adam_first():
    res = run(AUTO.replace(first="adam"))
    assert res.success and res.switch_nit >= 20 and res.adam_steps == res.switch_nit and "kept" in res.switch_reason
    assert np.all(res.history.phase[:20] == fuse_auto.ADAM) and np.all(res.history.phase[21:29] == fuse_auto.TRIAL)
    # A function on which quasi-Newton stands still: each trial is rolled back, at doubled intervals.
    x0 = np.random.default_rng(1).standard_normal(20)
    res = run(AUTO.replace(first="adam"), weighted_l1, True, x0, maxiter=800)
    assert res.adam_steps > 100


def test_differences_cost_more_calls_and_change_no_decision():
    """A gradient by differences is n values; the switch counts in units of a value with its gradient."""
    x0 = np.linspace(-1.0, 1.0, 6) + 0.1
    w = np.logspace(0, 2, 6)
    exact = run(AUTO, lambda x: float(w @ np.abs(x)), lambda x: w * np.sign(x), x0, maxiter=700)
    differences = run(AUTO, lambda x: float(w @ np.abs(x)), None, x0, maxiter=700)
    first = [np.flatnonzero(r.history.phase >= fuse_auto.PROBE)[0] for r in (exact, differences)]
    assert differences.nfev > 3 * exact.nfev and first[1] < 3 * first[0]


# ---- two executions --------------------------------------------------------------------------------------------------

def test_compiled_equals_interpreted_for_any_chunk(l1_compiled):
    fun, jac = l1_compiled
    x0 = np.random.default_rng(1).standard_normal(20)
    for method in (AUTO.replace(lr=0.1), AUTO.replace(switch=30)):
        runs = [run(method, fun, jac, x0, compiled=compiled, chunk=chunk, maxiter=700)
                for compiled, chunk in ((False, None), (True, 7), (True, 256))]
        assert runs[1].compiled and len(set(runs[0].history.phase)) > 1
        for other in runs[1:]:
            assert equal(runs[0], other) and np.array_equal(runs[0].history.phase, other.history.phase)


@pytest.fixture
def l1_compiled():
    from numba import njit

    @njit
    def fun(x):
        total = 0.0
        for i in range(x.size):
            total += 10.0 ** (3.0 * i / 19.0) * abs(x[i])
        return total

    @njit
    def jac(x):
        g = np.empty_like(x)
        for i in range(x.size):
            g[i] = 10.0 ** (3.0 * i / 19.0) * np.sign(x[i])
        return g

    return fun, jac


# ---- arguments -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("bad, error, words", [
    ({"switch": "atuo"}, ValueError, "did you mean 'auto'"),
    ({"switch": ("gard", 0.5)}, ValueError, "did you mean 'grad'"),
    ({"switch": "grad"}, ValueError, r"switch must be .*\('grad', delta\)"),
    ({"switch": ("grad", 0.5, 3)}, ValueError, "switch must be"),
    ({"switch": ("grad", -1.0)}, ValueError, "delta in switch must be non-negative"),
    ({"switch": ("loss", 1e-4, 0)}, ValueError, "window in switch must be at least 1"),
    ({"switch": ("loss", "x")}, TypeError, "tol in switch must be a real number"),
    ({"switch": -1}, ValueError, "switch .* at least 0"),
    ({"switch": 2.5}, TypeError, "switch .* integer"),
    ({"switch": True}, TypeError, "switch .* integer"),
    ({"switch": None}, TypeError, "switch .* integer"),
    ({"switch": ()}, ValueError, "switch must be one of"),
    ({"switch": 10, "first": "adam"}, ValueError, "first belongs to switch='auto'"),
    ({"first": "adma"}, ValueError, "did you mean 'adam'"),
    ({"m": 0}, ValueError, "m must be at least 1"),
    ({"m": 0, "switch": 3}, ValueError, "m must be at least 1"),
    ({"lr": math.nan}, ValueError, "lr must not be NaN"),
])
def test_bad_parameters(bad, error, words):
    with pytest.raises(error, match=words):
        AUTO.replace(**bad)
