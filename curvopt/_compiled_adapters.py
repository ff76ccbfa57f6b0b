"""Functions the user compiled with numba, in canonical form for the compiled loop.

A user's own dispatcher never becomes a function pointer: the match depends on what it was called with before, and a
strided result can be misread without a word. These adapters copy x, check sizes and convert results of any layout.
"""
from functools import lru_cache

import numpy as np

from ._oracle import HESS_KNOWN, HESS_X, KNOWN_G, NFEV, NHEV, NJEV, V_COPY, X_COPY
from ._python_adapters import matvec, remember_pair
from ._vectors import copy_to, same

# ---- adapters for functions compiled by numba -------------------------------------------------------------------------
# One text for x of any shape: a 1-D x needs no reshape, and leaving it out lets all 1-D problems share machine code.

def machine_code(function, counted=True):
    """Without reference counts for functions that only hand arrays on: counting takes longer than a small problem's `fun`.

    The choice is explicit, since numba would otherwise take that of whichever caller makes it compile. What calls a
    user's function must count, because arrays come back.
    """
    from numba import njit

    from ._compiled_whole import WHOLE

    pipeline = {} if counted else WHOLE
    return njit(error_model="numpy", nogil=True, _nrt=counted, **pipeline)(function)


@lru_cache(maxsize=1)
def taker():
    """take(g, out): copy an array that came from the user, give it back, and say whether it fitted. A tuple of numbers will do
    as well; it spares the function the array, which takes 40 ns."""
    from numba import types
    from numba.extending import overload

    from ._compiled_tuples import numbers, release

    def fill(g, out):
        raise NotImplementedError

    @overload(fill, jit_options={"error_model": "numpy"})
    def _fill(g, out):
        if isinstance(g, types.BaseTuple):
            def from_tuple(g, out):
                values = numbers(g)
                fits = len(values) == out.size
                if fits:
                    for i in range(len(values)):
                        out[i] = values[i]
                return fits
            return from_tuple

        def from_array(g, out):
            fits = g.shape == out.shape
            if fits:
                copy_to(g, out)
            release(g)
            return fits
        return from_array

    def take(g, out):
        return fill(g, out)

    return machine_code(take, counted=False)


@lru_cache(maxsize=128)
def value(fun, shape):
    from ._compiled_tuples import lent

    if shape is None:
        def call(x, args):
            return float(fun(x, *args))
    else:
        def call(x, args):
            return float(fun(x.reshape(shape), *args))
    call = machine_code(call)

    def value(x, data):
        data.counts[NFEV] += 1
        copy_to(x, data.work[X_COPY])
        point, args = lent((data.work[X_COPY], data.args))
        return call(point, args)

    return machine_code(value, counted=False)


@lru_cache(maxsize=128)
def gradient(jac, shape):
    from ._compiled_tuples import lent

    if shape is None:
        def call(x, args):
            return jac(x, *args)
    else:
        def call(x, args):
            g = jac(x.reshape(shape), *args)
            if g.shape != shape:
                raise ValueError("jac returned an array whose shape is not that of x")
            return np.ascontiguousarray(g).reshape(x.size)
    call, take = machine_code(call), taker()

    def gradient(x, data, out):
        data.counts[NJEV] += 1
        copy_to(x, data.work[X_COPY])
        point, args = lent((data.work[X_COPY], data.args))
        if not take(call(point, args), out):
            raise ValueError("jac returned a vector whose length is not that of x")

    return machine_code(gradient, counted=False)


@lru_cache(maxsize=128)
def product(hessp, shape):
    from ._compiled_tuples import lent

    if shape is None:
        def call(x, v, args):
            return hessp(x, v, *args)
    else:
        def call(x, v, args):
            hv = hessp(x.reshape(shape), v.reshape(shape), *args)
            if hv.shape != shape:
                raise ValueError("hessp returned an array whose shape is not that of x")
            return np.ascontiguousarray(hv).reshape(x.size)
    call, take = machine_code(call), taker()

    def product(x, v, data, out):
        data.counts[NHEV] += 1
        copy_to(x, data.work[X_COPY])
        copy_to(v, data.work[V_COPY])
        point, vector, args = lent((data.work[X_COPY], data.work[V_COPY], data.args))
        if not take(call(point, vector, args), out):
            raise ValueError("hessp returned a vector whose length is not that of x")

    return machine_code(product, counted=False)


@lru_cache(maxsize=128)
def pair(fun, shape):
    from ._compiled_tuples import lent

    if shape is None:
        def call(x, args):
            f, g = fun(x, *args)
            return float(f), g
    else:
        def call(x, args):
            f, g = fun(x.reshape(shape), *args)
            return float(f), np.ascontiguousarray(g).reshape(g.size)
    call, take = machine_code(call), taker()

    def evaluate(x, data):
        data.counts[NFEV] += 1
        copy_to(x, data.work[X_COPY])
        point, args = lent((data.work[X_COPY], data.args))
        f, g = call(point, args)
        if not take(g, data.work[KNOWN_G]):
            raise ValueError("fun returned a gradient whose length is not that of x")
        remember_pair(data, x, f)

    return machine_code(evaluate, counted=False)


@lru_cache(maxsize=128)
def hessian(hess, shape):
    def product(x, v, data, out):
        if data.counts[HESS_KNOWN] == 0 or not same(data.work[HESS_X], x):
            data.counts[NHEV] += 1
            copy_to(x, data.work[X_COPY])
            matrix = hess(data.work[X_COPY] if shape is None else data.work[X_COPY].reshape(shape), *data.args)
            if matrix.shape != data.hess.shape:
                raise ValueError("hess returned a matrix whose shape is not (n, n)")
            for i in range(x.size):
                for j in range(x.size):
                    data.hess[i, j] = matrix[i, j]
            copy_to(x, data.work[HESS_X])
            data.counts[HESS_KNOWN] = 1
        matvec(data.hess, v, out)

    return machine_code(product)


@lru_cache(maxsize=128)
def builder(builder, callable_):
    return machine_code(builder(callable_), counted=False)


@lru_cache(maxsize=1)
def no_product():
    def no_product(x, v, data, out):
        raise RuntimeError("this method does not declare that it needs hessp")

    return machine_code(no_product)
