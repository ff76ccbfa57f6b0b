"""curvopt's own door, and the generator of iterates."""
from . import _checks, _scipy_names
from ._method import Method
from ._run import bound_error, prepare, snapshots

ARGUMENTS = frozenset({"fun", "x0", "args", "method", "jac", "hess", "hessp", "bounds", "constraints", "callback", "options"})
IGNORED = str.maketrans("", "", "-_ ")      # in the name of a method


def find_method(method, second_order=False):
    """The method object that an object, a name in any case, or None (the default) stands for.

    The default depends on whether Hessian products are given (`second_order`).
    """
    from . import _catalogue as catalogue

    if method is None:
        return catalogue.default(second_order)
    if isinstance(method, Method):
        return method
    if isinstance(method, str):
        known = catalogue.by_name()
        key = method.lower().removeprefix("curvopt.").removeprefix("baselines.").translate(IGNORED)
        if key in known:
            return known[key]
        names = list(dict.fromkeys(m.name for m in known.values()))
        hint = _scipy_names.method_hint(method) or _checks.nearest(key, names)
        raise ValueError(f"unknown method {method!r}{hint}; known methods: {', '.join(names)}")
    if isinstance(method, type) and issubclass(method, Method):
        made = [m.name for m in catalogue.by_name().values() if type(m) is method] or [f"{method.__name__}(...)"]
        raise TypeError(f"method must be a method object such as {made[0]}, not its class {method.__name__}")
    raise TypeError(f"method must be a curvopt method, its name, or None; got {type(method).__name__}")


def gives_products(fun, hess, hessp):
    """Whether Hessian products come from the user, not from differences. A FiniteSum may carry its own."""
    return callable(hessp) or callable(hess) or getattr(fun, "batch_hessp", None) is not None


def as_options(options):
    """A dict of its own, whatever mapping the user gave."""
    try:
        options = {} if options is None else dict(options)
    except (TypeError, ValueError):
        raise TypeError(f"options must be a dict such as {{'gtol': 1e-8}}, got {options!r}") from None
    for name in ARGUMENTS.intersection(options):
        raise TypeError(f"{name!r} is an argument of its own, not one of the options")
    return options


