"""L-BFGS: the quasi-Newton method that keeps its memory as pairs, at any n.

The steps are those of `quasi_newton`, whose memory never turns into a matrix here.

References
----------
.. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45, 1989.
"""
from dataclasses import dataclass
from typing import ClassVar

from .. import _checks
from .._method import Method
from .quasi_newton import NEVER, again, init, report, step, wolfe_params


@dataclass(frozen=True, repr=False)
class LimitedMemory(Method):
    """L-BFGS with 30 pairs, at any n: `QuasiNewton` without the matrix.

    An iteration costs 1.3 values and gradients on average, one where the first trial is accepted, and 4 m n flops.

    Parameters
    ----------
    m : int >= 1
        Pairs kept. 10 takes 12 % to 20 % more gradients than 30, and 100 takes 7 % fewer (docs/methods/quasi_newton.md).
    c1 : float in (0, 1/2)
        Sufficient decrease of the search.
    c2 : float in (c1, 1)
        Share of the first slope, in absolute value, that the search leaves.
    wolfe : {"auto", "strong", "weak"}
        As in `QuasiNewton`.

    Notes
    -----
    Deviations from [1]_: the search treats values within rounding of each other as equal, the first trial has length 1,
    and pairs with s'y <= 1e-10 ||s|| ||y|| are not stored. See `QuasiNewton`.

    References
    ----------
    .. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45, 1989.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(10)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.LBFGS.replace(m=5))
    >>> res.success
    True
    """

    m: int = 30
    c1: float = 1e-4
    c2: float = 0.9
    wolfe: str = "auto"

    columns: ClassVar = ("pairs", "dense")
    cost: ClassVar = "1.3 f, 1.3 g"
    memory: ClassVar = "2m + 9"
    paper: ClassVar = "Liu and Nocedal 1989"
    init: ClassVar = staticmethod(init)
    again: ClassVar = staticmethod(again)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return wolfe_params(_checks.count("m", self.m, 1), self.c1, self.c2, NEVER, self.wolfe)

    @property
    def name(self):
        return "LBFGS"


LBFGS = LimitedMemory()
