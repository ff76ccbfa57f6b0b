"""Oracle units of the baselines on the eight problems, and of variants of those that have a choice.

    python benchmarks/baselines.py

A value counts 1, a gradient 1, a product 2; a run ends at ||g||_inf <= 1e-6 or after 40,000 units, which then count as
if they had been enough. The numbers are deterministic up to the last bits of the machine's exp and log.
"""
import numpy as np

import curvopt
from curvopt import baselines, problems

BUDGET, GTOL = 40_000, 1e-6
BB, ARMIJO = baselines.BarzilaiBorwein, baselines.ArmijoGD
VARIANTS = {
    **{f"BarzilaiBorwein {rule}, window {w}": BB.replace(rule=rule, window=w)
       for rule in ("bb1", "bb2", "alternate") for w in (1, 5, 10, 20)},
    **{f"ArmijoGD growth {growth}": ARMIJO.replace(growth=growth) for growth in (1.0, 1.1, 1.25, 1.5, 2.0)},
    "MRCG": "MRCG", "SciPy CG": "CG", "SciPy L-BFGS-B": "L-BFGS-B",
}
# Need L: only on the problems that know it.
FIXED = {"GD": "lr = 1/L", "HeavyBall": "from L and mu, or 1/L", "Nesterov": "lr = 1/L, restart gradient"}


def units(problem, method):
    row = curvopt.compare(problem, method, budget=BUDGET, gtol=GTOL).rows[0]
    return row["units"] if row["success"] else BUDGET, row["success"]


def line(name, cells):
    known = [u for u, _ in cells]
    mean = f"{np.exp(np.mean(np.log(known))):8.0f}" if all(known) else "       -"
    print(f"{name:34}" + "".join(f"{f'{u}' if ok else f'>{u}' if u else '-':>9}" for u, ok in cells) + mean)


def main():
    eight = problems.eight()
    print(f"{'':34}" + "".join(f"{p.name[:5] + p.name[-3:]:>9}" for p in eight) + "    mean")
    for name, method in VARIANTS.items():
        line(name, [units(p, method) for p in eight])
    for name, said in FIXED.items():
        line(f"{name}, {said}", [units(p, name) if p.L else (0, False) for p in eight])
    for restart in (None, "function"):
        line(f"Nesterov, lr = 1/L, restart {restart}",
             [units(p, baselines.Nesterov.replace(lr=1 / p.L, restart=restart)) if p.L else (0, False) for p in eight])
    line("Nesterov, lr = 1/L, mu", [units(p, baselines.Nesterov.replace(lr=1 / p.L, mu=p.mu, restart=None)) if p.mu
                                    else (0, False) for p in eight])


if __name__ == "__main__":
    main()
