"""The door: what a user passed, checked and put together as an Objective before anything is evaluated."""
import numpy as np
from scipy.optimize import OptimizeWarning

from ._finite_sum import Expectation, FiniteSum
from ._notices import warn
from ._objective import Objective

BOUNDED = "L-BFGS-B, TNC, Nelder-Mead, Powell, SLSQP, trust-constr, COBYLA and COBYQA"
CONSTRAINED = "SLSQP, trust-constr, COBYLA and COBYQA"
WARN_DIFFERENCES = 20   # variables above which gradients by differences are worth a warning


def refuse_bounds(method, bounds, constraints):
    if bounds is not None and not _infinite(bounds):
        raise ValueError(f"{method.name} minimizes without bounds; of SciPy's methods {BOUNDED} take bounds")
    if constraints is not None and not (isinstance(constraints, (tuple, list, dict)) and len(constraints) == 0):
        raise ValueError(f"{method.name} minimizes without constraints; of SciPy's methods {CONSTRAINED} take constraints")


def _infinite(bounds):
    if hasattr(bounds, "lb"):
        return bool(np.all(np.isneginf(bounds.lb)) and np.all(np.isposinf(bounds.ub)))
    try:
        return all(low in (None, -np.inf) and high in (None, np.inf) for low, high in bounds)
    except (TypeError, ValueError):
        raise TypeError(f"bounds must be None, pairs (low, high) or scipy.optimize.Bounds, got {bounds!r}") from None


def start_point(x0):
    """(float64 copy as a vector, shape the user's functions see)."""
    try:
        array = np.asarray(x0)
    except ValueError as error:
        raise ValueError(f"x0 must be an array of real numbers, or lists of one length: {error}") from None
    if np.ma.is_masked(x0):
        raise ValueError("x0 is masked; a start has to have all its entries (x0.compressed(), or x0.filled(value))")
    if array.dtype.kind == "c":
        raise TypeError("x0 is complex; curvopt minimizes over real variables (stack real and imaginary parts)")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"x0 must hold real numbers, got an array of type {array.dtype}")
    if array.size == 0:
        raise ValueError("x0 is empty; it must hold at least one variable")
    if not np.all(np.isfinite(array)):
        bad = np.flatnonzero(~np.isfinite(array.reshape(-1)))
        raise ValueError(f"x0 must be finite; entry {bad[0]} is {array.reshape(-1)[bad[0]]}")
    shape = array.shape if array.ndim else (1,)
    return np.array(array, dtype=np.float64, order="C").reshape(-1), shape


def unwrap_memo(fun, jac):
    """SciPy's door turns jac=True into a memoized pair of callables; take the user's own function back out of it."""
    owner = getattr(jac, "__self__", None)
    if owner is not None and owner is fun and type(fun).__name__ == "MemoizeJac":
        return fun.fun, True
    return fun, jac


def make_sampled(method, fun, x0, args, rng):
    """(SampledObjective, x0 as a vector) for a method that draws samples."""
    from ._sampled_objective import SampledObjective

    if not isinstance(fun, (FiniteSum, Expectation)):
        raise TypeError(f"{method.name} draws samples: fun must be a curvopt.FiniteSum or curvopt.Expectation, "
                        f"got {type(fun).__name__}")
    if isinstance(fun, Expectation) and not method.streams:
        raise TypeError(f"{method.name} passes over all rows; an Expectation has none (draw a data set and use FiniteSum)")
    if isinstance(fun, FiniteSum):
        for name in ("batch_size", "normalizer_batch_size"):
            if getattr(method.params, name, 0) > fun.n_samples:
                raise ValueError(f"{name} is {getattr(method.params, name)}, but there are only {fun.n_samples} rows; "
                                 f"set it with {method.name}.replace({name}=...) or options={{{name!r}: ...}}")
    x, shape = start_point(x0)
    args = args if isinstance(args, tuple) else (args,)
    return SampledObjective(fun, args, shape, "hessp" in method.needs, np.random.default_rng(rng)), x


def check_functions(fun, jac, hessp):
    """`jac` with None in place of False, or a clear error."""
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {type(fun).__name__}")
    jac = None if jac is False else jac
    if not (jac is None or jac is True or callable(jac) or (isinstance(jac, str) and jac in ("2-point", "3-point", "cs"))):
        raise ValueError(f"jac must be a callable, True, '2-point', '3-point', 'cs' or None, got {jac!r}")
    if hessp is not None and not callable(hessp):
        raise TypeError(f"hessp must be callable as hessp(x, p, *args), got {type(hessp).__name__}")
    return jac


def make_objective(method, fun, x0, args, jac, hess, hessp, rng=None):
    """(Objective, x0 as a vector) or a clear error."""
    if "samples" in method.needs:
        return make_sampled(method, fun, x0, args, rng)
    if isinstance(fun, Expectation):
        raise TypeError(f"{method.name} needs full values of fun; an Expectation has none (draw a data set and use FiniteSum)")
    n_rows = 0
    if isinstance(fun, FiniteSum):
        jac = fun.jac if jac is None else jac
        hessp = fun.hessp if hessp is None and hess is None else hessp
        n_rows, fun = fun.n_samples, fun.fun
    fun, jac = unwrap_memo(fun, jac)
    jac = check_functions(fun, jac, hessp)
    if isinstance(hess, str) and hess in ("2-point", "3-point", "cs"):
        hess = None     # differences of jac along the one direction needed are what the method takes anyway
    if hess is not None and not callable(hess):
        raise TypeError(f"hess must be callable as hess(x, *args), got {type(hess).__name__}; "
                        "quasi-Newton strategy objects are for SciPy's trust-constr")
    x, shape = start_point(x0)
    if jac is None and x.size > WARN_DIFFERENCES:
        warn(f"the gradient is taken by differences: each one costs {x.size} values of fun; pass jac", OptimizeWarning)
    args = args if isinstance(args, tuple) else (args,)
    return Objective(fun, jac, hess, hessp, args, shape, "hessp" in method.needs, n_rows), x
