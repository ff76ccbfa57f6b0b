"""Time of an iteration: LBFGS and QuasiNewton over SciPy's L-BFGS-B, ratios in one run.

    python benchmarks/quasi_newton_time.py

CPU time, the least of several repeats, of runs of 300 iterations from the same start; the time before the first iteration
is not taken out. An iteration of either side contains its own line search, so the functions cost both about the same.
SciPy's side is run with its default of 10 pairs, and once more with as many as ours.
"""
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der

import curvopt

ITERATIONS, REPEATS = 300, 5


def least(run):
    """(least CPU seconds of an iteration, evaluations an iteration)."""
    best, found = np.inf, None
    for _ in range(REPEATS):
        began = time.process_time()
        found = run()
        best = min(best, time.process_time() - began)
    return best / found.nit, found.nfev / found.nit


def scipys(fun, jac, x0, m):
    return minimize(fun, x0, jac=jac, method="L-BFGS-B",
                    options={"gtol": 0.0, "ftol": 0.0, "maxiter": ITERATIONS, "maxfun": 10 ** 6, "maxcor": m})


def ours(fun, jac, x0, method, compiled):
    return curvopt.minimize(fun, x0, jac=jac, method=method,
                            options={"gtol": 0.0, "maxiter": ITERATIONS, "compiled": compiled})


def main():
    print(f"{'functions':10s} {'n':>4s} {'m':>4s} {'method':12s} {'us':>7s} {'SciPy us':>9s} {'ratio':>6s} "
          f"{'SciPy, same m':>14s} {'ratio':>6s}   evaluations an iteration")
    for n, m in ((10, 10), (10, 30), (100, 30), (500, 30), (500, 200)):
        x0 = np.tile([-1.2, 1.0], n // 2)
        compiled = curvopt.problems.rosenbrock(n)
        for label, fun, jac, jitted in (("NumPy", rosen, rosen_der, False), ("compiled", compiled.fun, compiled.jac, True)):
            default, scipy_evaluations = least(lambda: scipys(fun, jac, x0, 10))
            same, _ = least(lambda: scipys(fun, jac, x0, m)) if m != 10 else (default, 0.0)
            methods = [curvopt.LBFGS.replace(m=m)] + ([curvopt.QuasiNewton] if m == 200 else [])
            for method in methods:
                mine, evaluations = least(lambda: ours(fun, jac, x0, method, jitted))
                print(f"{label:10s} {n:4d} {m:4d} {method.name:12s} {1e6 * mine:7.1f} {1e6 * default:9.1f} "
                      f"{mine / default:6.2f} {1e6 * same:14.1f} {mine / same:6.2f}   "
                      f"{evaluations:.2f} and {scipy_evaluations:.2f}")


if __name__ == "__main__":
    main()
