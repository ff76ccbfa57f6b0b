"""Properties of the curvature scalings: order, range, identities, invariance, exact decrease, thresholds of the unit step."""
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curvopt import MRCG, SCG, SGM, SMR, minimize
from curvopt.methods.scaled_gradient import (
    LIMITED,
    NEGATIVE,
    POSITIVE,
    RULE_CG,
    RULE_GM,
    RULE_MR,
    scaling_of,
)

reproducible = settings(derandomize=True, deadline=None, max_examples=60, database=None)
ALL = {"CG": SCG, "MR": SMR, "GM": SGM}


def scaling(g, hg, rule, sigma=0.0):
    return scaling_of(g, hg, rule, sigma, 1.0, 1.0)


@st.composite
def spd(draw):
    """(g, eigenvalues) with condition number up to 1e4; the Hessian is diagonal, which loses no generality."""
    n = draw(st.integers(2, 8))
    kappa = 10.0 ** draw(st.floats(0.0, 4.0))
    rng = np.random.default_rng(draw(st.integers(0, 2 ** 31)))
    eigenvalues = kappa ** rng.uniform(0.0, 1.0, n)
    eigenvalues[0], eigenvalues[-1] = 1.0, kappa
    return rng.standard_normal(n), eigenvalues


@reproducible
@given(spd())
def test_order_range_identity_and_kantorovich(case):
    g, eigenvalues = case
    cg, mr, gm = (scaling(g, eigenvalues * g, rule)[0] for rule in (RULE_CG, RULE_MR, RULE_GM))
    kappa = eigenvalues.max() / eigenvalues.min()
    rtol = 1.0 + 1e-8
    assert mr <= gm * rtol and gm <= cg * rtol
    assert 1.0 / eigenvalues.max() <= mr * rtol and cg <= rtol / eigenvalues.min()
    assert math.isclose(gm * gm, mr * cg, rel_tol=1e-12)
    assert mr / cg * rtol >= 4.0 * kappa / (kappa + 1.0) ** 2
    assert gm / cg * rtol >= 2.0 * math.sqrt(kappa) / (kappa + 1.0)


@reproducible
@given(spd(), st.floats(1e-3, 1.0), st.integers(0, 2))
def test_scalings_of_an_indefinite_hessian_are_bounded(case, sigma, place):
    g, eigenvalues = case
    eigenvalues = eigenvalues / eigenvalues.max()
    eigenvalues[place % eigenvalues.size] *= -1.0
    kind = scaling(g, eigenvalues * g, RULE_CG, sigma)[2]
    if kind == POSITIVE:
        cg, mr, gm = (scaling(g, eigenvalues * g, rule, sigma)[0] for rule in (RULE_CG, RULE_MR, RULE_GM))
        assert cg < 1.0 / sigma * (1 + 1e-12)
        assert mr >= sigma * (1 - 1e-12) and gm >= 1.0 - 1e-12 and cg >= 1.0 - 1e-12     # L1' = 1


@pytest.mark.parametrize(("c", "kind"), [
    (1e-3 * (1 + 1e-9), POSITIVE), (1e-3 * (1 - 1e-9), LIMITED), (0.0, LIMITED), (-1e-9, NEGATIVE)])
def test_kinds_of_curvature(c, kind):
    g = np.array([3.0, 4.0])
    assert scaling(g, c * g, RULE_CG, sigma=1e-3)[2] == kind


def quadratic(eigenvalues):
    return {"fun": lambda x: 0.5 * float(eigenvalues @ (x * x)), "jac": lambda x: eigenvalues * x,
            "hessp": lambda x, p: eigenvalues * p}


def run(problem, x0, method, maxiter, **options):
    p = dict(problem)
    return minimize(p.pop("fun"), x0, method=method, **p,
                    options={"maxiter": maxiter, "history": True, "return_all": True, "gtol": 0.0, **options})


