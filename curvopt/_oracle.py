"""How a method sees the user's problem: three canonical callables, the data they carry, true counts.

Canonical form: ``fun(x, data) -> float``, ``jac(x, data, out)``, ``hessp(x, v, data, out)``. Each canonical callable counts
the calls of the *user's* functions that it makes, so a gradient taken by differences counts as values of ``fun``.
"""
import math
from typing import NamedTuple

import numpy as np

from ._jit import routine
from ._vectors import copy_to

# Places in `Data.counts`: calls of fun, jac, hessp or hess; values that were not finite; and, for evaluations that are
# kept because they may be asked for again, whether f, g and the Hessian matrix are known at the points kept in `work`.
# For sums over samples: rows on which values, gradients and products were taken, and the number of rows there are, by
# which these are passes over the data (0 for a function that is no sum).
NFEV, NJEV, NHEV, NONFINITE_VALUES, F_KNOWN, G_KNOWN, HESS_KNOWN, SAMPLE_F, SAMPLE_G, SAMPLE_H, ROWS = range(11)
N_COUNTS = 11

# Rows of `Data.work`: x and v as jitted user functions get them, which may write into them; points of differences; the
# point where f and g are known, that gradient and (first entry) that value; the point of the Hessian matrix.
X_COPY, V_COPY, POINT_F, POINT_G, KNOWN_X, KNOWN_G, KNOWN_F, HESS_X = range(8)


class Data(NamedTuple):
    """What the canonical callables carry. Few arrays: the tuple is passed by value at every compiled call."""

    args: tuple         # the user's extra arguments
    counts: np.ndarray  # (11,) int64
    work: np.ndarray    # (8, n)
    hess: np.ndarray    # (n, n), or (0, 0) where no Hessian matrix is kept


class Oracle(NamedTuple):
    fun: object
    jac: object
    hessp: object
    data: Data


def make_data(n, args, hess=False):
    side = n if hess else 0
    return Data(args, np.zeros(N_COUNTS, np.int64), np.empty((8, n)), np.empty((side, side)))


@routine
def value(oracle, x):
    """f(x). One evaluation of `fun`."""
    f = oracle.fun(x, oracle.data)
    if not math.isfinite(f):
        oracle.data.counts[NONFINITE_VALUES] += 1
    return f


@routine
def gradient(oracle, x, out):
    """Write the gradient at x. One evaluation of `jac`."""
    oracle.jac(x, oracle.data, out)


@routine
def hess_vec(oracle, x, v, out):
    """Write H(x) v. One evaluation of `hessp`."""
    oracle.hessp(x, v, oracle.data, out)


@routine
def start(oracle, x0):
    """x0, f(x0) and the gradient there, in arrays that belong to the run. One value and one gradient."""
    x, g = np.empty_like(x0), np.empty_like(x0)
    return x, start_in(oracle, x0, x, g), g


@routine
def start_in(oracle, x0, x, g):
    """The same in arrays of an earlier run; returns f(x0)."""
    copy_to(x0, x)
    f = value(oracle, x)
    gradient(oracle, x, g)
    return f
