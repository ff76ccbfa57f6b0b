"""Tuples across the borders of machine code: named ones on their way to Python, and lent ones on theirs to the user.

Machine code hands results back as plain tuples. To hand back a named one, numba calls its class, which is Python: a signal
that is waiting is then served in the middle of the conversion, and a handler that raises (Ctrl-C pressed twice, an alarm)
crashes the process.
"""
from llvmlite import ir
from numba import types
from numba.core import cgutils, errors
from numba.extending import intrinsic


def plain_type(record):
    """The type of a record with all names taken off, inner ones as well."""
    if isinstance(record, types.BaseTuple):
        return types.Tuple(tuple(map(plain_type, record)))
    return record


def _rebuild(context, builder, record, value):
    if not isinstance(record, types.BaseTuple):
        context.nrt.incref(builder, record, value)
        return value
    items = cgutils.unpack_tuple(builder, value, len(record))
    return context.make_tuple(builder, plain_type(record), [_rebuild(context, builder, *pair) for pair in zip(record, items)])


def _holds_only_arrays(tree):
    """Whether nothing in this type could keep an array that it is handed, as a list could."""
    if isinstance(tree, types.BaseTuple):
        return all(map(_holds_only_arrays, tree))
    return isinstance(tree, (types.Array, types.Number, types.Boolean))


def _without_owner(context, builder, tree, value):
    if isinstance(tree, types.BaseTuple):
        items = cgutils.unpack_tuple(builder, value, len(tree))
        return context.make_tuple(builder, tree, [_without_owner(context, builder, *pair) for pair in zip(tree, items)])
    if isinstance(tree, types.Array):
        array = context.make_array(tree)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    return value


@intrinsic
def lent(typingctx, tree):
    """The same arrays, but that nobody counts references to them: the caller has them until the call is over.

    Counting is atomic, and takes as long as a small problem's function. Where one of the arguments could keep an array, as a
    list could, all are counted; a function that hands one to Python (objmode) has to copy what it keeps.
    """
    def codegen(context, builder, signature, arguments):
        if _holds_only_arrays(tree):
            return _without_owner(context, builder, tree, arguments[0])
        if context.enable_nrt:
            context.nrt.incref(builder, tree, arguments[0])
        return arguments[0]

    return tree(tree), codegen


@intrinsic
def release(typingctx, array):
    """Give up the reference to an array that a function returned: for code that counts no others."""
    if not isinstance(array, types.Array):
        raise errors.TypingError("not an array")

    def codegen(context, builder, signature, arguments):
        pointer = context.make_array(array)(context, builder, arguments[0]).meminfo
        decref = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [pointer.type]), "NRT_decref")
        builder.call(decref, [pointer])
        return context.get_dummy_value()

    return types.none(array), codegen


@intrinsic
def numbers(typingctx, values):
    """A tuple of numbers, integers perhaps, as a tuple of floats."""
    if not (isinstance(values, types.BaseTuple) and len(values) and all(isinstance(t, (types.Number, types.Boolean)) and
                                                                       t not in types.complex_domain for t in values)):
        raise errors.TypingError("not a tuple of real numbers")

    def codegen(context, builder, signature, arguments):
        items = cgutils.unpack_tuple(builder, arguments[0], len(values))
        floats = [context.cast(builder, item, kind, types.float64) for item, kind in zip(items, values)]
        return context.make_tuple(builder, signature.return_type, floats)

    return types.UniTuple(types.float64, len(values))(values), codegen


@intrinsic
def hold(typingctx, first, second):
    """Does nothing, but that its arguments live until it is called: for owners of what was lent."""
    def codegen(context, builder, signature, arguments):
        return context.get_dummy_value()

    return types.none(first, second), codegen


@intrinsic
def plain(typingctx, record):
    """The record as plain tuples, for compiled code."""
    def codegen(context, builder, signature, arguments):
        return _rebuild(context, builder, record, arguments[0])

    return plain_type(record)(record), codegen
