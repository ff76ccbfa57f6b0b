"""The steps without momentum that the hypergradient methods with momentum begin with, for as long as they pay."""
import math
from typing import NamedTuple

from .._jit import routine
from .._vectors import norm
from .hypergradient import ADAGRAD, lowered_rate, rescued

WINDOW, SLOW = 10, 0.5  # ours: so many steps that leave more than this of ||g|| are slow


class Plain(NamedTuple):
    on: bool
    top: float          # ||g|| where their window began
    k: int              # steps in it
    nulls: int          # null steps in a row
    run: int            # steps in a row that were far too short, or, below zero, far too long
    curvature: float    # the largest along the steps of the window
    first: int          # steps left in which the learning rate follows it


@routine
def plain_steps(on, g):
    return Plain(on, norm(g, 2), 0, 0, 0, 0.0, 0)


@routine
def first_plain_steps(plain, curvature, first):
    """At the first step: the curvature there, and the steps from which it is still to be learned."""
    return Plain(plain.on, plain.top, 0, 0, 0, curvature, first)


@routine
def paying(plain, g):
    """At the beginning of a step: they go on, unless WINDOW of them have left most of the gradient."""
    on, top, k, nulls, run, curvature, first = plain
    if not on:
        return plain
    if k < WINDOW:
        return Plain(True, top, k + 1, nulls, run, curvature, first)
    size = norm(g, 2)
    if size <= SLOW * top:
        return Plain(True, size, 0, nulls, run, 0.0, first)
    return Plain(False, size, 0, nulls, run, curvature, first)


@routine
def seen_along(plain, lr, seen):
    """(lr, plain) after a step that showed the curvature `seen`: in the first few, lr is one over the largest."""
    on, top, k, nulls, run, curvature, first = plain
    if first > 0:
        lr, curvature = lowered_rate(ADAGRAD, lr, curvature, seen, False)
    return lr, Plain(on, top, k, nulls, run, max(curvature, seen), max(0, first - 1))


@routine
def curvature_left(plain, lr):
    """The curvature that the momentum starts from: the largest of the last steps, or what their lr stands for."""
    return plain.curvature if plain.curvature > 0.0 else 1.0 / lr


@routine
def freed(p, acc, lr, accepted, turned, best, plain, patience):
    """`rescued` with its counts in `plain`: (lr, plain)."""
    lr, nulls, run = rescued(p, acc, lr, accepted, turned, best, plain.nulls, plain.run, patience, 0.0, math.inf)
    return lr, Plain(plain.on, plain.top, plain.k, nulls, run, plain.curvature, plain.first)
