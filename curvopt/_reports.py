"""What a result can tell when it is asked: its rate of convergence, and the curvature where it ended."""
import numpy as np

from . import _checks
from ._bounds import bounds
from ._objective import Objective
from ._rate import FLOOR, observed
from ._second_order import examine, threshold


def rate_of(result, f_star, L, mu):
    """See ``Result.rate``."""
    if result.history is None:
        raise ValueError("res.rate() reads the history: solve with options={'history': True}")
    L, mu = (None if v is None else _checks.positive(name, v) for name, v in (("L", L), ("mu", mu)))
    if mu is not None and (L is None or mu > L):
        raise ValueError(f"mu needs an L that is not smaller, got L = {L!r} and mu = {mu!r}")
    k, fun = result.history["nit"], result.history["fun"]
    if f_star is None:
        quantity, r, floor = "gradient norm", result.history["grad_norm"], 0.0
    else:
        quantity, r = "fun - f_star", fun - _checks.real("f_star", f_star)
        floor = FLOOR * max(abs(float(f_star)), np.finfo(float).tiny)
        if len(r) and np.nanmin(r) < -floor:
            raise ValueError(f"f_star = {f_star!r} is above a value of the history, {float(np.nanmin(fun))!r}")
    return observed(k, r, quantity, bounds(result.method, quantity, L, mu), floor)


def curvature_of(result):
    """See ``Result.curvature_report``."""
    given = result.objective
    if given is None:
        raise ValueError("curvature_report() needs the user's functions, which neither a file nor a copy keeps: solve again, "
                         "or take it before the result is pickled or copied")
    if given.n_samples:
        raise ValueError("curvature_report() needs full sums: minimize the FiniteSum with a deterministic method from res.x")
    flat = threshold(given)
    if flat is None:
        raise ValueError("curvature_report() needs jac, hess or hessp: differences of differences are too rough")
    full = Objective(given.fun, given.jac, given.hess, given.hessp, given.args, given.shape, True)
    seen = examine(full.oracle(), np.ravel(result.x).astype(float), flat=flat)
    return seen._replace(gradient=float(np.abs(result.jac).max()))
