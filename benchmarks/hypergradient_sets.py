"""The problem sets HDMSecant was developed on, by name, and how its runs and those of L-BFGS-B are counted.

    svm:a2a:0.01            squared-hinge SVM (or logistic:...) on a LIBSVM file, regularization 0.01 on the sum
    sk:bc:1:std             logistic regression on data of scikit-learn (bc, dig, wine, dia), standardized or raw
    quad:100:1e3            quadratic with n and kappa, rotated; diagquad: not; scaledquad:n:kappa:scale: D A D
    scaledlog:30:400:4:lam  logistic regression with n, rows, and columns of scales 1 to 1e4
    rosen:10                Rosenbrock's function
"""
import zlib

import numpy as np
from hypergradient_problems import LOGISTIC, libsvm, linear_model, unit_start

import curvopt
from curvopt._jit import kernel
from curvopt.problems._problem import Problem

ADULT = [f"{loss}:{data}:{reg}" for reg in ("0", "1") for loss in ("svm", "logistic") for data in ("a1a", "a2a", "a3a")]
WEAK = [f"{loss}:{data}:0.01" for loss in ("svm", "logistic") for data in ("a1a", "a2a", "a3a")]
SKLEARN = ["sk:bc:1:std", "sk:bc:0.01:std", "sk:dig:1:std", "sk:dig:0.01:std", "sk:dig:1:raw", "sk:wine:0.01:std",
           "sk:dia:1:std", "sk:bc:1:raw"]
SYNTHETIC = ["quad:50:1e2", "quad:100:1e3", "quad:100:1e4", "diagquad:100:1e4", "scaledquad:60:100:1e4",
             "scaledquad:60:10:1e8", "scaledlog:30:400:4:1e-4", "rosen:2", "rosen:10", "rosen:100"]
SMALL = ["quad:10:1e2", "quad:5:1e3", "quad:20:1e4", "sk:bc:10:std", "sk:dia:0.01:std", "sk:dia:10:std", "rosen:4",
         "rosen:20", "rosen:50"]
SETS = {"adult": ADULT, "weak": WEAK, "sklearn": SKLEARN, "synthetic": SYNTHETIC, "small": SMALL}
GTOL, CAP = 1e-4, 5000


def tuning(name):
    """Whether constants may be chosen on this problem; the others are looked at once the constants are fixed."""
    return zlib.crc32(name.encode()) % 3 != 0


@kernel
def quadratic_fun(x, A):
    total = 0.0
    for i in range(x.size):
        row = 0.0
        for j in range(x.size):
            row += A[i, j] * x[j]
        total += 0.5 * x[i] * row
    return total


@kernel
def quadratic_jac(x, A):
    g = np.empty_like(x)
    for i in range(x.size):
        row = 0.0
        for j in range(x.size):
            row += A[i, j] * x[j]
        g[i] = row
    return g


def quadratic(name, n, kappa, rotated=True, scale=1.0):
    """<x, A x> / 2 with eigenvalues from 1 to kappa, D A D with D from 1 to the root of `scale`, in random order."""
    random = np.random.default_rng(0)
    A = np.diag(np.geomspace(1.0, kappa, n))
    if rotated:
        Q = np.linalg.qr(random.standard_normal((n, n)))[0]
        A = Q @ A @ Q.T
        A = 0.5 * (A + A.T)
    if scale != 1.0:
        d = np.geomspace(1.0, np.sqrt(scale), n)
        random.shuffle(d)
        A = d[:, None] * A * d[None]
    return Problem(name, quadratic_fun, quadratic_jac, None, random.standard_normal(n), (np.ascontiguousarray(A),))


def scaled_logistic(name, n, rows, decades, reg):
    random = np.random.default_rng(0)
    scale = np.geomspace(1.0, 10.0 ** decades, n)
    X = random.standard_normal((rows, n)) * scale
    w = random.standard_normal(n) / scale
    y = np.where(X @ w + 0.5 * random.standard_normal(rows) > 0.0, 1.0, -1.0)
    return linear_model(name, X, y, LOGISTIC, reg)


def sklearn_logistic(name, data, reg, form):
    from sklearn import datasets

    load = {"bc": datasets.load_breast_cancer, "dig": datasets.load_digits, "wine": datasets.load_wine,
            "dia": datasets.load_diabetes}
    X, target = load[data](return_X_y=True)
    positive = {"bc": target == 1, "wine": target == 0}.get(data, target > np.median(target))
    if form == "std":
        X = X[:, X.std(0) > 0.0]
        X = (X - X.mean(0)) / X.std(0)
    return linear_model(name, X, np.where(positive, 1.0, -1.0), LOGISTIC, reg)


def named(name, folder=None):
    kind, *rest = name.split(":")
    if kind in ("svm", "logistic"):
        return libsvm(folder, rest[0], kind, float(rest[1]))
    if kind == "sk":
        return sklearn_logistic(name, rest[0], float(rest[1]), rest[2])
    if kind == "rosen":
        return curvopt.problems.rosenbrock(int(rest[0]))
    if kind == "scaledlog":
        return scaled_logistic(name, int(rest[0]), int(rest[1]), float(rest[2]), float(rest[3]))
    return quadratic(name, int(rest[0]), float(rest[1]), kind != "diagquad", float(rest[2]) if len(rest) > 2 else 1.0)


def starts(problem, count):
    """Random points on the unit sphere; for Rosenbrock's function its own start, and others near it."""
    if problem.name.startswith("rosenbrock"):
        noise = [0.1 * np.random.RandomState(seed).randn(problem.n) for seed in range(count)]
        return [problem.x0 + (noise[seed] if seed else 0.0) for seed in range(count)]
    return [unit_start(problem.n, seed) for seed in range(1, count + 1)]


def counted(problem, method, x0, gtol=GTOL, cap=CAP):
    """Gradients until max|g| < gtol at a point that was evaluated; `cap` where that takes more."""
    result = curvopt.minimize(problem.fun, x0, args=problem.args, jac=problem.jac, method=method,
                              options={"gtol": gtol, "maxiter": cap, "maxjev": cap})
    return result.njev if result.success else cap


class Over(Exception):
    pass


def counted_lbfgsb(problem, m, x0, gtol=GTOL, cap=CAP):
    """The same of SciPy's L-BFGS-B; its own tests are switched off."""
    from scipy.optimize import minimize

    calls, solved = 0, False

    def fun_grad(x):
        nonlocal calls, solved
        if calls >= cap:
            raise Over
        calls += 1
        g = problem.jac(x, *problem.args)
        if np.abs(g).max() < gtol:
            solved = True
            raise Over
        return problem.fun(x, *problem.args), g

    try:
        minimize(fun_grad, x0, jac=True, method="L-BFGS-B",
                 options={"maxcor": m, "ftol": 0.0, "gtol": 0.1 * gtol, "maxiter": cap, "maxfun": 2 * cap, "maxls": 50})
    except Over:
        pass
    return calls if solved else cap


def count(problem, solver, x0, **options):
    """`solver` is a method, or the m of L-BFGS-B."""
    return (counted_lbfgsb if isinstance(solver, int) else counted)(problem, solver, x0, **options)


def sorted_counts(problem, solver, starting_points=5, **options):
    """Counts over the starts, in order."""
    return sorted(count(problem, solver, x0, **options) for x0 in starts(problem, starting_points))