@reproducible
@given(spd(), st.sampled_from(sorted(ALL)))
def test_unit_steps_and_rates_on_quadratics(case, rule):
    """alpha = 1 always; f falls by at least 1 - 1/kappa; MR lowers the gradient; 4 oracle units an iteration and 2."""
    x0, eigenvalues = case
    res = run(quadratic(eigenvalues), x0, ALL[rule].replace(sigma=0.0), 12)
    f = res.history.fun
    big = f[:-1] > 1e-12 * f[0]
    assert np.all(res.history.step[1:][big] == 1.0)
    kappa = eigenvalues.max() / eigenvalues.min()
    factor = 1.0 - 1.0 / kappa if rule != "CG" else ((kappa - 1.0) / (kappa + 1.0)) ** 2
    assert np.all(f[1:][big] <= factor * f[:-1][big] * (1 + 1e-9) + 1e-14 * f[0])
    if np.all(res.history.step[1:] == 1.0):
        assert res.history.units[-1] == 4 * res.nit + 2
    if rule == "MR":
        norms = [np.linalg.norm(eigenvalues * x) for x in res.allvecs]
        assert np.all(np.diff(norms) <= 1e-9 * norms[0])


@reproducible
@given(spd())
def test_orthogonality_after_one_step(case):
    x0, eigenvalues = case
    g = eigenvalues * x0
    new = {rule: eigenvalues * run(quadratic(eigenvalues), x0, ALL[rule].replace(sigma=0.0), 1).x for rule in ALL}
    hg = eigenvalues * g
    tiny_g, tiny_h = 1e-10 * np.linalg.norm(g), 1e-10 * np.linalg.norm(hg)
    assert abs(new["CG"] @ g) <= tiny_g * max(np.linalg.norm(new["CG"]), np.linalg.norm(g))
    assert abs(new["MR"] @ hg) <= tiny_h * np.linalg.norm(g)
    assert new["GM"] @ g >= -tiny_g * np.linalg.norm(g) and new["GM"] @ hg <= tiny_h * np.linalg.norm(g)


@pytest.mark.parametrize("method", [SCG, SMR, SGM, MRCG], ids=lambda m: m.name)
@pytest.mark.parametrize(("gamma", "beta"), [(4.0, 1.0), (0.25, 1.0), (1.0, 8.0), (2.0, 0.5)])
def test_scaling_of_variables_and_values_changes_no_bit(method, gamma, beta):
    """x = gamma y and f -> beta f by powers of two: the same trajectory, bit for bit, with sigma = 0."""
    eigenvalues, x0 = np.array([1.0, 3.0, 10.0, 40.0]), np.array([1.0, -2.0, 0.7, 0.3])
    p = quadratic(eigenvalues)
    q = {"fun": lambda y: beta * p["fun"](gamma * y), "jac": lambda y: beta * gamma * p["jac"](gamma * y),
         "hessp": lambda y, v: beta * gamma * gamma * p["hessp"](gamma * y, v)}
    a = run(p, x0, method.replace(sigma=0.0), 60)
    b = run(q, x0 / gamma, method.replace(sigma=0.0), 60)
    k = min(len(a.allvecs), len(b.allvecs))
    assert k > 30
    np.testing.assert_array_equal(np.array(a.allvecs[:k]), gamma * np.array(b.allvecs[:k]))


@pytest.mark.parametrize("rule", sorted(ALL))
def test_armijo_holds_up_to_its_threshold(rule):
    """On a quadratic the unit step passes exactly when rho <= 1 - s c / 2."""
    eigenvalues, x0 = np.array([1.0, 1.4]), np.array([1.0, 0.8])
    g = eigenvalues * x0
    s, _, _, c = scaling(g, eigenvalues * g, {"CG": RULE_CG, "MR": RULE_MR, "GM": RULE_GM}[rule])
    threshold = 1.0 - 0.5 * s * c
    if threshold + 1e-6 < 0.5:
        refused = run(quadratic(eigenvalues), x0, ALL[rule].replace(sigma=0.0, rho=threshold + 1e-6), 1)
        assert refused.history.step[1] < 1.0
    rho = min(threshold, 0.5) - 1e-6
    accepted = run(quadratic(eigenvalues), x0, ALL[rule].replace(sigma=0.0, rho=rho), 1)
    assert accepted.history.step[1] == 1.0


