"""Large n: the own work of one SGM iteration against the machine's copy bandwidth. Ratios in one run.

    python benchmarks/large_n.py            # all of it, about a minute on two idle cores
    python benchmarks/large_n.py own        # one table: own, threshold, run or memory

The own work is what an iteration does between the user's callables when the unit step is accepted: the scaling
from g and Hg, the trial point, the norm of the new gradient. Bytes are those that the algorithm has to read and to write,
8 for each entry; a copy counts 16 bytes for each entry. Bandwidth is bytes over the least wall-clock time of several repeats,
and the copy it is compared with is made by the same number of threads, each of them np.copyto on its share.  wanted: 0.8

`own` also shows a copy of two pairs of vectors in turn. The four vectors of the method take twice the memory of a single
copy, and where a single pair stays in the cache and four vectors do not, around n = 3e6 here, only that one is comparable.

`threshold`: from which n on threads are a gain. `run`: whole runs with functions that cost next to nothing, with one thread,
compiled and interpreted, and with two. `memory`: peak memory after 5 and after 200 iterations, in vectors of length n.
"""
import os
import subprocess
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numba import njit

import curvopt
from curvopt import _blocks, _threads
from curvopt._vectors import axpy_to, norm_inf
from curvopt.methods.scaled_gradient import RULE_GM, scaling_of

SIZES, REPEATS = (10 ** 6, 3 * 10 ** 6, 10 ** 7), 15
VECTORS = 6     # read or written by the own work: g and Hg, x and g and the trial point, the new gradient


def least(functions, repeats=REPEATS):
    """Least seconds of functions called in turn."""
    best = np.full(len(functions), np.inf)
    for _ in range(repeats + 1):
        for i, function in enumerate(functions):
            began = time.perf_counter()
            function()
            best[i] = min(best[i], time.perf_counter() - began)
    return best


def use(threads):
    os.environ[_threads.VARIABLE] = str(threads)


