"""Where the unit step is accepted, how short a step can get, and how much fun falls: scaled methods away from quadratics.

g is the gradient, H the Hessian, c = <g, Hg> / <g, g>; L1 bounds the change of the gradient along the ray -g, L2 that of
the curvature along it. Derived and checked here.
"""
import numpy as np
import pytest
from numpy.linalg import norm

import curvopt

RHO, THETA, SIGMA = 1e-4, 0.5, 1e-6


def scalings(g, hg):
    gg, gh, hh = g @ g, g @ hg, hg @ hg
    return gg / gh, gh / hh, np.sqrt(gg / hh)


def test_unit_steps_near_a_minimum_of_a_quartic():
    print("seed 0")
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        n, a = 6, rng.uniform(0.1, 10.0)
        D = rng.uniform(0.5, 5.0, n)
        x = rng.standard_normal(n) * 10.0 ** rng.uniform(-4, 0)
        g, h = D * x + a * x ** 3, D + 3 * a * x ** 2

        def fun(z, D=D, a=a):
            return 0.5 * z @ (D * z) + a / 4 * np.sum(z ** 4)

        for s in scalings(g, h * g):
            L2 = 3 * a * np.max(2 * np.abs(x) + s * np.abs(g))
            if norm(g) <= 3 * (1 - 2 * RHO) / (L2 * s * s):
                held += 1
                slack = 1e-14 * fun(x)
                assert fun(x - s * g) <= fun(x) - RHO * s * (g @ g) + slack
    assert held > 300, "the condition is no empty one"


class Waves:
    """Sum of w cos(k'x + phase): L1 = sum w ||k||^2, L2 = sum w ||k||^3, everywhere."""

    def __init__(self, seed, n=5, terms=12):
        rng = np.random.default_rng(seed)
        self.k, self.w = rng.standard_normal((terms, n)), rng.uniform(0.2, 1.0, terms)
        self.phase = rng.uniform(0, 2 * np.pi, terms)
        self.L1 = float(self.w @ norm(self.k, axis=1) ** 2)
        self.L2 = float(self.w @ norm(self.k, axis=1) ** 3)

    def fun(self, x):
        return float(self.w @ np.cos(self.k @ x + self.phase))

    def jac(self, x):
        return -self.k.T @ (self.w * np.sin(self.k @ x + self.phase))

    def hessp(self, x, v):
        return -self.k.T @ (self.w * np.cos(self.k @ x + self.phase) * (self.k @ v))


def test_unit_steps_in_nonconvex_regions():
    print("seeds 0 to 39")
    positive = negative = 0
    for seed in range(40):
        p = Waves(seed)
        rng = np.random.default_rng(1000 + seed)
        res = curvopt.minimize(p.fun, rng.standard_normal(5), jac=p.jac, hessp=p.hessp, method="sgm", options={"gtol": 1e-6})
        x = res.x + rng.standard_normal(5) * 10.0 ** rng.uniform(-4, -1)
        g = p.jac(x)
        c = g @ p.hessp(x, g) / (g @ g)
        if c > SIGMA:
            for s in scalings(g, p.hessp(x, g)):
                if norm(g) <= 3 * (1 - 2 * RHO) / (p.L2 * s * s):
                    positive += 1
                    assert p.fun(x - s * g) <= p.fun(x) - RHO * s * (g @ g) + 1e-14
        y = rng.standard_normal(5)
        g = p.jac(y)
        if g @ p.hessp(y, g) < 0:
            s = np.sqrt(6 * (1 - RHO) / (p.L2 * norm(g)))
            negative += 1
            assert p.fun(y - s * g) <= p.fun(y) - RHO * s * (g @ g)
    assert positive >= 20 and negative >= 5


@pytest.mark.parametrize("method", ["scg", "smr", "sgm", "mrcg"])
def test_steps_are_never_too_short_and_fun_falls_by_its_due(method):
    print("seeds 0 to 5")
    for seed in range(6):
        p = Waves(seed)
        before = None
        x0 = np.random.default_rng(500 + seed).standard_normal(5)
        for it in curvopt.iterate(p.fun, x0, jac=p.jac, hessp=p.hessp, method=method, options={"gtol": 1e-5, "maxiter": 60}):
            if before is not None and it.step > 0:
                gg, length = before.jac @ before.jac, it.step * it.scaling
                floor = 2 * THETA * (1 - RHO) / p.L1
                least = floor if it.curvature < 0 else min(it.scaling, floor)
                assert length >= least * (1 - 1e-12)
                assert before.fun - it.fun >= RHO * length * gg - 1e-13 * abs(before.fun)
            before = it


def test_alternation_halves_the_iterations_at_condition_1e4():
    p = curvopt.problems.quadratic(np.logspace(0, 4, 50), np.random.default_rng(0).standard_normal(50))
    call = {"args": p.args, "jac": p.jac, "hessp": p.hessp}
    options = {"gtol": 1e-6, "sigma": 0.0, "compiled": False}
    alternating = curvopt.minimize(p.fun, p.x0, method="mrcg", options=options, **call)
    assert alternating.success
    for name in ("scg", "smr", "sgm"):
        single = curvopt.minimize(p.fun, p.x0, method=name, options={**options, "maxiter": 2 * alternating.nit}, **call)
        assert not single.success
