"""Real data sets that scikit-learn carries with it: nothing is downloaded."""
from dataclasses import replace

import numpy as np

from .regression import logistic, robust
from .softmax import softmax

# Least values for the default penalties: by Newton's method until the gradient is below 1e-15. The problems are strongly
# convex, so that f* >= f(x) - ||grad f(x)||^2 / (2 lam) certifies each of them at any x; the tests do.
F_STAR = {"breast_cancer": 0.06639406982340626, "digits": 0.26392582329507286, "digits, fixed class": 0.3079694114516217}


def _load(name):
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError(f"the data set {name!r} comes with scikit-learn: pip install \"curvopt[demo]\"") from None
    data = getattr(datasets, f"load_{name}")()
    return np.asarray(data.data, float), np.asarray(data.target, float)


def _standardized(A):
    """Columns with mean 0 and variance 1 (constant columns left at 0), and a column of ones."""
    A = A - A.mean(axis=0)
    spread = A.std(axis=0)
    return np.column_stack([A / np.where(spread > 0.0, spread, 1.0), np.ones(len(A))])


def breast_cancer(lam=None):
    """Logistic regression: Wisconsin diagnostic breast cancer, 569 samples, 30 standardized features, intercept.

    Parameters
    ----------
    lam : float >= 0, optional
        Weight of the l2 penalty; 1/569 when omitted.

    Returns
    -------
    Problem

    Raises
    ------
    ImportError
        Without scikit-learn.
    """
    A, b = _load("breast_cancer")
    problem = logistic(_standardized(A), b, 1.0 / len(A) if lam is None else lam, name="breast-cancer")
    return replace(problem, f_star=F_STAR["breast_cancer"] if lam is None else None,
                   notes="breast cancer: logistic regression, 569 samples")


def digits(lam=1e-3, fixed_class=False):
    """Softmax regression: handwritten digits, 1797 images of 8 x 8 pixels scaled to [0, 1], intercept, ten classes.

    Parameters
    ----------
    lam : float >= 0
        Weight of the l2 penalty.
    fixed_class : bool
        Fix the weights of the last class at zero: 585 variables instead of 650.

    Returns
    -------
    Problem

    Raises
    ------
    ImportError
        Without scikit-learn.
    """
    A, b = _load("digits")
    problem = softmax(np.column_stack([A / 16.0, np.ones(len(A))]), b, lam, fixed_class=fixed_class, name="digits")
    f_star = F_STAR["digits, fixed class" if fixed_class else "digits"] if lam == 1e-3 else None
    return replace(problem, f_star=f_star, notes="digits: softmax regression, 1797 samples")


def diabetes(lam=0.0):
    """Robust regression, not convex: progression of diabetes, 442 patients, 10 features, intercept, all standardized.

    Parameters
    ----------
    lam : float >= 0
        Weight of the l2 penalty.

    Returns
    -------
    Problem

    Raises
    ------
    ImportError
        Without scikit-learn.
    """
    A, b = _load("diabetes")
    problem = robust(_standardized(A), (b - b.mean()) / b.std(), lam, name="diabetes")
    return replace(problem, notes="diabetes: robust regression, 442 samples")
