"""The user's functions, completed and put in canonical form; nothing past this file sees them as they came."""
import numpy as np

from . import _compiled_adapters as compiled
from . import _derivatives as difference
from . import _python_adapters as python
from ._jit import is_compiled
from ._oracle import F_KNOWN, G_KNOWN, HESS_KNOWN, KNOWN_F, KNOWN_X, NFEV, Oracle, make_data


class NotCompilable(Exception):
    """The compiled loop cannot take these functions; the text says why."""


# ---- the objective ------------------------------------------------------------------------------------------------------

GRADIENT_DIFFERENCES = {"2-point": difference.forward_gradient, "3-point": difference.central_gradient}


class Objective:
    """A problem as the user gave it, completed so that no method has to ask what is missing.

    Parameters
    ----------
    fun, jac, hess, hessp, args
        As in ``scipy.optimize.minimize``; already checked for type.
    shape : tuple of int
        Shape in which the user's functions see x.
    second_order : bool
        Whether the method uses Hessian-vector products.
    n_rows : int
        Of a sum over rows, all of which every call takes; 0 for other functions.
    """

    n_samples = 0   # of a sum that the method draws samples from

    def __init__(self, fun, jac, hess, hessp, args, shape, second_order, n_rows=0):
        self.fun, self.jac, self.hess, self.hessp = fun, jac, hess, hessp
        self.args, self.shape, self.second_order, self.n_rows = args, shape, second_order, n_rows
        self.n = int(np.prod(shape))
        self.pair = jac is True
        keep_matrix = second_order and not callable(hessp) and callable(hess) and is_compiled(hess)
        self.data = make_data(self.n, args, keep_matrix)

    @property
    def counts(self):
        return self.data.counts

    def known(self):
        """A copy of what is known at the last point, for a run that is to go on: three rows, or none."""
        last = KNOWN_F + 1 if self.counts[F_KNOWN] or self.counts[G_KNOWN] else KNOWN_X
        return self.data.work[KNOWN_X:last].copy()

    def remember(self, counts, known):
        """Go on from these counts and from what was known with them."""
        self.counts[:] = counts
        self.counts[HESS_KNOWN] = 0     # the matrix is large and quickly asked for again
        self.data.work[KNOWN_X:KNOWN_X + len(known)] = known

    def oracle(self):
        """The oracle of the interpreted loop."""
        copied = python.copier(self.shape)
        if self.pair:
            evaluate = python.pair(self.fun, self.shape, copied)
            value, gradient = python.shared_value(evaluate), python.shared_gradient(evaluate)
        else:
            value = python.value(self.fun, copied)
            value, gradient = self._with_differences(value, lambda jac: python.gradient(jac, self.shape, copied), _call)
        if not self.second_order:
            product = python.no_product
        elif callable(self.hessp):
            product = python.product(self.hessp, self.shape, copied)
        elif callable(self.hess):
            product = python.hessian(self.hess, self.shape)
        else:
            product = difference.gradient_difference(gradient)
            if not self.pair:
                gradient = difference.remembered_gradient(gradient)
        return Oracle(value, gradient, product, self.data)

    def compiled_callables(self):
        """The three compiled canonical callables, or NotCompilable with the reason."""
        reason = self.why_not_compilable()
        if reason:
            raise NotCompilable(reason)
        shape = None if len(self.shape) == 1 else self.shape
        if self.pair:
            evaluate = compiled.pair(self.fun, shape)
            value = compiled.builder(python.shared_value, evaluate)
            gradient = compiled.builder(python.shared_gradient, evaluate)
        else:
            value = compiled.value(self.fun, shape)
            value, gradient = self._with_differences(value, lambda jac: compiled.gradient(jac, shape), compiled.builder)
        if not self.second_order:
            product = compiled.no_product()
        elif callable(self.hessp):
            product = compiled.product(self.hessp, shape)
        elif callable(self.hess):
            product = compiled.hessian(self.hess, shape)
        else:
            product = compiled.builder(difference.gradient_difference, gradient)
            if not self.pair:
                gradient = compiled.builder(difference.remembered_gradient, gradient)
        return value, gradient, product

    def why_not_compilable(self):
        """'' when every function the method calls was compiled by numba; otherwise which one was not."""
        if self.jac == "cs":
            return "jac='cs' calls fun with complex numbers"
        used = {"fun": self.fun, "jac": self.jac}
        if self.second_order:
            used["hessp" if callable(self.hessp) else "hess"] = self.hessp if callable(self.hessp) else self.hess
        plain = [name for name, f in used.items() if callable(f) and not is_compiled(f)]
        return "" if not plain else f"{' and '.join(plain)} not compiled with numba.njit"

    def _with_differences(self, value, adapt, build):
        """(value, gradient), the gradient by differences of `value` where `jac` is no function."""
        if callable(self.jac):
            return value, adapt(self.jac)
        if self.jac == "cs":
            return value, difference.complex_step_gradient(self.fun, self.shape, _count_value)
        gradient = build(GRADIENT_DIFFERENCES[self.jac or "2-point"], value)
        return build(difference.remembered_value, value), gradient


def _call(builder, callable_):
    return builder(callable_)


def _count_value(data):
    data.counts[NFEV] += 1
