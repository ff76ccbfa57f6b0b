"""The hypergradient methods and the baselines they come from: prices, refusals, trials without value, two executions."""
import math

import numpy as np
import pytest

import curvopt
from curvopt import Status, baselines
from curvopt.stepsize.hypergradient import minimizer_along, rescued, turn

ROSENBROCK = curvopt.problems.rosenbrock(4)
PROBES = 1      # gradients in the first step where the learning rate is not given


def run(method, fun=ROSENBROCK.fun, jac=ROSENBROCK.jac, x0=ROSENBROCK.x0, **options):
    return curvopt.minimize(fun, x0, jac=jac, method=method, options={"maxiter": 60, "gtol": 0.0, "compiled": False, **options})


def sphere(x):
    return float(x @ x)


def sphere_jac(x):
    return 2 * x


@pytest.mark.parametrize("changes, nfev, njev", [
    ({}, 61, 61 + PROBES),
    ({"lr": 1e-3}, 61, 61),
    ({"lr": 1e-3, "order": "prescient"}, 61, 121),
    ({"lr": 1e-3, "lookahead": 1e-3}, 121, 121),
])
def test_evaluations(changes, nfev, njev):
    for method in (curvopt.HDM, curvopt.HDMRatio.replace(f_star=0.0)):
        res = run(method.replace(**changes))
        assert (res.nfev, res.njev) == (nfev, njev)


@pytest.mark.parametrize("changes, nfev, njev", [({}, 61, 61 + PROBES), ({"lr": 1e-3}, 61, 61),
                                                 ({"lr": 1e-3, "variant": "icml2025"}, 61, 61)])
def test_heavy_ball_costs_one_value_and_one_gradient_and_seven_vectors(changes, nfev, njev):
    res = run(curvopt.HDMBest.replace(**changes))
    assert (res.nfev, res.njev) == (nfev, njev)
    assert len({id(part) for part in res.state.state if isinstance(part, np.ndarray)}) == 7


def test_nesterov_costs_two_or_three_of_each_and_nine_vectors():
    res = run(curvopt.HDMNesterov, history=True)
    assert set(np.diff(res.history.nfev)) <= {1, 2, 3} and set(np.diff(res.history.njev)) <= {1, 2, 3}
    assert len({id(part) for part in res.state.state if isinstance(part, np.ndarray)}) == 9


@pytest.mark.parametrize("shape, vectors", [("scalar", 4), ("diagonal", 6), ("full", 4 + 2 * 4)])
def test_memory(shape, vectors):
    state = run(curvopt.HDM.replace(shape=shape)).state.state
    held = {id(part): part.size for part in state if isinstance(part, np.ndarray)}
    assert sum(size for size in held.values() if size > 1) == vectors * 4


@pytest.mark.parametrize("changes", [{}, {"shape": "scalar"}, {"shape": "full"}, {"learner": "ogd"}, {"learner": "mirror"},
                                     {"order": "prescient"}, {"lookahead": 1e-3}, {"feedback": "ratio"}], ids=str)
def test_compiled_equals_interpreted_for_any_chunk(changes):
    method = curvopt.HDM.replace(**changes)
    a, b = (run(method, compiled=compiled, history=True, chunk=7) for compiled in (False, True))
    assert b.compiled and np.array_equal(a.x, b.x)
    for name in a.history.columns[:-1]:
        assert np.array_equal(a.history[name], b.history[name]), name


@pytest.mark.parametrize("method", [curvopt.HDMBest, curvopt.HDMBest.replace(variant="icml2025"),
                                    curvopt.HDMBest.replace(lookahead=True), curvopt.HDMNesterov,
                                    curvopt.HDMNesterov.replace(restart=False, L=3000.0)], ids=repr)
def test_heavy_ball_and_nesterov_compiled_equal_interpreted(method):
    a, b = (run(method, compiled=compiled, history=True, chunk=7, maxiter=500) for compiled in (False, True))
    assert b.compiled and np.array_equal(a.x, b.x)
    for name in a.history.columns[:-1]:
        assert np.array_equal(a.history[name], b.history[name]), name
    assert np.all(np.diff(a.history.fun) <= 0)


