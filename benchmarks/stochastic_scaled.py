"""SGMStochastic, which has no learning rate, beside SGD and Adam with theirs: gaps after 10, 20 and 100 passes.

    python benchmarks/stochastic_scaled.py [--network] [--seeds 20]

Logistic regression on breast cancer (455 rows, batch 32), softmax regression on digits (1437 rows, batch 128) and, with
--network, a network 64-32-10 on digits (the value itself). Medians over seeds 0, 1, 2 and 42, or over as many as --seeds
says, with the smallest and the largest gap; a pass is n gradient rows, a row of a product counts twice; measurements are
not counted. The SGD row takes the best of seven steps for each column.
"""
import argparse

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

import curvopt
from curvopt import baselines, problems

PASSES, SEEDS, LEAST = (10, 20, 100), (0, 1, 2, 42), {"breast cancer": 0.075393966610617, "digits": 0.267255062300758}


def cases(network):
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(X))[:455]
    X = X[rows]
    yield "breast cancer", problems.logistic(np.column_stack([(X - X.mean(0)) / X.std(0), np.ones(455)]), y[rows], 1 / 455), 32
    X, y = load_digits(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(X))[:1437]
    yield "digits", problems.softmax(np.column_stack([X[rows] / 16, np.ones(1437)]), y[rows], 1e-3), 128
    if network:
        yield "network", problems.perceptron(X[rows] / 16, y[rows], 32, 1e-4), 128


def run(total, p, method, least, seed):
    values = []

    def watch(intermediate_result):
        spent = intermediate_result.njev + 2 * intermediate_result.nhev - intermediate_result.nfev     # nfev: measurements
        while len(values) < len(PASSES) and spent >= PASSES[len(values)]:
            values.append(total.fun(intermediate_result.x, *p.args) - least)
        if len(values) == len(PASSES):
            raise StopIteration

    with np.errstate(all="ignore"):
        curvopt.minimize(total, p.x0, args=p.args, callback=watch, method=method.replace(sampling="epoch"),
                         options={"rng": seed, "gtol": 0.0, "maxiter": 10 ** 6})
    return values + [np.inf] * (len(PASSES) - len(values))


def gaps(p, method, least, seeds):
    total = problems.finite_sum(p)
    return np.array([run(total, p, method, least, seed) for seed in seeds])


def main(network, seeds):
    B = baselines

    def show(title, gaps_of_runs):
        rows = np.median(gaps_of_runs, axis=0), np.min(gaps_of_runs, axis=0), np.max(gaps_of_runs, axis=0)
        print(f"{name:14} {title:16}", "  ".join(f"{m:8.2e} [{a:.1e}, {b:.1e}]" for m, a, b in zip(*rows)), flush=True)

    for name, p, batch in cases(network):
        least = LEAST.get(name, 0.0)
        show("SGMStochastic", gaps(p, curvopt.SGMStochastic.replace(batch_size=batch), least, seeds))
        show("Adam 1e-2", gaps(p, B.StochasticAdam.replace(lr=1e-2, batch_size=batch), least, seeds))
        show("Adam 1e-3", gaps(p, B.StochasticAdam.replace(lr=1e-3, batch_size=batch), least, seeds))
        steps = [gaps(p, B.SGD.replace(gamma=g, batch_size=batch), least, seeds) for g in 10.0 ** np.arange(-1.5, 1.6, 0.5)]
        best = np.argmin(np.median(steps, axis=1), axis=0)
        show("SGD, best", np.array([steps[k][:, i] for i, k in enumerate(best)]).T)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--seeds", type=int, help="how many, from 0; by default 0, 1, 2 and 42")
    given = parser.parse_args()
    main(given.network, range(given.seeds) if given.seeds else SEEDS)
