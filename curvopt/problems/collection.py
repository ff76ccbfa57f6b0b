"""Groups of problems that figures are quoted on."""
import numpy as np

from .classic import quadratic, rosenbrock
from .regression import logistic, phase_retrieval, robust


def eight():
    """The eight problems on which the scaled gradient methods are compared.

    Two quadratics with 100 log-spaced eigenvalues (condition 1e2 and 1e4), Rosenbrock's function with 2, 10 and 100
    variables, a logistic regression with columns on scales 1 to 32, a robust regression with Cauchy noise, and a phase
    retrieval. Random numbers from ``numpy.random.default_rng(1)``, always the same.

    Returns
    -------
    tuple of Problem

    Examples
    --------
    >>> from curvopt import problems
    >>> [p.n for p in problems.eight()]
    [100, 100, 2, 10, 100, 60, 20, 20]
    """
    rng = np.random.default_rng(1)
    quadratics = [quadratic(np.logspace(0, np.log10(kappa), 100), rng.standard_normal(100), name=f"quadratic-{label}")
                  for kappa, label in ((1e2, "1e2"), (1e4, "1e4"))]
    m, n = 400, 60
    scales = np.logspace(0, 1.5, n)
    A = rng.standard_normal((m, n)) * scales
    labels = np.sign(A @ (rng.standard_normal(n) / scales) + 0.5 * rng.standard_normal(m))
    B = A[:, :20] / 5
    targets = B @ rng.standard_normal(20) + rng.standard_cauchy(m)
    C = rng.standard_normal((200, 20))
    signal = rng.standard_normal(20)
    return (*quadratics, rosenbrock(2), rosenbrock(10), rosenbrock(100),
            logistic(A, labels, lam=1e-3), robust(B, targets),
            phase_retrieval(C, (C @ signal) ** 2, x0=rng.standard_normal(20), signal=signal))
