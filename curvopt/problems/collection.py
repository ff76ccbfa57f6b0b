"""Groups of problems that figures are quoted on, and problems by their names."""
import numpy as np

from .. import _checks
from . import datasets, factorisation, fitting, flat, neurons, sensing, textbook
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


# Names for the command line and `curvopt.compare`: problems that need no data from the user, {name: (maker, size keyword)}.
NAMED = {
    "beale": (textbook.beale, None), "wood": (textbook.wood, None), "trigonometric": (textbook.trigonometric, "n"),
    "brown-dennis": (fitting.brown_dennis, None), "biggs-exp6": (fitting.biggs_exp6, None),
    "penalty1": (fitting.penalty1, "n"), "chebyquad": (fitting.chebyquad, "n"),
    "rosenbrock": (rosenbrock, "n"), "powell-singular": (flat.powell_singular, None),
    "rosenbrock-quartic": (flat.rosenbrock_quartic, None), "convex-quartic": (flat.convex_quartic, "d"),
    "quadratic-sensing": (sensing.quadratic_sensing, "d"), "two-neurons": (neurons.two_neurons, "d"),
    "symmetric-factorisation": (factorisation.symmetric_factorisation, "d"),
    "breast-cancer": (datasets.breast_cancer, None), "digits": (datasets.digits, None),
    "diabetes": (datasets.diabetes, None),
}


def by_name(name):
    """The problem of a name, with its size after a colon where it has one.

    Parameters
    ----------
    name : str
        Such as ``"rosenbrock"``, ``"rosenbrock:100"``, ``"digits"``; the eight problems of `eight` go by the names
        ``"eight:1"`` to ``"eight:8"``.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known one; for a size that is none.
    ImportError
        For a real data set without scikit-learn.

    Examples
    --------
    >>> from curvopt import problems
    >>> problems.by_name("rosenbrock:100")
    <Problem rosenbrock-100, n = 100>
    """
    base, _, size = str(name).strip().lower().replace("_", "-").partition(":")
    if size and not size.isdecimal():
        raise ValueError(f"the size after the colon must be a whole number, got {name!r}")
    if base == "eight":
        if not 1 <= int(size or 0) <= 8:
            raise ValueError(f"the eight problems are eight:1 to eight:8, got {name!r}")
        return eight()[int(size) - 1]
    if base not in NAMED:
        raise ValueError(f"unknown problem {name!r}{_checks.nearest(base, NAMED)}; known problems: {', '.join(NAMED)}")
    maker, keyword = NAMED[base]
    if size and keyword is None:
        raise ValueError(f"{base} has one size only, got {name!r}")
    return maker(**{keyword: int(size)}) if size else maker()
