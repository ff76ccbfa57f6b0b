r"""Gradient descent scaled by the curvature along the gradient.

.. math::  x^+ = x - \alpha\, s\, g, \qquad
           s_{CG} = \frac{\|g\|^2}{\langle g, Hg\rangle}, \quad
           s_{MR} = \frac{\langle g, Hg\rangle}{\|Hg\|^2}, \quad
           s_{GM} = \frac{\|g\|}{\|Hg\|},

with :math:`\alpha` by Armijo's rule from 1. One Hessian-vector product an iteration; no learning rate, no Lipschitz
constant.

References
----------
.. [1] O. Smee, F. Roosta, S. J. Wright, "First-ish Order Methods: Hessian-aware Scalings of Gradient Descent",
       arXiv:2502.03701, 2025. Algorithms 1 to 4.
.. [2] Y.-H. Dai, Y. Yuan, "Alternate minimization gradient method", IMA J. Numer. Anal. 23, 2003.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._blocks import composed
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, hess_vec, start, start_in
from .._status import RUNNING, UNBOUNDED
from ..directions.curvature import LIMITED, NEGATIVE, POSITIVE, checked, curvature_products
from ..linesearch.armijo import ALPHA_MAX, backtrack_scaled, failure, track_forward_scaled

RULE_CG, RULE_MR, RULE_GM, MR_THEN_CG, CG_THEN_MR = range(5)
SCALINGS = {"cg": RULE_CG, "mr": RULE_MR, "gm": RULE_GM, "mrcg": MR_THEN_CG, "cgmr": CG_THEN_MR}
NAMES = {"cg": "SCG", "mr": "SMR", "gm": "SGM", "mrcg": "MRCG", "cgmr": "CGMR"}


class Params(NamedTuple):
    scaling: int
    sigma: float
    rho: float
    theta: float
    s_negative: float
    s_limited: float    # 0: the last accepted length


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    hg: np.ndarray          # H g, then room for the next gradient
    x_trial: np.ndarray     # trades places with x on acceptance
    s: float                # scaling used
    curvature: float        # <g, Hg> / <g, g>
    positive: int           # steps of positive curvature so far: the alternating rules count these


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, 1.0, RUNNING, np.empty_like(x0), np.empty_like(x0), 0.0, 0.0, 0)


@routine
def again(oracle, state, x0, params):
    """The state that `init` returns, in the arrays of another one."""
    x, _, g, _, _, hg, x_trial, _, _, _ = state
    f = start_in(oracle, x0, x, g)
    return State(x, f, g, 1.0, RUNNING, hg, x_trial, 0.0, 0.0, 0)


@composed("g")
@kernel
def scaling_of(g, hg, rule, sigma, s_limited, s_negative):
    """s of the direction d = -s g ([1], Algorithm 1), <g, d>, the kind of curvature and <g, Hg> / <g, g>."""
    gg, gh, hh, top_g, top_h = curvature_products(g, hg)
    c = (gh / gg) * (top_h / top_g) if gg > 0.0 else 0.0
    if c > sigma and hh > 0.0:
        kind = POSITIVE
        if rule == RULE_CG:
            s = (gg / gh) * (top_g / top_h)
        elif rule == RULE_MR:
            s = (gh / hh) * (top_g / top_h)
        else:
            s = math.sqrt(gg / hh) * (top_g / top_h)
    elif c >= 0.0:
        kind, s = LIMITED, s_limited
    else:
        kind, s = NEGATIVE, s_negative
    return s, -s * gg * top_g * top_g, kind, c


@routine
def rule_of(scaling, positive):
    """The scaling of this iteration: the alternating rules change with every step of positive curvature."""
    if scaling == MR_THEN_CG:
        return RULE_MR if positive % 2 == 0 else RULE_CG
    if scaling == CG_THEN_MR:
        return RULE_CG if positive % 2 == 0 else RULE_MR
    return scaling


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, hg, x_trial, s, _, positive = state
    hess_vec(oracle, x, g, hg)
    s_limited = params.s_limited
    if s_limited == 0.0:
        s_limited = alpha * s if alpha * s > 0.0 else 1.0
    rule = rule_of(params.scaling, positive)
    s, slope, kind, c = scaling_of(g, hg, rule, params.sigma, s_limited, params.s_negative)
    alpha, f_new, found = backtrack_scaled(oracle, x, f, g, -s, slope, 1.0, params.rho, params.theta, x_trial)
    if not found:
        return State(x, f, g, 0.0, failure(f, slope), hg, x_trial, s, c, positive)
    flag = RUNNING
    if kind == NEGATIVE and alpha == 1.0:
        alpha, f_new = track_forward_scaled(oracle, x, f, g, -s, slope, f_new, params.rho, params.theta, x_trial)
        flag = UNBOUNDED if alpha >= ALPHA_MAX else RUNNING
    if kind == POSITIVE:
        positive += 1
    gradient(oracle, x_trial, hg)
    return State(x_trial, f_new, hg, alpha, flag, g, x, s, c, positive)


@routine
def report(state, row):
    row[0] = state.s
    row[1] = state.curvature


@dataclass(frozen=True, repr=False)
class ScaledGradient(Method):
    """Hessian-aware scaled gradient descent: SCG, SMR, SGM, and the alternation MRCG.

    Costs one gradient, one Hessian-vector product and, with the unit steps that are the rule near a minimum, one value
    of ``fun`` an iteration. Holds four vectors: -s g is written nowhere.

    Parameters
    ----------
    scaling : {"mr", "cg", "gm", "mrcg", "cgmr"}
        Scaling where the curvature along g is positive. ``"mrcg"`` takes MR and CG in turn, beginning with MR.
    sigma : float >= 0
        Curvature counts as positive when <g, Hg> > sigma ||g||^2. 0 suits convex problems; the default 1e-6 is ours
        (the paper asks for "small").
    rho : float in (0, 1/2)
        Sufficient decrease. 1e-4 as in [1]_.
    theta : float in (0, 1)
        Contraction of a refused step, and 1/theta the growth of a step under negative curvature. 1/2 as in [1]_.
    s_negative : float > 0
        Scaling where the curvature is negative, before forward tracking, which makes it nearly irrelevant.
    s_limited : float >= 0
        Scaling where 0 <= <g, Hg> <= sigma ||g||^2; 0 stands for 1/sigma, which continues s_CG.

    Notes
    -----
    Deviations from [1]_. (i) Armijo's test has a slack of ten rounding errors of f; without it the unit step fails by
    rounding near a minimum. (ii) <g, Hg> and ||Hg|| are computed from scaled vectors, so that tiny and huge gradients
    neither vanish nor overflow. (iii) The order of the alternation, MR first and counted on steps of positive
    curvature only, is our reading of the name MRCG. (iv) With sigma = 0, limited curvature means none at all, and the
    last accepted step length is used again.

    References
    ----------
    .. [1] O. Smee, F. Roosta, S. J. Wright, "First-ish Order Methods: Hessian-aware Scalings of Gradient Descent",
           arXiv:2502.03701, 2025. Algorithms 1 to 4.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 10.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, hessp=p.hessp,
    ...                        method=curvopt.SMR.replace(sigma=0.0))
    >>> res.success, bool(abs(res.fun - p.f_star) < 1e-9)
    (True, True)
    """

    scaling: str = "mr"
    sigma: float = 1e-6
    rho: float = 1e-4
    theta: float = 0.5
    s_negative: float = 1.0
    s_limited: float = 0.0

    needs: ClassVar = ("jac", "hessp")
    columns: ClassVar = ("scaling", "curvature")
    monotone: ClassVar = True
    cost: ClassVar = "1 f, 1 g, 1 Hv"
    memory: ClassVar = "4"
    paper: ClassVar = "arXiv:2502.03701"
    init: ClassVar = staticmethod(init)
    again: ClassVar = staticmethod(again)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return Params(_checks.choice("scaling", self.scaling, SCALINGS),
                      *checked(self.sigma, self.rho, self.theta, self.s_negative, self.s_limited))

    @property
    def name(self):
        return NAMES[self.scaling]


SCG, SMR, SGM, MRCG = (ScaledGradient(scaling) for scaling in ("cg", "mr", "gm", "mrcg"))
