"""What the house costs: ratios in one run, CPU time, the least of several repeats.

    python benchmarks/overhead.py

1. NumPy functions: a run of SGM against a hand-written NumPy loop of the same method.   wanted: at most 1.1
2. Compiled functions: an iteration of the compiled loop against one of SciPy's L-BFGS-B with the very same functions.
   wanted: at most 1/15 at n = 2 and 10, 1/5 at 100, 1/3 at 1000
3. Compiled functions: a whole call of `minimize` with LBFGS against one of SciPy's L-BFGS-B with the same functions, same
   memory. No figure is wanted: what a call costs besides its iterations.
4. `import curvopt` over `import scipy.optimize`.                                        wanted: at most 0.1 s
5. The first compiled solve of a new process whose loop is on disk.                      wanted: below 1 s

An iteration of L-BFGS-B does more arithmetic than one of SGM (a two-loop recursion against one product with the Hessian), so
the second ratio speaks of overhead, not of methods. asv follows the same figures: benchmarks/suite.
"""
import functools
import importlib.util
import os
import subprocess
import sys
import textwrap
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess_prod

SIZES = (2, 10, 100, 1000)
REPEATS = 9
ITERATIONS = 400    # of a run with NumPy functions


def start(n):
    return np.resize([-1.2, 1.0], n)


def cpu(function, repeats=REPEATS):
    """Least CPU time of several calls."""
    best = np.inf
    for _ in range(repeats):
        began = time.process_time()
        function()
        best = min(best, time.process_time() - began)
    return best


def alternate(first, second, repeats=REPEATS):
    """Least CPU times of two functions, called in turn so that a busy spell of the machine meets both."""
    best = [np.inf, np.inf]
    for _ in range(repeats):
        for i, function in enumerate((first, second)):
            best[i] = min(best[i], cpu(function, 1))
    return best


# ---- 1. NumPy functions -------------------------------------------------------------------------------------------------


def numpy_sgm(fun, jac, hessp, x, iterations, sigma=1e-6, rho=1e-4, theta=0.5):
    """SGM as one would write it for a paper: the same tests, no counts, no history, no checks."""
    x = np.array(x, dtype=float)
    f, g = fun(x), jac(x)
    for _ in range(iterations):
        if np.abs(g).max() <= 0.0:
            break
        hg = hessp(x, g)
        gg, gh, hh = g @ g, g @ hg, hg @ hg
        if gh > sigma * gg and hh > 0.0:
            s = np.sqrt(gg / hh)
        elif gh >= 0.0:
            s = 1.0 / sigma
        else:
            s = 1.0
        d, slope, alpha = -s * g, -s * gg, 1.0
        slack = 10.0 * np.finfo(float).eps * abs(f)
        while True:
            trial = x + alpha * d
            f_new = fun(trial)
            if np.isfinite(f_new) and f_new <= f + rho * alpha * slope + slack:
                break
            alpha *= theta
            if alpha < 1e-18:
                return x, f
        if gh < 0.0 and alpha == 1.0:
            while True:
                longer = x + alpha / theta * d
                f_longer = fun(longer)
                if not f_longer <= f + rho * alpha / theta * slope + slack:
                    break
                alpha, trial, f_new = alpha / theta, longer, f_longer
        x, f = trial, f_new
        g = jac(x)
    return x, f


def numpy_pair(n, iterations=ITERATIONS):
    """(run of curvopt, run of the hand-written loop) with SciPy's NumPy functions; checks that they do the same."""
    import curvopt

    def ours():
        return curvopt.minimize(rosen, start(n), jac=rosen_der, hessp=rosen_hess_prod, method=curvopt.SGM,
                                options={"gtol": 0.0, "maxiter": iterations})

    def script():
        return numpy_sgm(rosen, rosen_der, rosen_hess_prod, start(n), iterations)

    result, (_, f) = ours(), script()
    if result.nit != iterations or abs(result.fun - f) > 1e-6 * max(1.0, abs(f)):
        raise AssertionError(f"n = {n}: the two loops do not do the same: {result.nit} iterations, {result.fun!r}, {f!r}")
    return ours, script


def numpy_ratio(n):
    ours, script = alternate(*numpy_pair(n))
    return ours / script


# ---- 2. compiled functions ----------------------------------------------------------------------------------------------


@functools.lru_cache
def compiled_functions():
    """The Rosenbrock function as a user would compile it, apart from the package's own problems."""
    from numba import njit

    @njit
    def fun(x):
        total = 0.0
        for i in range(x.size - 1):
            t = x[i + 1] - x[i] * x[i]
            total += 100.0 * t * t + (1.0 - x[i]) * (1.0 - x[i])
        return total

    @njit
    def jac(x):
        g = np.zeros_like(x)
        for i in range(x.size - 1):
            t = x[i + 1] - x[i] * x[i]
            g[i] += -400.0 * x[i] * t - 2.0 * (1.0 - x[i])
            g[i + 1] += 200.0 * t
        return g

    @njit
    def hessp(x, p):
        hp = np.zeros_like(x)
        for i in range(x.size - 1):
            hp[i] += (1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0) * p[i] - 400.0 * x[i] * p[i + 1]
            hp[i + 1] += 200.0 * p[i + 1] - 400.0 * x[i] * p[i]
        return hp

    return fun, jac, hessp


