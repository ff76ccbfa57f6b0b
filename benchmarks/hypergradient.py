"""Hypergradient methods on the data of their papers, and HDMSecant beside L-BFGS-B.

    python benchmarks/hypergradient.py fidelity DATA     HDMBest(variant="icml2025") against the authors' own counts
    python benchmarks/hypergradient.py medians DATA      HDMBest as it is, medians over starts
    python benchmarks/hypergradient.py tables DATA       HDMSecant on a1a to a3a beside L-BFGS-B and the published method
    python benchmarks/hypergradient.py sets DATA [PART]  HDMSecant to L-BFGS-B on the problem sets; PART: tuning, validation
    python benchmarks/hypergradient.py spread DATA       HDMSecant from 30 starts: quantiles of its gradients
    python benchmarks/hypergradient.py weak-points       distance of the start, n = 1, Rosenbrock, conjugate gradients

DATA is a folder with the LIBSVM files a1a, a2a, a3a. All counts are gradients until max|g| < 1e-4, medians of 5 starts.
"""
import argparse
import csv
import math
import pathlib

import numpy as np
from hypergradient_problems import SEED, libsvm
from hypergradient_sets import ADULT, CAP, SETS, count, named, sorted_counts, starts, tuning
from scipy.optimize import minimize as scipy_minimize

import curvopt

REFERENCE = pathlib.Path(__file__).resolve().parents[1] / "tests" / "reference" / "hdm_best_adult.csv"
# Medians of five starts measured with the research prototype of HDMSecant, and gradients of the published method with the
# best of its twenty settings (one start), at regularization 0 and 1; a1a, a2a, a3a.
PROTOTYPE = {"svm:0": (142, 190, 164), "logistic:0": (417, 222, 210), "svm:1": (231, 296, 325), "logistic:1": (112, 131, 153)}
PUBLISHED = {"svm:0": (276, 378, 306), "logistic:0": (768, 770, 883), "svm:1": (790, 992, 1025), "logistic:1": (367, 442, 506)}
MEMORIES = (3, 10)      # pairs of the methods compared


def published_start(n):
    """The scripts draw n normals for the singular vector of L before those of the start."""
    random = np.random.RandomState(SEED)
    random.standard_normal(n)
    x = random.randn(n)
    return x / np.linalg.norm(x)


def gradients_until(history, thresholds):
    """Gradients up to the first point below each threshold; -1 for never. The start counts as one."""
    return [int(history.njev[np.argmax(history.grad_norm < t)]) if np.any(history.grad_norm < t) else -1 for t in thresholds]


def fidelity(folder):
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    print("data  lr L  lr_beta   gradients until max|g| < threshold: ours/theirs")
    for data, lr, lr_beta in sorted({(r["data"], float(r["lr"]), float(r["lr_beta"])) for r in rows}):
        p = libsvm(folder, data, "svm")
        wanted = {float(r["threshold"]): int(r["gradients"]) for r in rows if (r["data"], float(r["lr"])) == (data, lr)}
        method = curvopt.HDMBest.replace(variant="icml2025", lr=lr / p.L, lr_beta=lr_beta)
        res = curvopt.minimize(p.fun, published_start(p.n), p.args, method, p.jac,
                               options={"gtol": 1e-5, "maxiter": 2000, "history": True})
        ours = gradients_until(res.history, wanted)
        print(f"{data}  {lr:4g}  {lr_beta:7g}   " + "   ".join(
            f"{t:g}: {n}/{theirs} ({n / theirs - 1:+.0%})" for n, (t, theirs) in zip(ours, wanted.items())))


def shown(count):
    return "-" if count >= CAP else str(count)


def medians(folder):
    print(f"{'problem':18s} HDMBest: median (least to most)   L-BFGS-B m = 10, m = 3")
    for name in ADULT:
        p = named(name, folder)
        best = sorted_counts(p, curvopt.HDMBest)
        others = [shown(sorted_counts(p, m)[2]) for m in (10, 3)]
        print(f"{name:18s} {shown(best[2]):>6s} ({shown(best[0])} to {shown(best[-1])})   " + "  ".join(others), flush=True)


def tables(folder):
    methods = {"HDMSecant m = 3": curvopt.HDMSecant, "HDMSecant m = 10": curvopt.HDMSecant.replace(m=10), "L-BFGS-B m = 10": 10,
               "L-BFGS-B m = 3": 3}
    print(f"{'problem':18s}" + "".join(f"{name:>18s}" for name in methods) + "   prototype    published")
    for name in ADULT:
        loss, data, reg = name.split(":")
        p, k = named(name, folder), "a1a a2a a3a".split().index(data)
        counts = [sorted_counts(p, method)[2] for method in methods.values()]
        wanted = PROTOTYPE[f"{loss}:{reg}"][k]
        print(f"{name:18s}" + "".join(f"{shown(c):>18s}" for c in counts)
              + f"   {wanted} ({counts[0] / wanted - 1:+.0%})   {PUBLISHED[f'{loss}:{reg}'][k]}", flush=True)


