"""What the second phases of FUSE-PV on batches remember, and what they share."""
from typing import NamedTuple

import numpy as np

from .._jit import routine
from .._sampling import after_bad_batch, all_rows
from .._vectors import copy_to
from ..directions.inverse_hessian import InverseHessian, make_inverse

FULL, SAME, MULTI, SVRG = range(4)
SECOND = {"full": FULL, "same-batch": SAME, "multi-batch": MULTI, "svrg": SVRG}
SHRINK = 0.5            # of trials on a batch; of eta after a cycle of `svrg` was taken back
PAIR_ROWS = 4           # batches for a pair of `svrg`, where arXiv:1508.02087 takes 10


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
def counted(x, x_trial, alpha, finite, ledger):
    """Count the move and the batches in a row that were not finite; where nothing moved, x_trial is x. Returns the flag."""
    ledger[K] += 1.0
    ledger[BAD] = 0.0 if finite else ledger[BAD] + 1.0
    if alpha == 0.0:
        copy_to(x, x_trial)
    return after_bad_batch(int(ledger[BAD]))