def copies(pairs, threads):
    """Copies from the second to the first of each pair, each cut into as many shares as there are threads."""
    n = pairs[0][0].size
    shares = [slice(i * n // threads, (i + 1) * n // threads) for i in range(threads)]

    def copy():
        for out, v in pairs:
            _threads.each(lambda share, out=out, v=v: np.copyto(out[share], v[share]), shares, threads)

    return copy


def make_own(n):
    """(the three parts of the own work, vectors x, g, Hg, trial point)."""
    rng = np.random.default_rng(0)
    x, g, hg, out = (rng.standard_normal(n) for _ in range(4))
    parts = (lambda: scaling_of(g, hg, RULE_GM, 1e-6, 1e6, 1.0), lambda: axpy_to(1e-3, g, x, out), lambda: norm_inf(hg))
    return parts, (x, g, hg, out)


def own():
    print("         n  threads  scaling    trial  residual [ms]   own GB/s  of one pair's copy  of two pairs' copy")
    for n in SIZES:
        parts, (x, g, hg, out) = make_own(n)
        for threads in range(1, _threads.count() + 1):
            use(threads)
            one, = least([copies([(out, x)], threads)])
            two, = least([copies([(out, x), (hg, g)], threads)])
            for part in parts:      # in the order of an iteration, as often as the copies
                part()
            seconds = sum_of_parts(parts)
            rate = 8e-9 * VECTORS * n / seconds.sum()
            print(f"{n:10,}  {threads:7}" + "".join(f"  {1e3 * s:7.3f}" for s in seconds)
                  + f"       {rate:10.2f}  {rate / (16e-9 * n / one):18.2f}  {rate / (32e-9 * n / two):18.2f}")
        del os.environ[_threads.VARIABLE]


def sum_of_parts(parts):
    """Seconds of the parts in the iteration that took least in all."""
    best = np.full(len(parts), np.inf)
    for _ in range(REPEATS):
        clock = [time.perf_counter()]
        for part in parts:
            part()
            clock.append(time.perf_counter())
        taken = np.diff(clock)
        best = taken if taken.sum() < best.sum() else best
    return best


def threshold():
    print("own work by all threads over that by one, the least and the median of 40 (below 1 is a gain)")
    chosen = _blocks.SHARED
    _blocks.SHARED = _blocks.BLOCK + 1
    for n in (150_000, 200_000, 300_000, 400_000, 524_288, 700_000, 1_000_000):
        parts, _ = make_own(n)
        taken = {}
        for _ in range(40):
            for threads in (1, _threads.count()):
                use(threads)
                began = time.perf_counter()
                for part in parts:
                    part()
                taken.setdefault(threads, []).append(time.perf_counter() - began)
                del os.environ[_threads.VARIABLE]
        one, all_ = taken[1], taken[max(taken)]
        print(f"{n:10,}  {min(all_) / min(one):.2f}  {np.median(all_) / np.median(one):.2f}")
    _blocks.SHARED = chosen


@njit
def fun(x):
    a = b = c = e = 0.0
    for i in range(0, x.size - 3, 4):
        a += x[i] * x[i]
        b += x[i + 1] * x[i + 1]
        c += x[i + 2] * x[i + 2]
        e += 3.0 * x[i + 3] * x[i + 3]
    return 0.5 * (a + b + c + e)


@njit
def jac(x):
    g = np.empty_like(x)
    for i in range(0, x.size - 3, 4):
        g[i] = x[i]
        g[i + 1] = x[i + 1]
        g[i + 2] = x[i + 2]
        g[i + 3] = 3.0 * x[i + 3]
    return g


@njit
def hessp(x, p):
    return jac(p)


def solve(n, method, compiled, maxiter):
    return curvopt.minimize(fun, np.ones(n), jac=jac, hessp=hessp, method=method,
                            options={"gtol": 0.0, "maxiter": maxiter, "compiled": compiled, "chunk": 100})


def run():
    print("    method           n   functions alone   1 thread compiled   1 thread   all threads   [ms an iteration]")
    for method in ("SGM", "LBFGS"):
        for n in SIZES[::2]:
            x, iterations = np.ones(n), 12 if n < 10 ** 7 else 5
            used = [jac, fun, hessp] if method == "SGM" else [jac, fun]
            row = [sum(least([lambda f=f: f(x, x) if f is hessp else f(x) for f in used], 5))]
            for threads, compiled in ((1, True), (1, False), (_threads.count(), None)):
                use(threads)
                solve(n, method, compiled, 1)
                runs = [lambda maxiter=maxiter: solve(n, method, compiled, maxiter) for maxiter in (iterations + 1, 1)]
                row.append(-np.diff(least(runs, 2))[0] / iterations)
                del os.environ[_threads.VARIABLE]
            print(f"{method:>10}  {n:10,}" + "".join(f"  {1e3 * s:15.2f}" for s in row))


def memory():
    """Peaks, without what a run at n = 1000 takes. x0, g and H g as `jac` and `hessp` make them are in it."""
    empty = peak_of("solve(1000, 'SGM', False, 5)")
    for n in SIZES:
        many = 200 if n < 10 ** 7 else 40
        few, more = ((peak_of(f"solve({n}, 'SGM', None, {maxiter})") - empty) / (8e-6 * n) for maxiter in (5, many))
        print(f"{n:10,}: {few:.2f} vectors after 5 iterations, {more:.2f} after {many}")


def peak_of(call):
    """Peak resident memory in MB of a new process that makes this call."""
    text = f"import large_n as m, resource; m.{call}; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True,
                          cwd=os.path.dirname(os.path.abspath(__file__)))
    return float(done.stdout) * 1.024e-3    # Linux counts in kB


def main():
    for table in (own, threshold, run, memory):
        if len(sys.argv) < 2 or table.__name__ in sys.argv[1:]:
            table()


if __name__ == "__main__":
    main()
