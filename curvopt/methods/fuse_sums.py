r"""FUSE-PV on a sum over rows: Adam on batches, then quasi-Newton.

A batch certifies nothing, so the switch is decided on means over an epoch: of the batch values, which cost a pass of values
an epoch, and of the batch gradients. At the switch f and its gradient are measured over all rows. The second phase is
`quasi_newton` on all rows, where values can be compared to rounding; or one of `fuse_batches`.

References
----------
.. [1] Z. Jiang, M. Z. Hasan, A. Balu, J. R. Waite, G. Huang, S. Sarkar, "FUSE: First-Order and Second-Order Unified
       SynthEsis in Stochastic Optimization", arXiv:2503.04204, 2025. Algorithm 4.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._sampling import batch_value, measure
from .._status import RUNNING
from .._vectors import norm
from . import adam_batches, fuse_batches, fuse_room, quasi_newton
from .fuse_criteria import (
    COUNT,
    ENDED,
    EPOCHS,
    FIRST,
    GRADIENT,
    LOSS,
    MEAN,
    MOST_EPOCHS,
    OVER,
    QUIET,
    STALL_SHARE,
    STEPS,
    SUM,
    distance,
)

ADAM, NEWTON = range(2)                             # State.phase, as in `fuse_auto`

class Params(NamedTuple):
    rule: int
    after: int          # steps or epochs
    level: float        # of the gradient norm, or of the change
    batch_size: int
    adam: adam_batches.Params
    second: fuse_room.Params
    newton: quasi_newton.Params


class State(NamedTuple):
    x: np.ndarray           # the moving iterate
    f: float                # of the last measurement
    g: np.ndarray
    alpha: float
    flag: int
    measured: bool          # whether f and g are those of x
    rng: np.random.Generator
    phase: int
    k: int                  # iterations so far
    switch: int             # iterations before the switch; -1: not yet
    adam: adam_batches.State
    newton: quasi_newton.State
    room: fuse_room.Room
    x_spare: np.ndarray     # trade places with x and g in the phases on batches
    g_spare: np.ndarray
    g_mean: np.ndarray      # mean of the batch gradients of the epoch
    ledger: np.ndarray


@routine
def init(oracle, x0, params):
    first = adam_batches.init(oracle, x0, params.adam)
    x, f, g = first.x, first.f, first.g
    second = quasi_newton.begin(x.copy(), f, g.copy(), params.newton)
    room = fuse_room.make_room(oracle, x0, params.batch_size, params.second)
    return State(x, f, g, 0.0, RUNNING, True, first.rng, ADAM, 0, -1, first, second, room, np.empty_like(x0), np.empty_like(x0),
                 np.zeros_like(x0), np.zeros(7))


# ---- the epochs of Adam ------------------------------------------------------------------------------------------------

@kernel
def take(ledger, f, g, g_mean, length, level):
    """Add a batch to the means of an epoch of `length` batches."""
    if ledger[COUNT] == 0.0:
        for i in range(g.size):
            g_mean[i] = 0.0
        ledger[SUM] = 0.0
    ledger[SUM] += f
    ledger[COUNT] += 1.0
    for i in range(g.size):
        g_mean[i] += (g[i] - g_mean[i]) / ledger[COUNT]
    ledger[ENDED] = 0.0
    if ledger[COUNT] >= length:
        mean = ledger[SUM] / ledger[COUNT]
        if ledger[OVER] == 0.0:
            ledger[FIRST] = mean
        small = ledger[OVER] > 0.0 and abs(mean - ledger[MEAN]) <= level * max(1.0, abs(mean))
        ledger[QUIET] = ledger[QUIET] + 1.0 if small else 0.0
        stalled = ledger[OVER] > 0.0 and not ledger[MEAN] - mean > STALL_SHARE * (ledger[FIRST] - mean)
        ledger[ENDED] = 2.0 if stalled or ledger[OVER] + 1.0 >= MOST_EPOCHS else 1.0
        ledger[MEAN] = mean
        ledger[OVER] += 1.0
        ledger[COUNT] = 0.0


@routine
def fires(state, params):
    """Whether the criterion holds."""
    if params.rule == STEPS:
        return state.k >= params.after
    if params.rule == EPOCHS:
        return state.ledger[OVER] >= params.after
    if state.ledger[ENDED] == 0.0:
        return False
    if params.rule == GRADIENT:
        return norm(state.g_mean, 2) <= params.level
    if params.rule == LOSS:
        return state.ledger[QUIET] >= params.after
    return state.ledger[ENDED] == 2.0


@routine
def adam_step(oracle, state, params):
    first = adam_batches.step(oracle, state.adam, params.adam)
    if first.bad == 0:
        f = batch_value(oracle, first.x_trial, first.rows)      # where, and over which rows, the gradient was taken
        take(state.ledger, f, first.g_batch, state.g_mean, max(oracle.n_samples // params.batch_size, 1), params.level)
    return State(first.x, first.f, first.g, first.alpha, first.flag, first.measured, first.rng, ADAM, state.k + 1, -1, first,
                 state.newton, state.room, state.x_spare, state.g_spare, state.g_mean, state.ledger)


@routine
def turn(oracle, state, params):
    """The state at the switch: at Adam's last point, or at the start if that is no higher."""
    first, second = state.adam, state.newton
    if state.k > 0:
        f = measure(oracle, first.x, state.g_spare)
        if f < second.f and norm(state.g_spare, 0) < math.inf:
            length = distance(first.x, first.x_trial)
            second = quasi_newton.moved(second, first.x, f, state.g_spare, length if length > 0.0 else 1.0, second.K)
    fuse_batches.enter(oracle, state.rng, second.x, second.f, second.g, second.length, state.room, params.second)
    return State(second.x, second.f, second.g, 0.0, RUNNING, True, state.rng, NEWTON, state.k, state.k, first, second,
                 state.room, state.x_spare, state.g_spare, state.g_mean, state.ledger)


