"""The copy that a compiled chunk keeps of the state before it."""
from typing import NamedTuple

import numpy as np

from curvopt._compiled_loop import duplicate


class Inner(NamedTuple):
    a: np.ndarray
    k: int


class Outer(NamedTuple):
    x: np.ndarray
    f: float
    inner: Inner
    rng: object


def test_deep_with_the_same_sharing():
    x = np.arange(6.0).reshape(2, 3)
    tree = (Outer(x, 1.5, Inner(x, 3), np.random.default_rng(0)), Inner(np.zeros(0), -1))
    copy = duplicate(tree, {})
    assert type(copy[0]) is Outer and type(copy[0].inner) is Inner
    assert copy[0].x is not x and copy[0].x is copy[0].inner.a and np.array_equal(copy[0].x, x)
    assert (copy[0].f, copy[0].inner.k, copy[1].k) == (1.5, 3, -1)
    assert copy[0].rng is not tree[0].rng and copy[0].rng.random() == tree[0].rng.random()
    x[:] = 0.0
    assert copy[0].x[1, 2] == 5.0