def test_gm_tends_to_the_optimal_constant_step():
    eigenvalues = np.array([1.0, 2.0, 5.0, 9.0])
    res = run(quadratic(eigenvalues), np.ones(4), SGM.replace(sigma=0.0), 40)
    assert math.isclose(res.history.scaling[-1], 2.0 / (1.0 + 9.0), rel_tol=1e-3)


def test_barzilai_borwein_steps_are_delayed_scalings():
    """On a quadratic BB1 of the pair (x+ - x, g+ - g) is s_CG at x, and BB2 is s_MR."""
    eigenvalues, x0 = np.array([1.0, 3.0, 10.0]), np.array([1.0, -1.0, 0.5])
    g = eigenvalues * x0
    x1 = run(quadratic(eigenvalues), x0, SGM.replace(sigma=0.0), 1).x
    dx, dg = x1 - x0, eigenvalues * x1 - g
    assert math.isclose(dx @ dx / (dx @ dg), scaling(g, eigenvalues * g, RULE_CG)[0], rel_tol=1e-12)
    assert math.isclose(dx @ dg / (dg @ dg), scaling(g, eigenvalues * g, RULE_MR)[0], rel_tol=1e-12)


def test_alternation_is_superlinear_in_two_variables_and_halves_the_work_in_a_hundred():
    two = run(quadratic(np.array([1.0, 100.0])), np.array([1.0, 0.003]), MRCG.replace(sigma=0.0), 10)
    assert np.linalg.norm(np.array([1.0, 100.0]) * two.x) < 1e-8
    eigenvalues = np.logspace(0, 2, 50)
    problem, x0 = quadratic(eigenvalues), 1.0 / eigenvalues
    counts = {m.name: run(problem, x0, m.replace(sigma=0.0), 5000, gtol=1e-6, return_all=False).nit
              for m in (MRCG, SCG, SMR, SGM)}
    assert counts["MRCG"] <= 0.5 * min(counts[name] for name in ("SCG", "SMR", "SGM")), counts


@reproducible
@given(st.floats(-1.0, 1.0), st.floats(0.1, 1.0), st.integers(0, 2 ** 31))
def test_negative_curvature_tracks_forward_to_the_last_accepted_step(shift, a, seed):
    """On 1/2 x'Dx + a/4 sum x^4 near its saddle: the step passes Armijo's test and twice the step does not."""
    d = np.array([-1.0, -0.5 + 0.4 * shift])
    rho = 1e-4

    def fun(x):
        return 0.5 * float(d @ (x * x)) + 0.25 * a * float(np.sum(x ** 4))

    def jac(x):
        return d * x + a * x ** 3

    x0 = 0.01 * np.random.default_rng(seed).uniform(0.5, 1.0, 2)
    res = run({"fun": fun, "jac": jac, "hessp": lambda x, p: d * p + 3 * a * x * x * p}, x0, SGM.replace(rho=rho), 1)
    alpha, g = res.history.step[1], jac(x0)
    assert res.history.curvature[1] < 0.0 and alpha >= 1.0

    def passes(t):
        return fun(x0 - t * g) <= fun(x0) - rho * t * float(g @ g)

    assert passes(alpha) and not passes(2.0 * alpha)


@reproducible
@given(spd(), st.sampled_from(sorted(ALL)), st.integers(0, 2 ** 31))
def test_an_inexact_hessian_keeps_the_unit_step(case, rule, seed):
    """Errors along g up to (1 - 2 rho) sigma: still alpha = 1 on a quadratic."""
    x0, eigenvalues = case
    sigma, rho = 0.5, 1e-2
    error = 0.9 * (1.0 - 2.0 * rho) * sigma * np.random.default_rng(seed).uniform(-1.0, 1.0)
    problem = {**quadratic(eigenvalues), "hessp": lambda x, p: eigenvalues * p + error * p}
    res = run(problem, x0, ALL[rule].replace(sigma=sigma, rho=rho), 6)
    f = res.history.fun
    assert np.all(res.history.step[1:][f[:-1] > 1e-12 * f[0]] == 1.0)
