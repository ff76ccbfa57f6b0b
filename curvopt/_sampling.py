"""The oracle of stochastic methods: batches of rows, drawn by a generator that the state carries, counted in samples.

Every stochastic method has a State with the fields ``measured`` and ``rng``. A batch certifies nothing: f and g of the
state are those of the last pass over all rows, which the method makes every so often by `measure`; only then has the loop
something to compare with its tolerances and to keep as the best point.
"""
import math
from typing import NamedTuple

import numpy as np

from . import _checks
from ._jit import kernel, routine
from ._oracle import NONFINITE_VALUES, Data, gradient, value
from ._status import NONFINITE, RUNNING
from ._vectors import norm, norm_inf

# How the rows of a batch are drawn: without replacement, each batch from all rows; with replacement; or one batch after the
# other from a random order of all rows, so that each row is seen once an epoch (a remainder smaller than a batch is left out).
BATCH, REPLACEMENT, EPOCH = range(3)
SAMPLING = {"batch": BATCH, "replacement": REPLACEMENT, "epoch": EPOCH}
INDEPENDENT = {"batch": BATCH, "replacement": REPLACEMENT}
# Batches in a row with a gradient that is not finite before a run is given up. Ours: such batches are skipped, and where
# x itself is lost every one of them is bad.
BAD_BATCHES = 20


class SampledOracle(NamedTuple):
    """As `Oracle` for full values; and the same functions on batches. ``fun jac hessp data`` serve value() and the like."""

    fun: object
    jac: object
    hessp: object
    data: Data
    batch_fun: object       # (x, batch, data) -> float
    batch_jac: object       # (x, batch, data, out)
    batch_hessp: object     # (x, v, batch, data, out)
    draw: object            # (rng, order, mode, out) -> batch
    n_samples: int
    rng: object             # for `init`, which hands it to the state


# ---- drawing ----------------------------------------------------------------------------------------------------------

@kernel
def shuffle_front(uniforms, order, n):
    """The first steps of a Fisher-Yates shuffle of the first n entries, which stay a permutation from draw to draw."""
    for j in range(uniforms.size):
        k = min(j + int(uniforms[j] * (n - j)), n - 1)
        order[j], order[k] = order[k], order[j]


@kernel
def take(order, begin, out):
    for j in range(out.size):
        out[j] = order[begin + j]


@kernel
def scale_to_rows(uniforms, n, out):
    for j in range(out.size):
        out[j] = min(int(uniforms[j] * n), n - 1)


@routine
def draw_rows(rng, order, mode, out):
    """Draw out.size rows; one uniform number from the generator a row. The last entry of `order` is the place in an epoch."""
    n = order.size - 1
    if mode == REPLACEMENT:
        scale_to_rows(rng.random(out.size), n, out)
        return out
    begin = 0
    if mode == EPOCH:
        begin = order[n]
        if begin + out.size > n:
            shuffle_front(rng.random(n), order, n)
            begin = 0
        order[n] = begin + out.size
    else:
        shuffle_front(rng.random(out.size), order, n)
    take(order, begin, out)
    return out


@routine
def all_rows(oracle):
    """The order buffer that `draw` needs, to be kept in the state: the rows, and the place in an epoch (its end)."""
    return np.arange(oracle.n_samples + 1)


@routine
def draw(oracle, rng, order, mode, out):
    """A batch of out.size rows in `out` (an int64 buffer of the state)."""
    return oracle.draw(rng, order, mode, out)


# ---- evaluating -------------------------------------------------------------------------------------------------------

@routine
def batch_value(oracle, x, batch):
    """Mean of f_i(x) over the batch."""
    f = oracle.batch_fun(x, batch, oracle.data)
    if not math.isfinite(f):
        oracle.data.counts[NONFINITE_VALUES] += 1
    return f


@routine
def batch_gradient(oracle, x, batch, out):
    """Write the mean gradient over the batch; return whether it is finite. Counts its samples."""
    oracle.batch_jac(x, batch, oracle.data, out)
    if math.isfinite(norm_inf(out)):
        return True
    oracle.data.counts[NONFINITE_VALUES] += 1
    return False


@routine
def batch_hess_vec(oracle, x, v, batch, out):
    """Write the mean Hessian product over the batch; return whether it is finite. Counts its samples."""
    oracle.batch_hessp(x, v, batch, oracle.data, out)
    if math.isfinite(norm_inf(out)):
        return True
    oracle.data.counts[NONFINITE_VALUES] += 1
    return False


@routine
def after_bad_batch(bad):
    """The flag after `bad` batches in a row whose gradient was not finite."""
    return NONFINITE if bad >= BAD_BATCHES else RUNNING


# ---- the full measurement -----------------------------------------------------------------------------------------------

@routine
def is_due(k, check_every, n, rows):
    """Whether iteration k ends with a measurement: every `check_every`-th, or with 0 about once a pass of n rows."""
    return k % (check_every if check_every > 0 else max(n // rows, 1)) == 0


@routine
def measure(oracle, x, out):
    """f over all rows, their gradient in `out`. One pass of values and one of gradients."""
    gradient(oracle, x, out)
    return value(oracle, x)


@routine
def residual(state, order):
    """The norm of the full gradient where it was measured in this iteration, infinity elsewhere."""
    if not state.measured:
        return math.inf
    gnorm = norm(state.g, order)
    return gnorm if gnorm < math.inf else math.nan


def batch_parameters(batch_size, check_every, sampling, modes):
    """(batch_size, check_every, mode), checked."""
    return (_checks.count("batch_size", batch_size, 1), _checks.count("check_every", check_every),
            _checks.choice("sampling", sampling, modes))
