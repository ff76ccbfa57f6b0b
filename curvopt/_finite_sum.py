"""Objectives that are means: over the rows of a data set, or over a stream of samples."""
from functools import cached_property, lru_cache

import numpy as np

from . import _checks
from . import _compiled_adapters as compiled
from ._jit import is_compiled, kernel

BLOCK = 4096    # rows a full pass hands to the user's functions at once: their temporaries stay small for any n_samples


@kernel
def accumulate(weight, v, total):
    for i in range(total.size):
        total[i] += weight * v[i]


def full_value(fun, n, block):
    """The mean over all rows, block by block, in the order of the rows."""

    def value(x, *args):
        total = 0.0
        for begin in range(0, n, block):
            end = min(begin + block, n)
            total += (end - begin) / n * float(fun(x, np.arange(begin, end), *args))
        return total

    return value


def full_gradient(jac, n, block):
    def gradient(x, *args):
        total = np.zeros(x.size)
        for begin in range(0, n, block):
            end = min(begin + block, n)
            accumulate((end - begin) / n, jac(x, np.arange(begin, end), *args).ravel(), total)
        return total.reshape(x.shape)

    return gradient


def full_product(hessp, n, block):
    def product(x, p, *args):
        total = np.zeros(x.size)
        for begin in range(0, n, block):
            end = min(begin + block, n)
            accumulate((end - begin) / n, hessp(x, p, np.arange(begin, end), *args).ravel(), total)
        return total.reshape(x.shape)

    return product


def make_full(builder, function, n, block):
    return builder(function, n, block)


@lru_cache(maxsize=64)
def compiled_full(builder, function, n, block):
    """Compiled once for each function, whatever the number of `FiniteSum` objects made of it."""
    return compiled.machine_code(builder(function, n, block))


class FiniteSum:
    """A mean over the rows of a data set: f(x) = 1/n sum of f_i(x).

    Stochastic methods draw rows from it; every deterministic method, and SciPy, take it as ``fun``, since calling it
    gives the full mean and it carries its own derivatives.

    Parameters
    ----------
    fun : callable
        ``fun(x, idx, *args)`` -> mean of f_i over the rows ``idx`` (an int64 array).
    jac : callable
        ``jac(x, idx, *args)`` -> mean of their gradients, in the shape of x.
    n_samples : int >= 1
        Number of rows n.
    hessp : callable, optional
        ``hessp(x, p, idx, *args)`` -> mean of the Hessian products.
    block : int, optional
        Rows that a full pass hands over at once; bounds the memory of the user's temporaries.

    Raises
    ------
    TypeError, ValueError
        If a function is not callable or there are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> import curvopt
    >>> data = np.array([1.0, 2.0, 6.0])
    >>> mean = curvopt.FiniteSum(lambda x, idx: float(np.mean((x[0] - data[idx]) ** 2)),
    ...                          lambda x, idx: np.array([np.mean(2.0 * (x[0] - data[idx]))]), n_samples=3)
    >>> res = curvopt.minimize(mean, [0.0], method="scg")
    >>> round(float(res.x[0]), 6)
    3.0
    """

    def __init__(self, fun, jac, n_samples, hessp=None, block=BLOCK):
        for name, function, needed in (("fun", fun, True), ("jac", jac, True), ("hessp", hessp, False)):
            if not callable(function) and (needed or function is not None):
                raise TypeError(f"{name} must be callable as {name}(x, {'p, ' if name == 'hessp' else ''}idx, *args), "
                                f"got {type(function).__name__}")
        self.n_samples = _checks.count("n_samples", n_samples)
        if self.n_samples == 0:
            raise ValueError("n_samples is 0: the data set is empty")
        self.batch_fun, self.batch_jac, self.batch_hessp = fun, jac, hessp
        self.block = _checks.count("block", block, 1)

    def __repr__(self):
        return f"<FiniteSum of {self.n_samples:,} rows>"

    def _full(self, builder, function):
        make = compiled_full if is_compiled(function) else make_full
        return make(builder, function, self.n_samples, self.block)

    @cached_property
    def fun(self):
        """``fun(x, *args)``, the full mean; compiled if the user's function is."""
        return self._full(full_value, self.batch_fun)

    @cached_property
    def jac(self):
        """``jac(x, *args)``, the full gradient; compiled if the user's function is."""
        return self._full(full_gradient, self.batch_jac)

    @cached_property
    def hessp(self):
        """``hessp(x, p, *args)``, the full product, or None; compiled if the user's function is."""
        return None if self.batch_hessp is None else self._full(full_product, self.batch_hessp)

    def __call__(self, x, *args):
        return self.fun(x, *args)

    def check(self, x, *args, rng=None):
        """Whether the functions on a batch are means over its rows: all of them, each as often as it is there.

        A sum for a mean, or a row that is lost, passes for a smaller or larger step, or for noise, in a run. Takes `fun`,
        `jac` and, where given, `hessp` on six rows, one of them twice, at once and one by one.

        Parameters
        ----------
        x : array_like
            A point at which the gradients of the rows differ.
        *args
            As in ``minimize``.
        rng : None, int or numpy.random.Generator
            Draws the rows.

        Raises
        ------
        ValueError
            Naming the function whose values do not agree to 1e-6.
        """
        rng = np.random.default_rng(rng)
        x, rows = np.array(x, dtype=np.float64), rng.integers(self.n_samples, size=6)
        rows[1], p = rows[0], rng.standard_normal(x.shape)
        for name, function, given in (("fun", self.batch_fun, (x,)), ("jac", self.batch_jac, (x,)),
                                      ("hessp", self.batch_hessp, (x, p))):
            if function is None:
                continue
            parts = [np.asarray(function(*given, rows[i:i + 1].copy(), *args), dtype=np.float64) for i in range(6)]
            whole = np.asarray(function(*given, rows.copy(), *args), dtype=np.float64)
            size = max(np.abs(part).max() for part in parts)
            if not np.allclose(whole, np.mean(parts, axis=0), rtol=0.0, atol=1e-6 * size):
                raise ValueError(f"{name}(x, idx) over the rows {rows.tolist()} is not the mean of {name} over each of them: "
                                 "it must be the mean over all rows of idx")


