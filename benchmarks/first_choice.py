"""Which method first? Oracle units of every method on the eight problems, from several starts.

    python benchmarks/first_choice.py [--budget 20000] [--starts 3]

The units (value 1, gradient 1, Hessian product 2) that a method needs until the largest entry of the gradient is at most
1e-6, as it is given by its name: methods with a fixed step get 1/L where the problem knows L and keep their default
elsewhere. A run that does not get there is charged the whole budget. Starts are moved by 1e-3 at random, since single paths
are chaotic. Printed: the geometric mean over problems and starts, the runs that failed, and the mean of each problem.
"""
import argparse
import math
import zlib

import numpy as np
from scipy.optimize import minimize

import curvopt
from curvopt import problems

GTOL = 1e-6
SHORT_NAMES = ("quad 1e2", "quad 1e4", "Rosen 2", "Rosen 10", "Rosen 100", "logistic", "robust", "phase")


def start(problem, k):
    if k == 0:
        return problem.x0
    rng = np.random.default_rng(zlib.crc32(f"{problem.name}-{k}".encode()))
    return problem.x0 + 1e-3 * rng.standard_normal(problem.n)


def units_of(method, problem, x0, budget):
    """Units to the tolerance, or the budget."""
    if problem.L is not None and "lr" in method.parameters and method.name in ("GD", "HeavyBall", "Nesterov", "Baydin"):
        method = method.replace(lr=1.0 / problem.L)
    res = curvopt.minimize(problem.fun, x0, args=problem.args, jac=problem.jac, hessp=problem.hessp, method=method,
                           options={"gtol": GTOL, "maxfev": budget, "maxiter": budget, "compiled": False})
    units = res.nfev + res.njev + 2 * res.nhev
    return units if res.success and units <= budget else budget


def scipy_units(name, problem, x0, budget):
    spent = {"fun": 0, "jac": 0, "hessp": 0}

    def counted(key):
        function = getattr(problem, key)

        def call(*args):
            spent[key] += 1
            return function(*args, *problem.args)

        return call

    options = {"L-BFGS-B": {"gtol": GTOL, "ftol": 0.0, "maxiter": budget, "maxfun": budget},
               "BFGS": {"gtol": GTOL, "maxiter": budget}, "CG": {"gtol": GTOL, "maxiter": budget}}[name]
    x = minimize(counted("fun"), x0, jac=counted("jac"), method=name, options=options).x
    units = spent["fun"] + spent["jac"]
    reached = np.max(np.abs(problem.jac(x, *problem.args))) <= GTOL
    return units if reached and units <= budget else budget


def geometric_mean(values):
    return math.exp(np.mean(np.log(values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=20_000)
    parser.add_argument("--starts", type=int, default=3)
    arguments = parser.parse_args()
    eight = problems.eight()
    solvers = {row["name"]: row["method"] for row in curvopt.methods() if set(row["needs"]) <= {"jac", "hessp"}}
    rows = []
    for name in (*solvers, "L-BFGS-B", "BFGS", "CG"):
        counts = np.array([[
            units_of(solvers[name], p, start(p, k), arguments.budget) if name in solvers
            else scipy_units(name, p, start(p, k), arguments.budget)
            for k in range(arguments.starts)] for p in eight])
        label = name if name in solvers else f"SciPy {name}"
        rows.append((geometric_mean(counts), label, int(np.sum(counts >= arguments.budget)), counts))
    print(f"{'method':18}{'mean':>7}{'failed':>8}   " + " ".join(f"{name:>9}" for name in SHORT_NAMES))
    for mean, label, failed, counts in sorted(rows, key=lambda row: row[0]):
        print(f"{label:18}{mean:7.0f}{failed:5d}/{counts.size:<2d}   " + " ".join(f"{geometric_mean(c):9.0f}" for c in counts))


if __name__ == "__main__":
    main()
