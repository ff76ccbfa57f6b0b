"""FUSE and FUSE-PV measured: calls on textbook functions, values on rough ones, and what units do to a switch.

    python benchmarks/fuse.py starts        the 21 start pairs of docs/methods/fuse.md, budget 2000 calls, gap 1e-10
    python benchmarks/fuse.py others        textbook functions that played no part in choosing constants
    python benchmarks/fuse.py rough         functions with kinks: best value after 2000 calls, tuning part
    python benchmarks/fuse.py rough-held    the same, validation part
    python benchmarks/fuse.py units         the iteration of the switch when fun is multiplied by c

A call is one value with its gradient. Everything is deterministic; quasi-Newton paths are chaotic in the last digits, so
another BLAS moves single counts.
"""
import argparse
import functools
import zlib

import numpy as np
from fuse_problems import other_functions, rosenbrock, rough_functions, start_pairs, wood

import curvopt
from curvopt import FUSE, FUSEPV, LBFGS, Adam, QuasiNewton

BUDGET = 2000


def trace(case, method, budget=BUDGET, gtol=1e-9):
    """(least value, gradient norm) after each call."""
    calls = []

    class Enough(Exception):
        pass

    def fun(x):
        if len(calls) == budget:
            raise Enough
        f, g = case.fun(x)
        calls.append((f, np.abs(g).max()))
        return f, g

    try:
        curvopt.minimize(fun, case.x0, jac=True, method=method, options={"gtol": gtol, "maxiter": 10 ** 9, "compiled": False})
    except Enough:
        pass
    values, norms = np.array(calls).T
    return np.minimum.accumulate(np.where(np.isfinite(values), values, np.inf)), norms


def first(condition):
    """1 + index of the first True; None without one."""
    hits = np.flatnonzero(condition)
    return int(hits[0]) + 1 if hits.size else None


def starts():
    cases = start_pairs()
    kinds = {"auto": FUSEPV, "auto, Adam first": FUSEPV.replace(first="adam"),
             "switch after 100": FUSEPV.replace(switch="epoch"), "('grad', 0.5)": FUSEPV.replace(switch=("grad", 0.5)),
             "('loss', 1e-4)": FUSEPV.replace(switch=("loss", 1e-4)),
             "FUSE linear 100": FUSE, "FUSE 0.5": FUSE.replace(schedule=0.5), "Adam": Adam}
    methods = {f"{name} {lr}": method.replace(lr=lr) for lr in (0.1, 0.01, 0.001) for name, method in kinds.items()}
    methods |= {"LBFGS, m = 10": LBFGS.replace(m=10), "LBFGS": LBFGS, "QuasiNewton": QuasiNewton}
    print(f"{'method':24s} solved of {len(cases)}   mean calls (unsolved: {BUDGET})")
    for name, method in methods.items():
        calls = [first(trace(case, method)[0] - case.f_star <= 1e-10) for case in cases]
        print(f"{name:24s} {sum(c is not None for c in calls):6d}         {np.mean([c or BUDGET for c in calls]):8.0f}")


def others():
    cases = other_functions()
    methods = {"Adam 0.1": Adam.replace(lr=0.1), "Adam 0.01": Adam.replace(lr=0.01), "LBFGS": LBFGS, "QuasiNewton": QuasiNewton,
               "auto": FUSEPV, "auto, Adam first": FUSEPV.replace(first="adam")}
    print("calls to max|g| <= 1e-6 max(1, max|g(x0)|); a dash: not within", BUDGET)
    print(f"{'function':16s}" + "".join(f"{name:>18s}" for name in methods))
    table = []
    for case in cases:
        gtol = 1e-6 * max(1.0, np.abs(case.fun(case.x0)[1]).max())
        row = [first(trace(case, m)[1] <= gtol) for m in methods.values()]
        table.append([r or np.inf for r in row])
        print(f"{case.name:16s}" + "".join(f"{r or '-':>18}" for r in row))
    table = np.array(table)
    best = table[:, :3].min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        ratios = np.exp(np.log(np.minimum(table, 10 * BUDGET) / best).mean(axis=0))
    print(f"{'mean ratio':16s}" + "".join(f"{r:18.3f}" for r in ratios) + "   to the better of Adam and LBFGS")


