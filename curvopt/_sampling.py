"""The oracle of stochastic methods: batches of rows, drawn by a generator that the state carries, counted in samples."""
from typing import NamedTuple

import numpy as np

from ._jit import kernel, routine
from ._oracle import Data


class SampledOracle(NamedTuple):
    """As `Oracle` for full values; and the same functions on batches. ``fun jac hessp data`` serve value() and the like."""

    fun: object
    jac: object
    hessp: object
    data: Data
    batch_fun: object       # (x, batch, data) -> float
    batch_jac: object       # (x, batch, data, out)
    batch_hessp: object     # (x, v, batch, data, out)
    draw: object            # (rng, order, out) -> batch
    n_samples: int
    rng: object             # for `init`, which hands it to the state


@kernel
def shuffle_front(uniforms, order, out):
    """The first steps of a Fisher-Yates shuffle of `order`, which stays a permutation from draw to draw."""
    n = order.size
    for j in range(out.size):
        k = min(j + int(uniforms[j] * (n - j)), n - 1)
        order[j], order[k] = order[k], order[j]
        out[j] = order[j]


@kernel
def scale_to_rows(uniforms, n, out):
    for j in range(out.size):
        out[j] = min(int(uniforms[j] * n), n - 1)


@routine
def draw_rows(rng, order, out):
    """Draw out.size rows without replacement; one uniform number from the generator a row."""
    shuffle_front(rng.random(out.size), order, out)
    return out


@routine
def draw_rows_with_replacement(rng, order, out):
    """Draw out.size rows, each from all of them."""
    scale_to_rows(rng.random(out.size), order.size, out)
    return out


@routine
def all_rows(oracle):
    """The order buffer that `draw` needs, to be kept in the state."""
    return np.arange(oracle.n_samples)


@routine
def draw(oracle, rng, order, out):
    """A batch of out.size rows in `out` (an int64 buffer of the state)."""
    return oracle.draw(rng, order, out)


@routine
def batch_value(oracle, x, batch):
    """Mean of f_i(x) over the batch."""
    return oracle.batch_fun(x, batch, oracle.data)


@routine
def batch_gradient(oracle, x, batch, out):
    """Write the mean gradient over the batch. Counts its samples."""
    oracle.batch_jac(x, batch, oracle.data, out)


@routine
def batch_hess_vec(oracle, x, v, batch, out):
    """Write the mean Hessian product over the batch. Counts its samples."""
    oracle.batch_hessp(x, v, batch, oracle.data, out)
