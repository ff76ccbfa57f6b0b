"""`finite_sum`: the data problems as sums over their rows."""
from .._finite_sum import FiniteSum
from .._jit import standalone
from . import _rows
from .regression import logistic_fun, phase_fun, poisson_fun, robust_fun
from .softmax import fixed_softmax_fun, softmax_fun

FORMS = {fun: tuple(map(standalone, losses)) for fun, losses in {
    logistic_fun: (_rows.logistic_mean, _rows.logistic_gradient, _rows.logistic_product),
    robust_fun: (_rows.robust_mean, _rows.robust_gradient, _rows.robust_product),
    poisson_fun: (_rows.poisson_mean, _rows.poisson_gradient, _rows.poisson_product),
    phase_fun: (_rows.phase_mean, _rows.phase_gradient, _rows.phase_product),
    softmax_fun: (_rows.softmax_mean, _rows.softmax_gradient, _rows.softmax_product),
    fixed_softmax_fun: (_rows.fixed_softmax_mean, _rows.fixed_softmax_gradient, _rows.fixed_softmax_product),
}.items()}


def finite_sum(problem):
    """The sum over rows that a problem is the mean of: for methods that draw samples.

    Parameters
    ----------
    problem : Problem
        Of `logistic`, `robust`, `poisson`, `phase_retrieval`, `softmax` or a data set fitted by one of these; or
        `worst_case` and `perceptron`, which are given as sums from the start.

    Returns
    -------
    FiniteSum
        To be minimized from ``problem.x0`` with ``args=problem.args``. Compiled.

    Raises
    ------
    ValueError
        For a problem that is no sum over rows of data.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 0, 1, 1], lam=0.1)
    >>> curvopt.problems.finite_sum(p)
    <FiniteSum of 4 rows>
    """
    if isinstance(problem.fun, FiniteSum):
        return problem.fun
    if problem.fun not in FORMS:
        raise ValueError(f"{problem.name} is no sum over rows of data")
    fun, jac, hessp = FORMS[problem.fun]
    return FiniteSum(fun, jac, len(problem.args[0]), hessp)
