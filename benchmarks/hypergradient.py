"""Hypergradient methods on the data of their papers.

    python benchmarks/hypergradient.py fidelity DATA     HDMBest(variant="icml2025") against the authors' own counts

DATA is a folder with the LIBSVM files a1a, a2a, a3a.
"""
import argparse
import csv
import pathlib

import numpy as np
from hypergradient_problems import SEED, libsvm

import curvopt

REFERENCE = pathlib.Path(__file__).resolve().parents[1] / "tests" / "reference" / "hdm_best_adult.csv"


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fidelity"])
    parser.add_argument("data", nargs="?", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.what == "fidelity":
        if arguments.data is None:
            parser.error("fidelity needs the folder with a1a, a2a, a3a")
        fidelity(arguments.data)


if __name__ == "__main__":
    main()
