"""Three uses of `minimize_many`, in one run each against a loop over SciPy's L-BFGS-B with the very same compiled functions.

    python benchmarks/many_real.py

pixels   an exponential decay at every pixel of a series of 12 images of 256 x 256, noise 0.03: 65,536 fits of two parameters
groups   a logistic regression with a ridge of 1 for each group of occupation and education in the survey `fair` of statsmodels
         (6348 women in 29 groups of 6 to 1260, padded with rows of weight 0): whether there was an affair, five coefficients
starts   Rastrigin's function of three variables from 10,000 starts; the two sides may end in other minima

`QuasiNewton` as it is, gtol 1e-5 for both. SciPy is timed on a sample of at most 200 problems. Wall-clock time of two threads
and of one, compilation apart; nothing else should run on the machine.

Needs `pip install statsmodels`.
"""
import math

import numpy as np
from many import SAMPLE, alternate
from numba import njit
from scipy.optimize import minimize

import curvopt

GTOL = 1e-5


@njit(error_model="numpy")
def decay(x, y, t):
    f, g = 0.0, np.zeros(2)
    for i in range(t.size):
        e = math.exp(-x[1] * t[i])
        r = x[0] * e - y[i]
        f += 0.5 * r * r
        g[0] += r * e
        g[1] -= r * x[0] * t[i] * e
    return f, g


def pixels(side=256, seed=0):
    rng, t = np.random.default_rng(seed), np.linspace(0.0, 3.0, 12)
    row, column = np.mgrid[0:side, 0:side] / side
    rate = (1.2 + 0.7 * np.sin(6.0 * row) * np.cos(4.0 * column)).ravel()
    y = 1.5 * np.exp(-rate[:, None] * t) + 0.03 * rng.standard_normal((rate.size, t.size))
    return decay, np.ones((rate.size, 2)), (y,), (t,)


@njit(error_model="numpy")
def logistic(x, A, label, weight):
    f, g = 0.0, np.zeros(x.size)
    for i in range(A.shape[0]):
        if weight[i] == 0.0:
            continue
        z = 0.0
        for j in range(x.size):
            z += A[i, j] * x[j]
        z *= label[i]
        tail = math.exp(-abs(z))
        f += weight[i] * (math.log1p(tail) + max(-z, 0.0))
        p = (tail if z > 0.0 else 1.0) / (1.0 + tail)
        for j in range(x.size):
            g[j] -= weight[i] * p * label[i] * A[i, j]
    for j in range(1, x.size):
        f += 0.5 * x[j] * x[j]
        g[j] += x[j]
    return f, g


def groups(smallest=5):
    from statsmodels.datasets import fair

    data = fair.load_pandas().data
    columns = data[["rate_marriage", "yrs_married", "children", "religious"]]
    columns = ((columns - columns.mean()) / columns.std()).to_numpy()
    sign = np.where(data["affairs"] > 0.0, 1.0, -1.0)
    chosen = [rows for rows in data.groupby(["occupation", "educ"]).indices.values() if len(rows) >= smallest]
    k, longest = len(chosen), max(map(len, chosen))
    A, label, weight = np.zeros((k, longest, 5)), np.ones((k, longest)), np.zeros((k, longest))
    for i, rows in enumerate(chosen):
        A[i, :len(rows)] = np.c_[np.ones(len(rows)), columns[rows]]
        label[i, :len(rows)], weight[i, :len(rows)] = sign[rows], 1.0
    return logistic, np.zeros((k, 5)), (A, label, weight), ()


@njit(error_model="numpy")
def rastrigin(x):
    f, g = 0.0, np.empty(x.size)
    for i in range(x.size):
        f += x[i] * x[i] + 10.0 * (1.0 - math.cos(2.0 * math.pi * x[i]))
        g[i] = 2.0 * x[i] + 20.0 * math.pi * math.sin(2.0 * math.pi * x[i])
    return f, g


def starts(k=10_000, seed=0):
    return rastrigin, np.random.default_rng(seed).uniform(-5.0, 5.0, (k, 3)), (), ()


def compare(case):
    fun, X0, args, shared = case()
    k, sample = len(X0), min(SAMPLE, len(X0))

    def ours(workers):
        return curvopt.minimize_many(fun, X0, args=args, shared=shared, jac=True, method="quasinewton", workers=workers,
                                     options={"gtol": GTOL})

    def scipy_loop():
        return [minimize(fun, X0[i], args=tuple(a[i] for a in args) + shared, jac=True, method="L-BFGS-B",
                         options={"gtol": GTOL}) for i in range(sample)]

    compiled = ours(1).compile_time
    seconds, (one, two, theirs) = alternate([lambda: ours(1), lambda: ours(2), scipy_loop], 3)
    assert np.array_equal(one.x, two.x)
    wall = seconds[:, 0] / [k, k, sample]
    print(f"{case.__name__}: {k:,} problems, n = {X0.shape[1]}; {one.message}; {one.nfev.mean():.1f} evaluations, "
          f"L-BFGS-B {np.mean([r.nfev for r in theirs]):.1f}; compiled or loaded in {compiled:.1f} s\n"
          f"  us a problem: one thread {1e6 * wall[0]:.2f}, two {1e6 * wall[1]:.2f} ({wall[0] / wall[1]:.2f}x), "
          f"L-BFGS-B {1e6 * wall[2]:.0f}: {wall[2] / wall[0]:.0f} and {wall[2] / wall[1]:.0f} times slower; "
          f"whole call with two threads {1e3 * seconds[1, 0]:.1f} ms\n"
          f"  value above theirs: worst {np.max(one.fun[:sample] - [r.fun for r in theirs]):.1e}", flush=True)


if __name__ == "__main__":
    for case in (pixels, groups, starts):
        compare(case)
