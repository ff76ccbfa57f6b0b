r"""GDPolyak for an unknown least value: restarts with a lower bound that is bisected.

.. math::  x^+ = x - \eta\, g \quad (K \text{ times}), \qquad
           x^+ = x - \tfrac12\, \frac{f - \underline f}{\|g\|^2}\, g \quad (\text{once}),

for a fixed number of such epochs; then :math:`\underline f \leftarrow (\underline f + f_{best})/2` and everything begins
again at x0. A reference for comparisons: while the bound is far too low the long steps overshoot by the same factor, and
each halving of its error costs a whole run. ``GDPolyakAdaptive`` needs neither the least value nor a bound.

References
----------
.. [1] E. Hazan, S. Kakade, "Revisiting the Polyak step size", arXiv:1905.00313, 2019. Algorithm 2.
.. [2] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
       fourth-order growth", Math. Program., 2025, arXiv:2409.19791; the restarts are in the authors' code.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import BAD_BOUND, PRECISION, RUNNING, STEP_FAILED
from .._vectors import axpy_to, copy_to, norm_inf
from ..stepsize.polyak import LONG, SHORT, UNDONE, contradicts, polyak_length, tells_apart

FACTOR = 0.5        # of the Polyak step, with which [1] proves its bound for a least value that is only bounded below


class Params(NamedTuple):
    eta: float
    K: int
    f_lower: float
    epochs: int


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray
    g_trial: np.ndarray
    x0: np.ndarray      # every restart begins here
    g0: np.ndarray
    f0: float
    inner: int          # short steps since the last long one
    epoch: int          # long steps since the last restart
    f_best: float       # least value since the beginning
    f_lower: float      # bound of this restart
    kind: float         # of the last step


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    g0 = np.empty_like(x0)
    copy_to(g, g0)
    flag = BAD_BOUND if contradicts(f, params.f_lower, f) else RUNNING
    return State(x, f, g, params.eta, flag, np.empty_like(x0), np.empty_like(x0), x0.copy(), g0, f, 0, 0, f, params.f_lower,
                 SHORT)


@routine
def begin_again(state):
    """At x0, whose value and gradient are known, with the bound halfway up to the best value."""
    x, _, g, _, _, x_trial, g_trial, x0, g0, f0, _, _, f_best, f_lower, _ = state
    flag = RUNNING if tells_apart(f_best, f_lower) or tells_apart(f_lower, f_best) else \
        PRECISION if f_best < f0 else STEP_FAILED      # the bound has come up to a value that no step ever improved
    copy_to(x0, x_trial)
    copy_to(g0, g_trial)
    f_lower = 0.5 * f_lower + 0.5 * f_best
    return State(x_trial, f0, g_trial, 0.0, flag, x, g, x0, g0, f0, 0, 0, f_best, f_lower, UNDONE)


@routine
def step(oracle, state, params):
    x, f, g, _, _, x_trial, g_trial, x0, g0, f0, inner, epoch, f_best, f_lower, _ = state
    if epoch == params.epochs:
        return begin_again(state)
    if inner < params.K:
        alpha, kind, inner = params.eta, SHORT, inner + 1
    else:
        alpha, kind, inner, epoch = FACTOR * polyak_length(max(f - f_lower, 0.0), g), LONG, 0, epoch + 1
    axpy_to(-alpha, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return begin_again(state)
    gradient(oracle, x_trial, g_trial)
    if not norm_inf(g_trial) < math.inf:
        return begin_again(state)
    flag = BAD_BOUND if contradicts(f_new, params.f_lower, f0) else RUNNING
    return State(x_trial, f_new, g_trial, alpha, flag, x, g, x0, g0, f0, inner, epoch, min(f_best, f_new), f_lower, kind)


@routine
def report(state, row):
    row[0] = state.kind
    row[1] = state.f_lower


@dataclass(frozen=True, repr=False)
class GDPolyakRestartsMethod(Method):
    """GDPolyak with a bisected lower bound, restarted from x0 after every so many epochs.

    One value and one gradient an iteration, none in the iteration that restarts; six vectors. The number of restarts is
    unlimited; the run ends by the common tolerances, or with ``Status.PRECISION`` when bound and best value agree to
    rounding: then every further restart would be the same (``STEP_FAILED`` if the best value is still that of x0).

    Parameters
    ----------
    eta : float > 0
        Short step, 1/L or below.
    K : int >= 0
        Short steps between long ones.
    f_lower : float
        A lower bound for fun. The nearer it is to the least value, the better: about log2 of its error over the accuracy
        wanted is the number of restarts.
    epochs : int >= 1
        Long steps between restarts; 50 in the experiments of [2]_.

    Raises
    ------
    ValueError
        When a value below ``f_lower`` is seen, by more than rounding.

    Notes
    -----
    Deviations from [2]_. (i) A value or gradient that is not finite restarts at once, with the next bound; the authors'
    code lets the iterates overflow, and is lost. (ii) With too few epochs the bisected bound may rise above the least
    value, since nothing in the scheme tells a run that found the minimum from one that was too short; a long step from
    a value below the bound has length zero, and the next bound is lower.

    The history column ``long_step`` is -1 in an iteration that restarts; ``f_lower`` is the bound in force.

    References
    ----------
    .. [1] E. Hazan, S. Kakade, "Revisiting the Polyak step size", arXiv:1905.00313, 2019. Algorithm 2.
    .. [2] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
           fourth-order growth", Math. Program., 2025, arXiv:2409.19791; the restarts are in the authors' code.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock_quartic(a=10.0)
    >>> method = curvopt.baselines.GDPolyakRestarts.replace(eta=0.0125, f_lower=-1e-4)
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=method, options={"gtol": 0, "ftarget": 1e-8})
    >>> res.success
    True
    """

    eta: float = 1e-3
    K: int = 100
    f_lower: float = 0.0
    epochs: int = 50

    needs: ClassVar = ("jac", "lower bound")
    columns: ClassVar = ("long_step", "f_lower")
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "6"
    length: ClassVar = "eta"
    paper: ClassVar = "arXiv:1905.00313"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return Params(_checks.positive("eta", self.eta), _checks.count("K", self.K),
                      _checks.finite("f_lower", self.f_lower), _checks.count("epochs", self.epochs, 1))

    @property
    def name(self):
        return "GDPolyakRestarts"


GDPolyakRestarts = GDPolyakRestartsMethod()
