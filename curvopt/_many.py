"""Many small problems at once: `minimize_many`, and `solver` for calls from the user's own compiled code."""
import time

import numpy as np
from scipy.optimize import OptimizeResult

from . import _checks, _threads
from ._interrupt import CtrlC
from ._jit import is_compiled
from ._minimize import as_options, find_method
from ._notices import warn
from ._objective import NotCompilable, Objective
from ._options import split
from ._problem_checks import check_functions
from ._run import PerformanceHint
from ._slices import Outputs, run_compiled, run_python
from ._status import CONVERGED, MAXTIME, NONFINITE, RUNNING, TARGET, Status

PHRASES = {
    Status.CONVERGED: "converged", Status.MAXITER: "iteration limit", Status.PRECISION: "no further progress",
    Status.NONFINITE: "not finite", Status.BUDGET: "evaluation budget", Status.MAXTIME: "time limit",
    Status.STEP_FAILED: "step failed", Status.UNBOUNDED: "unbounded", Status.TARGET: "target reached",
    Status.BAD_BOUND: "below the bound given",
    Status.INTERRUPTED: "interrupted", Status.RUNNING: "not begun",
}
PER_RUN = ("history", "return_all", "resume", "rng")    # options of a single run


class ManyResult(OptimizeResult):
    """An ``OptimizeResult`` whose fields are arrays with one row a problem.

    Attributes
    ----------
    x, jac : ndarray of shape (k, n)
    fun : ndarray of shape (k,)
    status : ndarray of shape (k,), int
        Values of `Status`.
    success : ndarray of shape (k,), bool
    nit, nfev, njev, nhev : ndarray of shape (k,), int
    message : str
        How many problems ended how.
    compiled : bool
    time, compile_time : float
        Seconds.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(2)
    >>> res = curvopt.minimize_many(p.fun, [[-1.2, 1.0], [2.0, 2.0]], jac=p.jac, method="QuasiNewton")
    >>> res.x.shape, res.message
    ((2, 2), '2 converged')
    """


def summary(statuses):
    """'99,871 converged, 129 iteration limit', most frequent first."""
    counts = np.bincount(statuses - RUNNING)
    most_first = sorted(np.flatnonzero(counts).tolist(), key=lambda s: -counts[s])
    return ", ".join(f"{counts[s]:,} {PHRASES[s + RUNNING]}" for s in most_first)


def assemble(outputs, method, compiled, seconds, compile_seconds):
    status = outputs.status
    return ManyResult(
        x=outputs.x, fun=outputs.fun, jac=outputs.jac, status=status, success=(status == CONVERGED) | (status == TARGET),
        nit=outputs.numbers[:, 0], nfev=outputs.numbers[:, 1], njev=outputs.numbers[:, 2], nhev=outputs.numbers[:, 3],
        message=summary(status), method=method, compiled=compiled, time=seconds, compile_time=compile_seconds,
    )


def check_starts(X0):
    try:
        starts = np.asarray(X0)
    except ValueError:
        raise ValueError("X0: the rows have unequal lengths; all problems of one call must have the same n") from None
    if starts.dtype.kind not in "fiub":
        raise TypeError(f"X0 must hold real numbers, got an array of type {starts.dtype}")
    if starts.ndim != 2:
        raise ValueError(f"X0 must have shape (k, n), one start a row; got shape {starts.shape}")
    if starts.shape[1] == 0:
        raise ValueError("X0 has rows of length 0; a problem needs at least one variable")
    return np.ascontiguousarray(starts, dtype=np.float64)


