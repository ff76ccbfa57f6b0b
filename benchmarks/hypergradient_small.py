"""HDMSecant beside L-BFGS-B (m = 10) on small regressions: what its matrix for few variables was chosen on.

    python benchmarks/hypergradient_small.py           m = 3 and m = 10

Logistic regression and squared-hinge SVM on standardized data of scikit-learn and statsmodels, and on random columns of two of
them, 4 to 20 columns and a constant one; penalties 0.01, 1, 10; problems of the tuning part only. Medians of five starts.
"""
import numpy as np
from hypergradient_problems import LOSSES, linear_model
from hypergradient_sets import sorted_counts, tuning

import curvopt

STATSMODELS = ("anes96", "ccard", "committee", "copper", "cpunish", "fair", "grunfeld", "longley", "modechoice", "randhie",
               "scotland", "spector", "stackloss", "statecrime", "star98")
ROWS = 2000


def data():
    """{name: (X, whether the target is above its median, or the class)}."""
    import importlib

    from sklearn import datasets

    found = {}
    for name, load in (("wine", datasets.load_wine), ("bc", datasets.load_breast_cancer), ("iris", datasets.load_iris),
                       ("dia", datasets.load_diabetes), ("dig", datasets.load_digits)):
        X, t = load(return_X_y=True)
        found[name] = X, {"bc": t == 1, "wine": t == 0, "iris": t == 1}.get(name, t > np.median(t))
    for name in STATSMODELS:
        loaded = importlib.import_module(f"statsmodels.datasets.{name}").load_pandas()
        X, t = loaded.exog.select_dtypes("number").to_numpy(float)[:ROWS], np.asarray(loaded.endog, float)
        t = (t[:, 0] if t.ndim > 1 else t)[:ROWS]
        found[name] = X, t > np.median(t)
    for k in range(10):
        random, name = np.random.default_rng(k), ("bc", "dig")[k % 2]
        X, t = found[name]
        X = X[:, X.std(0) > 0.0]
        n = int(random.integers(4, 20))
        found[f"{name}{k}"] = X[:, np.sort(random.choice(X.shape[1], n, replace=False))], t
    found["wine1"] = found["wine"][0][:, :9], found["wine"][1]
    return found


def problems():
    for source, (X, positive) in data().items():
        X = X[:, X.std(0) > 0.0]
        if not 4 <= X.shape[1] <= 20:
            continue
        X = (X - X.mean(0)) / X.std(0)
        for label, loss in (("log", LOSSES["logistic"]), ("svm", LOSSES["svm"])):
            for reg in (0.01, 1.0, 10.0):
                name = f"{label}:{source}:{reg:g}:std"
                if tuning(name) and (label, source) != ("log", "dia"):      # those are in `hypergradient_sets`
                    yield linear_model(name, X, np.where(positive, 1.0, -1.0), loss, reg)


def main():
    methods = {"m = 3": curvopt.HDMSecant, "m = 10": curvopt.HDMSecant.replace(m=10)}
    ratios = {label: [] for label in methods}
    for p in problems():
        base = sorted_counts(p, 10)[2]
        line = f"{p.name:24s}{p.n:4d}{base:7d}"
        for label, method in methods.items():
            count = sorted_counts(p, method)[2]
            ratios[label].append((count / base, p.n, p.name))
            line += f"{count:8d} {count / base:5.2f}"
        print(line, flush=True)
    for label, rows in ratios.items():
        for low, high in ((5, 11), (12, 15), (16, 21)):
            part = [row for row in rows if low <= row[1] <= high]
            mean = np.exp(np.mean([np.log(r) for r, _, _ in part]))
            worst, _, name = max(part)
            print(f"{label}, n = {low} to {high}, {len(part)} problems: mean {mean:.2f}, worst {worst:.2f} ({name})")


if __name__ == "__main__":
    main()
