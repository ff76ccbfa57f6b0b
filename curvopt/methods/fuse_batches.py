r"""Second phases of FUSE-PV that never take a search over all rows: quasi-Newton steps from batches.

A pair (s, y) has to be a difference of gradients over the *same* rows: over two batches it holds their sampling noise,
which can be larger than the curvature. Three ways to that, one iteration each:

`same_batch`
    The gradient over a batch S at both ends of the step, y = g_S(x+) - g_S(x): twice the rows.
`multi_batch`
    Consecutive batches have rows O in common, and y = g_O(x+) - g_O(x) [1]_: not a row more, a noisier pair.
`svrg`
    Differences to a snapshot, whose full gradient is known: `fuse_svrg`.

References
----------
.. [1] A. S. Berahas, J. Nocedal, M. Takac, "A multi-batch L-BFGS method for machine learning", NeurIPS 2016,
       arXiv:1605.06049.
"""
import math

from .._jit import kernel, routine
from .._sampling import batch_gradient, batch_value, draw, is_due, measure
from .._vectors import copy_to
from ..directions.inverse_hessian import HELD, forget, learn_step
from ..linesearch.armijo import backtrack_batch
from .fuse_room import ETA, F_W, LENGTH, MULTI, PENDING, SAME, SHRINK, SVRG, K, counted
from .fuse_svrg import first_pair, svrg_step
from .quasi_newton import descent

RHO = 1e-4              # sufficient decrease on a batch


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


# ---- the step ----------------------------------------------------------------------------------------------------------

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


STEP = {SAME: same_batch_step, MULTI: multi_batch_step, SVRG: svrg_step}
