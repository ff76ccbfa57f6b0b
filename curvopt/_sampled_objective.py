"""A sum over samples as a stochastic method sees it: the objective, and batches of it in canonical form."""
from functools import lru_cache
from typing import NamedTuple

from . import _compiled_adapters as compiled
from . import _python_adapters as python
from ._finite_sum import Expectation
from ._jit import is_compiled
from ._objective import Objective
from ._oracle import NFEV, NHEV, NJEV, ROWS, SAMPLE_F, SAMPLE_G, SAMPLE_H, V_COPY, X_COPY
from ._sampling import SampledOracle, draw_rows
from ._vectors import copy_to

# ---- Python functions -----------------------------------------------------------------------------------------------

class Samples(NamedTuple):
    """A batch of a stream, with the number of its samples: what `sample` returns need not have a length."""

    batch: object
    size: int


class PythonBatches:
    """Adapters for Python functions on batches, for one solve."""

    def __init__(self, source, shape):
        self.source, self.shape = source, shape
        self.stream = isinstance(source, Expectation)

    def draw(self, rng, order, mode, out):
        if not self.stream:
            return draw_rows(rng, order, mode, out)
        return Samples(self.source.draw(rng, out.size), out.size)

    def _given(self, x, batch):
        """(x, batch, rows) for the user: copies, so that nothing it keeps or writes reaches the run."""
        if self.stream:
            return x.copy().reshape(self.shape), batch.batch, batch.size
        return x.copy().reshape(self.shape), batch.copy(), batch.size

    def value(self, x, batch, data):
        x, batch, rows = self._given(x, batch)
        count(data.counts, SAMPLE_F, NFEV, rows, self.source.n_samples)
        return python.as_real(self.source.batch_fun(x, batch, *data.args))

    def gradient(self, x, batch, data, out):
        x, batch, rows = self._given(x, batch)
        count(data.counts, SAMPLE_G, NJEV, rows, self.source.n_samples)
        python.write_vector("jac", self.source.batch_jac(x, batch, *data.args), self.shape, out)

    def product(self, x, v, batch, data, out):
        x, batch, rows = self._given(x, batch)
        count(data.counts, SAMPLE_H, NHEV, rows, self.source.n_samples)
        hv = self.source.batch_hessp(x, v.copy().reshape(self.shape), batch, *data.args)
        python.write_vector("hessp", hv, self.shape, out)


def count(counts, samples, calls, rows, n):
    """Count rows; calls are whole passes over the data."""
    counts[samples] += rows
    counts[calls] = counts[samples] // n


def full_adapters(oracle, n):
    """The full evaluations of an oracle, counted in samples like the batches."""
    def value(x, data):
        f = oracle.fun(x, data)
        data.counts[NFEV] -= 1
        count(data.counts, SAMPLE_F, NFEV, n, n)
        return f

    def gradient(x, data, out):
        oracle.jac(x, data, out)
        data.counts[NJEV] -= 1
        count(data.counts, SAMPLE_G, NJEV, n, n)

    def product(x, v, data, out):
        oracle.hessp(x, v, data, out)
        data.counts[NHEV] -= 1
        count(data.counts, SAMPLE_H, NHEV, n, n)

    return value, gradient, product


# ---- functions compiled by numba --------------------------------------------------------------------------------------

@lru_cache(maxsize=64)
def compiled_full(fun, jac, hessp, n):
    """`full_adapters` for compiled callables."""
    def value(x, data):
        f = fun(x, data)
        data.counts[SAMPLE_F] += n
        data.counts[NFEV] = data.counts[SAMPLE_F] // n
        return f

    def gradient(x, data, out):
        jac(x, data, out)
        data.counts[SAMPLE_G] += n
        data.counts[NJEV] = data.counts[SAMPLE_G] // n

    def product(x, v, data, out):
        hessp(x, v, data, out)
        data.counts[SAMPLE_H] += n
        data.counts[NHEV] = data.counts[SAMPLE_H] // n

    return tuple(map(compiled.machine_code, (value, gradient, product)))


@lru_cache(maxsize=64)
def compiled_batches(fun, jac, hessp, n):
    def value(x, batch, data):
        data.counts[SAMPLE_F] += batch.size
        data.counts[NFEV] = data.counts[SAMPLE_F] // n
        copy_to(x, data.work[X_COPY])
        return float(fun(data.work[X_COPY], batch, *data.args))

    def gradient(x, batch, data, out):
        data.counts[SAMPLE_G] += batch.size
        data.counts[NJEV] = data.counts[SAMPLE_G] // n
        copy_to(x, data.work[X_COPY])
        g = jac(data.work[X_COPY], batch, *data.args)
        if g.shape != out.shape:
            raise ValueError("jac returned a vector whose length is not that of x")
        copy_to(g, out)

    def product(x, v, batch, data, out):
        data.counts[SAMPLE_H] += batch.size
        data.counts[NHEV] = data.counts[SAMPLE_H] // n
        copy_to(x, data.work[X_COPY])
        copy_to(v, data.work[V_COPY])
        hv = hessp(data.work[X_COPY], data.work[V_COPY], batch, *data.args)
        if hv.shape != out.shape:
            raise ValueError("hessp returned a vector whose length is not that of x")
        copy_to(hv, out)

    def no_product(x, v, batch, data, out):
        raise RuntimeError("this method does not declare that it needs hessp")

    return tuple(map(compiled.machine_code, (value, gradient, product if hessp is not None else no_product)))


class SampledObjective(Objective):
    """An `Objective` whose oracle can also draw batches.

    Parameters
    ----------
    source : FiniteSum or Expectation
    rng : numpy.random.Generator
    args, shape, second_order
        As in `Objective`.
    """

    def __init__(self, source, args, shape, second_order, rng):
        self.source, self.rng, self.n_samples = source, rng, source.n_samples
        if isinstance(source, Expectation):
            batch = source.draw(rng, source.n_samples)
            fun, jac = (lambda f: lambda x, *a: f(x, batch, *a))(source.batch_fun), \
                (lambda f: lambda x, *a: f(x, batch, *a))(source.batch_jac)
            hessp = source.batch_hessp and (lambda x, p, *a: source.batch_hessp(x, p, batch, *a))
        else:
            fun, jac, hessp = source.fun, source.jac, source.hessp
        if second_order and hessp is None:
            raise ValueError("this method needs hessp: FiniteSum(fun, jac, n_samples, hessp=...)")
        super().__init__(fun, jac, None, hessp, args, shape, second_order)
        self.counts[ROWS] = self.n_samples

    def oracle(self):
        full = full_adapters(super().oracle(), self.n_samples)
        batches = PythonBatches(self.source, self.shape)
        return SampledOracle(*full, self.data, batches.value, batches.gradient, batches.product, batches.draw,
                             self.n_samples, self.rng)

    def why_not_compilable(self):
        if isinstance(self.source, Expectation):
            return "an Expectation draws its samples with a Python function"
        if len(self.shape) > 1:
            return "x of a sum over samples has more than one axis"
        if not is_compiled(self.source.batch_fun) or not is_compiled(self.source.batch_jac):
            return "fun or jac not compiled with numba.njit"
        return super().why_not_compilable()

    def compiled_callables(self):
        full = compiled_full(*super().compiled_callables(), self.n_samples)
        source = self.source
        hessp = source.batch_hessp if self.second_order else None
        return full + compiled_batches(source.batch_fun, source.batch_jac, hessp, self.n_samples)
