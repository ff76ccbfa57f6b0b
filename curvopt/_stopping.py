"""The one termination test. Its order is fixed, and the reason is decided here or in the step, never reconstructed."""
import math
from typing import NamedTuple

import numpy as np

from ._jit import kernel, routine
from ._oracle import NFEV, NHEV, NJEV, NONFINITE_VALUES
from ._status import BUDGET, CONVERGED, MAXITER, NONFINITE, PRECISION, RUNNING, STEP_FAILED, TARGET, UNBOUNDED
from ._vectors import copy_to, norm

# Values closer than this many rounding errors cannot be told apart. Ours: large enough for sums of some hundred terms.
NOISE = 10.0 * 2.0 ** -52
# Iterations that improve neither fun (beyond its noise) nor the gradient before a run is called stuck. Ours: far above
# the length of any cycle of the alternating methods, and milliseconds in a compiled loop.
PATIENCE = 500
# Whether a run that gets no further is at the level of rounding is told from its gradient; all ours. To second order
# (g / g0)^2 of the whole decrease is left: below FELL that cannot be seen in values that were as large as the first ones.
# A run that is merely stuck has its gradient at this share (FLAT), or it promises for a step of the length TINY |x| a
# decrease that could not be seen.
FELL, FLAT, TINY = 2.0 ** -24, 1e-3, 1e-12
# Where fun had values that were not finite, it may be the edge of its domain that left a step nothing to promise. It was
# rounding if the gradient times 1 + ||x0|| is below this share of |f|, which near a minimum is some 1e-8.
AT_THE_EDGE = 1e-6


class Tolerances(NamedTuple):
    gtol: float
    norm: int           # order for `_vectors.norm`
    ftarget: float      # -inf: none
    maxiter: int
    maxfev: int
    maxjev: int
    maxhev: int
    stop_nonfinite: bool


class Best(NamedTuple):
    """The best point seen, and what the test of progress remembers."""

    x: np.ndarray
    g: np.ndarray
    # (6,): fun there; least gradient norm so far; iterations without improvement; a value that only a function without
    # minimum falls to; the first gradient norm; 1 + ||x0||.
    scalars: np.ndarray


@routine
def first_best(state, gnorm, monotone):
    """The Best of a start. A monotone method needs no copy of its best point: it is the last one."""
    if monotone:
        best = Best(state.x, state.g, np.empty(6))
    else:
        best = Best(state.x.copy(), state.g.copy(), np.empty(6))
    first_scalars(best.scalars, state.f, gnorm, state.x)
    return best


@kernel
def first_scalars(scalars, f, gnorm, x):
    scalars[0], scalars[1], scalars[2] = f, gnorm, 0.0
    # A fall to minus 1/eps times the first value, the test of JSOSolvers.jl, says that there is no minimum.
    scalars[3] = -max(1.0, abs(f)) * 2.0 ** 52
    scalars[4], scalars[5] = gnorm, 1.0 + norm(x, 2)


@routine
def again_best(best, state, gnorm, monotone):
    """The same in the arrays of another one."""
    first_scalars(best.scalars, state.f, gnorm, state.x)
    if monotone:
        return Best(state.x, state.g, best.scalars)
    keep_best(best, state.x, state.g)
    return best


@kernel
def improves(scalars, f, gnorm):
    """Whether f is the least value so far; counts the iterations in which neither f nor the gradient norm improved."""
    f_best = scalars[0]
    if scalars[1] <= gnorm < math.inf and abs(f - f_best) <= NOISE * abs(f_best):
        scalars[2] += 1.0
    else:
        scalars[2] = 0.0
    if gnorm < scalars[1]:
        scalars[1] = gnorm
    if f < f_best:
        scalars[0] = f
        return True
    return False


@routine
def keep_best(best, x, g):
    copy_to(x, best.x)
    copy_to(g, best.g)


@routine
def last_is_best(monotone, status):
    """Whether the point to return is the last one: the method never goes up, or it converged there."""
    return monotone or status == CONVERGED


@routine
def residual(state, order):
    """The number that is compared with gtol: the gradient norm, NaN where that is not finite.

    A method may bring its own. Infinity means that it was not measured in this iteration, as for stochastic methods,
    which measure it every so often; ``f`` and ``g`` of the state are then those of the last measurement.
    """
    gnorm = norm(state.g, order)
    return gnorm if gnorm < math.inf else math.nan


@kernel
def stuck(f, scalars):
    """Why a run that has not improved for so long is stuck. A gradient that promises what fun does not keep is wrong, or
    fun has a kink or no values around."""
    least, first = scalars[1], scalars[4]
    if least <= FLAT * first or TINY * scalars[5] * least <= NOISE * abs(f):
        return PRECISION
    return STEP_FAILED


@kernel
def refined(flag, f, gnorm, scalars, bad):
    """The reason a step gave, with what only the whole run tells: a method sees fun near zero and not what cancels in it,
    and at the edge of where fun has values, `bad` of which were not finite, steps that have become short promise little."""
    fell = gnorm <= FELL * scalars[4] < math.inf
    if flag == STEP_FAILED and fell:
        return PRECISION
    if flag == PRECISION and bad > 0 and not fell and scalars[5] * gnorm > AT_THE_EDGE * abs(f):
        return STEP_FAILED
    return flag


@routine
def check(tol, nit, counts, f, gnorm, flag, scalars):
    if not (math.isfinite(f) and not math.isnan(gnorm)):
        return UNBOUNDED if f == -math.inf else NONFINITE
    if gnorm <= tol.gtol:
        return CONVERGED
    if f <= tol.ftarget:
        return TARGET
    if tol.stop_nonfinite and counts[NONFINITE_VALUES] > 0:
        return NONFINITE
    bad = counts[NONFINITE_VALUES]
    if flag != RUNNING:
        return refined(flag, f, gnorm, scalars, bad)
    if f < scalars[3]:
        return UNBOUNDED
    if scalars[2] >= PATIENCE:
        return refined(stuck(f, scalars), f, gnorm, scalars, bad)
    if nit >= tol.maxiter:
        return MAXITER
    # What is never called uses no budget up, be it 0.
    if counts[NFEV] >= tol.maxfev or 0 < counts[NJEV] >= tol.maxjev or 0 < counts[NHEV] >= tol.maxhev:
        return BUDGET
    return RUNNING
