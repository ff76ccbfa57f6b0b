"""Blocks in compiled text: the same ones as in `_blocks`, one after the other."""
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from ._compiled_whole import DRAFT


@intrinsic
def length_of(typingctx, args):
    """The length of the first vector among the arguments."""
    place = next(i for i, argument in enumerate(args) if isinstance(argument, types.Array))

    def codegen(context, builder, signature, values):
        array = builder.extract_value(values[0], place)
        return context.make_array(args[place])(context, builder, array).nitems

    return types.intp(args), codegen


@intrinsic
def part(typingctx, args, begin, end):
    """The arguments with each vector cut to [begin, end). Nothing is counted: the caller holds the whole vectors."""
    def codegen(context, builder, signature, values):
        tree, begin, end = values
        size, parts = builder.sub(end, begin), []
        for kind, value in zip(args, cgutils.unpack_tuple(builder, tree, len(args))):
            if isinstance(kind, types.Array):
                array = context.make_array(kind)(context, builder, value)
                step = cgutils.unpack_tuple(builder, array.strides)[0]
                array.data = cgutils.pointer_add(builder, array.data, builder.mul(begin, step), array.data.type)
                array.shape, array.nitems = cgutils.pack_array(builder, [size]), size
                value = array._getvalue()
            parts.append(value)
        return context.make_tuple(builder, args, parts)

    return args(args, types.intp, types.intp), codegen


def one_by_one(block, join):
    """A dispatcher for compiled text: runs the kernel `block` on vectors of any length."""
    from ._blocks import BLOCK, block_length

    def whole(*args):
        n = length_of(args)
        if n <= BLOCK:
            return block(*args)
        length = block_length(n)
        result = block(*part(args, 0, length))
        for begin in range(length, n, length):
            result = join(result, block(*part(args, begin, min(begin + length, n))))
        return result

    # The linker goes by names: each of these must have its own.
    whole.__module__, whole.__name__ = block.__module__, f"{block.__name__}_in_blocks"
    whole.__qualname__ = whole.__name__
    return njit(error_model="numpy", _nrt=False, **DRAFT)(whole)