def test_lookahead_spends_values_only_after_exploring():
    p = curvopt.problems.quadratic(np.geomspace(1, 1e4, 10))
    res = run(curvopt.HDMBest.replace(lookahead=True), lambda x: p.fun(x, *p.args), lambda x: p.jac(x, *p.args), p.x0,
              history=True, maxiter=600)
    extra = np.diff(res.history.nfev) - 1
    assert extra.sum() > 0 and not extra[:200].any()


def test_exploration_ends_with_the_curvature_of_the_steps():
    p = curvopt.problems.quadratic(np.geomspace(1, 1e3, 10))
    state = run(curvopt.HDMBest, lambda x: p.fun(x, *p.args), lambda x: p.jac(x, *p.args), p.x0, maxiter=400).state.state
    assert 1.0 <= state.curvature <= 1e3 and state.steps > 200
    assert 0.1 < state.lr * state.curvature < 10.0     # 1/L, and factors since, where steps fell short or failed


def test_heavy_ball_at_a_point_that_is_stationary_learns_nothing():
    for method in (curvopt.HDMBest, curvopt.HDM, curvopt.HDMNesterov):
        res = curvopt.minimize(sphere, np.zeros(3), jac=sphere_jac, method=method)
        assert res.success and res.nit == 0
        assert np.isfinite(run(method, sphere, sphere_jac, np.zeros(3), gtol=-0.0, ftarget=-1.0, maxiter=5).x).all()


def test_monotone_with_the_null_step_only():
    assert np.all(np.diff(run(curvopt.HDM, history=True).history.fun) <= 0)
    free = run(curvopt.HDM.replace(null_step=False, learner="ogd", p0=5e-3, lr=1e-3), history=True)
    assert np.any(np.diff(free.history.fun) > 0) and free.fun == np.min(free.history.fun)


def test_history_shows_p():
    h = run(curvopt.HDM, history=True).history
    assert np.all(h.p_min <= h.p_max) and h.p_max[1] > h.p_max[0] == 0.0 and set(h.accepted) <= {0.0, 1.0}
    assert np.array_equal(h.step[1:] > 0, (h.accepted[1:] == 1) & (h.step[1:] != 0))


def test_box_holds_every_entry():
    h = run(curvopt.HDM.replace(p_bounds=(1e-4, 5e-4)), history=True).history
    assert h.p_min[1:].min() >= 1e-4 and h.p_max.max() <= 5e-4


def test_box_of_p_is_an_option_at_both_doors():
    from scipy.optimize import minimize

    options = {"p_bounds": (1e-4, 5e-4), "maxiter": 20, "gtol": 0.0}
    results = [run(curvopt.HDM.replace(p_bounds=(1e-4, 5e-4)), maxiter=20), run(curvopt.HDM, **options),
               minimize(ROSENBROCK.fun, ROSENBROCK.x0, jac=ROSENBROCK.jac, method=curvopt.HDM, options=options)]
    for other in results[1:]:
        assert np.array_equal(other.x, results[0].x)


def test_first_lesson_costs_nothing():
    """With P = 0 the first trial is the start: the same run, one value and one gradient later."""
    paid, free = (run(curvopt.HDM.replace(lr=1e-3, p0=p0), maxiter=k) for p0, k in ((0.0, 41), (None, 40)))
    assert np.array_equal(paid.x, free.x) and paid.nfev == free.nfev + 1 and paid.njev == free.njev + 1


def test_mirror_descent_keeps_the_sum():
    for res in (run(curvopt.HDM.replace(learner="mirror", p0=1e-3), maxiter=k) for k in (1, 5, 20)):
        p = res.state.state.p
        assert np.all(p > 0) and p.sum() <= 4e-3 * (1 + 1e-14)


@pytest.mark.parametrize("method", [curvopt.HDM, curvopt.HDM.replace(null_step=False), curvopt.HDMBest, curvopt.HDMNesterov],
                         ids=repr)