def check_args(args, k):
    """The row-wise arguments as arrays whose first axis is k."""
    if not isinstance(args, tuple):
        args = (args,)
    arrays = []
    for place, values in enumerate(args):
        try:
            array = np.ascontiguousarray(values)
        except ValueError:
            raise ValueError(f"args[{place}]: the rows have unequal lengths; pad them, or pass an object array of arrays") \
                from None
        if array.ndim == 0 or array.shape[0] != k:
            raise ValueError(f"args[{place}] has shape {np.shape(values)}; its first axis must be k = {k}, one entry a problem "
                             "(what all problems share goes into `shared`)")
        arrays.append(array if array.flags.writeable else array.copy())
    return tuple(arrays)


def minimize_many(fun, X0, args=(), method=None, jac=None, hessp=None, options=None, workers=None, shared=()):
    """Minimize many independent problems of the same size in one call.

    With functions compiled by numba the problems run in one compiled call, in threads; each stops by itself. The numbers
    are those of k separate calls of `minimize`, bit for bit, for any number of workers.

    Parameters
    ----------
    fun : callable
        ``fun(x, *row, *shared)``, where ``row`` holds entry i of each array in `args`.
    X0 : array_like of shape (k, n)
        A start a row.
    args : tuple of array_like
        Each has first axis k; problem i gets entry i of each.
    method : method object, str or None
        As in `minimize`.
    jac, hessp : callable, optional
        As in `minimize`, called as ``jac(x, *row, *shared)`` and ``hessp(x, p, *row, *shared)``.
    options : dict, optional
        As in `minimize`; ``maxtime`` is for the whole call, ``disp=1`` shows a progress bar (tqdm, where installed),
        ``chunk`` bounds the number of rows worked on between two looks at the clock.
    workers : int, optional
        Threads (compiled functions; default: the cores that this process may use, or the number in the environment variable
        CURVOPT_NUM_THREADS) or processes (Python functions; default: 1).
    shared : tuple
        Further arguments that all problems share. They and the rows of `args` are handed on as they are, not as copies:
        functions must not write into them.

    Returns
    -------
    ManyResult
        Arrays ``x (k, n)``, ``fun (k,)``, ``status (k,)``, ``success (k,)``, ``nit nfev njev nhev (k,)``, and a summary in
        ``message``. After Ctrl-C or ``maxtime``, rows not finished hold their start, with status INTERRUPTED or MAXTIME.

    Raises
    ------
    TypeError, ValueError
        For arguments that cannot be used.
    Exception
        What a user function raised, with a note that names the row; the results of finished rows are its attribute
        ``curvopt_result``.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> import curvopt
    >>> @njit
    ... def fun(x, a):
    ...     return (x[0] - a) ** 2 + 1.0
    >>> @njit
    ... def jac(x, a):
    ...     return np.array([2.0 * (x[0] - a)])
    >>> res = curvopt.minimize_many(fun, np.zeros((3, 1)), args=(np.array([1.0, 2.0, 3.0]),), jac=jac, method="scg")
    >>> np.round(res.x[:, 0], 6).tolist(), res.message
    ([1.0, 2.0, 3.0], '3 converged')
    """
    method = find_method(method, callable(hessp))
    options, parameters = split(as_options(options), method)
    method = method.replace(**parameters) if parameters else method
    refuse_single_run_options(method, options)
    jac = check_functions(fun, jac, hessp)
    starts = check_starts(X0)
    k, n = starts.shape
    args = check_args(args, k)
    shared = shared if isinstance(shared, tuple) else (shared,)
    workers = None if workers is None else _checks.count("workers", workers, 1)
    outputs = Outputs.empty(starts)
    if k == 0:
        return assemble(outputs, method, False, 0.0, 0.0)
    began = time.perf_counter()
    functions = (fun, jac, hessp if "hessp" in method.needs else None)
    solve_rows = compile_rows(method, functions, starts, args, shared, options)
    compiled = solve_rows is not None
    compile_seconds = time.perf_counter() - began if compiled else 0.0
    with CtrlC() as ctrl_c:     # from here on it loses nothing
        began = time.perf_counter()

        def finish():
            return assemble(outputs, method, compiled, time.perf_counter() - began, compile_seconds)

        try:
            if compiled:
                run_compiled(solve_rows, outputs, workers or _threads.count(), options, ctrl_c)
            else:
                run_python(method, fun, jac, hessp, starts, args, shared, outputs, workers or 1, options, ctrl_c)
        except Exception as error:
            error.curvopt_result = finish()
            raise
        result = finish()
    if options.nonfinite == "raise" and np.any(outputs.status == NONFINITE):
        row = int(np.flatnonzero(outputs.status == NONFINITE)[0])
        error = FloatingPointError(f"row {row}: fun or jac returned a value that is not finite (nonfinite='raise')")
        error.curvopt_result = result
        raise error
    if options.disp:
        print(f"{method.name}: {result.message} in {result.time:.3g} s"
              + (" (time limit)" if np.any(outputs.status == MAXTIME) else ""))
    return result