class Expectation:
    """A mean over a stream: f(x) = E f(x, sample). There are no full values; stochastic methods draw from it.

    Parameters
    ----------
    fun : callable
        ``fun(x, batch, *args)`` -> mean over the samples of ``batch``, whatever `sample` returned.
    jac : callable
        ``jac(x, batch, *args)`` -> mean of their gradients, in the shape of x.
    sample : callable
        ``sample(rng, size)`` -> a batch of ``size`` samples drawn with the given ``numpy.random.Generator``. Where the
        batch has a length, the length must be ``size``.
    hessp : callable, optional
        ``hessp(x, p, batch, *args)``.
    check_size : int, default 4096
        Samples of the one batch, drawn first and then kept, that stands for the full mean where a method reports
        ``fun`` or tests convergence.

    Examples
    --------
    >>> import numpy as np
    >>> import curvopt
    >>> stream = curvopt.Expectation(lambda x, z: float(np.mean((x[0] - z) ** 2)),
    ...                              lambda x, z: np.array([np.mean(2.0 * (x[0] - z))]),
    ...                              lambda rng, size: rng.normal(1.0, 0.1, size))
    """

    def __init__(self, fun, jac, sample, hessp=None, check_size=4096):
        for name, function in (("fun", fun), ("jac", jac), ("sample", sample)):
            if not callable(function):
                raise TypeError(f"{name} must be callable, got {type(function).__name__}")
        self.batch_fun, self.batch_jac, self.batch_hessp, self.sample = fun, jac, hessp, sample
        self.n_samples = _checks.count("check_size", check_size, 1)

    def __repr__(self):
        return "<Expectation over a stream of samples>"

    def draw(self, rng, size):
        """A batch of `size` samples, or a clear error."""
        batch = self.sample(rng, size)
        if hasattr(batch, "__len__") and not isinstance(batch, tuple) and len(batch) != size:
            raise ValueError(f"sample(rng, {size}) returned {len(batch)} samples")
        return batch
