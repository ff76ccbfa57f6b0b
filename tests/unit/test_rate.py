"""The rate of convergence: sequences of known laws, runs of known rates, promises kept and broken."""
import math
import pickle

import numpy as np
import pytest

import curvopt
from curvopt._rate import observed

K = np.arange(400)
B = curvopt.baselines


@pytest.mark.parametrize("r, law, constant, rel", [
    (3.0 * 0.93 ** K, "linear", 0.93, 1e-9),
    (5.0 / (K + 1.0) ** 2, "sublinear", 2.0, 0.02),
    (np.exp(-1.7 * np.sqrt(K)), "nearly linear", 1.7, 1e-9),
    (10.0 ** -(1.6 ** np.arange(11)), "superlinear", 1.6, 0.03),
])
def test_exact_laws(r, law, constant, rel):
    rate = observed(np.arange(len(r)), r, "gradient norm", ())
    assert rate.law == law
    assert rate.constant == pytest.approx(constant, rel=rel)


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_a_tenth_changes_little(seed):
    print("seed", seed)
    noisy = 0.9 ** K[:150] * np.exp(0.1 * np.random.default_rng(seed).standard_normal(150))
    rate = observed(K[:150], noisy, "gradient norm", ())
    assert rate.law == "linear" and abs(rate.constant - 0.9) < 2e-3 and 0.07 < rate.scatter < 0.13


def test_rounding_ends_the_window():
    r = np.maximum(0.5 ** K[:200], 1e-16)
    rate = observed(K[:200], r, "fun - f_star", (), floor=1e-15)
    assert rate.law == "linear" and rate.constant == pytest.approx(0.5, rel=1e-9) and rate.last < 55


@pytest.mark.parametrize("r", [np.ones(50), np.array([1.0, 0.5, 0.1]), np.zeros(0), np.full(20, np.nan)])
def test_nothing_to_say(r):
    rate = observed(np.arange(len(r)), r, "gradient norm", ())
    assert rate.law == "unclear" and math.isnan(rate.constant) and "no law" in str(rate)
    assert rate.remaining(1e-8) == math.inf


@pytest.mark.parametrize("r", [2.0 * 0.9 ** K, 3.0 / (K + 1.0) ** 1.5, np.exp(-0.8 * np.sqrt(K))])
def test_remaining_is_the_iterations_left(r):
    rate = observed(K[:200], r[:200], "gradient norm", ())
    assert rate.remaining(r[350]) == pytest.approx(150, abs=8)
    assert rate.remaining(1.0) == 0


@pytest.fixture(scope="module")
def problem():
    return curvopt.problems.quadratic(np.geomspace(1.0, 40.0, 12))


def run(problem, method, **options):
    return curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, hessp=problem.hessp, method=method,
                            options={"history": True, "compiled": False, "gtol": 1e-9, **options})


def test_gradient_descent_has_the_rate_of_theory(problem):
    p = problem
    rate = run(p, B.GD.replace(lr=1.5 / p.L)).rate(f_star=0.0, L=p.L, mu=p.mu)
    factor = max(abs(1 - 1.5 / 40.0), 0.5) ** 2
    assert rate.constant == pytest.approx(factor, rel=1e-4)
    assert rate.bounds[0].constant == pytest.approx(factor, rel=1e-12) and "NOT" not in str(rate)


@pytest.mark.parametrize("quantity", [{"f_star": 0.0}, {}])
@pytest.mark.parametrize("name", ["HeavyBall", "Nesterov", "SCG", "SMR", "SGM", "TruncatedNewton", "PolyakGD"])
def test_promises_are_kept_on_a_quadratic(problem, name, quantity):
    p = problem
    method = {"HeavyBall": lambda: B.HeavyBall.from_curvature(p.L, p.mu), "PolyakGD": lambda: B.PolyakGD.replace(f_star=0.0),
              "Nesterov": lambda: B.Nesterov.replace(lr=1 / p.L, mu=p.mu)}.get(name, lambda: name)()
    rate = run(p, method).rate(L=p.L, mu=p.mu, **quantity)
    assert rate.law != "unclear"
    assert len(rate.bounds) == (0 if name == "PolyakGD" and not quantity else 1)
    assert "NOT" not in str(rate)


def test_a_wrong_constant_is_told(problem):
    p = problem
    text = str(run(p, B.GD.replace(lr=1 / p.L)).rate(f_star=0.0, L=p.L, mu=2 * p.mu))
    assert "NOT kept" in text


def test_a_step_too_long_for_theory_has_no_promise(problem):
    assert run(problem, B.GD.replace(lr=1 / problem.L)).rate(L=4 * problem.L, mu=1.0).bounds == ()


