r"""Quasi-Newton: limited memory that turns into a full matrix, under a search that knows the rounding noise of f.

.. math::  x^+ = x - \alpha H g, \qquad H^+ y = s, \qquad s = x^+ - x, \; y = g^+ - g,

with :math:`\alpha` by the Wolfe conditions, from 1. H is the inverse Hessian of the last m pairs (s, y); for n <= 500 it
becomes a matrix, rescaled softly, after enough of them.

References
----------
.. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45, 1989.
.. [2] J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006. Chapters 3, 6 and 7.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import start, start_in
from .._status import RUNNING
from .._vectors import copy_to, norm
from ..directions.inverse_hessian import DENSE, HELD, InverseHessian, forget, learn_step, make_inverse, times
from ..linesearch.armijo import failure
from ..linesearch.first_trial import forget_slopes, stretched, within_reach
from ..linesearch.wolfe import ACCEPTED, FAILED, LOWER, Room, Wolfe, make_room, search, strong_wolfe, strong_wolfe_unscaled

# Measured (docs/methods/quasi_newton.md): the gradients needed fall as m grows, 1 at 10, 0.83 at 30, 0.78 at 100; above
# n = 500 the time of 200 pairs is no longer worth it.
SMALL_N, SMALL_M, LARGE_M = 500, 200, 30
AUTO, NEVER = 0, -1             # Params.dense_after
STRONG, WEAK, KINKS = range(3)  # Params.wolfe; the last: weak ones from the first sign of a kink on
WOLFE = {"auto": KINKS, "strong": STRONG, "weak": WEAK}
NOISE_FACTOR = 100.0            # K of the search at the start: sums of some hundred terms round like this
FIRST_LENGTH = 1.0              # ||s|| of the very first trial
MAX_FAILURES = 50               # searches that found nothing, each answered by a new start of the memory


class Params(NamedTuple):
    m: int              # 0: by n
    c1: float
    c2: float
    dense_after: int    # AUTO, NEVER, or a number of pairs
    wolfe: int = STRONG


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    inverse: InverseHessian
    room: Room
    d: np.ndarray
    x_trial: np.ndarray     # trade places with x and g on acceptance
    g_trial: np.ndarray
    g_spare: np.ndarray
    length: float           # ||s|| of the last step: the first trial of the next steepest descent
    K: float                # noise factor of the search
    failures: int
    weak: int               # 1: the weak Wolfe conditions, which can be met at a kink


@routine
def memory_size(n, params):
    """(pairs, pairs after which they become a matrix, 0 for never) of a problem of size n."""
    m = params.m
    if m == 0:
        m = SMALL_M if n <= SMALL_N else LARGE_M
    turn = params.dense_after
    if turn == AUTO:
        turn = max(20, min(200, 10 * n))
    return m, 0 if turn == NEVER or n > SMALL_N or turn > m else turn


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return begin(x, f, g, params)


@routine
def begin(x, f, g, params):
    """The state at a point that is known already; x and g become its own."""
    m, turn = memory_size(x.size, params)
    room = make_room(strong_wolfe(params.c1, params.c2))
    return State(x, f, g, 1.0, RUNNING, make_inverse(x.size, m, turn), room, np.empty_like(x), np.empty_like(x),
                 np.empty_like(x), np.empty_like(x), within_reach(FIRST_LENGTH, x), NOISE_FACTOR, 0,
                 int(params.wolfe == WEAK))


@routine
def again(oracle, state, x0, params):
    """The state that `init` returns, in the arrays of another one."""
    _, _, _, _, _, inverse, room, d, x_trial, g_trial, g_spare, _, _, _, _ = state
    x, g = state.x, state.g
    f = start_in(oracle, x0, x, g)
    forget(inverse)
    length = within_reach(FIRST_LENGTH, x)
    return State(x, f, g, 1.0, RUNNING, inverse, room, d, x_trial, g_trial, g_spare, length, NOISE_FACTOR, 0,
                 int(params.wolfe == WEAK))


@routine
def moved(state, x, f, g, length, K):
    """The state at another known point, with the memory as it is; `length` is that of the next steepest descent step."""
    copy_to(x, state.x_trial)
    copy_to(g, state.g_trial)
    forget_slopes(state.room.left)
    return State(state.x_trial, f, state.g_trial, 0.0, RUNNING, state.inverse, state.room, state.d, state.x, state.g,
                 state.g_spare, length, K, state.failures, state.weak)


@routine
def searched(state, alpha, x_trial, g_trial, g_spare, K):
    """The state where it was, of a run that goes on, after another search that may have exchanged the buffers."""
    return State(state.x, state.f, state.g, alpha, RUNNING, state.inverse, state.room, state.d, x_trial, g_trial, g_spare,
                 state.length, K, state.failures, state.weak)


@kernel
def steepest(g, d):
    """Write d = -g / ||g||; return <g, d>."""
    size = norm(g, 2)
    if not size > 0.0:
        return 0.0
    for i in range(g.size):
        d[i] = -g[i] / size
    return -size


@routine
def descent(inverse, g, d, length):
    """(slope, first trial) of the direction written in d: -H g, or -g/||g|| where nothing is known or H g is useless."""
    if inverse.phase[HELD] > 0:
        slope = times(inverse, -1.0, g, d)
        if -math.inf < slope < 0.0:
            return slope, 1.0
        forget(inverse)
    return steepest(g, d), length


@routine
def step(oracle, state, params):
    x, f, g, _, _, inverse, room, d, x_trial, g_trial, g_spare, length, K, failures, weak = state
    slope, alpha = descent(inverse, g, d, length)
    blind = inverse.phase[HELD] == 0
    alpha = alpha if blind else stretched(room.left)
    c1, c2 = params.c1, params.c2
    rule = strong_wolfe_unscaled(c1, c2) if blind else strong_wolfe(c1, c2)
    if weak == 1 or params.wolfe == WEAK:
        rule = Wolfe(c1, c2, False, rule.widen, rule.trials)
    t, f_new, _, outcome, K, g_new, g_spare = search(
        oracle, x, f, d, slope, alpha, math.nan, rule, K, 0.0, room, x_trial, g_trial, g_spare)
    if outcome != ACCEPTED and params.wolfe == KINKS:
        weak = 1
    if outcome == FAILED:
        failures += 1
        flag = failure(f, slope * min(alpha, 1.0)) if blind or failures > MAX_FAILURES else RUNNING
        forget(inverse)
        return State(x, f, g, 0.0, flag, inverse, room, d, x_trial, g_new, g_spare, length, K, failures,
                     weak)
    if blind:
        forget_slopes(room.left)
    fit, ss = learn_step(inverse, x_trial, x, g_new, g, 0.0 if blind else -t * t * slope)
    if not fit and outcome == LOWER:
        forget(inverse)
    if 0.0 < ss < math.inf:
        length = math.sqrt(ss)
    return State(x_trial, f_new, g_new, t, RUNNING, inverse, room, d, x, g, g_spare, length, K, failures, weak)


@routine
def report(state, row):
    row[0] = state.inverse.phase[HELD]
    row[1] = state.inverse.phase[DENSE]


@dataclass(frozen=True, repr=False)
class QuasiNewtonMethod(Method):
    """Quasi-Newton: up to 200 pairs, which become a matrix for n <= 500.

    An iteration costs one value and one gradient where the first trial is accepted, as six out of seven are; 1.3 of both
    on average. It takes 4 m n flops while the memory is one of pairs, and 6 n^2 with the matrix.

    Parameters
    ----------
    m : int >= 1, optional
        Pairs kept. By default 200 for n <= 500, where they become a matrix, and 30 above.
    c1 : float in (0, 1/2)
        Sufficient decrease of the search.
    c2 : float in (c1, 1)
        Share of the first slope, in absolute value, that the search leaves.
    dense_after : int >= 1 or inf, optional
        Pairs after which they become a matrix, if n <= 500 and dense_after <= m; 1 stands for a matrix from the first
        pair on, inf for none. By default 10 n, but at least 20 and at most 200.
    wolfe : {"auto", "strong", "weak"}
        Conditions that a step has to meet. Across a kink of fun the slope jumps, and the strong ones may hold nowhere; the
        weak ones can be met, and BFGS with them converges on functions with kinks as a rule [3]_. ``"auto"`` goes over
        to them at the first search that finds no step by the strong ones.

    Notes
    -----
    The first trial has the length 1, or the nearest that is within a factor 1e6 of ||x0||, and after a step that found
    nothing that of the last good one; with pairs it is the full step, or up to three times that after two steps that were
    too short. A direction that does not descend, a failed search, and a step that is neither fit to be a pair nor accepted
    by the Wolfe conditions start the memory anew. A run ends with PRECISION when steepest descent finds nothing lower and
    the decrease in question is that of rounding, with STEP_FAILED otherwise.

    f -> c f with c a power of two changes no bit of the iterates; rotations and shifts of x change rounding only. The first
    step has length 1 in the units of x: the one place where x -> c x matters, up to a factor 1e6.

    The search, the limited memory, and the switch to the matrix with its scaling are ours; recursion and update are those
    of [1]_ and [2]_. The scaled updates are not known to converge on non-convex functions.

    References
    ----------
    .. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45, 1989.
    .. [2] J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006. Chapters 3, 6 and 7.
    .. [3] A. S. Lewis, M. L. Overton, "Nonsmooth optimization via quasi-Newton methods", Math. Program. 141, 2013.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(10)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.QuasiNewton)
    >>> res.success, bool(res.fun < 1e-10)
    (True, True)
    """

    m: int = None
    c1: float = 1e-4
    c2: float = 0.9
    dense_after: float = None
    wolfe: str = "auto"

    columns: ClassVar = ("pairs", "dense")
    cost: ClassVar = "1.3 f, 1.3 g"
    memory: ClassVar = "2m + 7, or n + 7"
    paper: ClassVar = "own search"
    init: ClassVar = staticmethod(init)
    again: ClassVar = staticmethod(again)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        m = AUTO if self.m is None else _checks.count("m", self.m, 1)
        if self.dense_after is None:
            dense_after = AUTO
        elif self.dense_after == math.inf:
            dense_after = NEVER
        else:
            dense_after = _checks.count("dense_after", self.dense_after, 1)
        return wolfe_params(m, self.c1, self.c2, dense_after, self.wolfe)

    @property
    def name(self):
        return "QuasiNewton"


def wolfe_params(m, c1, c2, dense_after, wolfe):
    c1 = _checks.in_open_interval("c1", c1, 0.0, 0.5)
    return Params(m, c1, _checks.in_open_interval("c2", c2, c1, 1.0), dense_after, _checks.choice("wolfe", wolfe, WOLFE))


QuasiNewton = QuasiNewtonMethod()
