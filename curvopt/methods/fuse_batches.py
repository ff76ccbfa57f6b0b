r"""Second phases of FUSE-PV that never take a search over all rows: quasi-Newton steps from batches.

A pair (s, y) has to be a difference of gradients over the *same* rows: over two batches it holds their sampling noise,
which can be larger than the curvature. Three ways to that, one iteration each:

`same_batch`
    The gradient over a batch S at both ends of the step, y = g_S(x+) - g_S(x): twice the rows.
`multi_batch`
    Consecutive batches have rows O in common, and y = g_O(x+) - g_O(x) [1]_: not a row more, a noisier pair.
`svrg`
    Steps -eta H v with v = g_S(x) - g_S(w) + g(w), g(w) the full gradient at a snapshot w [2]_; pairs are differences over
    a larger batch between averages of the iterates. The noise of v vanishes with x - w. A cycle at whose end f is higher
    than at its snapshot is taken back, so that f at the snapshots never rises.

References
----------
.. [1] A. S. Berahas, J. Nocedal, M. Takac, "A multi-batch L-BFGS method for machine learning", NeurIPS 2016,
       arXiv:1605.06049.
.. [2] P. Moritz, R. Nishihara, M. I. Jordan, "A linearly-convergent stochastic L-BFGS algorithm", AISTATS 2016,
       arXiv:1508.02087. Algorithm 1.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._sampling import BATCH as WIDE_ROWS
from .._sampling import after_bad_batch, all_rows, batch_gradient, batch_value, draw, is_due, measure
from .._stopping import NOISE
from .._vectors import axpy_to, copy_to, dot, norm
from ..directions.inverse_hessian import HELD, InverseHessian, forget, learn_step, make_inverse, times
from ..linesearch.armijo import backtrack_batch, failure
from .quasi_newton import descent

FULL, SAME, MULTI, SVRG = range(4)
SECOND = {"full": FULL, "same-batch": SAME, "multi-batch": MULTI, "svrg": SVRG}
RHO = 1e-4              # sufficient decrease on a batch
SHRINK, GROWTH = 0.5, 1.2   # of trials on a batch; of eta after a cycle taken back, and after one that was kept
PAIR_EVERY, PAIR_ROWS = 10, 4       # L as in [2], which takes 10 batches for a pair
REJECTIONS, LOST = 20, 3    # cycles taken back in a row before the run ends; bad batches in a row before a cycle is


class Params(NamedTuple):
    kind: int
    m: int
    shared: int         # rows that a batch has in common with the next one
    eta: float          # largest step of `svrg`
    check_every: int
    sampling: int


class Room(NamedTuple):
    """What a second phase remembers. All of it is written in place, so that it passes through a step as it is."""

    inverse: InverseHessian
    order: np.ndarray       # of rows, for drawing
    order_wide: np.ndarray
    rows: np.ndarray        # the batch
    fresh: np.ndarray       # its new rows, with `multi_batch`
    wide: np.ndarray        # rows of a pair of `svrg`
    d: np.ndarray
    g_left: np.ndarray      # gradients over the batch, or over parts of it
    g_right: np.ndarray
    w: np.ndarray           # the snapshot of `svrg`; otherwise x before the last step
    g_w: np.ndarray
    mean: np.ndarray        # of the last iterates of `svrg`
    mean_old: np.ndarray    # of as many before these
    ledger: np.ndarray


# Places in the ledger: value at the snapshot; length of a trial without pairs; steps; steps since a cycle was taken back;
# whether w and g_right wait for the gradient over the shared rows to become a pair; step of `svrg`; cycles taken back,
# and how many in a row; batches in a row whose gradient was not finite.
F_W, LENGTH, K, SINCE, PENDING, ETA, REJECTED, STREAK, BAD = range(9)


@routine
def make_room(oracle, x, batch_size, params):
    stochastic = params.kind != FULL
    wide = min(PAIR_ROWS * batch_size, oracle.n_samples) if params.kind == SVRG else 0
    ledger = np.zeros(9)
    ledger[ETA] = params.eta
    n = x.size if stochastic else 0
    return Room(make_inverse(n, params.m, 0), all_rows(oracle), all_rows(oracle),
                np.empty(batch_size, np.int64), np.empty(batch_size - params.shared, np.int64), np.empty(wide, np.int64),
                np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.zeros(n), np.zeros(n), ledger)


@routine
def enter(oracle, rng, x, f, g, length, room, params):
    """Begin the phase at x; f and g are over all rows."""
    room.ledger[F_W] = f
    room.ledger[LENGTH] = length
    if params.kind == SVRG:
        copy_to(x, room.w)
        copy_to(g, room.g_w)
        first_pair(oracle, rng, room)
    elif params.kind == MULTI:
        draw(oracle, rng, room.order, params.sampling, room.rows)


# ---- pairs over one batch --------------------------------------------------------------------------------------------

@routine
def try_batch(oracle, batch, x, room, x_trial):
    """(step, whether x_trial is another point): along -H g_left, by the values over the batch."""
    slope, alpha = descent(room.inverse, room.g_left, room.d, room.ledger[LENGTH])
    if room.inverse.phase[HELD] > 0:
        alpha *= room.ledger[ETA]
    f = batch_value(oracle, x, batch)
    alpha, _, found = backtrack_batch(oracle, batch, x, f, room.d, slope, alpha, RHO, SHRINK, x_trial)
    if not found:
        forget(room.inverse)
    return alpha, found


@routine
def same_batch(oracle, rng, x, room, x_trial, params):
    """(step, whether the gradients were finite); x_trial is the next point."""
    batch = draw(oracle, rng, room.order, params.sampling, room.rows)
    if not batch_gradient(oracle, x, batch, room.g_left):
        return 0.0, False
    alpha, found = try_batch(oracle, batch, x, room, x_trial)
    if not found:
        return 0.0, True
    if not batch_gradient(oracle, x_trial, batch, room.g_right):
        return 0.0, False
    learn(room, x_trial, x, room.g_right, room.g_left)
    return alpha, True


@routine
def learn(room, x_new, x, g_new, g):
    _, ss = learn_step(room.inverse, x_new, x, g_new, g, 0.0)
    if 0.0 < ss < math.inf:
        room.ledger[LENGTH] = math.sqrt(ss)


# ---- pairs over the rows that two batches share ------------------------------------------------------------------------

@kernel
def slide(rows, fresh):
    """The last rows of the batch become the first, and the new ones follow."""
    shared = rows.size - fresh.size
    for i in range(shared):
        rows[i] = rows[fresh.size + i]
    for i in range(fresh.size):
        rows[shared + i] = fresh[i]


@kernel
def weighted(a, u, b, v, c, w, out):
    for i in range(out.size):
        out[i] = a * u[i] + b * v[i] + c * w[i]


@routine
def multi_batch(oracle, rng, x, room, x_trial, params):
    """(step, whether the gradients were finite); x_trial is the next point."""
    shared, size = params.shared, room.rows.size
    draw(oracle, rng, room.order, params.sampling, room.fresh)
    slide(room.rows, room.fresh)
    waiting = room.ledger[PENDING] > 0.0
    room.ledger[PENDING] = 0.0
    if not batch_gradient(oracle, x, room.rows[:shared], room.g_left):
        return 0.0, False
    if waiting:
        learn(room, x, room.w, room.g_left, room.g_right)
    middle = room.g_w
    if not (batch_gradient(oracle, x, room.rows[shared:size - shared], middle)
            and batch_gradient(oracle, x, room.rows[size - shared:], room.g_right)):
        return 0.0, False
    share = shared / size
    weighted(share, room.g_left, 1.0 - 2.0 * share, middle, share, room.g_right, room.g_left)
    alpha, found = try_batch(oracle, room.rows, x, room, x_trial)
    if found:
        copy_to(x, room.w)
        room.ledger[PENDING] = 1.0
    return alpha, True


# ---- variance reduction ------------------------------------------------------------------------------------------------

@kernel
def correct(g_new, g_old, g_full):
    """g_new <- g_new - g_old + g_full."""
    for i in range(g_new.size):
        g_new[i] += g_full[i] - g_old[i]


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
    correct(room.g_left, room.g_right, room.g_w)
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


# ---- the step ----------------------------------------------------------------------------------------------------------

@routine
def counted(x, x_trial, alpha, finite, ledger):
    """Count the move and the batches in a row that were not finite; where nothing moved, x_trial is x. Returns the flag."""
    ledger[K] += 1.0
    ledger[BAD] = 0.0 if finite else ledger[BAD] + 1.0
    if alpha == 0.0:
        copy_to(x, x_trial)
    return after_bad_batch(int(ledger[BAD]))


def make_batch_step(move):
    """One iteration by `same_batch` or `multi_batch`: (x, f, g, step, flag, measured, x_spare, g_spare)."""
    def step(oracle, rng, x, f, g, room, x_trial, g_spare, params):
        ledger = room.ledger
        alpha, finite = move(oracle, rng, x, room, x_trial, params)
        flag = counted(x, x_trial, alpha, finite, ledger)
        if not is_due(int(ledger[K]), params.check_every, oracle.n_samples, room.rows.size):
            return x_trial, f, g, alpha, flag, False, x, g_spare
        f = measure(oracle, x_trial, g_spare)
        return x_trial, f, g_spare, alpha, flag, True, x, g

    return step


same_batch_step, multi_batch_step = map(routine, map(make_batch_step, (same_batch, multi_batch)))


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


STEP = {SAME: same_batch_step, MULTI: multi_batch_step, SVRG: svrg_step}
