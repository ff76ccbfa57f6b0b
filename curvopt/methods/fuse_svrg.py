r"""The second phase of FUSE-PV with reduced variance.

Steps -eta H v with v = g_S(x) - g_S(w) + g(w), g(w) the full gradient at a snapshot w [1]_; pairs are differences over a
larger batch between averages of the iterates. The noise of v vanishes with x - w. A cycle at whose end f is higher than at
its snapshot is taken back, so that f at the snapshots never rises.

References
----------
.. [1] P. Moritz, R. Nishihara, M. I. Jordan, "A linearly-convergent stochastic L-BFGS algorithm", AISTATS 2016,
       arXiv:1508.02087. Algorithm 1.
"""
import math

from .._jit import kernel, routine
from .._sampling import BATCH as WIDE_ROWS
from .._sampling import batch_gradient, draw, measure
from .._stopping import NOISE
from .._vectors import add_difference, axpy_to, copy_to, dot, norm
from ..directions.inverse_hessian import HELD, forget, learn_step, times
from ..linesearch.armijo import failure
from .fuse_room import BAD, ETA, F_W, LENGTH, REJECTED, SHRINK, SINCE, STREAK, K, counted

GROWTH = 1.2            # of eta after a cycle that was kept
PAIR_EVERY = 10         # L as in [1]
REJECTIONS, LOST = 20, 3    # cycles taken back in a row before the run ends; bad batches in a row before a cycle is


@kernel
def average(x, mean, mean_old, ledger):
    """Take x into the mean of the last L iterates; return whether it and the one before are complete."""
    ledger[SINCE] += 1.0
    place = (int(ledger[SINCE]) - 1) % PAIR_EVERY
    if place == 0:
        for i in range(x.size):
            mean_old[i] = mean[i]
            mean[i] = 0.0
    for i in range(x.size):
        mean[i] += x[i] / PAIR_EVERY
    return place == PAIR_EVERY - 1 and ledger[SINCE] >= 2 * PAIR_EVERY


@routine
def learn_between(oracle, rng, x_new, x, room):
    """A pair from x to x_new over many rows."""
    wide = draw(oracle, rng, room.order_wide, WIDE_ROWS, room.wide)
    if batch_gradient(oracle, x_new, wide, room.g_left) and batch_gradient(oracle, x, wide, room.g_right):
        learn_step(room.inverse, x_new, x, room.g_left, room.g_right, 0.0)


@routine
def first_pair(oracle, rng, room):
    """The memory needs a scale before any step: a pair along the gradient at the snapshot, of the length of a trial.
    Where that curves downward, the steps are as long as the trial."""
    size = norm(room.g_w, 2)
    if 0.0 < size < math.inf:
        axpy_to(-room.ledger[LENGTH] / size, room.g_w, room.w, room.mean)
        learn_between(oracle, rng, room.mean, room.w, room)
        if room.inverse.phase[HELD] == 0:
            room.inverse.gamma[0] = room.ledger[LENGTH] / size


@routine
def svrg(oracle, rng, x, room, x_trial, params):
    """(step, whether the gradients were finite); x_trial is the next point."""
    batch = draw(oracle, rng, room.order, params.sampling, room.rows)
    if not (batch_gradient(oracle, x, batch, room.g_left) and batch_gradient(oracle, room.w, batch, room.g_right)):
        return 0.0, False
    add_difference(room.g_w, room.g_right, room.g_left)
    times(room.inverse, -1.0, room.g_left, room.d)
    axpy_to(room.ledger[ETA], room.d, x, x_trial)
    if average(x_trial, room.mean, room.mean_old, room.ledger):
        learn_between(oracle, rng, room.mean, room.mean_old, room)
    return room.ledger[ETA], True


@routine
def end_cycle(x, f, g, room, params):
    """Whether the cycle that ended at x is kept; otherwise x and g become those of its snapshot."""
    ledger = room.ledger
    if f <= ledger[F_W] + NOISE * abs(ledger[F_W]) and math.isfinite(norm(g, 0)):
        learn_step(room.inverse, x, room.w, g, room.g_w, 0.0)      # of two full gradients: a pair without noise, and free
        copy_to(x, room.w)
        copy_to(g, room.g_w)
        ledger[F_W], ledger[STREAK] = f, 0.0
        ledger[ETA] = min(params.eta, GROWTH * ledger[ETA])
        return True
    copy_to(room.w, x)
    copy_to(room.g_w, g)
    if ledger[STREAK] > 0.0:
        forget(room.inverse)
        ledger[LENGTH] *= SHRINK
    ledger[SINCE] = 0.0
    ledger[ETA] *= SHRINK
    ledger[REJECTED] += 1.0
    ledger[STREAK] += 1.0
    return False


@routine
def svrg_step(oracle, rng, x, f, g, room, x_trial, g_spare, params):
    """One iteration by `svrg`, and the end of a cycle: (x, f, g, step, flag, measured, x_spare, g_spare)."""
    ledger = room.ledger
    alpha, finite = svrg(oracle, rng, x, room, x_trial, params)
    flag = counted(x, x_trial, alpha, finite, ledger)
    lost = not finite and int(ledger[BAD]) % LOST == 0
    if not lost and int(ledger[K]) % max(oracle.n_samples // room.rows.size, 1) != 0:
        return x_trial, f, g, alpha, flag, False, x, g_spare
    f = math.inf if lost else measure(oracle, x_trial, g_spare)
    if not end_cycle(x_trial, f, g_spare, room, params):
        if room.inverse.phase[HELD] == 0:
            first_pair(oracle, rng, room)
        f, alpha = ledger[F_W], 0.0
        if ledger[STREAK] >= REJECTIONS:
            flag = failure(f, -ledger[ETA] * room.inverse.gamma[0] * dot(g_spare, g_spare))
    return x_trial, f, g_spare, alpha, flag, True, x, g