@routine
def on_all_rows(oracle, state, params):
    second = quasi_newton.step(oracle, state.newton, params.newton)
    return State(second.x, second.f, second.g, second.alpha, second.flag, True, state.rng, NEWTON, state.k + 1, state.switch,
                 state.adam, second, state.room, state.x_spare, state.g_spare, state.g_mean, state.ledger)


def on_batches(batch_step):
    """The second phase that takes the steps of one of `fuse_batches`."""
    def advance(oracle, state, params):
        x, f, g, alpha, flag, measured, x_spare, g_spare = batch_step(
            oracle, state.rng, state.x, state.f, state.g, state.room, state.x_spare, state.g_spare, params.second)
        return State(x, f, g, alpha, flag, measured, state.rng, NEWTON, state.k + 1, state.switch, state.adam, state.newton,
                     state.room, x_spare, g_spare, state.g_mean, state.ledger)

    return advance


def make_step(fires, advance):
    """The step that switches when fires(state, params); compiled where `fires` can be. One for each second phase: a loop
    over samples is compiled in every process, and the phases that it does not have take no time."""
    def step(oracle, state, params):
        if state.phase == ADAM:
            if not fires(state, params):
                return adam_step(oracle, state, params)
            state = turn(oracle, state, params)
        return advance(oracle, state, params)

    return step


ADVANCE = {fuse_room.FULL: on_all_rows,
           **{kind: routine(on_batches(batch_step)) for kind, batch_step in fuse_batches.STEP.items()}}
STEP = {kind: routine(make_step(fires, advance)) for kind, advance in ADVANCE.items()}


def news(state):
    """(mean value, mean gradient) over the epoch that just ended; None within one. For criteria that are Python functions."""
    ledger = state.ledger
    return (float(ledger[MEAN]), state.g_mean) if ledger[ENDED] > 0.0 or state.k == 0 else None