@pytest.mark.parametrize("bad", (math.nan, math.inf))
def test_trials_without_value_shrink_p(method, bad):
    def fun(x):
        return bad if x[0] < 0.5 else float((x[0] - 0.6) ** 2 + x[1] ** 2)

    res = run(method, fun, lambda x: np.array([2 * (x[0] - 0.6), 2 * x[1]]),
              np.array([5.0, 1.0]), maxiter=400, gtol=1e-6)
    assert res.success and res.x[0] > 0.5


@pytest.mark.parametrize("method", [curvopt.HDM, curvopt.HDMBest], ids=repr)
def test_gradients_that_are_not_finite_are_refused(method):
    res = run(method, sphere, lambda x: 2 * x if x[0] > -1 else np.full(2, np.nan), np.array([3.0, 1.0]))
    assert np.isfinite(res.jac).all() and res.fun < 1e-8


def test_rescue_frees_a_frozen_p():
    """One huge hypergradient leaves AdaGrad unable to move P; halving it after `patience` null steps gets on."""
    def fun(x):
        return float(x[0] ** 4 + x[0] ** 2)

    frozen, rescued = (run(curvopt.HDM.replace(lr=1e-3, p0=100.0, patience=patience), fun, lambda x: 4 * x ** 3 + 2 * x, [1.0],
                           maxiter=200, gtol=1e-6) for patience in (0, 5))
    assert frozen.fun == 2.0 and rescued.success


def test_steps_far_too_short_grow_without_the_learner():
    """On the root of 1 + x^2 far out the gradient hardly changes: P grows by a factor, as Armijo's rule would have it."""
    slow, fast = (run(curvopt.HDM.replace(lr=1e-3, patience=patience), lambda x: math.hypot(1.0, x[0]),
                      lambda x: x / np.hypot(1.0, x), [50.0], maxiter=400, gtol=1e-6) for patience in (0, 2))
    assert fast.success and fast.nit < 100 and not slow.success


@pytest.mark.parametrize("method", [curvopt.HDM, curvopt.HDMBest], ids=repr)
def test_one_update_leaves_p_positive(method):
    """A trial at x itself teaches nothing: P may fall by a factor at a time, but not to zero."""
    h = run(method, lambda x: float(np.sum(np.cosh(x))), np.sinh, np.array([12.0, 0.5]), history=True, maxiter=100).history
    assert h.p_min[1:].min() > 0.0


@pytest.mark.parametrize("method", [curvopt.HDM, curvopt.HDMRatio, curvopt.HDMBest, curvopt.HDMNesterov, curvopt.HDMSecant,
                                    curvopt.HDMBest.replace(variant="icml2025"), curvopt.HDM.replace(learner="mirror")],
                         ids=repr)
def test_a_stationary_start_costs_one_value_and_one_gradient(method):
    res = run(method, sphere, sphere_jac, np.full(3, 1e-7), gtol=1e-6)
    assert res.success and (res.nit, res.nfev, res.njev) == (0, 1, 1)


def test_first_step_goes_to_the_minimizer_along_the_gradient():
    """Where curvatures are equal one gradient tells all: the first trial is the solution."""
    for method in (curvopt.HDM, curvopt.HDM.replace(shape="scalar"), curvopt.HDMRatio, curvopt.HDMBest, curvopt.HDMNesterov):
        res = run(method, sphere, sphere_jac, np.array([3.0, -1.0]), gtol=1e-5)
        assert res.success and (res.nit, res.nfev, res.njev) == (1, 2, 3)


def test_minimizer_along_a_step_and_where_the_gradient_turns():
    a = np.array([1.0, 4.0])
    x = np.array([2.0, 1.0])
    for t in (0.1, 0.3, 0.9):
        trial = x - t * a * x
        best = minimizer_along(x, trial, a * x, a * trial)
        assert t * best == pytest.approx((a * x) @ (a * x) / ((a * x) @ (a * a * x)), rel=1e-13)
    assert minimizer_along(x, x + 1.0, -x, -2 * x) == math.inf == minimizer_along(x, x, a * x, a * x)
    g = np.array([1.0, 0.0])
    for degrees, expected in ((0, 1), (59, 1), (61, 0), (119, 0), (121, -1), (180, -1)):
        angle = math.radians(degrees)
        assert turn(g, 3.0 * np.array([math.cos(angle), math.sin(angle)])) == expected


