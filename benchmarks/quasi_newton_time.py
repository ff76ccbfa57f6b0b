"""Time of an iteration: LBFGS and QuasiNewton over SciPy's L-BFGS-B, ratios in one run.

    python benchmarks/quasi_newton_time.py

CPU seconds of a long run of Rosenbrock's function less those of a short one, over the difference of their iterations: what
comes before the first iteration, and the first pairs, are not in it, nor the 0.1 ms between two chunks of a compiled loop,
which are one chunk here. Least of several repeats, the sides taking turns. An iteration of either side contains its own
line search, and calls the same functions about 1.2 times. SciPy's side is run with its default of 10 pairs, and once more
with as many as ours.
"""
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der

import curvopt

SETTINGS = (    # n, pairs, iterations of the short and of the long run, repeats
    (10, 10, 15, 65, 60), (10, 30, 35, 65, 60), (100, 10, 50, 250, 20), (100, 30, 50, 250, 20), (500, 30, 100, 400, 8),
    (500, 200, 250, 450, 5))


def scipys(fun, jac, x0, m):
    return lambda iterations: minimize(fun, x0, jac=jac, method="L-BFGS-B", options={
        "gtol": 0.0, "ftol": 0.0, "maxiter": iterations, "maxfun": 10 ** 6, "maxcor": m})


def ours(fun, jac, x0, method, compiled):
    return lambda iterations: curvopt.minimize(fun, x0, jac=jac, method=method, options={
        "gtol": 0.0, "maxiter": iterations, "compiled": compiled, "chunk": 1000 if compiled else None})


def timed(solve, iterations):
    began = time.process_time()
    found = solve(iterations)
    return time.process_time() - began, found


def times(solvers, short, long, repeats):
    """[(seconds of an iteration, evaluations an iteration)] of each solver."""
    best = np.full((len(solvers), 2), np.inf)
    found = {}
    for _ in range(repeats):
        for i, solve in enumerate(solvers):
            for j, iterations in enumerate((short, long)):
                seconds, found[i, j] = timed(solve, iterations)
                best[i, j] = min(best[i, j], seconds)
    more = [found[i, 1].nit - found[i, 0].nit for i in range(len(solvers))]
    return [((best[i, 1] - best[i, 0]) / more[i], (found[i, 1].nfev - found[i, 0].nfev) / more[i])
            for i in range(len(solvers))]


def main():
    print(f"{'functions':10s} {'n':>4s} {'m':>4s} {'method':12s} {'us':>7s} {'SciPy, m=10':>12s} {'ratio':>6s} "
          f"{'SciPy, same m':>14s} {'ratio':>6s}   evaluations an iteration")
    for n, m, short, long, repeats in SETTINGS:
        x0 = np.tile([-1.2, 1.0], n // 2)
        jitted = curvopt.problems.rosenbrock(n)
        for label, fun, jac, compiled in (("NumPy", rosen, rosen_der, False), ("compiled", jitted.fun, jitted.jac, True)):
            methods = [curvopt.LBFGS.replace(m=m)] + ([curvopt.QuasiNewton] if m == 200 else [])
            solvers = [scipys(fun, jac, x0, 10), scipys(fun, jac, x0, m)]
            solvers += [ours(fun, jac, x0, method, compiled) for method in methods]
            for solve in solvers:
                solve(long)
            (default, evaluations), (same, _), *mine = times(solvers, short, long, repeats)
            for method, (seconds, per_iteration) in zip(methods, mine):
                print(f"{label:10s} {n:4d} {m:4d} {method.name:12s} {1e6 * seconds:7.1f} {1e6 * default:12.1f} "
                      f"{seconds / default:6.2f} {1e6 * same:14.1f} {seconds / same:6.2f}   "
                      f"{per_iteration:.2f} and {evaluations:.2f}", flush=True)


if __name__ == "__main__":
    main()