def ours_compiled(n, iterations):
    import curvopt

    fun, jac, hessp = compiled_functions()
    return curvopt.minimize(fun, start(n), jac=jac, hessp=hessp, method=curvopt.SGM,
                            options={"gtol": 0.0, "maxiter": iterations, "compiled": True})


def scipy_lbfgsb(n, iterations):
    fun, jac, _ = compiled_functions()
    return minimize(fun, start(n), jac=jac, method="L-BFGS-B",
                    options={"gtol": 0.0, "ftol": 0.0, "maxiter": iterations, "maxfun": 10 ** 6})


def per_iteration(solve, n, short, long, calls):
    """Seconds an iteration: the slope between short and long runs, so that the cost of a call drops out."""
    nits = solve(n, short).nit, solve(n, long).nit
    times = alternate(lambda: [solve(n, short) for _ in range(calls)], lambda: [solve(n, long) for _ in range(calls)])
    return (times[1] - times[0]) / calls / (nits[1] - nits[0])


def compiled_times(n):
    """Seconds an iteration of (compiled SGM, L-BFGS-B). L-BFGS-B ends after some 35 iterations at n = 2."""
    ours = per_iteration(ours_compiled, n, 200, 4200 if n < 1000 else 1200, 1)
    theirs = per_iteration(scipy_lbfgsb, n, 5, 25 if n == 2 else 45, 40)
    return ours, theirs


# ---- 3. whole calls -----------------------------------------------------------------------------------------------------


def call_times(n, calls=20):
    """Seconds a call of (LBFGS compiled, L-BFGS-B), from the start of the Rosenbrock function to a gradient of 1e-5."""
    import curvopt

    fun, jac, _ = compiled_functions()

    def ours():
        return curvopt.minimize(fun, start(n), jac=jac, method=curvopt.LBFGS, options={"gtol": 1e-5, "compiled": True})

    def theirs():
        return minimize(fun, start(n), jac=jac, method="L-BFGS-B", options={"gtol": 1e-5, "ftol": 0.0, "maxcor": 10})

    assert ours().success and theirs().success
    return [seconds / calls for seconds in alternate(lambda: [ours() for _ in range(calls)],
                                                     lambda: [theirs() for _ in range(calls)])]


# ---- 4 and 5. new processes ---------------------------------------------------------------------------------------------


IMPORT = """
    import time
    import scipy.optimize
    began = time.process_time()
    import curvopt
    print(time.process_time() - began)
"""
FIRST_SOLVE = """
    import time
    import scipy.optimize
    import curvopt
    began = time.process_time()
    p = curvopt.problems.rosenbrock(10)
    res = curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method="sgm", options={"maxiter": 100})
    assert res.compiled
    print(time.process_time() - began)
"""
FIRST_SOLVE_OWN = """
    import sys, time
    sys.path.insert(0, FOLDER)
    import scipy.optimize
    import curvopt, overhead
    began = time.process_time()
    assert overhead.ours_compiled(10, 100).compiled
    print(time.process_time() - began)
"""


def in_new_process(code, repeats=5):
    """Least of what several new processes print; they import the same curvopt as this one."""
    folder = os.path.dirname(os.path.abspath(__file__))
    code = textwrap.dedent(code).replace("FOLDER", repr(folder))
    package = os.path.dirname(os.path.dirname(importlib.util.find_spec("curvopt").origin))
    environment = {**os.environ, "PYTHONPATH": package}

    def once():
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        return float(run.stdout)

    return min(once() for _ in range(repeats))


def import_seconds():
    return in_new_process(IMPORT)


def first_solve_seconds():
    return in_new_process(FIRST_SOLVE)


def first_solve_own_seconds():
    return in_new_process(FIRST_SOLVE_OWN)


# ---- all of it ----------------------------------------------------------------------------------------------------------


def main():
    print("NumPy functions: SGM against a hand-written NumPy loop (wanted: at most 1.1)")
    for n in SIZES[1:]:
        ours, script = (1e6 * seconds / ITERATIONS for seconds in alternate(*numpy_pair(n)))
        print(f"  n = {n:4d}   {ours:7.1f} us   {script:7.1f} us an iteration   ratio {ours / script:.2f}")
    print("Compiled functions: SGM in the compiled loop, SciPy's L-BFGS-B (wanted: 15, 15, 5, 3 times faster)")
    for n in SIZES:
        ours, theirs = (1e6 * seconds for seconds in compiled_times(n))
        print(f"  n = {n:4d}   {ours:7.2f} us   {theirs:7.1f} us an iteration   {theirs / ours:6.1f} times faster")
    print("Compiled functions: a call of LBFGS and one of SciPy's L-BFGS-B, whole")
    for n in SIZES[:-1]:
        ours, theirs = (1e6 * seconds for seconds in call_times(n))
        print(f"  n = {n:4d}   {ours:7.0f} us   {theirs:7.0f} us   {theirs / ours:6.1f} times faster")
    for what, seconds in (
        ("import curvopt over import scipy.optimize (wanted: at most 0.1 s)", import_seconds()),
        ("first compiled solve of a process, loop on disk (wanted: below 1 s)", first_solve_seconds()),
        ("the same with own functions, compiled by numba in that process", first_solve_own_seconds()),
    ):
        print(f"{what:70} {seconds:.3f} s CPU")


if __name__ == "__main__":
    main()