@pytest.mark.parametrize("accepted, turned, best, count, factor", [
    (True, 1, 4.0, (0, 1), 4.0), (True, 1, math.inf, (0, 1), 10.0), (True, 1, 1.1, (0, 1), 1.25), (True, 1, 4.0, (0, 0), 1.0),
    (True, -1, 0.6, (0, -1), 0.6), (True, -1, 0.1, (0, -1), 0.5), (True, -1, 0.6, (0, 1), 1.0), (True, 0, 0.6, (0, 1), 1.0),
    (False, 0, 0.3, (1, 0), 0.3), (False, 0, 0.01, (1, 0), 0.1), (False, 0, math.inf, (1, 0), 0.5),
    (False, 0, 0.3, (0, 0), 1.0),
])
def test_second_step_of_a_kind_in_a_row_takes_p_and_lr_to_the_minimizer(accepted, turned, best, count, factor):
    p, acc = np.array([1.0, 2.0]), np.ones(2)
    lr, nulls, run_length = rescued(p, acc, 3.0, accepted, turned, best, *count, 2, 0.0, math.inf)
    assert p.tolist() == [factor, 2.0 * factor] and lr == 3.0 * factor
    assert acc.any() == (accepted or factor == 1.0)
    assert (nulls, run_length) == ((0, max(count[1], 0) + 1 if turned > 0 else min(count[1], 0) - 1 if turned < 0 else 0)
                                   if accepted else (count[0] + 1, 0))


def test_scale_of_p_follows_a_curvature_that_falls_by_orders_of_magnitude():
    """x^8 from 100: the curvature falls by 1e12 on the way, which a factor of 1.25 a step needs 120 steps for."""
    def count(method):
        res = run(method, lambda x: float(x[0] ** 8), lambda x: 8 * x ** 7, [100.0], gtol=1e-4, maxiter=2000)
        return res.nit if res.success else 2000

    assert count(curvopt.HDM) < 80 < 1000 < count(curvopt.HDM.replace(patience=0))


def test_steps_far_too_long_are_shortened():
    """A P of 1.95/L halves nothing: each step turns the gradient around, and AdaGrad with a small rate leaves it so."""
    slow, fast = (run(curvopt.HDM.replace(lr=1e-6, p0=0.975, patience=patience), sphere, sphere_jac, [1.0, 2.0], gtol=1e-6,
                      maxiter=1000) for patience in (0, 2))
    assert fast.success and fast.nit < 8 and slow.nit > 100


# ---- hazards of the published heavy ball --------------------------------------------------------------------------------


def test_short_steps_measure_curvature_as_well():
    """All steps are below the authors' 1e-3: theirs never learns L, and must not divide by the empty list."""
    p = curvopt.problems.quadratic(np.geomspace(1, 100, 10))
    x0 = 1e-5 * np.ones(10)
    ours, theirs = (run(curvopt.HDMBest.replace(variant=variant, lr=0.1 / 100), lambda x: p.fun(x, *p.args),
                        lambda x: p.jac(x, *p.args), x0, maxiter=500).state.state for variant in ("robust", "icml2025"))
    assert theirs.curvature == 0.0 and math.isfinite(theirs.f)
    assert 1.0 <= ours.curvature <= 100.0


def test_equal_values_are_progress_near_the_rounding_floor():
    """The strict test stalls where decreases are below the rounding of fun; an equal value with a new gradient is none."""
    p = curvopt.problems.quadratic(np.geomspace(1, 100, 10))
    ours, theirs = (run(curvopt.HDMBest.replace(variant=variant, lr=0.1, lr_beta=10.0, beta0=0.95),
                        lambda x: 1e6 + p.fun(x, *p.args), lambda x: p.jac(x, *p.args), p.x0, maxiter=3000, gtol=1e-12)
                    for variant in ("robust", "icml2025"))
    assert np.abs(ours.jac).max() < 0.1 * np.abs(theirs.jac).max()


