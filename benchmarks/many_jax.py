"""Many small problems against `vmap` over the minimizers of jaxopt and optimistix, on the CPU, in one process.

    python benchmarks/many_jax.py [--large] [--family decay|uneven|logistic|rosenbrock] [NAME]

Families, 2,000 problems each (with --large also 100,000), 64 bits, the same starts and functions for all:

decay       the problems of `many.py`: one exponential, three parameters, from one start
uneven      the same with rates from 0.05 to 20 and starts of their own: some take three times as long as others
logistic    a logistic regression with a ridge for each of k groups of 40 rows, four coefficients
rosenbrock  f = c (x1 - x0^2)^2 + (1 - x0)^2 with c from 1 to 10,000, from (-1.2, 1): very uneven

They stop by different tests: curvopt and jaxopt at a gradient of 1e-5, in the largest entry and in the 2-norm; optimistix when
step and value change by less than rtol = atol = 1e-6. What was reached is printed. At most 200 iterations (rosenbrock 1000).
Compilation is apart for all. XLA uses all cores, curvopt two threads. Levenberg-Marquardt is told that the function is a sum of
squares, which the others are not.                                                          wanted: at least 3 times faster

Needs `pip install jax jaxopt optimistix`.
"""
import argparse
import math
import sys
import time
from typing import NamedTuple

import many
import numpy as np
from numba import njit

import curvopt

try:
    import jax
    import jaxopt
    import optimistix
    from jax import numpy as jnp
except ImportError as error:
    sys.exit(f"{error}: this comparison needs three more packages, `pip install jax jaxopt optimistix`")

jax.config.update("jax_enable_x64", True)
T = jnp.asarray(many.TIMES)


class Family(NamedTuple):
    """k problems, for both sides."""

    starts: np.ndarray
    args: tuple             # arrays with first axis k
    shared: tuple           # for ours; the function for JAX has it inside
    ours: dict              # {form: compiled function of value and gradient}
    fun: object             # fun(x, args) for JAX
    residuals: object       # the same where fun is a sum of squares, else None
    maxiter: int = 200


# ---- families ----------------------------------------------------------------------------------------------------------

def residuals(x, args):
    return x[0] * jnp.exp(-x[1] * T) + x[2] - args[0]


def squares(x, args):
    r = residuals(x, args)
    return 0.5 * jnp.dot(r, r)


def decay(k):
    forms = {form: many.compiled_functions(form) for form in ("array", "tuple")}
    return Family(np.tile(many.START, (k, 1)), (many.decays(k),), (many.TIMES,), forms, squares, residuals)


def uneven(k, seed=1):
    rng = np.random.default_rng(seed)
    a, c = rng.uniform(0.5, 3.0, (k, 1)), rng.uniform(-0.5, 0.5, (k, 1))
    rate = 0.05 * 400.0 ** rng.uniform(size=(k, 1))
    y = a * np.exp(-rate * many.TIMES) + c + 0.02 * rng.standard_normal((k, many.TIMES.size))
    starts = rng.uniform([0.5, 0.2, -1.0], [3.0, 5.0, 1.0], (k, 3))
    return Family(starts, (y,), (many.TIMES,), {"array": many.compiled_functions("array")}, squares, residuals)


@njit(error_model="numpy")
def logistic_loss(x, A, label):
    f, g = 0.0, np.zeros(x.size)
    for i in range(A.shape[0]):
        z = 0.0
        for j in range(x.size):
            z += A[i, j] * x[j]
        z *= label[i]
        tail = math.exp(-abs(z))
        f += math.log1p(tail) + max(-z, 0.0)
        p = (tail if z > 0.0 else 1.0) / (1.0 + tail)
        for j in range(x.size):
            g[j] -= p * label[i] * A[i, j]
    for j in range(x.size):
        f += 0.5 * x[j] * x[j]
        g[j] += x[j]
    return f, g


def logistic(k, seed=2):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((k, 40, 4))
    A[:, :, 0] = 1.0
    truth = rng.standard_normal((k, 4)) * rng.uniform(0.2, 3.0, (k, 1))
    p = 1.0 / (1.0 + np.exp(-np.einsum("kij,kj->ki", A, truth)))
    label = np.where(rng.uniform(size=p.shape) < p, 1.0, -1.0)

    def fun(x, args):
        return jnp.sum(jax.nn.softplus(-args[1] * (args[0] @ x))) + 0.5 * jnp.dot(x, x)

    return Family(np.zeros((k, 4)), (A, label), (), {"array": logistic_loss}, fun, None)


@njit(error_model="numpy")
def valley(x, c):
    bend, gap = x[1] - x[0] * x[0], 1.0 - x[0]
    return c * bend * bend + gap * gap, (-4.0 * c * x[0] * bend - 2.0 * gap, 2.0 * c * bend)


