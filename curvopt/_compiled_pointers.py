"""Pointers to compiled functions as numbers.

Handed a function, machine code asks Python for its address at each call, 35 us each, while all other threads wait for the
interpreter. Here it is asked once.
"""
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def address_of(function, signature):
    """Where the machine code of a compiled function is, for as long as the function lives."""
    result = function.get_compile_result(signature)
    return result.library.get_pointer_to_function(result.fndesc.llvm_func_name)


def pointer_to(function_type):
    """function_at(address), for compiled code: the function of this type."""
    @intrinsic
    def function_at(typingctx, address):
        def codegen(context, builder, signature, arguments):
            pointer = cgutils.create_struct_proxy(function_type)(context, builder)
            pointer.jit_addr = builder.inttoptr(arguments[0], cgutils.voidptr_t)
            return pointer._getvalue()

        return function_type(types.int64), codegen

    return function_at
