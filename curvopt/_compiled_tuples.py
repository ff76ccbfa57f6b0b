"""Named tuples across the border between machine code and Python.

Machine code hands results back as plain tuples. To hand back a named one, numba calls its class, which is Python: a signal
that is waiting is then served in the middle of the conversion, and a handler that raises (Ctrl-C pressed twice, an alarm)
crashes the process.
"""
from numba import types
from numba.core import cgutils
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


@intrinsic
def plain(typingctx, record):
    """The record as plain tuples, for compiled code."""
    def codegen(context, builder, signature, arguments):
        return _rebuild(context, builder, record, arguments[0])

    return plain_type(record)(record), codegen
