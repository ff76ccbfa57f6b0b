"""The scaled methods against the counts of their specification: oracle units to a Euclidean gradient norm of `tol`.

    python benchmarks/anchors_scaled.py

The anchors were measured with a plain NumPy implementation before this one was written, at one start each. MRCG is expected
within 25 %. The Rosenbrock runs are determined by the problem. The others were drawn at random from a description that leaves
something open, so they are drawn several times here and the medians compared: alternation amplifies the last bits of a
start, and single counts scatter by a quarter and more, as the last column shows.

Open in the description and settled here: the softmax regression has "correlated" columns. Here neighbours in a row are
correlated by 0.84, chosen so that the single scalings come near their anchors; MRCG and CGMR were then looked at. The
quadratic has log-spaced eigenvalues of ratio 1e4, but at which scale, and from where? Both usual conventions are run.
"""
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import curvopt

SEEDS = range(15)
CORRELATION = 0.84
# Units to reach the tolerance. CORRELATION was chosen by the three single rules of SOFTMAX.
SOFTMAX = {"mr": 3334, "cg": 2022, "gm": 3506, "mrcg": 510, "cgmr": 442}
QUADRATIC = {"mrcg": 10030, "cgmr": 12426}
ROSENBROCK = {2: {"mrcg": 223, "cgmr": 174}, 10: {"mrcg": 6224, "cgmr": 7447}}


def units(fun, x0, jac, hessp, scaling, sigma, tol, args=()):
    res = curvopt.minimize(fun, x0, args=args, jac=jac, hessp=hessp, method=curvopt.MRCG.replace(scaling=scaling, sigma=sigma),
                           options={"gtol": tol, "norm": 2, "maxiter": 100_000})
    if not res.success:
        raise AssertionError(f"{scaling}, sigma = {sigma}: {res.message}")
    return res.nfev + res.njev + 2 * res.nhev


def rosenbrock(n, scaling):
    p = curvopt.problems.rosenbrock(n)
    return [units(p.fun, p.x0, p.jac, p.hessp, scaling, 1e-3, 1e-6)]


def quadratic(scaling, largest, from_gradient):
    """Log-spaced eigenvalues up to `largest`; a standard normal start, or a start with standard normal gradient."""
    eigenvalues, found = np.logspace(-4, 0, 100) * largest, []
    for seed in SEEDS:
        x0 = np.random.default_rng(seed).standard_normal(100)
        p = curvopt.problems.quadratic(eigenvalues, x0=x0 / eigenvalues if from_gradient else x0)
        found.append(units(p.fun, p.x0, p.jac, p.hessp, scaling, 0.0, 1e-6, p.args))
    return found


def softmax_problem(seed, m=1000, d=41, classes=5, weight=1e-3):
    """l2-regularised softmax regression, last class fixed at 0; d - 1 correlated columns and a constant one."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, d - 1))
    for j in range(1, d - 1):
        A[:, j] = CORRELATION * A[:, j - 1] + np.sqrt(1.0 - CORRELATION ** 2) * A[:, j]
    A = np.column_stack([A / A.std(axis=0), np.ones(m)])
    truth = rng.standard_normal((d, classes))
    labels = np.argmax(A @ truth + rng.gumbel(size=(m, classes)), axis=1)
    Y = np.eye(classes)[labels][:, :-1]

    def scores(x):
        return np.column_stack([A @ x.reshape(d, classes - 1), np.zeros(m)])

    def probabilities(x):
        Z = scores(x)
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        return (E / E.sum(axis=1, keepdims=True))[:, :-1]

    def fun(x):
        Z = scores(x)
        top = Z.max(axis=1)
        return np.mean(top + np.log(np.exp(Z - top[:, None]).sum(axis=1)) - Z[np.arange(m), labels]) + 0.5 * weight * x @ x

    def jac(x):
        return (A.T @ (probabilities(x) - Y) / m).reshape(-1) + weight * x

    def hessp(x, v):
        P, AV = probabilities(x), A @ v.reshape(d, classes - 1)
        W = P * AV
        return (A.T @ (W - P * W.sum(axis=1, keepdims=True)) / m).reshape(-1) + weight * v

    return fun, np.zeros(d * (classes - 1)), jac, hessp


def softmax(scaling):
    return [units(*softmax_problem(seed), scaling, 0.0, 1e-4) for seed in SEEDS]


def main():
    tables = [
        ("softmax 1000 x 41, 5 classes", SOFTMAX, softmax),
        ("quadratic 1 ... 1e4, x0 normal", QUADRATIC, lambda rule: quadratic(rule, 1e4, False)),
        ("quadratic 1e-4 ... 1, g0 normal", QUADRATIC, lambda rule: quadratic(rule, 1.0, True)),
        ("Rosenbrock 2", ROSENBROCK[2], lambda rule: rosenbrock(2, rule)),
        ("Rosenbrock 10", ROSENBROCK[10], lambda rule: rosenbrock(10, rule)),
    ]
    print(f"{'problem':34}{'rule':6}{'anchor':>8}{'median':>8}{'ratio':>7}   least and largest of the draws")
    for problem, anchors, run in tables:
        for rule, anchor in anchors.items():
            counts = sorted(run(rule))
            median = int(np.median(counts))
            far = "   outside 25 %" if rule == "mrcg" and not 0.75 <= median / anchor <= 1.25 else ""
            print(f"{problem:34}{rule.upper():6}{anchor:8d}{median:8d}{median / anchor:7.2f}   {counts[0]}, {counts[-1]}{far}")


if __name__ == "__main__":
    main()
