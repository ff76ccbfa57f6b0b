"""Python functions of the user in canonical form: copies of x go in, every result is checked and converted."""
import math
import sys

import numpy as np

from ._blocks import SHARED, copy_blocks
from ._derivatives import knows_gradient, knows_value
from ._jit import kernel, routine
from ._oracle import F_KNOWN, G_KNOWN, KNOWN_F, KNOWN_G, KNOWN_X, NFEV, NHEV, NJEV
from ._vectors import copy_to

FLOAT64 = np.dtype(np.float64)

# ---- results of user functions ---------------------------------------------------------------------------------------

def as_array(v):
    """`v` as an array; what NumPy cannot make one of, such as (f, g), as an array of objects that later tests refuse."""
    try:
        return np.asarray(v)
    except ValueError:
        array = np.empty(len(v), dtype=object)
        array[:] = v
        return array


def as_real(f):
    """A float from what `fun` returned: a real number, or an array that holds one."""
    if isinstance(f, (float, int, np.floating, np.integer)):
        return float(f)
    if f is None:
        raise TypeError("fun returned None; it must return a real number (is a `return` missing?)")
    array = as_array(f)
    if array.dtype.kind == "O" and array.size == 1 and hasattr(array.item(), "__float__"):
        return float(array.item())      # a Fraction, a Decimal, a number of a symbolic or multiprecision package
    if np.iscomplexobj(array):
        raise TypeError(f"fun returned a complex value ({f!r}); return a real number, for example its .real part")
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise TypeError(
            f"fun returned {type(f).__name__} of shape {array.shape}; it must return one real number"
            + (" (to return the gradient as well, pass jac=True)" if isinstance(f, tuple) else "")
        )
    return float(array.reshape(-1)[0])


def write_vector(name, v, shape, out):
    """Copy what `jac` or `hessp` returned into `out`, or say what is wrong with it."""
    array = as_array(v)
    if array.shape != shape and not (out.size == 1 and array.size == 1):
        what = f"an array of shape {array.shape}" if array.dtype.kind != "O" or array.ndim else \
            "None" if v is None else f"an object of type {type(v).__name__}"
        raise ValueError(f"{name} returned {what}; x has shape {shape} and {name} must have the same"
                         + (f" (try .reshape({shape}))" if array.size == out.size and v is not None else ""))
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} returned values of type {array.dtype}; it must return real numbers")
    copy_blocks(array.reshape(-1), out)


# ---- copies for user functions ---------------------------------------------------------------------------------------

def copier(shape):
    """A function that copies x for a function that may keep the copy, or write into it; `shape` is what that one sees."""
    if math.prod(shape) >= SHARED:
        return LongCopies(shape)
    return np.ndarray.copy if len(shape) == 1 else lambda x: x.copy().reshape(shape)


class LongCopies:
    """Copies of long vectors, in the memory of the last one if nobody has kept that.

    Measured at n = 1e7: fresh memory and a copy into it take 18 ms, a copy by two threads into memory at hand 5 ms.
    """

    def __init__(self, shape):
        self.shape, self.last = shape, np.empty(math.prod(shape))
        self.alone = sys.getrefcount(self.last)      # what this interpreter counts while nobody else holds it

    def __call__(self, x):
        if sys.getrefcount(self.last) > self.alone:
            self.last = np.empty(x.size)
        copy_blocks(x, self.last)
        return self.last.reshape(self.shape)    # a view, even where the shape is the same: whoever keeps it keeps the array


# ---- adapters for Python functions -----------------------------------------------------------------------------------

def value(fun, copied):
    def value(x, data):
        data.counts[NFEV] += 1
        f = fun(copied(x), *data.args)
        return f if f.__class__ is float else as_real(f)

    return value


def usual(shape):
    """Whether results of this shape may be arrays that need neither checks nor threads: `out[:] = v` will do."""
    return len(shape) == 1 and shape[0] < SHARED


def gradient(jac, shape, copied):
    plain = usual(shape)

    def gradient(x, data, out):
        data.counts[NJEV] += 1
        v = jac(copied(x), *data.args)
        if plain and v.__class__ is np.ndarray and v.dtype is FLOAT64 and v.shape == shape:
            out[:] = v
        else:
            write_vector("jac", v, shape, out)

    return gradient


def product(hessp, shape, copied):
    plain, v_copied = usual(shape), copier(shape)

    def product(x, v, data, out):
        data.counts[NHEV] += 1
        hv = hessp(copied(x), v_copied(v), *data.args)
        if plain and hv.__class__ is np.ndarray and hv.dtype is FLOAT64 and hv.shape == shape:
            out[:] = hv
        else:
            write_vector("hessp", hv, shape, out)

    return product


def pair(fun, shape, copied):
    def evaluate(x, data):
        data.counts[NFEV] += 1
        result = fun(copied(x), *data.args)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(f"with jac=True fun must return the pair (value, gradient), not {type(result).__name__}")
        data.counts[F_KNOWN] = data.counts[G_KNOWN] = 0  # while the point is new and the values are not
        f = as_real(result[0])
        write_vector("fun (second part, the gradient)", result[1], shape, data.work[KNOWN_G])
        remember_pair(data, x, f)

    return evaluate


@routine
def remember_pair(data, x, f):
    """The gradient is in its place already."""
    copy_to(x, data.work[KNOWN_X])
    data.work[KNOWN_F, 0] = f
    data.counts[F_KNOWN] = data.counts[G_KNOWN] = 1


def shared_value(evaluate):
    def value(x, data):
        if not knows_value(data, x):
            evaluate(x, data)
        return float(data.work[KNOWN_F, 0])

    return value


def shared_gradient(evaluate):
    def gradient(x, data, out):
        if not knows_gradient(data, x):
            evaluate(x, data)
        data.counts[NJEV] += 1
        copy_to(data.work[KNOWN_G], out)

    return gradient


@kernel
def matvec(matrix, v, out):
    for i in range(v.size):
        total = 0.0
        for j in range(v.size):
            total += matrix[i, j] * v[j]
        out[i] = total


def hessian(hess, shape):
    """Products with the matrix `hess(x)`, which is asked for once at each x."""
    last = {"x": None, "matrix": None}

    def product(x, v, data, out):
        if last["x"] is None or not np.array_equal(last["x"], x):
            data.counts[NHEV] += 1
            matrix = hess(x.copy().reshape(shape), *data.args)
            if isinstance(matrix, (list, np.ndarray)):
                matrix = np.array(matrix)
                if matrix.dtype.kind not in "fiub":
                    raise TypeError(f"hess returned values of type {matrix.dtype}; it must return real numbers")
                matrix = np.ascontiguousarray(matrix, dtype=float)
            if getattr(matrix, "shape", None) != (x.size, x.size):
                raise ValueError(f"hess returned {getattr(matrix, 'shape', type(matrix).__name__)}; "
                                 f"it must be a matrix, sparse matrix or LinearOperator of shape {(x.size, x.size)}")
            last["x"], last["matrix"] = x.copy(), matrix
        if isinstance(last["matrix"], np.ndarray):
            matvec(last["matrix"], v, out)
        else:
            write_vector("hess(x) @ v", np.asarray(last["matrix"] @ v.copy()).reshape(-1), (x.size,), out)

    return product


def no_product(x, v, data, out):
    raise RuntimeError("this method does not declare that it needs hessp")
