"""HDMBest(variant="icml2025") against a transcription of the authors' loop in whole-array NumPy.

The counts of the authors' own runs are in hdm_best_adult.csv; benchmarks/hypergradient.py compares with them, given the data.
"""
import csv
import pathlib

import numpy as np
import pytest

import curvopt

ROWS, N = 120, 12


def svm(seed):
    """A squared-hinge SVM with sparse 0/1 features, like the data of the paper. (fun, jac, L, start)"""
    data = np.random.RandomState(seed)
    X = np.hstack([(data.rand(ROWS, N - 1) < 0.3).astype(float), -np.ones((ROWS, 1))])
    y = np.where(X @ data.randn(N) + data.randn(ROWS) > 0, 1.0, -1.0)
    x0 = data.randn(N)

    def loss(x):
        return np.maximum(0.0, 1.0 - y * (X @ x))

    return (lambda x: 0.5 * np.sum(loss(x) ** 2)), (lambda x: -X.T @ (y * loss(x))), np.linalg.norm(X, 2) ** 2, \
        x0 / np.linalg.norm(x0)


def reference(fun, jac, L, x, lr, lr_beta, iterations):
    """The authors' loop. Yields (f, P, beta) after every iteration."""
    first, x_old, f, g = lr, x, fun(x), jac(x)
    P, G, beta, G_beta, merit, curvatures, exploring = np.zeros(N), np.zeros(N), 0.95, 0.0, 0, [], True
    for k in range(iterations):
        d = x - x_old
        x_new = x - P * g + beta * d
        f_new, q = fun(x_new), jac(x_new)
        if exploring and k % 50 == 49:
            lr = max(0.8 * lr, 1e-3 * first)
        D = g @ g + (1e-12 if exploring else 0.25 * L ** 2 * d @ d)
        u, v = -q * g / D, q @ d / D
        G, G_beta = G + u * u, G_beta + v * v
        P = np.clip(P - lr * u / (np.sqrt(G) + 1e-12), 0.0, 1e10 / L)
        beta = np.clip(beta - lr_beta * v / (np.sqrt(G_beta) + 1e-12), 0.0, 0.9995)
        x_old = x
        if f_new < f:
            if np.linalg.norm(x_new - x) > 1e-3:
                curvatures.append(np.linalg.norm(q - g) / np.linalg.norm(x_new - x))
            x, f, g, merit = x_new, f_new, q, merit + 1
        else:
            merit = max(0, merit - 2)
        if exploring and merit > 200:
            L, exploring = np.mean(curvatures), False
            lr, G = 1 / L, np.zeros(N)
        yield f, P, beta


@pytest.mark.parametrize("seed", (1, 2, 3))
@pytest.mark.parametrize("lr, lr_beta", ((10.0, 10.0), (1.0, 1.0)))
def test_follows_the_published_loop_until_rounding_parts_them(seed, lr, lr_beta):
    fun, jac, L, x0 = svm(seed)
    method = curvopt.HDMBest.replace(variant="icml2025", lr=lr / L, lr_beta=lr_beta)
    ours = list(curvopt.iterate(fun, x0, jac=jac, method=method, options={"maxiter": 60, "gtol": 0.0}))[-60:]
    for (f, P, beta), state in zip(reference(fun, jac, L, x0, lr / L, lr_beta, 60), ours):
        assert state.fun == pytest.approx(f, rel=1e-9)
        assert (state.p_min, state.p_max, state.beta) == pytest.approx((P.min(), P.max(), beta), rel=1e-6)


def test_switches_where_the_published_loop_does():
    """A quadratic has no null steps to speak of and no chaos: the two agree through the end of exploration at 201 steps."""
    eigenvalues = np.geomspace(1.0, 1e5, N)
    x0 = np.ones(N)

    def fun(x):
        return 0.5 * np.sum(eigenvalues * x * x)

    published = list(reference(fun, lambda x: eigenvalues * x, 1e5, x0, 1e-5, 1e-3, 230))
    method = curvopt.HDMBest.replace(variant="icml2025", lr=1e-5, lr_beta=1e-3)
    ours = curvopt.minimize(fun, x0, jac=lambda x: eigenvalues * x, method=method,
                            options={"maxiter": 230, "gtol": 0.0, "history": True})
    assert ours.history.p_max[1:] == pytest.approx([P.max() for _, P, _ in published], rel=1e-6)
    assert ours.history.fun[1:] == pytest.approx([f for f, _, _ in published], rel=1e-6)


def test_the_counts_of_the_authors_runs_are_at_hand():
    lines = (pathlib.Path(__file__).parent / "hdm_best_adult.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    final = {(r["data"], r["lr"]): int(r["gradients"]) for r in rows if r["threshold"] == "0.0001"}
    assert final == {("a1a", "10"): 276, ("a1a", "1"): 483, ("a2a", "10"): 378, ("a2a", "1"): 568,
                     ("a3a", "10"): 333, ("a3a", "1"): 904}
