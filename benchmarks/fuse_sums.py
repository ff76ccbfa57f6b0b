"""FUSE-PV on sums over rows: gaps after given numbers of passes, for every second phase, beside Adam and L-BFGS.

    python benchmarks/fuse_sums.py [cancer] [softmax] [network] [--only TEXT] [--seeds N]

Logistic regression on breast cancer (455 rows, batch 32), softmax regression on digits (1437 rows, batch 128), and a
network 64-32-10 on digits (the value itself). Medians over the seeds 0, 1, 2 and 42, and the worst of them at the end; a
pass is n gradient rows, and what is shown after p passes is the last point reached within them. Values of fun and
measurements that only a report needs are not counted: columns of passes are gradient rows that the method itself asked for.
"""
import argparse

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

import curvopt
from curvopt import baselines, problems

PASSES, SEEDS = (5, 10, 20, 50, 100), (0, 1, 2, 42)
LEAST = {"cancer": 0.075393966610617, "softmax": 0.267255062300758, "network": 0.0}
NEVER = 10 ** 9


def cases():
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(X))[:455]
    X = X[rows]
    cancer = problems.logistic(np.column_stack([(X - X.mean(0)) / X.std(0), np.ones(455)]), y[rows], 1 / 455)
    X, y = load_digits(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(X))[:1437]
    softmax = problems.softmax(np.column_stack([X[rows] / 16, np.ones(1437)]), y[rows], 1e-3)
    return {"cancer": (cancer, 32), "softmax": (softmax, 128),
            "network": (problems.perceptron(X[rows] / 16, y[rows], 32, 1e-4), 128)}


def methods(batch):
    adam = baselines.StochasticAdam.replace(batch_size=batch, check_every=NEVER, sampling="epoch")
    fuse = curvopt.FUSEPV.replace(batch_size=batch, check_every=NEVER)
    epoch = fuse.replace(switch="epoch")
    return {
        "SGD .01": baselines.SGD.replace(gamma=0.01, batch_size=batch, check_every=NEVER, sampling="epoch"),
        "Adam 1e-3": adam, "Adam 1e-2": adam.replace(lr=1e-2),
        "multi-batch after 5 epochs": epoch.replace(second="multi-batch"),
        "same-batch after 5 epochs": epoch.replace(second="same-batch"),
        "svrg after 5 epochs": epoch.replace(second="svrg"),
        "svrg alone": fuse.replace(second="svrg", switch=0),
        "svrg alone, eta .02": fuse.replace(second="svrg", switch=0, eta=0.02),
        "all rows after 5 epochs, m = 10": epoch.replace(m=10),
        "all rows after 5 epochs": epoch, "all rows, automatic": fuse,
        "LBFGS, m = 10": curvopt.LBFGS.replace(m=10), "LBFGS": curvopt.LBFGS, "QuasiNewton": curvopt.QuasiNewton,
        "FUSEPV without batches": curvopt.FUSEPV,
    }


def reached(total, x, args):
    """The value at x, or the value that x is."""
    return total.fun(x, *args) if np.ndim(x) else x


def run(p, method, seed, least, passes=PASSES):
    """(f - least after each number of passes, result)."""
    total = problems.finite_sum(p)
    values, x = [], [p.x0]
    snapshots = getattr(method, "second", "") == "svrg"     # its iterates between two snapshots may be taken back
    first = 1 if "samples" in method.needs and method.name != "FUSEPV" else 0     # their first measurement is only a report

    def watch(intermediate_result):
        while len(values) < len(passes) and intermediate_result.njev - first > passes[len(values)]:
            values.append(reached(total, x[0], p.args) - least)
        x[0] = intermediate_result.fun if snapshots else intermediate_result.x.copy()
        if len(values) == len(passes):
            raise StopIteration

    with np.errstate(all="ignore"):
        res = curvopt.minimize(total, p.x0, args=p.args, callback=watch, method=method,
                               options={"rng": seed, "gtol": 0.0, "maxiter": NEVER})
    return values + [reached(total, x[0], p.args) - least] * (len(passes) - len(values)), res


def main(names, only, seeds):
    for name, (p, batch) in cases().items():
        if name not in names:
            continue
        print(f"{name:36s}" + "".join(f"{f'after {k}':>11s}" for k in PASSES) + "      worst   switch")
        for title, method in methods(batch).items():
            if only not in title:
                continue
            runs = [run(p, method, seed, LEAST[name]) for seed in (SEEDS[:seeds] if "samples" in method.needs else SEEDS[:1])]
            table = np.array([values for values, _ in runs])
            switches = [r.get("switch_nit") for _, r in runs]
            print(f"{title:36s}" + "".join(f"{v:11.2e}" for v in np.median(table, axis=0)) + f"{table[:, -1].max():11.2e}   "
                  + (" ".join(map(str, switches)) if "adam_steps" in runs[0][1] else ""), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="cancer, softmax, network; all of them by default")
    parser.add_argument("--only", default="", help="rows whose title has this in it")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    a = parser.parse_args()
    main(a.names or list(LEAST), a.only, a.seeds)