def test_the_budget_does_not_change_the_iterates():
    for k in (150, 300):
        short, long = (run(curvopt.HDMBest, maxiter=maxiter, history=True) for maxiter in (k, 700))
        assert np.array_equal(short.history.fun[:k], long.history.fun[:k])


def test_a_run_that_cannot_move_ends():
    """Both ends of this box step from 1 to -1 and back to 1 of x^2, or do not move: no trial is ever better."""
    method = curvopt.HDM.replace(shape="scalar", learner="ogd", lr=10.0, p_bounds=(0.0, 1.0), patience=0)
    res = run(method, sphere, sphere_jac, [1.0], maxiter=100_000)
    assert res.status == Status.STEP_FAILED and res.nit < 1000


@pytest.mark.parametrize("method", [curvopt.HDM, curvopt.HDMBest, curvopt.HDMBest.replace(variant="icml2025"),
                                    curvopt.HDMNesterov], ids=repr)
def test_a_tolerance_below_rounding_ends_with_precision(method):
    def fun(x):
        return 1e4 + float(x[0] ** 2 + 10 * x[1] ** 2)

    res = run(method, fun, lambda x: np.array([2 * x[0], 20 * x[1]]) + 1e-4 * np.cos(1e12 * x), [1.0, 1.0], gtol=1e-14,
              maxiter=100_000)
    assert res.status == Status.PRECISION and res.nit < 5000


def test_lower_bound_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="f_star must be a lower bound"):
        run(curvopt.HDMRatio.replace(f_star=1.0), sphere, sphere_jac, [0.5])
    with pytest.raises(ValueError, match="f_star must be a lower bound") as caught:
        run(curvopt.HDMRatio.replace(f_star=1.0), sphere, sphere_jac, [2.0])
    assert "best point so far" in caught.value.__notes__[0]
    for f_star in (None, -5.0, 0.0):
        assert run(curvopt.HDMRatio.replace(f_star=f_star), sphere, sphere_jac, [2.0], gtol=1e-6, maxiter=500).success


def test_a_lower_bound_that_is_reached_ends_the_run():
    """Where fun is the bound itself there is nothing below: at the start, or later, whatever the gradient says."""
    def fun(x):
        return max(float(x[0] ** 2 + 30 * x[1] ** 2), 1.0)

    def jac(x):
        return np.array([2 * x[0], 60 * x[1]])

    method = curvopt.HDMRatio.replace(f_star=1.0)
    res = run(method, fun, jac, [0.5, 0.1])
    assert res.status == Status.TARGET and res.success and (res.nit, res.nfev, res.njev) == (0, 1, 1)
    res = run(method, fun, jac, [5.0, 1.0])
    assert res.status == Status.TARGET and res.fun == 1.0 and res.nit > 0 and "f_star" in res.message
    assert run(curvopt.HDM.replace(f_star=1.0), fun, jac, [0.5, 0.1], maxiter=3).status != Status.TARGET


def test_full_matrix_names_its_memory():
    n = 5000
    with pytest.raises(ValueError, match=r"400 MB for n = 5000; use shape='diagonal'"):
        run(curvopt.HDM.replace(shape="full"), sphere, sphere_jac, np.ones(n))


@pytest.mark.parametrize("changes, error, match", [
    ({"lr": -1.0}, ValueError, "lr must be positive"),
    ({"lr": math.inf}, ValueError, "lr must be finite"),
    ({"lr": math.nan}, ValueError, "lr must not be NaN"),
    ({"lr": "big"}, TypeError, "lr must be a real number"),
    ({"p0": -1.0}, ValueError, "p0 must be non-negative"),
    ({"p_bounds": (1.0, 0.0)}, ValueError, "p_bounds must have low < high"),
    ({"p_bounds": 3.0}, ValueError, "p_bounds must be a pair"),
    ({"p_bounds": (1.0, 2.0), "p0": 0.5}, ValueError, "p0 must lie within p_bounds"),
    ({"shape": "diag"}, ValueError, "did you mean 'diagonal'"),
    ({"learner": "adagard"}, ValueError, "did you mean 'adagrad'"),
    ({"learner": "mirror", "shape": "full"}, ValueError, "mirror"),
    ({"learner": "mirror", "p0": 0.0}, ValueError, "multiplies"),
    ({"lookahead": -1.0}, ValueError, "lookahead must be non-negative"),
    ({"patience": -1}, ValueError, "patience must be at least 0"),
    ({"f_star": math.nan}, ValueError, "f_star must not be NaN"),
], ids=str)
def test_bad_parameters(changes, error, match):
    with pytest.raises(error, match=match):
        curvopt.HDMRatio.replace(**changes)


