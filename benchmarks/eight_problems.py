"""Oracle units of the scaled gradient methods on the eight problems, beside Barzilai-Borwein and SciPy's L-BFGS-B.

    python benchmarks/eight_problems.py [--budget 40000] [--starts 4]

A value is 1 unit, a gradient 1, a Hessian-vector product 2, counted here, outside the solvers, until the largest entry
of the gradient is at most 1e-6. The first table is the problems as they are. Their paths are chaotic: a rounding error
changes the counts by some per cent, those of Rosenbrock's function more. So a second table repeats each problem from
starts moved by 1e-3 at random and gives geometric means.
"""
import argparse
import math

import numpy as np
from scipy.optimize import minimize

import curvopt
from curvopt import problems

GTOL = 1e-6
SHORT_NAMES = ("quad 1e2", "quad 1e4", "Rosen 2", "Rosen 10", "Rosen 100", "logistic", "robust", "phase")


class Spent(Exception):
    """The budget is used up."""


class Oracle:
    """The functions of a problem, with a price on each call."""

    def __init__(self, problem, budget):
        self.problem, self.budget, self.units = problem, budget, 0

    def pay(self, units):
        if self.units >= self.budget:
            raise Spent
        self.units += units

    def fun(self, x):
        self.pay(1)
        return self.problem.fun(x, *self.problem.args)

    def jac(self, x):
        self.pay(1)
        return self.problem.jac(x, *self.problem.args)

    def hessp(self, x, p):
        self.pay(2)
        return self.problem.hessp(x, p, *self.problem.args)


def by_curvopt(method):
    def solve(oracle, x0):
        return curvopt.minimize(oracle.fun, x0, jac=oracle.jac, hessp=oracle.hessp, method=method,
                                options={"gtol": GTOL, "maxiter": 10 ** 7}).jac

    return solve


def by_lbfgsb(oracle, x0):
    return minimize(oracle.fun, x0, jac=oracle.jac, method="L-BFGS-B",
                    options={"gtol": GTOL, "ftol": 0.0, "maxcor": 10, "maxiter": 10 ** 7, "maxfun": 10 ** 7}).jac


def first_rule(oracle, x, exact=2, frozen=4, window=10, sigma=1e-6, rho=1e-4, theta=0.5):
    """The rule that SAUTO began with: `exact` CG steps, then `frozen` steps with the least of their MR values.

    Plain NumPy. Frozen steps take no product. Armijo's test compares with the largest of the last `window` values.
    """
    f, g = oracle.fun(x), oracle.jac(x)
    recent, mr, left, s = [f], [], 0, 0.0
    while np.abs(g).max() > GTOL:
        gg, negative = g @ g, False
        if left:
            left -= 1
        else:
            hg = oracle.hessp(x, g)
            gh, hh = g @ hg, hg @ hg
            negative = gh < 0.0
            if gh > sigma * gg:
                s = gg / gh
                mr.append(gh / hh)
            else:
                s, mr = 1.0 if negative else 1.0 / sigma, []
        alpha, top = 1.0, max(recent)

        def good(value, alpha, top=top, s=s, gg=gg):
            return math.isfinite(value) and value <= top - rho * alpha * s * gg + 10 * 2.0 ** -52 * abs(top)

        value = oracle.fun(x - s * g)
        while not good(value, alpha):
            alpha *= theta
            value = oracle.fun(x - alpha * s * g)
        while negative and alpha >= 1.0:
            longer = oracle.fun(x - alpha / theta * s * g)
            if not good(longer, alpha / theta, f):
                break
            alpha, value = alpha / theta, longer
        x, f = x - alpha * s * g, value
        g = oracle.jac(x)
        recent = [*recent, f][-window:]
        if len(mr) == exact:
            left, s, mr = frozen, min(mr), []
    return g


SOLVERS = {
    **{name: by_curvopt(getattr(curvopt, name)) for name in ("SCG", "SMR", "SGM", "MRCG")},
    "Barzilai-Borwein": by_curvopt(curvopt.baselines.BarzilaiBorwein),
    "first rule, 2 + 4": first_rule,
    "SAUTO": by_curvopt(curvopt.SAUTO),
    "L-BFGS-B (SciPy)": by_lbfgsb,
}


def units(solve, problem, x0, budget):
    """Units to the tolerance; the budget where it was not reached."""
    oracle = Oracle(problem, budget)
    try:
        g = solve(oracle, x0.copy())
    except Spent:
        return budget
    return oracle.units if np.abs(g).max() <= GTOL else budget


def geometric_mean(values):
    return math.exp(np.mean(np.log(values)))


def print_table(rows, budget, reference):
    print(f"{'':18s}" + "".join(f"{name:>10s}" for name in SHORT_NAMES) + f"{'mean':>8s}{'worst / MRCG':>14s}")
    for name, row in rows.items():
        cells = "".join(f"{'>' if value >= budget else ''}{value:.0f}".rjust(10) for value in row)
        print(f"{name:18s}{cells}{geometric_mean(row):8.0f}{max(np.divide(row, rows[reference])):14.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=40_000)
    parser.add_argument("--starts", type=int, default=4, help="moved starts a problem; 0 leaves the second table out")
    options = parser.parse_args()
    eight = problems.eight()
    print(f"Oracle units to a gradient of {GTOL:g}, budget {options.budget}; geometric mean")
    print_table({name: [units(solve, p, p.x0, options.budget) for p in eight] for name, solve in SOLVERS.items()},
                options.budget, "MRCG")
    if not options.starts:
        return
    moved = [[p.x0 + 1e-3 * np.random.default_rng(1000 + k).standard_normal(p.n) for k in range(options.starts)]
             for p in eight]
    print(f"\nGeometric means over {options.starts} starts moved by 1e-3")
    print_table({name: [geometric_mean([units(solve, p, x0, options.budget) for x0 in starts])
                        for p, starts in zip(eight, moved)]
                 for name, solve in SOLVERS.items() if name not in ("SCG", "SMR", "SGM")}, options.budget, "MRCG")


if __name__ == "__main__":
    main()
