"""Many small fits in one call: ratios in one run against loops over SciPy with the very same compiled functions.

    python benchmarks/many.py [--large] [--memory] [--methods]

Problems: y = a exp(-b t) + c at 16 times with noise, three parameters, one start for all. `fun` returns value and gradient
(``jac=True``), compiled by numba, for both sides; the gradient in an array, then in a tuple.

1. 2,000 problems (with --large also 100,000) in one thread and in two, against loops over SciPy's L-BFGS-B and BFGS, which
   are timed on a sample of 200 problems and scaled: once with that compiled function, once with one in NumPy, as most people
   write it. Beside it the bound: the time of `fun` alone.    wanted: at least 200 times; 2 threads at least 1.7 times
2. --memory: the largest resident set after 10,000 and after 1,000,000 problems, beyond the arrays returned.   wanted: flat
3. --methods: seconds a problem of several methods.

Compilation is reported apart. Wall and CPU time, the least of several repeats; all in this process. On a machine that others
use, only the ratios of CPU times mean something, and the threads cannot be judged.
"""
import argparse
import functools
import math
import os
import resource
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize

import curvopt

TIMES = np.linspace(0.0, 3.0, 16)
START = np.array([1.0, 1.0, 0.0])
SAMPLE = 200
GTOL = 1e-5     # SciPy's default, for both sides
REPEATS = 5


@functools.lru_cache
def compiled_functions(form="array"):
    """Value and gradient; the gradient as an array, or as a tuple, which spares the function the array."""
    from numba import njit

    @njit(error_model="numpy")
    def with_array(x, y, t):
        g = np.zeros(3)
        f = 0.0
        for i in range(t.size):
            e = math.exp(-x[1] * t[i])
            r = x[0] * e + x[2] - y[i]
            f += 0.5 * r * r
            g[0] += r * e
            g[1] -= r * x[0] * t[i] * e
            g[2] += r
        return f, g

    @njit(error_model="numpy")
    def with_tuple(x, y, t):
        f = g0 = g1 = g2 = 0.0
        for i in range(t.size):
            e = math.exp(-x[1] * t[i])
            r = x[0] * e + x[2] - y[i]
            f += 0.5 * r * r
            g0 += r * e
            g1 -= r * x[0] * t[i] * e
            g2 += r
        return f, (g0, g1, g2)

    return {"array": with_array, "tuple": with_tuple}[form]


def decays(k, seed=0):
    """k series of one exponential each, noise 0.02."""
    rng = np.random.default_rng(seed)
    a, b, c = (rng.uniform(low, high, (k, 1)) for low, high in ((0.5, 3.0), (0.5, 3.0), (-0.5, 0.5)))
    return a * np.exp(-b * TIMES) + c + 0.02 * rng.standard_normal((k, TIMES.size))


def ours(y, method, workers, form="array", **options):
    return curvopt.minimize_many(compiled_functions(form), np.tile(START, (len(y), 1)), args=(y,), shared=(TIMES,), jac=True,
                                 method=method, workers=workers, options={"gtol": GTOL, **options})


def scipy_loop(y, method, fun=None):
    fun = fun or compiled_functions()
    return [minimize(fun, START, args=(row, TIMES), jac=True, method=method, options={"gtol": GTOL}) for row in y]


def numpy_fun(x, y, t):
    """The same as most people write it."""
    e = np.exp(-x[1] * t)
    r = x[0] * e + x[2] - y
    return 0.5 * (r @ r), np.array([r @ e, -x[0] * (r @ (t * e)), r.sum()])


def alone(k, form="array"):
    """CPU seconds of one evaluation of the compiled function, called from compiled code: nothing can be faster than these."""
    from numba import njit

    fun, y = compiled_functions(form), decays(1)[0]

    @njit(error_model="numpy")
    def evaluate(times, x, y, t):
        total = 0.0
        for _ in range(times):
            f, g = fun(x, y, t)
            total += f + g[0]
        return total

    evaluate(1, START, y, TIMES)
    return least(lambda: evaluate(k, START, y, TIMES))[0][1] / k


def least(function, repeats=REPEATS):
    """Least (wall, CPU) seconds of several calls, and the last result."""
    best = np.full(2, np.inf)
    for _ in range(repeats):
        began = np.array([time.perf_counter(), time.process_time()])
        result = function()
        best = np.minimum(best, np.array([time.perf_counter(), time.process_time()]) - began)
    return best, result


def alternate(functions, repeats=REPEATS):
    """`least` of several functions called in turn, so that a busy spell of the machine meets them all."""
    best, results = np.full((len(functions), 2), np.inf), [None] * len(functions)
    for _ in range(repeats):
        for i, function in enumerate(functions):
            seconds, results[i] = least(function, 1)
            best[i] = np.minimum(best[i], seconds)
    return best, results