def geometric_mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def sets(folder, part):
    """Ratios of medians; an unsolved run counts as the cap, which flatters L-BFGS-B where it is the one that failed."""
    held = {"tuning": [True], "validation": [False]}.get(part, [True, False])
    solvers = {f"HDMSecant m = {m}": curvopt.HDMSecant.replace(m=m) for m in MEMORIES}
    every = {name: [] for name in solvers}
    for title, names in SETS.items():
        print(f"{title:26s} n     L-BFGS-B m = 10" + "".join(f"{name:>24s}" for name in solvers))
        for name in names:
            if tuning(name) not in held:
                continue
            p = named(name, folder)
            base = sorted_counts(p, 10)[2]
            line = f"{name:26s} {p.n:4d} {shown(base):>12s}"
            for label, method in solvers.items():
                counts = sorted_counts(p, method)
                ratio = counts[2] / base
                if title != "small":
                    every[label].append((ratio, name))
                line += f"{shown(counts[2]):>10s} {ratio:5.2f} <{shown(counts[-1]):>5s}"
            print(line, flush=True)
    for label, ratios in every.items():
        print(f"{label}: geometric mean {geometric_mean([r for r, _ in ratios]):.3f}, worst {max(ratios)[0]:.2f} "
              f"({max(ratios)[1]}), {len(ratios)} problems without those of `small`")


def spread(folder):
    for name in ADULT[:6]:
        counts = sorted_counts(named(name, folder), curvopt.HDMSecant, 30)
        middle = 0.5 * (counts[14] + counts[15])
        print(f"{name:18s} least {counts[0]}, median {middle:g}, 27th of 30 {counts[26]}, most {counts[-1]}: "
              f"{counts[-1] / middle:.2f} of the median", flush=True)


def weak_points():
    p = named("sk:dig:1:std")
    print("start scaled by 10^e, e = -6, -3, 0, 3, 6 (sk:dig:1:std):")
    for label, solver in (("HDMSecant", curvopt.HDMSecant), ("L-BFGS-B m = 10", 10)):
        print(f"  {label}", *(sorted(count(p, solver, 10.0 ** e * x) for x in starts(p, 5))[2] for e in (-6, -3, 0, 3, 6)))
    for n in (2, 10, 100):
        p = named(f"rosen:{n}")
        ours, base = (sorted_counts(p, solver)[2] for solver in (curvopt.HDMSecant, 10))
        print(f"Rosenbrock, n = {n}: HDMSecant {ours}, L-BFGS-B m = 10 {base}")
    off = curvopt.HDMSecant.replace(eta=0.0, weight=0.0)
    p = named("quad:50:1e2")
    print(f"quad:50:1e2 to 1e-8, no learner: HDMSecant {count(p, off, p.x0, gtol=1e-8)}, "
          f"conjugate gradients {conjugate_gradients(p, 1e-8)}")
    for label, fun, jac, x0 in one_variable():
        ours = curvopt.minimize(fun, [x0], jac=jac, method=curvopt.HDMSecant, options={"gtol": 1e-8}).njev
        base = scipy_minimize(fun, [x0], jac=jac, method="L-BFGS-B", options={"ftol": 0.0, "gtol": 1e-8}).nfev
        print(f"{label}, n = 1, from {x0:g}: HDMSecant {ours}, L-BFGS-B {base}")


def conjugate_gradients(problem, gtol):
    """Gradients of the method of conjugate gradients on <x, A x> / 2."""
    (A,), x = problem.args, problem.x0.copy()
    r = -A @ x
    d, k = r.copy(), 1
    while np.abs(r).max() >= gtol:
        Ad = A @ d
        a = (r @ r) / (d @ Ad)
        x, new = x + a * d, r - a * Ad
        d, r, k = new + (new @ new) / (r @ r) * d, new, k + 1
    return k


def one_variable():
    """Minimizers are away from 0, where a first step as long as the start would end."""
    return [
        ("(x - pi)^4", lambda x: (x[0] - math.pi) ** 4, lambda x: 4.0 * (x - math.pi) ** 3, 30.0),
        ("hypot(1, x - pi)", lambda x: math.hypot(1.0, x[0] - math.pi), lambda x: (x - math.pi) / np.hypot(1.0, x - math.pi),
         30.0),
        ("exp(x) - 2 x", lambda x: math.exp(x[0]) - 2.0 * x[0], lambda x: np.exp(x) - 2.0, 3.0),
        ("log(1 + y^2) + y^2 / 100, y = x - pi", lambda x: math.log1p((x[0] - math.pi) ** 2) + 0.01 * (x[0] - math.pi) ** 2,
         lambda x: 2.0 * (x - math.pi) / (1.0 + (x - math.pi) ** 2) + 0.02 * (x - math.pi), 30.0),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fidelity", "medians", "tables", "sets", "spread", "weak-points"])
    parser.add_argument("data", nargs="?", type=pathlib.Path)
    parser.add_argument("part", nargs="?", choices=["tuning", "validation", "all"], default="all")
    arguments = parser.parse_args()
    if arguments.what != "weak-points" and arguments.data is None:
        parser.error(f"{arguments.what} needs the folder with a1a, a2a, a3a")
    if arguments.what == "sets":
        sets(arguments.data, arguments.part)
    elif arguments.what == "weak-points":
        weak_points()
    else:
        {"fidelity": fidelity, "medians": medians, "tables": tables, "spread": spread}[arguments.what](arguments.data)


if __name__ == "__main__":
    main()
