"""Large n: the own work of one SGM iteration against the machine's copy bandwidth. Ratios in one run.

    python benchmarks/large_n.py

The own work is what an iteration does between the user's callables when the unit step is accepted: the scaling
from g and Hg, the trial point, the norm of the new gradient. Bytes are those that the algorithm has to read and to write,
8 for each entry; bandwidth is bytes over the least CPU time of several repeats, and that of a copy counts 16 bytes for each
entry. One thread.                                                                                       wanted: at least 0.8

The second table is a whole compiled run, with functions that cost next to nothing to compute: the iteration less the time
of the three functions called alone. It contains the copies that keep a user's function from writing into the state.
"""
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numba import njit

import curvopt
from curvopt._vectors import axpy_to, copy_to, dot, norm_inf
from curvopt.methods.scaled_gradient import RULE_GM, scaling_of

SIZES, REPEATS = (10 ** 6, 10 ** 7), 7


def least(functions):
    """Least CPU seconds of functions called in turn."""
    best = np.full(len(functions), np.inf)
    for _ in range(REPEATS + 1):
        for i, function in enumerate(functions):
            began = time.process_time()
            function()
            best[i] = min(best[i], time.process_time() - began)
    return best


def kernels(n):
    rng = np.random.default_rng(0)
    x, g, hg, out = (rng.standard_normal(n) for _ in range(4))
    parts = [   # name, vectors read or written, call
        ("np.copyto", 2, lambda: np.copyto(out, x)),
        ("copy_to", 2, lambda: copy_to(x, out)),
        ("dot", 2, lambda: dot(x, g)),
        ("norm_inf (the residual)", 1, lambda: norm_inf(g)),
        ("scaling_of", 2, lambda: scaling_of(g, hg, RULE_GM, 1e-6, 1e6, 1.0)),
        ("axpy_to (the trial)", 3, lambda: axpy_to(1e-3, g, x, out)),
    ]
    seconds = least([call for *_, call in parts])
    speed = {name: 8e-9 * n * vectors / s for (name, vectors, _), s in zip(parts, seconds)}
    for name, rate in speed.items():
        print(f"  {name:24} {rate:6.2f} GB/s   {rate / speed['np.copyto']:.2f} of a copy")
    own = {name: (vectors, s) for (name, vectors, _), s in zip(parts, seconds)
           if name.split()[0] in ("norm_inf", "scaling_of", "axpy_to")}
    total, vectors = sum(s for _, s in own.values()), sum(v for v, _ in own.values())
    print(f"  an iteration of SGM: {vectors} vectors in {1e3 * total:.2f} ms, {8e-9 * n * vectors / total:.2f} GB/s, "
          f"{8e-9 * n * vectors / total / speed['np.copyto']:.2f} of a copy")


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


def run(n, iterations=10):
    x = np.ones(n)

    def solve(maxiter):
        return curvopt.minimize(fun, x, jac=jac, hessp=hessp, method=curvopt.SGM,
                                options={"gtol": 0.0, "maxiter": maxiter, "compiled": True, "chunk": 100})
    long, short, callables, copy = least([lambda: solve(iterations + 1), lambda: solve(1),
                                          lambda: (fun(x), jac(x), hessp(x, x)), lambda: np.copyto(x, x.copy())])
    one = (long - short) / iterations
    print(f"  a compiled iteration: {1e3 * one:.1f} ms, of which the functions take {1e3 * callables:.1f} ms alone")


def main():
    for n in SIZES:
        print(f"n = {n:,}")
        kernels(n)
        run(n)


if __name__ == "__main__":
    main()
