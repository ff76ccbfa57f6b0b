r"""Truncated Newton: quasi-Newton bursts and preconditioned Newton-CG steps in turns, over one memory.

.. math::  \|M^{1/2}(g + H p)\| \le \eta\, \|M^{1/2} g\|, \qquad x^+ = x + \alpha p, \qquad
           e = \|g(x + p) - (g + H p)\| / \|g\| .

A Newton step is worth what its model is worth. The model error e is known after a full step for nothing: a small one is
answered by another Newton step, solved to eta = e; a large one by a burst of quasi-Newton steps, which take no product.
A solve has a budget, and a radius beyond which its model would be useless (`stepsize/turns.py`). So there are no products
where the model is poor, a few on the way, and hundreds near a minimizer, without a setting.

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
from ..stepsize import turns
from . import quasi_newton as burst

AUTO = -1                       # Params.depth
HARVEST, HARVEST_LARGE = 100, 10        # pairs of one solve for the memory: n <= 500, and above
MAX_FAILURES = 2                        # in a row, each answered by forgetting the memory


class Params(NamedTuple):
    qn: burst.Params
    depth: int          # AUTO, 0 for bursts only, or products of every step
    good: float
    price: float
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
    book: np.ndarray


@routine
def init(oracle, x0, params):
    qn = burst.init(oracle, x0, params.qn)
    rows = 0 if not params.learns or params.depth == 0 else HARVEST if x0.size <= burst.SMALL_N else HARVEST_LARGE
    solve = krylov.make_solve(x0.size if params.depth != 0 else 0, rows)
    book = turns.make_book(params.depth == AUTO, params.price)
    turns.begin_burst(oracle, qn.g, params.price, book)
    return State(qn.x, qn.f, qn.g, qn.alpha, qn.flag, qn, solve, book)


# ---- quasi-Newton steps ----------------------------------------------------------------------------------------------

@routine
def burst_step(oracle, state, params):
    """One step of the quasi-Newton method itself. A start from nothing that fails leaves the word to a Newton step."""
    book = state.book
    qn = burst.step(oracle, state.qn, params.qn)
    flag = qn.flag
    book[turns.TAKEN] = 0.0
    book[turns.LEFT] -= 1.0
    book[turns.FAILURES] = book[turns.FAILURES] + 1.0 if qn.alpha == 0.0 else 0.0
    if flag != RUNNING and qn.alpha == 0.0 and book[turns.FAILURES] <= MAX_FAILURES and params.depth == AUTO:
        flag = RUNNING
        book[turns.LEFT] = 0.0
        qn = burst.searched(qn, qn.alpha, qn.x_trial, qn.g_trial, qn.g_spare, qn.K)
    if book[turns.LEFT] == 0.0:
        turns.end_burst(oracle, qn.g, params.price, book)
    return State(qn.x, qn.f, qn.g, qn.alpha, flag, qn, state.solve, book)


# ---- Newton steps ----------------------------------------------------------------------------------------------------

@routine
def choose(oracle, state, params, ended):
    """(along, slope, first trial, f there or NaN, whether it was shortened)."""
    qn, solve, book = state.qn, state.solve, state.book
    depth = solve.whole[krylov.DEPTH]
    if ended == krylov.NEGATIVE:
        slope = dot(qn.g, solve.d)
        if depth > 1:
            wanted = max(book[turns.STRETCH], solve.real[krylov.LENGTH])
            return solve.d, slope, krylov.first_trial(wanted, solve.d), math.nan, False
        wanted = max(1.0, norm(qn.x, 2))
        known = qn.inverse.phase[HELD] > 0 and book[turns.PLAIN] == 0.0
        return solve.d, slope, 1.0 if known else krylov.first_trial(wanted, solve.d), math.nan, False
    slope = dot(qn.g, solve.p)
    if depth < 2:
        return solve.p, slope, 1.0, math.nan, False
    axpy_to(1.0, solve.p, qn.x, qn.x_trial)
    f_full = value(oracle, qn.x_trial)
    if math.isfinite(f_full) and (f_full <= qn.f + params.qn.c1 * slope or f_full <= qn.f + qn.K * EPS * abs(qn.f)):
        return solve.p, slope, 1.0, f_full, False
    krylov.shortened(qn.g, solve.p, solve.r, solve.short, solve.longer, solve.r_short, solve.r_longer, solve.real)
    return solve.p, dot(qn.g, solve.p), 1.0, math.nan, True


@routine
def judge(solve, book, g, g_new, ended, along, t, first, cut):
    """The model error of a step, infinite where the step does not test the model; notes how the Hessian changed."""
    size = t * norm(along, 2)
    if ended == krylov.NEGATIVE:
        book[turns.STRETCH] = size
        return turns.MOST_FORCING if t >= first else math.inf
    error = krylov.model_error(t, g_new, solve.r, g)
    book[turns.BEND] = turns.bend_of(error, g, size)
    return error if t == 1.0 and not cut and ended != krylov.LIMITED else math.inf


@routine
def failed(oracle, state, qn, params, slope):
    """A Newton step that found nothing: forget the memory, and end where that has been tried."""
    book = state.book
    book[turns.FAILURES] += 1.0
    turns.plan(math.inf, params.good, params.depth == AUTO, False, book)
    flag = failure(state.f, slope) if book[turns.FAILURES] > MAX_FAILURES else RUNNING
    forget(qn.inverse)
    turns.begin_burst(oracle, state.g, params.price, book)
    return State(state.x, state.f, state.g, 0.0, flag, qn, state.solve, book)


@routine
def unusable(oracle, state, params):
    """A product was not finite: a burst follows, longer each time. The memory is not to blame, and stays."""
    if params.depth != AUTO:
        return failed(oracle, state, state.qn, params, 0.0)
    turns.plan(math.inf, params.good, True, False, state.book)
    turns.begin_burst(oracle, state.g, params.price, state.book)
    return State(state.x, state.f, state.g, 0.0, RUNNING, state.qn, state.solve, state.book)


@routine
def newton_step(oracle, state, params):
    qn, solve, book = state.qn, state.solve, state.book
    spent, auto, large = turns.units(oracle, params.price), params.depth == AUTO, qn.x.size > burst.SMALL_N
    cap = turns.depth_cap(qn.x.size, spent, book) if auto else params.depth
    radius = turns.radius(qn.g, turns.REACH_LARGE if large else turns.REACH, book) if auto else math.inf
    plain, eta = book[turns.PLAIN] == 1.0, turns.forcing(book)
    ended = krylov.truncated_cg(oracle, qn.x, qn.g, qn.inverse, plain, eta, cap, radius, solve)
    turns.settle(solve.whole[krylov.DEPTH], turns.units(oracle, params.price) - spent, book)
    if ended == krylov.BROKEN:
        return unusable(oracle, state, params) if book[turns.TAKEN] > 0.0 else failed(oracle, state, qn, params, 0.0)
    along, slope, alpha, f_first, cut = choose(oracle, state, params, ended)
    if not (-math.inf < slope < 0.0 and 0.0 < alpha < math.inf):
        return failed(oracle, state, qn, params, slope)
    t, f_new, _, outcome, K, g_new, g_spare = search(
        oracle, qn.x, qn.f, along, slope, alpha, f_first, strong_wolfe(params.qn.c1, params.qn.c2), qn.K, 0.0, qn.room,
        qn.x_trial, qn.g_trial, qn.g_spare)
    if outcome == FAILED:
        qn = burst.searched(qn, 0.0, qn.x_trial, g_new, g_spare, K)
        return failed(oracle, state, qn, params, slope * min(alpha, 1.0))
    error = judge(solve, book, qn.g, g_new, ended, along, t, alpha, cut)
    paid = turns.units(oracle, params.price) - spent
    if auto and (large or turns.dear(book)) and not turns.worthwhile(qn.g, g_new, paid, book):
        error = math.inf
    if params.learns:
        krylov.harvest(solve, qn.inverse)
        learn_step(qn.inverse, qn.x_trial, qn.x, g_new, qn.g, 0.0)
    book[turns.FAILURES] = 0.0
    turns.plan(error, params.good, auto, params.plain_retry, book)
    turns.begin_burst(oracle, g_new, params.price, book)
    qn = burst.State(qn.x_trial, f_new, g_new, min(t, 0.5) if cut else t, RUNNING, qn.inverse, qn.room, qn.d, qn.x, qn.g,
                     g_spare, qn.length, K, qn.failures)
    return State(qn.x, qn.f, qn.g, qn.alpha, RUNNING, qn, solve, book)


@routine
def step(oracle, state, params):
    if params.depth == 0 or state.book[turns.LEFT] > 0.0:
        return burst_step(oracle, state, params)
    return newton_step(oracle, state, params)


@routine
def report(state, row):
    row[0] = state.book[turns.TAKEN]
    row[1] = state.book[turns.ERROR]
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
    price : float > 0
        Price of a call of ``hessp`` or ``hess``, in gradients. Above 1.5 there are longer bursts and fewer products.
        Products by differences are counted as the gradients they are.
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
    shortens it. A solve ends where its step is so long that the model error would be 4 (1 for n > 500) if the Hessian
    changed as along the last Newton step. For n > 500, where the memory stays limited, and with a price above 1.5, a Newton
    step is followed by a burst also if it took less off ln ||g|| per unit of cost than the last burst did.

    Up to 100 exact pairs of a solve (10 for n > 500) go into the memory. The path of a solve is not stored: besides the
    memory, the method holds 9 vectors and the pairs kept for it.

    A product that is not finite is followed by a burst, longer each time; with depth "auto" nothing else happens.

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
    price: float = 1.0
    plain_retry: bool = False
    c1: float = 1e-4
    c2: float = 0.9
    second_order: bool = False

    needs: ClassVar = ("jac", "hessp")
    columns: ClassVar = ("depth", "model_error", "pairs")
    cost: ClassVar = "1.2 f, 1.1 g, 0 to n Hv"
    memory: ClassVar = "2m + 37"
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
        return Params(qn, depth, _checks.positive("good", self.good),
                      _checks.positive("price", self.price), bool(self.plain_retry), m != 0)

    def details(self, state):
        """The least curvature d'Hd / d'd met in the last solve: an upper bound of the Hessian's least eigenvalue there."""
        return {"curvature": float(state.solve.real[krylov.SMALLEST])} if state.solve.whole[krylov.DEPTH] > 0 else {}

    @property
    def name(self):
        return "TruncatedNewton"


TruncatedNewton = TruncatedNewtonMethod()
