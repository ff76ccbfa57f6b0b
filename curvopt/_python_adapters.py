"""Python functions of the user in canonical form: copies of x go in, every result is checked and converted."""
import numpy as np

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
    out[:] = array.reshape(-1)


# ---- adapters for Python functions -----------------------------------------------------------------------------------

def value(fun, shape):
    flat = len(shape) == 1

    def value(x, data):
        data.counts[NFEV] += 1
        f = fun(x.copy() if flat else x.copy().reshape(shape), *data.args)
        return f if f.__class__ is float else as_real(f)

    return value


def gradient(jac, shape, name="jac"):
    flat = len(shape) == 1

    def gradient(x, data, out):
        data.counts[NJEV] += 1
        v = jac(x.copy() if flat else x.copy().reshape(shape), *data.args)
        if flat and v.__class__ is np.ndarray and v.dtype is FLOAT64 and v.shape == shape:
            out[:] = v  # the common case, without the checks of write_vector
        else:
            write_vector(name, v, shape, out)

    return gradient


def product(hessp, shape):
    flat = len(shape) == 1

    def product(x, v, data, out):
        data.counts[NHEV] += 1
        if flat:
            hv = hessp(x.copy(), v.copy(), *data.args)
            if hv.__class__ is np.ndarray and hv.dtype is FLOAT64 and hv.shape == shape:
                out[:] = hv
                return
        else:
            hv = hessp(x.copy().reshape(shape), v.copy().reshape(shape), *data.args)
        write_vector("hessp", hv, shape, out)

    return product


def pair(fun, shape):
    def evaluate(x, data):
        data.counts[NFEV] += 1
        result = fun(x.copy().reshape(shape), *data.args)
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