@pytest.mark.parametrize("changes, match", [
    ({"lr": -1.0}, "lr must be positive"), ({"lr": math.nan}, "lr must not be NaN"), ({"lr_beta": -1.0}, "lr_beta"),
    ({"beta0": 1.0}, "beta0 must lie in"), ({"variant": "icml"}, "did you mean 'icml2025'"),
], ids=str)
def test_bad_parameters_of_the_heavy_ball(changes, match):
    with pytest.raises(ValueError, match=match):
        curvopt.HDMBest.replace(**changes)


def test_bad_parameters_of_nesterov():
    for changes in ({"L": 0.0}, {"L": math.inf}, {"lr": -1.0}):
        with pytest.raises(ValueError, match="must be"):
            curvopt.HDMNesterov.replace(**changes)


def test_baydin_by_hand():
    a, x, alpha, beta = 3.0, 1.0, 0.1, 0.01
    res = run(baselines.Baydin.replace(lr=alpha, hyper_lr=beta), lambda x: 0.5 * a * x[0] ** 2, lambda x: a * x, [x],
              history=True, maxiter=5)
    for k in range(5):
        g, x = a * x, x - alpha * a * x
        alpha += beta * (a * x) * g
        assert res.history.step[k + 1] == pytest.approx(alpha, rel=1e-14)
    multiplicative = run(baselines.Baydin.replace(lr=0.1, hyper_lr=0.5, rule="multiplicative"), sphere, sphere_jac, [1.0],
                         history=True, maxiter=2)
    assert multiplicative.history.step.tolist() == pytest.approx([0.1, 0.15, 0.225])


def test_adagrad_by_hand_and_without_eps_free_of_scale():
    res = run(baselines.AdaGrad.replace(lr=0.5, eps=0.0), sphere, sphere_jac, [1.0, -2.0], maxiter=2)
    x, acc = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(2):
        acc += (2 * x) ** 2
        x = x - 0.5 * 2 * x / np.sqrt(acc)
    assert res.x == pytest.approx(x, rel=1e-15)
    big = run(baselines.AdaGrad.replace(lr=0.5, eps=0.0), lambda x: 1024 * sphere(x), lambda x: 2048 * x, [1.0, -2.0],
              maxiter=2)
    assert np.array_equal(big.x, res.x)


def test_baselines_end_where_fun_has_no_value():
    for method in (baselines.Baydin.replace(lr=10.0), baselines.AdaGrad.replace(lr=10.0)):
        res = run(method, lambda x: float(x[0] ** 2) if abs(x[0]) < 5 else math.nan, lambda x: 2 * x, [1.0])
        assert res.status == Status.STEP_FAILED and np.isfinite(res.x).all()


def units_to_solve(method, c):
    """Values and gradients for c/2 ||x||^2 until the gradient is 1e-5 c."""
    result = curvopt.minimize(lambda x: 0.5 * c * float(x @ x), np.full(3, 3.0), jac=lambda x: c * x, method=method,
                              options={"gtol": 1e-5 * c})
    assert result.success
    return result.nfev + result.njev


def test_units_of_f_matter_to_the_unit_step_and_to_no_learned_one():
    """ArmijoGD is done at once where the unit step happens to be right, and nowhere else."""
    factors = (1e-3, 0.75, 1.0, 1e3)
    assert [units_to_solve(curvopt.baselines.ArmijoGD, c) for c in factors] == [75, 24, 4, 44]
    for method in (curvopt.HDM, curvopt.HDMRatio, curvopt.HDMBest, curvopt.HDMNesterov):
        assert [units_to_solve(method, c) for c in factors] == [5] * 4
    assert [units_to_solve(curvopt.HDMSecant, c) for c in factors] == [4] * 4
