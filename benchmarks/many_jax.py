"""Many small problems against `vmap` over the minimizers of jaxopt and optimistix, on the CPU, in one process.

    python benchmarks/many_jax.py [--large] [NAME]

The problems of `many.py`: 2,000 (with --large also 100,000) exponentials of three parameters; for all, 64 bits, the same
start, at most 200 iterations. They stop by different tests: curvopt and jaxopt at a gradient of 1e-5, in the largest entry and
in the 2-norm; optimistix when step and value change by less than rtol = atol = 1e-6. What was reached is printed.
Compilation is apart for all. XLA uses all cores, curvopt two threads. Levenberg-Marquardt is told that the function is a sum of
squares, which the others are not.                                                          wanted: at least 3 times faster

Needs `pip install jax jaxopt optimistix`.
"""
import argparse
import sys
import time

import many
import numpy as np

MAXITER = 200

try:
    import jax
    import jaxopt
    import optimistix
    from jax import numpy as jnp
except ImportError as error:
    sys.exit(f"{error}: this comparison needs three more packages, `pip install jax jaxopt optimistix`")

jax.config.update("jax_enable_x64", True)
T, START = jnp.asarray(many.TIMES), jnp.asarray(many.START)


def residuals(x, y):
    return x[0] * jnp.exp(-x[1] * T) + x[2] - y


def fun(x, y):
    r = residuals(x, y)
    return 0.5 * jnp.dot(r, r)


def with_jaxopt(solver):
    return lambda y: solver.run(START, y).params


def with_optimistix(minimise, function, solver):
    return lambda y: minimise(function, solver, START, args=y, max_steps=MAXITER, throw=False).value


def candidates():
    """{name: solve one problem}."""
    keywords = dict(maxiter=MAXITER, tol=many.GTOL, implicit_diff=False)
    tolerances = dict(rtol=1e-6, atol=1e-6)
    return {
        "jaxopt.BFGS": with_jaxopt(jaxopt.BFGS(fun, **keywords)),
        "jaxopt.LBFGS": with_jaxopt(jaxopt.LBFGS(fun, **keywords)),
        "optimistix.BFGS": with_optimistix(optimistix.minimise, fun, optimistix.BFGS(**tolerances)),
        "optimistix.LM (squares)": with_optimistix(optimistix.least_squares, residuals,
                                                   optimistix.LevenbergMarquardt(**tolerances)),
    }


def reached(x, y):
    """(share of rows with a gradient of at most 1e-5, mean value)."""
    x, y = np.asarray(x), np.asarray(y)
    e = np.exp(-x[:, 1:2] * many.TIMES)
    r = x[:, :1] * e + x[:, 2:] - y
    g = np.c_[(r * e).sum(1), -(r * x[:, :1] * many.TIMES * e).sum(1), r.sum(1)]
    return np.mean(np.abs(g).max(1) <= many.GTOL), 0.5 * (r * r).sum(1).mean()


def line(name, seconds, k, compile_seconds, x, y, ours=None):
    share, value = reached(x, y)
    ratios = "" if ours is None else "".join(f"{s / o:8.1f}" for s, o in zip(seconds, ours))
    print(f"  {name:24}{1e6 * seconds[0] / k:10.2f}{1e6 * seconds[1] / k:10.2f}{compile_seconds:11.2f}"
          f"{100 * share:11.1f} %{value:14.6e}{ratios}")


def compare(k, repeats, only):
    y = many.decays(k)
    print(f"{k:,} problems\n  {'':24}{'wall us':>10}{'CPU us':>10}{'compile s':>11}{'at 1e-5':>13}{'mean value':>14}"
          f"{'times: wall, CPU':>17}")
    for form in ("array", "tuple"):
        first = many.ours(y[:4], many.METHOD, 1, form)
        ours, result = many.least(lambda form=form: many.ours(y, many.METHOD, 2, form), repeats)
        line(f"curvopt, gradient: {form}", ours, k, first.compile_time, result.x, y)
    rows = jnp.asarray(y)
    for name, solve in candidates().items():
        if only not in name:
            continue
        began = time.perf_counter()
        compiled = jax.jit(jax.vmap(solve)).lower(rows).compile()
        compile_seconds = time.perf_counter() - began
        seconds, x = many.least(lambda run=compiled: run(rows).block_until_ready(), repeats)
        line(name, seconds, k, compile_seconds, x, y, ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("only", nargs="?", default="", help="only the minimizers with this in their name")
    arguments = parser.parse_args()
    compare(2000, 3, arguments.only)
    if arguments.large:
        compare(100_000, 2, arguments.only)


if __name__ == "__main__":
    main()
