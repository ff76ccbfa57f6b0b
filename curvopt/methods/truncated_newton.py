r"""Truncated Newton: quasi-Newton bursts and preconditioned Newton-CG steps in turns, over one memory.

.. math::  \|M^{1/2}(g + H p)\| \le \eta\, \|M^{1/2} g\|, \qquad x^+ = x + \alpha p, \qquad
           e = \|g(x + p) - (g + H p)\| / \|g\| .

A Newton step is worth what its model is worth. The model error e is known after a full step for nothing: a small one is
answered by another Newton step, solved to eta = e; a large one by a burst of quasi-Newton steps, which take no product.
A solve has a budget, and a radius beyond which its model would be useless (`stepsize/turns.py`). So there are no products
where the model is poor, a few on the way, and hundreds near a minimizer, without a setting. Where n is large the steps are
those of a trust region, and bursts get their turn when solves become dear.

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
from typing import ClassVar

from .. import _checks
from .._jit import routine
from .._method import Method
from ..directions import krylov
from ..directions.inverse_hessian import HELD
from ..stepsize import turns
from . import quasi_newton as burst
from .newton_steps import AUTO, BY_SIZE, REGION, SEARCH, Params, State, burst_step, in_region, region_step, search_step

HARVEST, HARVEST_LARGE = 100, 10        # pairs of one solve for the memory: n <= 500, and above
GLOBALIZATIONS = {"auto": BY_SIZE, "search": SEARCH, "region": REGION}


@routine
def init(oracle, x0, params):
    qn = burst.init(oracle, x0, params.qn)
    rows = 0 if not params.learns or params.depth == 0 else HARVEST if x0.size <= burst.SMALL_N else HARVEST_LARGE
    solve = krylov.make_solve(x0.size if params.depth != 0 else 0, rows)
    book = turns.make_book(x0, params.depth == AUTO and not in_region(x0.size, params), params.price)
    turns.begin_burst(oracle, qn.g, params.price, book)
    return State(qn.x, qn.f, qn.g, qn.alpha, qn.flag, qn, solve, book)


@routine
def step(oracle, state, params):
    if params.depth == 0 or state.book[turns.LEFT] > 0.0:
        return burst_step(oracle, state, params)
    if in_region(state.x.size, params):
        return region_step(oracle, state, params)
    return search_step(oracle, state, params)


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
        products. With depth = 1 and m = 0 the steps are those of SCG, where they are searched along.
    m : int >= 0, optional
        Pairs of the memory, which also preconditions. By default 200 for n <= 500, where they become a matrix, and 30
        above; 0 stands for no memory and needs a depth above 0.
    globalization : {"auto", "search", "region"}
        What makes a Newton step safe: a Wolfe search along it, or a trust region (Steihaug's step, accepted by the ratio of
        decrease to promise). "auto" takes the region for n > 500, unless products are dear.
    good : float > 0
        Model error up to which a Newton step is followed by another one.
    price : float > 0
        Price of a call of ``hessp`` or ``hess``, in gradients. Above 1.5 products have to prove themselves: bursts take 80
        steps and more, and a Newton step must win as much per unit as the last burst did. Products by differences are counted
        as the gradients they are.
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
    Under a search, negative curvature ends a solve; its direction is then searched along, from the length of the last such
    step. A full Newton step that is refused is replaced by an earlier iterate of its solve, at most half as long, before the
    search shortens it. A solve ends where its step is so long that the model error would be 4 (1 for n > 500) if the Hessian
    changed as along the last Newton step. For n > 500, where the memory stays limited, and with a price above 1.5, a Newton
    step is followed by a burst also if it took less off ln ||g|| per unit of cost than the last burst did.

    In a region the run begins with Newton steps, and negative curvature leads to the edge. A refused step is replaced by that
    of a quarter of its length on the path of the same solve, which costs a value and no product; deviating from [3]_, the
    path below the last segment is known by chords. Decreases within the noise of fun are taken from the slopes at both ends.
    A solve dearer than 90 gradients is followed by a burst as dear, if bursts are untried or have won more per unit.

    Up to 100 exact pairs of a solve (10 for n > 500) go into the memory. The path of a solve is not stored: besides the
    memory, the method holds 9 vectors and the pairs kept for it.

    A product that is not finite is followed by a burst, longer each time; with depth "auto" nothing else happens. The
    result's ``unusable_products`` counts them where there were any, and ``explain()`` says so.

    References
    ----------
    .. [1] J. L. Morales, J. Nocedal, "Enriched methods for large-scale unconstrained optimization", Comput. Optim. Appl.
           21, 2002.
    .. [2] S. C. Eisenstat, H. F. Walker, "Choosing the forcing terms in an inexact Newton method", SIAM J. Sci. Comput.
           17, 1996.
    .. [3] T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal.
           20, 1983.

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
    globalization: str = "auto"
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
    paper: ClassVar = "own, on arXiv:2502.03701"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        depth = AUTO if self.depth == "auto" else _checks.count("depth", self.depth)
        m = None if self.m is None else _checks.count("m", self.m)
        if m == 0 and depth < 1:
            raise ValueError("m = 0 leaves no memory for quasi-Newton steps; it needs a depth above 0")
        dense = burst.NEVER if m == 0 else burst.AUTO
        qn = burst.wolfe_params(burst.AUTO if m is None else max(m, 1), self.c1, self.c2, dense, "strong")
        return Params(qn, depth, _checks.choice("globalization", self.globalization, GLOBALIZATIONS),
                      _checks.positive("good", self.good), _checks.positive("price", self.price), bool(self.plain_retry),
                      m != 0)

    def details(self, state):
        """The least curvature d'Hd / d'd met in the last solve, an upper bound of the Hessian's least eigenvalue there, and
        the number of products that were not finite, if any."""
        least, unusable = float(state.solve.real[krylov.SMALLEST]), int(state.book[turns.UNUSABLE])
        found = {"curvature": least} if state.solve.whole[krylov.DEPTH] > 0 and math.isfinite(least) else {}
        return {**found, "unusable_products": unusable} if unusable else found

    @property
    def name(self):
        return "TruncatedNewton"


TruncatedNewton = TruncatedNewtonMethod()
