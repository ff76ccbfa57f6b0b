"""Compile ahead: loops kept on disk for all later processes."""
import time

import numpy as np

from . import _checks, problems
from ._compare import progress_bar
from ._entries import Skipped, set_up
from ._jit import is_compiled
from ._many import check_args
from ._method import Method
from ._minimize import find_method
from ._options import Options


def warmup(methods=None, dims=None, progress=None, many=None):
    """Compile the loops of methods now rather than in the first solve, and keep them on disk.

    A loop is compiled once for each method and each combination of types of the extra arguments; this does it for
    functions without extra arguments, and for `minimize_many` with any. The user's own functions are compiled with the first
    solve that uses them.

    Parameters
    ----------
    methods : list of method objects or names, or one of them, optional
        All methods whose loop can be compiled, when omitted.
    dims : int or list of int, optional
        Sizes n at which each loop is run for an iteration, all at least 2; when omitted, 2. Machine code is the same for all
        n, so one size compiles everything; others show that a method has the memory that it needs.
    progress : bool, optional
        Progress bar, drawn by tqdm where that is installed; when omitted, only on a terminal.
    many : True or tuple (args, shared), optional
        Compile the loops of `minimize_many` too: for extra arguments of the types of these, as they are handed to it (a row
        of each is enough), or for none (True). Here the machine code depends on n up to 8, so name the n you need in `dims`.

    Returns
    -------
    dict
        Seconds spent on each method; next to nothing for those that were on disk already.

    Raises
    ------
    TypeError, ValueError
        For a size below 2, and for `many` of another form.
    RuntimeError
        Where machine code is switched off, by CURVOPT_JIT=0 or NUMBA_DISABLE_JIT=1.

    Examples
    --------
    >>> import curvopt
    >>> list(curvopt.warmup(["SGM"]))
    ['SGM']
    >>> curves, times = np.zeros((1, 16)), np.zeros(16)         # doctest: +SKIP
    >>> curvopt.warmup("QuasiNewton", dims=3, many=((curves,), (times,)))       # doctest: +SKIP
    """
    from . import _catalogue as catalogue

    types = types_of(many)
    sizes = [_checks.count("dims", n, 2) for n in np.atleast_1d(2 if dims is None else dims).tolist()]
    p = problems.rosenbrock(2)
    if not is_compiled(p.fun):
        raise RuntimeError("there is nothing to compile: CURVOPT_JIT=0 or NUMBA_DISABLE_JIT=1 switches machine code off")
    methods = [methods] if isinstance(methods, (str, Method)) else methods
    chosen = [find_method(m) for m in (catalogue.by_name() if methods is None else methods)]
    seconds = {}
    with progress_bar(len(chosen), "compiling", progress) as show:
        for method in chosen:
            show(method.name)
            if method.interpreted_only or "samples" in method.needs:
                continue
            try:
                method, _ = set_up(method, p)
            except Skipped:
                continue
            began = time.perf_counter()
            for n in sizes:
                method(p.fun, np.resize(p.x0, n), jac=p.jac, hessp=p.hessp, compiled=True, maxiter=1)
                if types is not None:
                    from ._compiled_many import compile_ahead

                    compile_ahead(method, n, *types, Options().tolerances(n))
            seconds[method.name] = time.perf_counter() - began
    return seconds


def types_of(many):
    """(args, shared) that stand for their types, None where the loops of `minimize_many` are not wanted."""
    if many is None or many is False:
        return None
    if many is True:
        return (), ()
    if not (isinstance(many, tuple) and len(many) == 2 and all(isinstance(part, tuple) for part in many)):
        raise TypeError("many must be True or a tuple (args, shared) of two tuples, such as ((curves,), (times,))")
    args, shared = many
    rows = len(args[0]) if args and np.ndim(args[0]) else 0
    if args and rows == 0:
        raise ValueError("many: args must hold a row each, from which the types are taken")
    return check_args(args, rows), shared
