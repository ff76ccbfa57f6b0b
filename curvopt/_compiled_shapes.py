"""Sizes that the compiler may know: machine code for problems of one small n.

With n = 3 a constant, loops over vectors are written out and numbers stay in registers; without, each of them first asks how
long it is and whether vectors overlap. Measured on fits of three parameters: 1 of 4.1 us a problem, 4.5 before.

Which sizes are n is found out, not declared: `init` is run, interpreted, at two values of n.
"""
from functools import lru_cache

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._jit import routine
from ._oracle import Oracle, make_data
from ._stopping import first_best

LARGEST_N = 8       # each n is compiled by itself; measured: see docs/howto/many.md
ANY = 0             # in place of n: machine code for all sizes


@lru_cache(maxsize=256)
def known_sizes(method, n):
    """(n, places) for a method whose state all problems share, (ANY, (None, None)) where no size shall be known.

    `places` is (state, best) with a tuple of booleans for each array: which of its sizes are n.
    """
    if method.again is None or n > LARGEST_N:
        return ANY, (None, None)
    return n, _compare(_arrays(method, n), _arrays(method, n + 1), n)


def _arrays(method, n):
    def no_gradient(x, data, out):
        out[:] = 0.0

    def no_product(x, v, data, out):
        out[:] = 0.0

    oracle = Oracle(lambda x, data: 0.0, no_gradient, no_product, make_data(n, ()))
    state = method.init(oracle, np.zeros(n), method.params)
    return state, first_best(state, 0.0, method.monotone)


def _compare(tree, larger, n):
    if isinstance(tree, tuple):
        return tuple(_compare(*pair, n) for pair in zip(tree, larger))
    if isinstance(tree, np.ndarray):
        return tuple(size == n and other == n + 1 for size, other in zip(tree.shape, larger.shape))
    return None


def _sized(context, builder, tree, value, places, n):
    if isinstance(tree, types.BaseTuple):
        items = cgutils.unpack_tuple(builder, value, len(tree))
        return context.make_tuple(builder, tree, [_sized(context, builder, *one, n) for one in zip(tree, items, places)])
    if not isinstance(tree, types.Array):
        return value
    array = context.make_array(tree)(context, builder, value)
    sizes = [context.get_constant(types.intp, n) if known else size
             for size, known in zip(cgutils.unpack_tuple(builder, array.shape), places)]
    number = context.get_constant(types.intp, 1)
    step = array.itemsize = context.get_constant(types.intp, tree.dtype.bitwidth // 8)
    steps = []
    for size in reversed(sizes):
        steps.insert(0, step)
        step, number = builder.mul(step, size), builder.mul(number, size)
    array.nitems = number
    array.shape, array.strides = cgutils.pack_array(builder, sizes), cgutils.pack_array(builder, steps)
    return array._getvalue()


def _agree(context, builder, tree, value, places, n):
    """The bit that says whether all sizes marked are n."""
    agreed = cgutils.true_bit
    if isinstance(tree, types.BaseTuple):
        for one in zip(tree, cgutils.unpack_tuple(builder, value, len(tree)), places):
            agreed = builder.and_(agreed, _agree(context, builder, *one, n))
    elif isinstance(tree, types.Array):
        array = context.make_array(tree)(context, builder, value)
        for size, known in zip(cgutils.unpack_tuple(builder, array.shape), places):
            if known:
                agreed = builder.and_(agreed, builder.icmp_signed("==", size, context.get_constant(types.intp, n)))
    return agreed


def of_size(n, places):
    """(sized, fits): functions for compiled code. `sized` gives back the arrays of nested tuples, contiguous ones, with the
    sizes marked in `places` known to be n; `fits` says whether they are. With n = ANY nothing is known."""
    if n == ANY:
        return routine(lambda tree: tree), routine(lambda tree: True)

    @intrinsic
    def sized(typingctx, tree):
        def codegen(context, builder, signature, arguments):
            if context.enable_nrt:
                context.nrt.incref(builder, tree, arguments[0])
            return _sized(context, builder, tree, arguments[0], places, n)

        return tree(tree), codegen

    @intrinsic
    def fits(typingctx, tree):
        def codegen(context, builder, signature, arguments):
            return _agree(context, builder, tree, arguments[0], places, n)

        return types.boolean(tree), codegen

    return sized, fits