def compile_rows(method, functions, starts, args, shared, options):
    """The function that solves rows of these problems in compiled code; None where Python has to."""
    def make_objective():
        fun, jac, hessp = functions
        first_row = tuple(array[0] for array in args)
        return Objective(fun, jac, None, hessp, first_row + shared, starts.shape[1:], "hessp" in method.needs)

    if options.compiled is False:
        return None
    reason = method.interpreted_only
    if not reason and not all(is_compiled(f) for f in functions if callable(f)):
        reason = make_objective().why_not_compilable()
    if not reason:
        from ._compiled_many import compiled_entry

        try:
            return compiled_entry(method, functions, args, shared, starts, options.tolerances(starts.shape[1]), make_objective)
        except NotCompilable as error:
            reason = error
            if not options.compiled:
                warn(f"{method.name} runs interpreted: {error}", PerformanceHint)
    if options.compiled:
        raise ValueError(f"compiled=True, but the loop cannot be compiled: {reason}")
    return None


def refuse_single_run_options(method, options):
    if "samples" in method.needs:
        raise ValueError(f"{method.name} needs a finite sum; minimize_many takes deterministic methods")
    for name in PER_RUN:
        if getattr(options, name):
            raise ValueError(f"option {name!r} is for a single run; minimize_many does not take it")


def solver(method, fun, jac=None, hessp=None, options=None):
    """A compiled function that solves one problem, to be called from the user's own ``@njit`` code.

    Parameters
    ----------
    method : method object, str or None
        As in `minimize`.
    fun, jac, hessp : functions compiled by numba
        ``fun(x, *args)`` and so on.
    options : dict, optional
        As in `minimize`; budgets, ``gtol`` and the method's own parameters have a meaning here.

    Returns
    -------
    function
        ``(x0, args) -> (x, fun, status, nit)``: x0 a vector, args a tuple, status a number of `Status`. It is compiled
        at its first call for the types given, and can be called from Python too.

    Raises
    ------
    ValueError
        If one of the functions was not compiled by numba.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(2)
    >>> solve = curvopt.solver("mrcg", p.fun, p.jac, p.hessp)
    >>> @njit
    ... def farthest(starts):
    ...     worst = 0.0
    ...     for i in range(starts.shape[0]):
    ...         x, f, status, nit = solve(starts[i], ())
    ...         worst = max(worst, f)
    ...     return worst
    >>> bool(farthest(np.array([[-1.2, 1.0], [0.0, 0.0]])) < 1e-8)
    True
    """
    method = find_method(method, callable(hessp))
    options, parameters = split(as_options(options), method)
    method = method.replace(**parameters) if parameters else method
    refuse_single_run_options(method, options)
    objective = Objective(fun, check_functions(fun, jac, hessp), None, hessp, (), (1,), "hessp" in method.needs)
    reason = method.interpreted_only or objective.why_not_compilable()
    if reason:
        raise ValueError(f"solver cannot be compiled: {reason}")
    from ._compiled_many import make_solver

    return make_solver(method, objective, options)
