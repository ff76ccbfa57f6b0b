r"""Quasi-Newton steps for flat minima, with the order of growth detected and used.

Near a minimizer where fun grows like :math:`|u|^p` along a ravine, every Newton step u -> u - u/(p - 1) stops short by the
same factor: convergence is linear, and Newton's method with the multiplicity p - 1 would be superlinear. Three pieces make use
of that without knowing p, the ravine or the least value. (1) The middle of the memory carries only what the pairs do not
say (`aware_memory`). (2) After a step that undershot a power of order p > 2.5, the first trial of the next search begins
with the length at which that power has its minimum (`order`). (3) Near the minimizer, truncated Newton directions
(`newton_cg`), followed by one long step to the minimum of the detected power along the parabola on which the ravine
continues (`arc`), kept if it is lower.

References
----------
.. [1] E. Schröder, "Über unendlich viele Algorithmen zur Auflösung der Gleichungen", Math. Ann. 2, 1870.
.. [2] J. L. Morales, J. Nocedal, "Automatic preconditioning by limited memory quasi-Newton updating", SIAM J. Optim. 10,
       2000.
.. [3] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
       fourth-order growth", Math. Program., 2025, arXiv:2409.19791. The alternation of short and long steps.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import RUNNING
from .._vectors import copy_to, dot, norm
from ..directions.arc import bending, follow, straight
from ..directions.aware_memory import AwareMemory, forget, held, learn_step, make_aware, times
from ..directions.newton_cg import UNKNOWN, Krylov, make_krylov, newton_cg
from ..linesearch.armijo import failure
from ..linesearch.wolfe import FAILED, Room, make_room, search, weak_wolfe
from ..stepsize.order import power_min

PRESETS = {"simple": False, "full": True}
C1, C2 = 1e-4, 0.9      # of the weak Wolfe search, which a long step must be allowed to satisfy
# A detected order above these lengthens the first trial of the next step, or asks for a long step. Measured on
# benchmarks/flat_minima.py: 2.7 for the trial costs 3 %; 2.4 to 2.7 for the long step are within 1 %, 3 costs 3 %.
FLAT_TRIAL, FLAT = 2.3, 2.5
# A step is lengthened at most by this, p - 1 for p = 4, and stops short of the minimum by the error of its direction: from
# there nothing is known about what is left. Measured: 2.8 and 3.2 without that are within 2 %, 4 costs 5 %.
REACH = 3.0
WORTHWHILE = 1.3        # and at least by this
LOCAL = 1e-4            # Newton-CG begins when <g, Hg> has fallen to this times its largest value
RENEWED = 0.5           # ... and to this times its least value at the start of a cycle: not in a valley that only winds on
FAST = 0.2              # no first cycle while quasi-Newton steps make <g, Hg> fall by this factor: they are superlinear
FULL_STEP = 0.99        # a first trial shorter than this says nothing about the step of order 2
FORCING = 0.07          # relative error of a Newton-CG direction, which the long step triples; measured: 0.05 and 0.1 cost 1 %
# Quasi-Newton steps before the next cycle, after a long step that was kept, one that was refused, a step shorter than 1,
# and a cycle that found nothing.
HOLD_AFTER_LONG, HOLD_AFTER_REFUSAL, HOLD_AFTER_SHORT, HOLD_AFTER_FAILURE = 1, 2, 5, 10
FIRST = 1.0             # first trial over ||x0||; measured: 0.1 to 1 are the same on flat minima, 0.1 costs trials elsewhere
GROWTH, TRACK = 2.5, 20     # along negative curvature: growth of the step while fun falls, and how often
DESCENT = 1e-14         # <g, d> must be below this times -||g|| ||d||
NOISE_FACTOR = 100.0    # K of the search at the start, as in QuasiNewton
MAX_FAILURES = 50


class Params(NamedTuple):
    full: bool
    m: int


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    memory: AwareMemory
    krylov: Krylov
    room: Room
    z: np.ndarray           # H g; in a cycle then the bend of the ravine
    d: np.ndarray
    x_trial: np.ndarray
    g_trial: np.ndarray
    x_spare: np.ndarray
    g_spare: np.ndarray
    trial: float            # first trial of the next quasi-Newton step
    length: float           # ||s|| of the first trial without a memory
    decrement: float        # largest <g, Hg> so far
    low: float              # least <g, Hg> at which a cycle began
    last: float             # <g, Hg> before the last quasi-Newton step; 0: it was a cycle
    hold: int               # quasi-Newton steps before the next Newton-CG cycle
    source: int             # of Hessian products
    K: float                # noise factor of the search
    failures: int
    products: int           # of the last iteration
    order: float            # detected in the last iteration; 0: none


@kernel
def first_length(x0):
    """Relative to the start, so that units do not matter. From x0 = 0 there is no unit to be had."""
    reach = norm(x0, 2)
    return FIRST * reach if reach > 0.0 else 1.0


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    n = x.size
    return State(x, f, g, 1.0, RUNNING, make_aware(n, params.m), make_krylov(n, params.m if params.full else 0),
                 make_room(weak_wolfe(C1, C2)), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n),
                 1.0, first_length(x), 0.0, math.inf, 0.0, 0, UNKNOWN, NOISE_FACTOR, 0, 0, 0.0)


@kernel
def opposite(z, d):
    for i in range(d.size):
        d[i] = -z[i]


@routine
def preconditioned(memory, g, z):
    """Write z = H g, or g where the memory is of no use; return (<g, z>, whether it was)."""
    if held(memory) > 0:
        decrement = times(memory, 1.0, g, z)
        if DESCENT * norm(g, 2) * norm(z, 2) < decrement < math.inf:
            return decrement, True
        forget(memory)
    copy_to(g, z)
    return dot(g, g), False


@routine
def step(oracle, state, params):
    memory = state.memory
    decrement, known = preconditioned(memory, state.g, state.z)
    largest = max(state.decrement, decrement) if known else state.decrement
    renewed = decrement < RENEWED * state.low and (decrement > FAST * state.last or state.low < math.inf)
    if params.full and known and state.hold <= 0 and decrement < LOCAL * largest and renewed:
        return newton_cycle(oracle, state, decrement, largest)
    return quasi_newton_step(oracle, state, decrement, largest, known)


@routine
def quasi_newton_step(oracle, state, decrement, largest, known):
    """A weak Wolfe step along -H g; the order it detects sets the first trial of the next one."""
    x, f, g, _, _, memory, krylov, room, z, d, x_trial, g_trial, x_spare, g_spare, trial, length, _, low, _, hold, source, K, \
        failures, _, _ = state
    opposite(z, d)
    alpha = trial if known else length / math.sqrt(decrement) if decrement > 0.0 else 1.0
    t, f_new, slope, outcome, K, g_new, g_spare = search(
        oracle, x, f, d, -decrement, alpha, math.nan, weak_wolfe(C1, C2), K, 0.0, room, x_trial, g_trial, g_spare)
    if outcome == FAILED:
        failures += 1
        flag = failure(f, -decrement * min(alpha, 1.0)) if not known or failures > MAX_FAILURES else RUNNING
        forget(memory)
        return State(x, f, g, 0.0, flag, memory, krylov, room, z, d, x_trial, g_new, x_spare, g_spare, 1.0, length, largest,
                     low, decrement, hold, source, K, failures, 0, 0.0)
    t_star, order = power_min(t, f, f_new, -decrement, slope)
    trial = min(t_star / t, REACH) if known and t == alpha and t >= FULL_STEP and decrement < largest \
        and order > FLAT_TRIAL else 1.0
    _, ss = learn_step(memory, x_trial, x, g_new, g)
    if 0.0 < ss < math.inf:
        length = math.sqrt(ss)
    return State(x_trial, f_new, g_new, t, RUNNING, memory, krylov, room, z, d, x, g, x_spare, g_spare, trial, length, largest,
                 low, decrement, hold - 1, source, K, failures, 0, order)


@routine
def lengthened(oracle, x, f_new, d, q, t, longer, tries, x_trial, x_spare):
    """Lengthen the step t, whose point is x_trial, to `longer` and then by GROWTH, while fun falls.

    The path is x + t d + t^2 q. Returns (t, f, x_trial, x_spare): the best point is in the first of the two.
    """
    for _ in range(tries):
        follow(longer, d, q, x, x_spare)
        f_longer = value(oracle, x_spare)
        if not f_longer < f_new:
            break
        t, f_new, longer = longer, f_longer, GROWTH * longer
        x_trial, x_spare = x_spare, x_trial
    return t, f_new, x_trial, x_spare


@routine
def newton_cycle(oracle, state, decrement, largest):
    """One truncated Newton direction, a step along it, and the long step that the detected order asks for."""
    x, f, g, _, _, memory, krylov, room, z, d, x_trial, g_trial, x_spare, g_spare, _, length, _, low, _, hold, source, K, \
        failures, _, _ = state
    low = min(low, decrement)
    used, concave, error, source = newton_cg(oracle, x, g, z, decrement, memory, FORCING, source, krylov, d)
    slope = dot(g, d)
    if not slope < 0.0:
        return State(x, f, g, 0.0, RUNNING, memory, krylov, room, z, d, x_trial, g_trial, x_spare, g_spare, 1.0, length,
                     largest, low, 0.0, HOLD_AFTER_FAILURE, source, K, failures, used, 0.0)
    t, f_new, slope_new, outcome, K, g_new, g_spare = search(
        oracle, x, f, d, slope, 1.0, math.nan, weak_wolfe(C1, C2), K, 0.0, room, x_trial, g_trial, g_spare)
    if outcome == FAILED:
        forget(memory)
        return State(x, f, g, 0.0, RUNNING, memory, krylov, room, z, d, x_trial, g_new, x_spare, g_spare, 1.0, length,
                     largest, low, 0.0, HOLD_AFTER_FAILURE, source, K, failures, used, 0.0)
    above = 0.0
    if t == 1.0 and not concave:
        times(memory, 1.0, g_new, z)
        above = bending(g, g_new, d, slope, z)
    else:
        straight(z)
    learn_step(memory, x_trial, x, g_new, g)
    t_star, order = power_min(t, f, f_new - 0.5 * above, slope, slope_new - 2.0 * above)
    longer, tries = (1.0 - error) * min(t_star, REACH * t), 1 if order > FLAT and WORTHWHILE * t < t_star < math.inf else 0
    if concave:
        longer, tries = GROWTH * t, TRACK if slope_new < 0.0 else 0
    hold = HOLD_AFTER_SHORT if concave or t < 1.0 else HOLD_AFTER_REFUSAL if tries > 0 else 0
    taken = t
    t, f_new, x_trial, x_spare = lengthened(oracle, x, f_new, d, z, t, longer, tries, x_trial, x_spare)
    if t > taken:
        gradient(oracle, x_trial, g_new)
        if hold == HOLD_AFTER_REFUSAL:
            hold = HOLD_AFTER_LONG
    return State(x_trial, f_new, g_new, t, RUNNING, memory, krylov, room, z, d, x, g, x_spare, g_spare, 1.0, length, largest,
                 low, 0.0, hold, source, K, failures, used, order)


@routine
def report(state, row):
    row[0] = held(state.memory)
    row[1] = state.products
    row[2] = state.order


@dataclass(frozen=True, repr=False)
class RavineQNMethod(Method):
    """Quasi-Newton for minima that may be flat: memory-aware scale, order-extrapolated trials, Newton-CG with long steps.

    Nothing to tune, no least value to give, and fun never rises beyond rounding. An iteration is a quasi-Newton step of one
    value and one gradient (1.1 of both on average) and 6 m n flops or, with ``preset="full"``, a Newton-CG cycle: a few
    products with the Hessian and one or two points. Products are those of ``hessp`` or ``hess`` where they are given, and
    gradients otherwise.

    Parameters
    ----------
    preset : {"simple", "full"}
        ``"simple"`` is L-BFGS with the first two pieces, and never far from it. ``"full"`` adds the Newton-CG cycles, which
        pay where the minimum is flat or ill-conditioned, and cost some evaluations more where it is neither
        (docs/methods/polyak.md).
    m : int >= 1
        Pairs kept. Most of the gain over L-BFGS with its usual 10 pairs is due to these 100: near a flat minimum the
        curvature spans many orders of magnitude, and what is forgotten has to be paid for again.

    Notes
    -----
    The first trial has the length of x0, so that scaling fun, and x unless x0 = 0, changes nothing: for powers of two not a
    bit. Products by differences are taken over 1/100 of the preconditioned gradient, except the first, which is the one
    that ``minimize`` makes of a missing ``hessp``. A product that is not finite ends the cycle like negative curvature.
    Every step satisfies the weak Wolfe conditions along a descent direction, or is lower than one that does: a long step
    follows the parabola on which the ravine continues, and is kept only if it is lower. So the usual argument gives
    convergence as long as the matrices of the memory stay bounded.

    The history columns are ``pairs`` in memory, ``products`` taken in the iteration, and the ``order`` detected: 2 for a
    parabola or steeper, 0 where the step overshot.

    References
    ----------
    .. [1] E. Schröder, "Über unendlich viele Algorithmen zur Auflösung der Gleichungen", Math. Ann. 2, 1870.
    .. [2] J. L. Morales, J. Nocedal, "Automatic preconditioning by limited memory quasi-Newton updating", SIAM J. Optim.
           10, 2000.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.convex_quartic(20)
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.RavineQN.replace(preset="full"),
    ...                        options={"gtol": 0, "ftarget": 1e-14})
    >>> res.success, res.njev < 130
    (True, True)
    """

    preset: str = "simple"
    m: int = 100

    columns: ClassVar = ("pairs", "products", "order")
    monotone: ClassVar = True
    cost: ClassVar = "1.1 f, 1.1 g"
    memory: ClassVar = "2m + 16, full 4m + 16"
    paper: ClassVar = "own"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    @property
    def needs(self):
        return ("jac", "hessp") if self.preset == "full" else ("jac",)

    def validated(self):
        return Params(_checks.choice("preset", self.preset, PRESETS), _checks.count("m", self.m, 1))

    @property
    def name(self):
        return "RavineQN"


RavineQN = RavineQNMethod()
