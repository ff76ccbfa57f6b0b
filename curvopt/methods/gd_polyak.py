r"""Gradient descent with one long step by Polyak's rule after every K short ones.

.. math::  x^+ = x - \eta\, g \quad (K \text{ times}), \qquad x^+ = x - \frac{f - f^*}{\|g\|^2}\, g \quad (\text{once}).

Where fun grows like a fourth power along a ravine, gradient descent and Polyak's method are both sublinear. Together they
are nearly linear: the short steps fall onto the ravine, along which the gradient then points, and the long step divides
the distance that is left by a constant. The long steps themselves grow exponentially.

References
----------
.. [1] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
       fourth-order growth", Math. Program., 2025, arXiv:2409.19791. Algorithm 1.
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
from .._vectors import axpy_to
from ..stepsize.polyak import LONG, SHORT, UNDONE, contradicts, polyak_length, tells_apart


class Params(NamedTuple):
    eta: float
    K: int
    f_star: float
    factor: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray
    g_trial: np.ndarray
    inner: int          # short steps since the last long one
    kind: float         # of the last step
    f0: float           # the first value: the scale of rounding errors


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    flag = BAD_BOUND if contradicts(f, params.f_star, f) else RUNNING
    return State(x, f, g, params.eta, flag, np.empty_like(x0), np.empty_like(x0), 0, SHORT, f)


@routine
def step(oracle, state, params):
    x, f, g, _, _, x_trial, g_trial, inner, _, f0 = state
    if inner < params.K:
        alpha, kind, inner = params.eta, SHORT, inner + 1
    elif tells_apart(f, params.f_star):
        alpha, kind, inner = params.factor * polyak_length(f - params.f_star, g), LONG, 0
    else:
        return State(x, f, g, 0.0, PRECISION, x_trial, g_trial, inner, SHORT, f0)
    axpy_to(-alpha, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        flag = RUNNING if kind == LONG and params.K > 0 else STEP_FAILED
        return State(x, f, g, 0.0, flag, x_trial, g_trial, inner, UNDONE, f0)
    gradient(oracle, x_trial, g_trial)
    flag = BAD_BOUND if contradicts(f_new, params.f_star, f0) else RUNNING
    return State(x_trial, f_new, g_trial, alpha, flag, x, g, inner, kind, f0)


@routine
def report(state, row):
    row[0] = state.kind


@dataclass(frozen=True, repr=False)
class GDPolyakMethod(Method):
    """GDPolyak: K gradient steps of a fixed length, then one Polyak step, for known least value.

    One value and one gradient an iteration; four vectors. Not monotone: a long step may raise fun. The best point seen
    is returned.

    Parameters
    ----------
    eta : float > 0
        Short step, 1/L or below. The default is that of ``baselines.GD``; the paper tunes it by problem.
    K : int >= 0
        Short steps between long ones; 100 in most experiments of [1]_. For accuracy eps in the distance, about
        ln(1/eps) / -ln(1 - eta lam) are needed, lam being the least non-zero eigenvalue of the Hessian at the minimizer:
        with a smaller K the linear convergence ends at some level and a crawl begins. 0 is Polyak's method.
    f_star : float
        Least value of fun; 0 where data can be fitted exactly. One that is too low stops progress when fun - f_star
        stops falling.
    factor : float > 0
        Multiple of the Polyak step; 1 in [1]_ when f_star is known.

    Raises
    ------
    ValueError
        When a value below ``f_star`` is seen, by more than rounding: at the start or later, with the point in a note.

    Notes
    -----
    Deviations from [1]_. (i) A long step to a value that is not finite is undone; the run goes on with short steps.
    (ii) Where fun - f_star is within ten rounding errors of fun, a long step would be noise, and the run ends with
    ``Status.PRECISION``. (iii) The best point is returned, not the last.

    The history column ``long_step`` is 0 for a short step, 1 for a long one and -1 for one undone.

    References
    ----------
    .. [1] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
           fourth-order growth", Math. Program., 2025, arXiv:2409.19791. Algorithm 1.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock_quartic(a=10.0)
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.GDPolyak.replace(eta=0.0125, K=50),
    ...                        options={"gtol": 0, "ftarget": 1e-14})
    >>> res.success, res.nit < 1500
    (True, True)
    """

    eta: float = 1e-3
    K: int = 100
    f_star: float = 0.0
    factor: float = 1.0

    needs: ClassVar = ("jac", "lower bound")
    columns: ClassVar = ("long_step",)
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    length: ClassVar = "eta"
    paper: ClassVar = "arXiv:2409.19791"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return Params(_checks.positive("eta", self.eta), _checks.count("K", self.K),
                      _checks.finite("f_star", self.f_star), _checks.positive("factor", self.factor))

    @property
    def name(self):
        return "GDPolyak"


@dataclass(frozen=True, repr=False)
class PolyakGradient(Method):
    """Gradient descent with Polyak's step: GDPolyak without short steps.

    One value and one gradient an iteration; four vectors. Sublinear, and erratic, where fun grows faster than a square.

    Parameters
    ----------
    f_star : float
        Least value of fun.
    factor : float > 0
        Multiple of the Polyak step.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 4.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.baselines.PolyakGD)
    >>> res.success
    True
    """

    f_star: float = 0.0
    factor: float = 1.0

    needs: ClassVar = ("jac", "lower bound")
    columns: ClassVar = ("long_step",)
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return Params(1.0, 0, _checks.finite("f_star", self.f_star), _checks.positive("factor", self.factor))

    @property
    def name(self):
        return "PolyakGD"


GDPolyak, PolyakGD = GDPolyakMethod(), PolyakGradient()