def minimize(fun, x0, args=(), method=None, jac=None, hess=None, hessp=None, bounds=None, constraints=(), tol=None,
             callback=None, options=None):
    """Minimize a smooth function of one or more variables.

    The parameters mean what they mean in ``scipy.optimize.minimize``, and the result is the same, bit for bit, as that of
    ``scipy.optimize.minimize(..., method=curvopt.SGM)``.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args) -> float``; with ``jac=True``, ``fun(x, *args) -> (float, array)``,
        or a tuple of numbers in place of the array, here and in `jac`.
    x0 : array_like, any shape
        Start. The functions see x in this shape, as float64.
    args : tuple, optional
        Extra arguments of ``fun``, ``jac``, ``hess`` and ``hessp``.
    method : method object, str, or None
        Such as ``curvopt.SGM``, ``curvopt.SGM.replace(sigma=0.0)`` or ``"sgm"``; `curvopt.methods` lists them. None means
        `TruncatedNewton` where ``hessp`` or ``hess`` is given, and `FUSEPV` otherwise: quasi-Newton steps, with Adam as
        probe and rescuer.
    jac : callable, True, "2-point", "3-point", "cs" or None
        Gradient, in the shape of x. None means "2-point": differences of ``fun``, n values a gradient, with a warning
        when n > 20. (SciPy's own ``minimize`` shows a custom method None in place of all three words.)
    hess : callable, optional
        ``hess(x, *args)`` -> array, sparse matrix or LinearOperator; used for products when ``hessp`` is not given.
    hessp : callable, optional
        ``hessp(x, p, *args)`` -> H(x) p. Without it and without ``hess``, methods that need products take differences
        of ``jac`` along p (one gradient each, counted in ``njev``).
    bounds, constraints
        Must be empty.
    tol : float, optional
        Stands for the option ``gtol``.
    callback : callable, optional
        ``callback(x)`` or ``callback(intermediate_result)``, after every iteration; StopIteration ends the run.
    options : dict, optional
        The method's own parameters, and:

        gtol : float, default 1e-5
            Stop when the norm of the gradient is at most this.
        norm : {inf, 1, 2}
            Norm for ``gtol``.
        ftarget : float
            Stop when ``fun`` is at most this.
        maxiter, maxfev, maxjev, maxhev : int
            Budgets, looked at between iterations. ``maxiter`` is max(10000, 200 n) when not given.
        maxtime : float
            Seconds, without compilation.
        disp : int
            0 silent, 1 a summary at the end, k > 1 a line every k iterations.
        history : bool or int
            Keep every iteration, or every k-th, in ``result.history``.
        return_all : bool
            Keep every iterate in ``result.allvecs``.
        nonfinite : {"backtrack", "stop", "raise"}
            What a NaN or infinite value in a trial point means: a failed trial, the end of the run, or an error.
        compiled : bool or None
            Run the loop as machine code: None where possible (all functions compiled by numba, no callback) unless x is so
            long (n >= 524,288) that several threads pay, which serve the interpreted loop; True to insist, False never. The
            numbers are the same.
        resume : RunState
            ``state`` of an earlier result; the run goes on as if it had not stopped.
        rng : seed or numpy.random.Generator
            For stochastic methods.

    Returns
    -------
    Result
        A ``scipy.optimize.OptimizeResult``. The point is the best one seen.

    Raises
    ------
    TypeError, ValueError
        For an argument that cannot be used; the message names it and the remedy. Exceptions of user functions come out
        unchanged, with the iterate so far in a note.

    Examples
    --------
    >>> import numpy as np
    >>> import curvopt
    >>> from scipy.optimize import rosen, rosen_der, rosen_hess_prod
    >>> res = curvopt.minimize(rosen, [-1.2, 1.0], jac=rosen_der, hessp=rosen_hess_prod, method="mrcg")
    >>> res.success, np.round(res.x, 3).tolist()
    (True, [1.0, 1.0])
    """
    options = as_options(options)
    if tol is not None:
        options.setdefault("tol", tol)
    method = find_method(method, gives_products(fun, hess, hessp))
    return method(fun, x0, args, jac=jac, hess=hess, hessp=hessp, bounds=bounds, constraints=constraints,
                  callback=callback, **options)


def iterate(fun, x0, args=(), method=None, jac=None, hess=None, hessp=None, options=None, *, tol=None):
    """Yield the iterates of a method one by one; the caller may stop whenever it likes.

    Parameters
    ----------
    fun, x0, args, method, jac, hess, hessp, options, tol
        As in `minimize`. ``callback``, ``disp``, ``history`` and ``maxtime`` are the caller's business here.

    Yields
    ------
    OptimizeResult
        ``x fun jac nit nfev njev nhev step grad_norm time status``, and the method's own columns of the history;
        arrays are copies. The first one is the start.

    Raises
    ------
    TypeError, ValueError
        As `minimize`, before the first iterate is asked for.

    Examples
    --------
    >>> import curvopt
    >>> for it in curvopt.iterate(lambda x: float(x @ x), [3.0, 4.0], jac=lambda x: 2 * x, method="sgm"):
    ...     print(it.nit, round(it.fun, 12))
    0 25.0
    1 0.0
    """
    # Arguments are checked here, at the call; the generator only iterates.
    method = find_method(method, gives_products(fun, hess, hessp))
    options = as_options(options)
    if tol is not None:
        options.setdefault("tol", tol)
    method, options, objective, x0 = prepare(method, fun, x0, args, jac, hess, hessp, None, (), options)
    options.compiled = False if options.compiled is None else options.compiled
    return _iterates(method, objective, snapshots(method, options, objective, x0, every_iteration=True))


def _iterates(method, objective, stream):
    from ._result import intermediate
    from ._status import BAD_BOUND, Status

    for snapshot in stream:
        result = intermediate(method, objective, snapshot)
        result.status = Status(snapshot.status)
        yield result
        if snapshot.status == BAD_BOUND:
            raise bound_error(method, objective, snapshot)