@pytest.mark.parametrize("arguments, word", [
    ({"f_star": 1.0}, "above a value"), ({"L": -1.0}, "L must be"), ({"L": 1.0, "mu": 2.0}, "mu needs"),
    ({"mu": 1.0}, "mu needs"), ({"f_star": math.nan}, "f_star"),
])
def test_bad_arguments(problem, arguments, word):
    with pytest.raises((ValueError, TypeError), match=word):
        run(problem, "SGM", maxiter=20).rate(**arguments)


def test_without_history(problem):
    with pytest.raises(ValueError, match="history"):
        run(problem, "SGM", maxiter=2, history=False).rate()


def test_plot(problem):
    plt = pytest.importorskip("matplotlib.pyplot")
    p = problem
    axes = run(p, B.GD.replace(lr=1 / p.L)).rate(f_star=0.0, L=p.L, mu=p.mu).plot()
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["run", "linear, 0.9506", "theory: linear, 0.9506"]
    plt.close("all")


# ---- the texts of a result ------------------------------------------------------------------------------------------------

def test_explain_names_the_way_on(problem):
    text = run(problem, B.GD.replace(lr=0.01 / problem.L), maxiter=100).explain()
    assert "resume" in text and "QuasiNewton" in text and "iterations away" in text
    assert repr(text) == str(text)


@pytest.mark.parametrize("options, words", [({"gtol": 0.0}, "subtract a constant"), ({"ftarget": 1e5}, "what you asked for")])
def test_explain_on_a_function_with_a_large_value(options, words):
    p = curvopt.problems.brown_dennis()
    res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method="LBFGS", options={"compiled": False, **options})
    assert words in res.explain(), res.explain()


@pytest.mark.parametrize("fun, words", [(lambda x: float(-x @ x), "a sign"), (lambda x: math.nan, "start from a point")])
def test_explain_when_there_is_no_minimum(fun, words):
    res = curvopt.minimize(fun, [1.0, 2.0], jac=lambda x: -2 * x, method="LBFGS")
    assert words in res.explain(), res.explain()


def test_explain_tells_a_kink_from_a_tolerance():
    """fun converges and the gradient stays: resuming is no advice."""
    for method in ("QuasiNewton", "HDMBest"):
        res = curvopt.minimize(lambda x: float(np.abs(x).sum() + 0.1 * x @ x), [1.3, -0.7], method=method,
                               jac=lambda x: np.sign(x) + 0.2 * x, options={"history": True, "maxiter": 400})
        text = res.explain()
        assert not res.success and "a kink" in text and "not smooth" in text and "resume" not in text
    assert res.curvature_report().gradient == pytest.approx(1.0, abs=1e-6)


def test_explain_says_that_the_gradient_is_one_of_differences():
    for jac, said in ((None, True), ("2-point", True), ("3-point", False), (lambda x: 4.0 * x ** 3, False)):
        res = curvopt.minimize(lambda x: float(np.sum(x ** 4)), [1.3, -0.7], method="LBFGS", jac=jac, options={"maxiter": 2})
        assert ("differences of fun" in res.explain()) == said


def test_curvature_report():
    p = curvopt.problems.rosenbrock(4)
    res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method="LBFGS", options={"compiled": False, "gtol": 1e-9})
    counts = res.nfev, res.njev, res.nhev
    found = res.curvature_report()      # by differences of the gradient
    matrix = np.array([p.hessp(res.x, e) for e in np.eye(4)])
    assert found.verdict == "minimum" and found.products == 5      # the gradient at x, and one a direction
    assert found.smallest == pytest.approx(np.linalg.eigvalsh(matrix)[0], rel=1e-4)
    assert (res.nfev, res.njev, res.nhev) == counts
    assert str(found).startswith("minimum: least eigenvalue")


@pytest.mark.parametrize("power, verdict", [(4, "flat"), (2, "saddle")])
def test_curvature_report_elsewhere(power, verdict):
    sign = 1.0 if power == 4 else -1.0
    res = curvopt.minimize(lambda x: x[0] ** 2 + sign * x[1] ** power, [1.0, 0.0],
                           jac=lambda x: np.array([2 * x[0], sign * power * x[1] ** (power - 1)]), method="LBFGS")
    assert res.curvature_report().verdict == verdict


def test_reports_after_pickling(problem):
    res = pickle.loads(pickle.dumps(run(problem, "SGM")))
    assert "Converged" in res.explain() and res.rate().law == "linear"
    with pytest.raises(ValueError, match="pickled"):
        res.curvature_report()
    assert "objective" not in res and "settings" not in res


def test_curvature_report_refuses_rough_differences():
    p = curvopt.problems.rosenbrock(2)
    res = curvopt.minimize(p.fun, p.x0, jac="2-point", method="LBFGS")
    with pytest.raises(ValueError, match="too rough"):
        res.curvature_report()