def rosenbrock(k, seed=3):
    c = 10.0 ** np.random.default_rng(seed).uniform(0.0, 4.0, k)

    def sides(x, args):
        return jnp.array([jnp.sqrt(2.0 * args[0]) * (x[1] - x[0] * x[0]), math.sqrt(2.0) * (1.0 - x[0])])

    def fun(x, args):
        return args[0] * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    return Family(np.tile([-1.2, 1.0], (k, 1)), (c,), (), {"tuple": valley}, fun, sides, 1000)


FAMILIES = {family.__name__: family for family in (decay, uneven, logistic, rosenbrock)}


# ---- minimizers --------------------------------------------------------------------------------------------------------

def candidates(family):
    """{name: solve(start, args) of one problem}."""
    steps = dict(max_steps=family.maxiter, throw=False)
    keywords = dict(maxiter=family.maxiter, tol=many.GTOL, implicit_diff=False)
    tolerances = dict(rtol=1e-6, atol=1e-6)

    def with_jaxopt(solver):
        return lambda start, args: solver.run(start, args).params

    def with_optimistix(minimise, function, solver):
        return lambda start, args: minimise(function, solver, start, args=args, **steps).value

    found = {
        "jaxopt.BFGS": with_jaxopt(jaxopt.BFGS(family.fun, **keywords)),
        "jaxopt.LBFGS": with_jaxopt(jaxopt.LBFGS(family.fun, **keywords)),
        "optimistix.BFGS": with_optimistix(optimistix.minimise, family.fun, optimistix.BFGS(**tolerances)),
    }
    if family.residuals is not None:
        found["optimistix.LM (squares)"] = with_optimistix(
            optimistix.least_squares, family.residuals, optimistix.LevenbergMarquardt(**tolerances))
    return found


def solve_ours(family, method, workers, form):
    return curvopt.minimize_many(family.ours[form], family.starts, args=family.args, shared=family.shared, jac=True,
                                 method=method, workers=workers, options={"gtol": many.GTOL, "maxiter": family.maxiter})


# ---- report ------------------------------------------------------------------------------------------------------------

def line(name, seconds, compile_seconds, x, family, ours=None):
    values, gradients = jax.vmap(jax.value_and_grad(family.fun))(jnp.asarray(x), family.args)
    k, share = len(values), float(jnp.mean(jnp.max(jnp.abs(gradients), axis=1) <= many.GTOL))
    ratios = "" if ours is None else "".join(f"{s / o:8.1f}" for s, o in zip(seconds, ours))
    print(f"  {name:24}{1e6 * seconds[0] / k:10.2f}{1e6 * seconds[1] / k:10.2f}{compile_seconds:11.2f}"
          f"{100 * share:11.1f} %{float(jnp.mean(values)):14.6e}{ratios}", flush=True)


def compare(name, k, repeats, only):
    family, few = FAMILIES[name](k), FAMILIES[name](4)
    print(f"{name}, {k:,} problems\n  {'':24}{'wall us':>10}{'CPU us':>10}{'compile s':>11}{'at 1e-5':>13}{'mean value':>14}"
          f"{'times: wall, CPU':>17}")
    for form in family.ours:
        for label, method in (("m = 3", many.METHOD), ("as it is", curvopt.QuasiNewton)):
            first = solve_ours(few, method, 1, form)
            ours, result = many.least(lambda form=form, method=method: solve_ours(family, method, 2, form), repeats)
            line(f"curvopt, {form}, {label}", ours, first.compile_time, result.x, family)
            print(f"  {'':24}{result.nfev.mean():.1f} evaluations, at most {result.nfev.max()}; {result.message}")
            if method is many.METHOD:
                best = ours
    rows = jax.tree.map(jnp.asarray, (family.starts, family.args))
    for solver, solve in candidates(family).items():
        if only not in solver:
            continue
        began = time.perf_counter()
        compiled = jax.jit(jax.vmap(solve)).lower(*rows).compile()
        compile_seconds = time.perf_counter() - began
        slow = "jaxopt" in solver
        seconds, x = many.least(lambda run=compiled: run(*rows).block_until_ready(), 1 if slow else repeats)
        line(solver, seconds, compile_seconds, x, family, best)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--family", choices=list(FAMILIES), default="decay")
    parser.add_argument("only", nargs="?", default="", help="only the minimizers with this in their name")
    arguments = parser.parse_args()
    compare(arguments.family, 2000, 5, arguments.only)
    if arguments.large:
        compare(arguments.family, 100_000, 2, arguments.only)


if __name__ == "__main__":
    main()
