"""IAN-SGD's automatic step on data it was not made on, beside constant steps tuned for each problem and target.

    python benchmarks/normalized_other.py [--seeds 20]

Logistic, softmax and robust regression on data sets of scikit-learn and statsmodels, and a regression under the worst
case; B = 64, B' = 8. Samples until the gap to the least value falls to a tenth, a hundredth and a thousandth of the
first one (the best value that L-BFGS finds stands for the least one). The tuned rows take, for each target, the best of
nine steps 2^-4 ... 2^4 over the smoothness of the start and of three thresholds: this is the method beside its own hindsight.
"""
import argparse

import numpy as np

import curvopt
from curvopt import problems

FRACTIONS = (0.1, 0.01, 0.001)


def standardized(X):
    X = np.asarray(X, float)
    spread = X.std(0)
    return np.column_stack([(X - X.mean(0)) / np.where(spread > 0, spread, 1.0), np.ones(len(X))])


def cases():
    import statsmodels.api as sm
    from sklearn import datasets

    diabetes, wine = datasets.load_diabetes(), datasets.load_wine()
    target = (diabetes.target - diabetes.target.mean()) / diabetes.target.std()
    yield problems.robust(standardized(diabetes.data), target, 1e-3, name="diabetes-robust")
    yield problems.worst_case(standardized(diabetes.data), target, 0.1, name="diabetes-worst-case",
                              x0=np.random.default_rng(0).standard_normal(11))
    yield problems.softmax(standardized(wine.data), wine.target, 1e-2, name="wine-softmax")
    fair = sm.datasets.fair.load_pandas()
    yield problems.logistic(standardized(fair.exog), fair.endog > 0, 1e-3, name="fair-logistic")
    hie = sm.datasets.randhie.load_pandas()
    visits = np.log1p(np.asarray(hie.endog, float))
    yield problems.robust(standardized(hie.exog)[::5], (visits - visits.mean())[::5], 1e-3, name="randhie-robust")


def samples(total, p, method, targets, seed, budget):
    found = np.full(len(targets), np.nan)

    def watch(intermediate_result):
        it = intermediate_result
        spent = round(it.njev * total.n_samples) - total.n_samples
        f = total.fun(it.x, *p.args)
        for i, target in enumerate(targets):
            if f <= target and np.isnan(found[i]):
                found[i] = spent
        if spent > budget or not np.isnan(found).any() or not f < 1e100:
            raise StopIteration

    with np.errstate(all="ignore"):
        res = curvopt.minimize(total, p.x0, args=p.args, method=method, callback=watch,
                               options={"rng": seed, "gtol": 0.0, "maxiter": 10 ** 6})
    return found, not total.fun(res.state.state.x, *p.args) <= total.fun(p.x0, *p.args)


def main(seeds, budget=60_000):
    for p in cases():
        total = problems.finite_sum(p)
        least = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method="lbfgs", options={"maxiter": 2000}).fun
        targets = least + (total.fun(p.x0, *p.args) - least) * np.array(FRACTIONS)
        batch = {"batch_size": 64, "normalizer_batch_size": 8, "check_every": 10 ** 9}
        runs = [samples(total, p, curvopt.IANSGD.replace(**batch), targets, s, budget) for s in range(seeds)]
        auto = np.median(np.where(np.isnan([r[0] for r in runs]), np.inf, [r[0] for r in runs]), axis=0)
        g = p.jac(p.x0, *p.args)
        e = 1e-4 / np.linalg.norm(g)
        L = np.linalg.norm(p.jac(p.x0 + e * g, *p.args) - g) / 1e-4
        best = np.full(len(targets), np.inf)
        for power in range(-4, 5):
            for clip in (0.3, 1.0, 3.0):
                c = clip * np.linalg.norm(g)
                method = curvopt.IANSGD.replace(**batch).from_code_form(2.0 ** power / L * c ** (2 / 3), c, 1.0, 0.0)
                tuned = np.array([samples(total, p, method, targets, 1000 + s, budget / 2)[0] for s in range(3)])
                best = np.fmin(best, np.median(np.where(np.isnan(tuned), np.inf, tuned), axis=0))
        lost = sum(r[1] for r in runs)
        print(f"{p.name:26} automatic {auto}  tuned {best}  ratio {np.round(auto / best, 2)}  "
              f"{lost} of {seeds} diverged", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    main(parser.parse_args().seeds)