def rough(part):
    """Values within 1e-7 of the way from the start count as equal: below that, rows only say who polished longest."""
    cases = [c for c in rough_functions() if (zlib.crc32(c.name.encode()) % 3 != 0) == (part == "tuning")]
    lrs = (0.1, 0.01, 0.001)
    methods = {f"{name} {lr}": m.replace(lr=lr) for name, m in (("Adam", Adam), ("auto", FUSEPV)) for lr in lrs}
    methods |= {"strong": QuasiNewton.replace(wolfe="strong"), "QuasiNewton": QuasiNewton}
    print(f"{part}: f - f* after {BUDGET} calls")
    print(f"{'function':28s}" + "".join(f"{name:>13s}" for name in methods))
    gaps = []
    for case in cases:
        ends = np.array([trace(case, m)[0][-1] for m in methods.values()])
        span = case.fun(case.x0)[0] - ends.min()
        f_star = ends.min() - 1e-9 * span if np.isnan(case.f_star) else case.f_star
        gaps.append(np.maximum(ends - f_star, 1e-7 * span))
        print(f"{case.name:28s}" + "".join(f"{gap:13.2e}" for gap in gaps[-1]), flush=True)
    gaps = {name: column for name, column in zip(methods, np.array(gaps).T)}
    for lr in lrs:
        auto, alone, adam = gaps[f"auto {lr}"], gaps["strong"], gaps[f"Adam {lr}"]
        for label, ratio in (("strong", auto / alone), ("the better of that and Adam", auto / np.minimum(adam, alone)),
                             ("QuasiNewton", auto / gaps["QuasiNewton"])):
            mean, above = np.exp(np.log(ratio).mean()), [int(np.sum(ratio > limit)) for limit in (1.01, 2.0)]
            print(f"lr {lr}: auto / {label}: geometric mean {mean:.3g}, above 1.01 in {above[0]}, above 2 in {above[1]} "
                  f"of {len(cases)}, largest {ratio.max():.2f}")


def switch_iterations(fun, x0, rules, factors, shift=0.0, budget=BUDGET):
    """{rule: [iteration of the switch, or None] for c f + shift}."""
    def scaled(c):
        def other(x):
            f, g = fun(x)
            return c * f + shift, c * g

        return other

    return {name: [curvopt.minimize(scaled(c), x0, jac=True, method=method,
                                    options={"gtol": 0.0, "maxiter": budget, "compiled": False}).switch_nit for c in factors]
            for name, method in rules.items()}


RULES = {
    "gradient norm at most 0.5": FUSEPV.replace(switch=("grad", 0.5), lr=0.1),
    "loss below 2": FUSEPV.replace(switch=lambda k, x, f, g: f < 2.0, lr=0.1),
    "loss changes by at most 1e-4": FUSEPV.replace(switch=("loss", 1e-4), lr=0.1),
    "automatic, Adam first": FUSEPV.replace(first="adam", lr=0.1),
}


def units():
    factors = 10.0 ** np.arange(-6, 7, 2)
    for label, fun, x0 in (("rosenbrock2", rosenbrock, [-1.2, 1.0]), ("wood", wood, [-3.0, -1.0, -3.0, -1.0])):
        print(f"{label}: iteration of the switch for c f; a dash: none within {BUDGET}")
        print(f"{'c':30s}" + "".join(f"{c:8.0e}" for c in factors) + "   f + 10")
        plain, shifted = (switch_iterations(fun, x0, RULES, f, s) for f, s in ((factors, 0.0), ((1.0,), 10.0)))
        for name in RULES:
            print(f"{name:30s}" + "".join(f"{'-' if k is None else k:>8}" for k in plain[name] + shifted[name]))


TABLES = {"starts": starts, "others": others, "rough": functools.partial(rough, "tuning"),
          "rough-held": functools.partial(rough, "validation"), "units": units}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=tuple(TABLES), nargs="+")
    for what in parser.parse_args().what:
        TABLES[what]()
        print()
