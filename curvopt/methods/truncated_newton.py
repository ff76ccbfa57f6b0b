r"""Truncated Newton: quasi-Newton bursts and preconditioned Newton-CG steps in turns, over one memory.

.. math::  \|M^{1/2}(g + H p)\| \le \eta\, \|M^{1/2} g\|, \qquad x^+ = x + \alpha p, \qquad
           e = \|g(x + p) - (g + H p)\| / \|g\| .

A Newton step is worth what its model is worth. The model error e is known after a full step for nothing: a small one is
answered by another Newton step, solved to eta = e; a large one by a burst of quasi-Newton steps, which take no product.
The depth of a solve has a budget. So there are no products where the model is poor, a few on the way, and hundreds near
a minimizer, without a setting.

References
----------
.. [1] J. L. Morales, J. Nocedal, "Enriched methods for large-scale unconstrained optimization", Comput. Optim. Appl. 21,
       2002. Turns of limited memory and Newton-CG steps that feed each other.
.. [2] S. C. Eisenstat, H. F. Walker, "Choosing the forcing terms in an inexact Newton method", SIAM J. Sci. Comput. 17,
       1996. The error of the model as forcing term.
.. [3] O. Smee, F. Roosta, S. J. Wright, "First-ish Order Methods: Hessian-aware Scalings of Gradient Descent",
       arXiv:2502.03701, 2025. The first step of the solve, taken alone, is their CG scaling.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._oracle import value
from .._status import RUNNING
from .._vectors import axpy_to, dot, norm
from ..directions import krylov
from ..directions.inverse_hessian import HELD, forget, learn_step
from ..linesearch.armijo import failure
from ..linesearch.wolfe import EPS, FAILED, search, strong_wolfe
from . import quasi_newton as burst

AUTO = -1                       # Params.depth
# Measured on two thirds of a collection (docs/methods/truncated_newton.md), as are the defaults of the class.
FIRST_BURST, LONGEST_BURST = 5, 20      # quasi-Newton steps between Newton steps; doubled after each poor one
ETA_LEAST, ETA_MOST = 1e-3, 0.5         # forcing terms
LEAST_CAP, SHARE, GROWTH = 10, 0.5, 4   # products of a solve: this many; this share of all spent; so many last good ones
HARVEST, HARVEST_LARGE = 100, 10        # pairs of one solve for the memory: n <= 500, and above
MAX_FAILURES = 2                        # in a row, each answered by forgetting the memory


class Params(NamedTuple):
    qn: burst.Params
    depth: int          # AUTO, 0 for bursts only, or products of every step
    good: float
    plain_retry: bool
    learns: bool        # whether there is a memory


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    qn: burst.State         # x, g, the memory and the search are those of the quasi-Newton method
    solve: krylov.Solve
    error: float            # e of the last Newton step
    depth: int              # products of the last good solve, 0 if it was not good
    products: int           # products so far
    steps: int              # steps so far
    left: int               # quasi-Newton steps to come before a Newton step
    length: int             # of the next burst
    plain: bool             # solve without the preconditioner
    negative: float         # length of the last step along negative curvature
    failures: int           # in a row
    taken: int              # products of the last step


@routine
def init(oracle, x0, params):
    qn = burst.init(oracle, x0, params.qn)
    rows = 0 if not params.learns or params.depth == 0 else HARVEST if x0.size <= burst.SMALL_N else HARVEST_LARGE
    left = FIRST_BURST if params.depth == AUTO else 0
    solve = krylov.make_solve(x0.size if params.depth != 0 else 0, rows)
    return State(qn.x, qn.f, qn.g, qn.alpha, qn.flag, qn, solve, ETA_MOST, 0, 0, 0, left, FIRST_BURST, False, 0.0, 0, 0)


# ---- quasi-Newton steps ----------------------------------------------------------------------------------------------

@routine
def burst_step(oracle, state, params):
    """One step of the quasi-Newton method itself. A start from nothing that fails leaves the word to a Newton step."""
    qn = burst.step(oracle, state.qn, params.qn)
    flag, left, failures = qn.flag, state.left - 1, 0
    if qn.alpha == 0.0:
        failures = state.failures + 1
        if flag != RUNNING and failures <= MAX_FAILURES and params.depth == AUTO:
            flag, left = RUNNING, 0
    if flag == RUNNING and qn.flag != RUNNING:
        qn = burst.State(qn.x, qn.f, qn.g, qn.alpha, RUNNING, qn.inverse, qn.room, qn.d, qn.x_trial, qn.g_trial,
                         qn.g_spare, qn.length, qn.K, qn.failures)
    return State(qn.x, qn.f, qn.g, qn.alpha, flag, qn, state.solve, state.error, state.depth, state.products,
                 state.steps + 1, left, state.length, state.plain, state.negative, failures, 0)


# ---- Newton steps ----------------------------------------------------------------------------------------------------

@routine
def depth_cap(state, params, n):
    """Products that the next solve may take."""
    if params.depth != AUTO:
        return params.depth
    spent = int(SHARE * (1.5 * state.steps + state.products))
    return min(2 * n + 5, max(LEAST_CAP, max(spent, GROWTH * state.depth)))


@routine
def choose(oracle, state, params, ended):
    """(along, slope, first trial, f there or NaN, whether it was shortened, whether d is one of negative curvature)."""
    qn, solve = state.qn, state.solve
    depth = solve.whole[krylov.DEPTH]
    if ended == krylov.NEGATIVE:
        slope = dot(qn.g, solve.d)
        if depth > 1:
            wanted = max(state.negative, solve.real[krylov.LENGTH])
            return solve.d, slope, krylov.first_trial(wanted, solve.d), math.nan, False, True
        wanted = max(1.0, norm(qn.x, 2))
        alpha = 1.0 if qn.inverse.phase[HELD] > 0 and not state.plain else krylov.first_trial(wanted, solve.d)
        return solve.d, slope, alpha, math.nan, False, True
    slope = dot(qn.g, solve.p)
    if depth < 2:
        return solve.p, slope, 1.0, math.nan, False, False
    axpy_to(1.0, solve.p, qn.x, qn.x_trial)
    f_full = value(oracle, qn.x_trial)
    if math.isfinite(f_full) and (f_full <= qn.f + params.qn.c1 * slope or f_full <= qn.f + qn.K * EPS * abs(qn.f)):
        return solve.p, slope, 1.0, f_full, False, False
    krylov.shortened(solve.p, solve.short, solve.longer, solve.real)
    return solve.p, dot(qn.g, solve.p), 1.0, math.nan, True, False


@routine
def plan(state, params, error, good, plain, length):
    """(steps of the burst to come, length of the next one, whether to solve without the preconditioner)."""
    if params.depth != AUTO:
        return 0, length, plain
    if params.plain_retry:
        plain = not plain if not good and length >= LONGEST_BURST else plain and good
    if error <= params.good:
        return 0, FIRST_BURST, plain
    return length, min(2 * length, LONGEST_BURST), plain


@routine
def failed(state, qn, params, slope, products, taken):
    """A Newton step that found nothing: forget the memory, and end where that has been tried."""
    failures = state.failures + 1
    flag = failure(state.f, slope) if failures > MAX_FAILURES else RUNNING
    forget(qn.inverse)
    left = state.length if params.depth == AUTO else 0
    return State(state.x, state.f, state.g, 0.0, flag, qn, state.solve, math.inf, 0, products, state.steps + 1, left,
                 state.length, state.plain, state.negative, failures, taken)


@routine
def unusable(state, params, products, taken):
    """A product was not finite: a burst follows, longer each time. The memory is not to blame, and stays."""
    if params.depth != AUTO:
        return failed(state, state.qn, params, 0.0, products, taken)
    return State(state.x, state.f, state.g, 0.0, RUNNING, state.qn, state.solve, math.inf, 0, products, state.steps + 1,
                 state.length, min(2 * state.length, LONGEST_BURST), state.plain, state.negative, state.failures, taken)


@routine
def newton_step(oracle, state, params):
    qn, solve = state.qn, state.solve
    eta = min(ETA_MOST, max(state.error, ETA_LEAST))
    ended = krylov.truncated_cg(oracle, qn.x, qn.g, qn.inverse, state.plain, eta, depth_cap(state, params, qn.x.size), solve)
    taken = solve.whole[krylov.DEPTH]
    products = state.products + taken
    if ended == krylov.BROKEN:
        return unusable(state, params, products, taken) if taken > 0 else failed(state, qn, params, 0.0, products, taken)
    along, slope, alpha, f_first, cut, negative = choose(oracle, state, params, ended)
    if not (-math.inf < slope < 0.0 and 0.0 < alpha < math.inf):
        return failed(state, qn, params, slope, products, taken)
    t, f_new, _, outcome, K, g_new, g_spare = search(
        oracle, qn.x, qn.f, along, slope, alpha, f_first, strong_wolfe(params.qn.c1, params.qn.c2), qn.K, 0.0, qn.room,
        qn.x_trial, qn.g_trial, qn.g_spare)
    if outcome == FAILED:
        qn = burst.State(qn.x, qn.f, qn.g, 0.0, RUNNING, qn.inverse, qn.room, qn.d, qn.x_trial, g_new, g_spare,
                         qn.length, K, qn.failures)
        return failed(state, qn, params, slope * min(alpha, 1.0), products, taken)
    error, stretch = math.inf, state.negative
    if negative:
        stretch = t * norm(along, 2)
        error = ETA_MOST if t >= alpha else math.inf
    elif t == 1.0 and not cut:
        error = krylov.model_error(g_new, solve.r, qn.g)
    good = error <= params.good
    if params.learns:
        krylov.harvest(solve, qn.inverse)
        learn_step(qn.inverse, qn.x_trial, qn.x, g_new, qn.g, 0.0)
    left, length, plain = plan(state, params, error, good, state.plain, state.length)
    if cut:
        t = min(t, 0.5)
    qn = burst.State(qn.x_trial, f_new, g_new, t, RUNNING, qn.inverse, qn.room, qn.d, qn.x, qn.g, g_spare,
                     qn.length, K, qn.failures)
    return State(qn.x, qn.f, qn.g, t, RUNNING, qn, solve, error, taken if good else 0, products, state.steps + 1, left,
                 length, plain, stretch, 0, taken)


@routine
def step(oracle, state, params):
    if params.depth == 0 or state.left > 0:
        return burst_step(oracle, state, params)
    return newton_step(oracle, state, params)


@routine
def report(state, row):
    row[0] = state.taken
    row[1] = state.error
    row[2] = state.qn.inverse.phase[HELD]


@dataclass(frozen=True, repr=False)
class TruncatedNewtonMethod(Method):
    """Truncated Newton: quasi-Newton bursts and Newton-CG steps in turns, with a depth that chooses itself.

    A quasi-Newton step costs one value and one gradient where its first trial is accepted; a Newton step one gradient,
    one value and as many Hessian-vector products as its depth, which the history column ``depth`` shows.

    Parameters
    ----------
    depth : "auto" or int >= 0
        Products of a step. ``"auto"`` lets the measured model error choose between bursts and Newton steps; 0 takes
        bursts only, and is `QuasiNewton` bit for bit; another number makes every step a Newton step of at most that many
        products. With depth = 1 and m = 0 the steps are those of SCG.
    m : int >= 0, optional
        Pairs of the memory, which also preconditions. By default 200 for n <= 500, where they become a matrix, and 30
        above; 0 stands for no memory and needs a depth above 0.
    good : float > 0
        Model error up to which a Newton step is followed by another one.
    plain_retry : bool
        Leave the preconditioner out after a poor Newton step that followed a burst of full length.
    c1, c2 : float
        As in `QuasiNewton`.
    second_order : bool
        Where the run has converged, find the least eigenvalue of the Hessian: the result's ``second_order`` says
        "minimum", "saddle" or "flat" and ``curvature`` is that eigenvalue; from a saddle the run goes on along the
        negative direction. Costs n products for n <= 30, and a Lanczos run of some dozens above.

    Notes
    -----
    Negative curvature ends a solve; its direction is then searched along, from the length of the last such step. A full
    Newton step that is refused is replaced by an earlier iterate of its solve, at most half as long, before the search
    shortens it. Up to 100 exact pairs of a solve (10 for n > 500) go into the memory. The path of a solve is not stored:
    besides the memory, the method holds 7 vectors and the pairs kept for it.

    Without ``hessp`` and ``hess`` a product is a difference of gradients and costs one.

    References
    ----------
    .. [1] J. L. Morales, J. Nocedal, "Enriched methods for large-scale unconstrained optimization", Comput. Optim. Appl.
           21, 2002.
    .. [2] S. C. Eisenstat, H. F. Walker, "Choosing the forcing terms in an inexact Newton method", SIAM J. Sci. Comput.
           17, 1996.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(10)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method=curvopt.TruncatedNewton)
    >>> res.success, bool(res.fun < 1e-10)
    (True, True)
    """

    depth: object = "auto"
    m: int = None
    good: float = 0.3
    plain_retry: bool = False
    c1: float = 1e-4
    c2: float = 0.9
    second_order: bool = False

    needs: ClassVar = ("jac", "hessp")
    columns: ClassVar = ("depth", "model_error", "pairs")
    cost: ClassVar = "1.2 f, 1.1 g, 0 to n Hv"
    memory: ClassVar = "2m + 15"
    paper: ClassVar = "own, on 2502.03701"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        depth = AUTO if self.depth == "auto" else _checks.count("depth", self.depth)
        m = None if self.m is None else _checks.count("m", self.m)
        if m == 0 and depth < 1:
            raise ValueError("m = 0 leaves no memory for quasi-Newton steps; it needs a depth above 0")
        dense = burst.NEVER if m == 0 else burst.AUTO
        qn = burst.wolfe_params(burst.AUTO if m is None else max(m, 1), self.c1, self.c2, dense)
        return Params(qn, depth, _checks.positive("good", self.good), bool(self.plain_retry), m != 0)

    def details(self, state):
        """The least curvature d'Hd / d'd met in the last solve: an upper bound of the Hessian's least eigenvalue there."""
        return {"curvature": float(state.solve.real[krylov.SMALLEST])} if state.products else {}

    @property
    def name(self):
        return "TruncatedNewton"


TruncatedNewton = TruncatedNewtonMethod()
