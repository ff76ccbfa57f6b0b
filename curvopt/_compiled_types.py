"""numba's types of values, made by one thread at a time.

numba keeps one object for equal types and goes by its number when machine code is called. Two threads that make the same type
at the same moment can get two of them; code compiled for the one then takes no argument of the other, for as long as the
process lives. So all types that end in a signature of ours are asked for here.
"""
import threading

from numba import typeof
from numba.core.compiler_lock import global_compiler_lock

_lock = threading.Lock()


def type_of(value):
    """The type of arguments of which machine code may be at hand: no compilation is waited for."""
    with _lock:
        return typeof(value)


def types_for(*values):
    """The types that something is to be compiled for: compilers in other threads make types as well."""
    with global_compiler_lock:
        return tuple(map(type_of, values))