def compare(k, method, form):
    y = decays(k)
    first = ours(y[:4], method, 1, form)
    scipy_runs = {f"{name}, {kind} fun": (name, fun)
                  for kind, fun in (("compiled", compiled_functions(form)), ("NumPy", numpy_fun))
                  for name in ("L-BFGS-B", "BFGS")}
    functions = [lambda: ours(y, method, 1, form), lambda: ours(y, method, 2, form),
                 *(lambda run=run: scipy_loop(y[:SAMPLE], *run) for run in scipy_runs.values())]
    best, (one, two, *theirs) = alternate(functions, REPEATS if k < 10_000 else 2)
    assert np.array_equal(one.x, two.x)
    print(f"{k:,} problems, gradient in {'an' if form == 'array' else 'a'} {form}, {method!r}:\n"
          f"  compiling, or loading from disk, took {first.compile_time:.2f} s, once")
    print(f"  {one.message}; {one.nit.mean():.1f} iterations, {one.nfev.mean():.1f} evaluations a problem")
    seconds = best / np.array([k, k] + [SAMPLE] * len(theirs))[:, None]
    print(f"  us a problem, wall and CPU: 1 thread {1e6 * seconds[0, 0]:.2f}, {1e6 * seconds[0, 1]:.2f}; "
          f"2 threads {1e6 * seconds[1, 0]:.2f}, {1e6 * seconds[1, 1]:.2f}; "
          f"2 threads over 1 (wall) {seconds[0, 0] / seconds[1, 0]:.2f}")
    fun = alone(100_000, form)
    print(f"  fun alone: {1e6 * fun:.3f} us, {1e6 * fun * one.nfev.mean():.2f} us a problem")
    print(f"  {'times faster than a loop over':32} {'us (CPU)':>9} {'evals':>6} {'1 thread':>9} {'2 threads':>10} "
          f"{'fun alone':>10}   worst value of ours above theirs")
    for name, (wall, cpu), runs in zip(scipy_runs, seconds[2:], theirs):
        worse = np.max(one.fun[:SAMPLE] - [r.fun for r in runs])
        print(f"  {name:32} {1e6 * cpu:9.0f} {np.mean([r.nfev for r in runs]):6.1f} {cpu / seconds[0, 1]:9.0f} "
              f"{wall / seconds[1, 0]:10.0f} {cpu / (fun * one.nfev.mean()):10.0f}   {worse:.1e}")


def ratio(y, name, method=None):
    """CPU time of a loop over SciPy, compiled functions, over ours in one thread."""
    best, _ = alternate([lambda: ours(y, method or METHOD, 1), lambda: scipy_loop(y[:SAMPLE], name)], 3)
    return best[1, 1] / SAMPLE / (best[0, 1] / len(y))


def methods(k=2000):
    y = decays(k)
    candidates = [curvopt.QuasiNewton, curvopt.LBFGS, curvopt.LBFGS.replace(m=3), curvopt.QuasiNewton.replace(dense_after=1),
                  curvopt.QuasiNewton.replace(m=3, dense_after=3), METHOD]
    for method in candidates:
        seconds, result = least(lambda method=method: ours(y, method, 1))
        print(f"  {method.name:12} m = {method.m}, dense_after = {getattr(method, 'dense_after', '-')}: "
              f"{1e6 * seconds[1] / k:6.2f} us (CPU) a problem, {result.nfev.mean():5.1f} evaluations, {result.message}")


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def growth(method, small, large):
    """MB that the largest resident set grows by from `small` to `large` problems, beyond the arrays returned."""
    returned = (large - small) * (8 * (3 + 1 + 3 + 1 + 4) + 1) / 2 ** 20
    y = np.tile(decays(1000), (large // 1000, 1))
    X0 = np.tile(START, (large, 1))

    def solve(k):
        return curvopt.minimize_many(compiled_functions(), X0[:k], args=(y[:k],), shared=(TIMES,), jac=True, method=method,
                                     workers=2, options={"gtol": GTOL}).fun.size
    solve(small)
    before = peak()
    solve(large)
    return peak() - before - returned


def memory(method, small=10_000, large=1_000_000):
    more = growth(method, small, large)
    print(f"from {small:,} to {large:,} problems the largest resident set, {peak():.0f} MB, grew by the arrays returned "
          f"and {more:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag in ("--large", "--memory", "--methods"):
        parser.add_argument(flag, action="store_true")
    arguments = parser.parse_args()
    if arguments.methods:
        methods()
    for k in (2000, 100_000) if arguments.large else (2000,):
        for form in ("array", "tuple"):
            compare(k, METHOD, form)
    if arguments.memory:
        memory(METHOD)


METHOD = curvopt.QuasiNewton.replace(m=3, dense_after=3, c2=0.99)     # the fastest of `methods`

if __name__ == "__main__":
    main()
