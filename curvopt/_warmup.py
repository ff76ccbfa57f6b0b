"""Compile ahead: the loops for functions without extra arguments, kept on disk for all later processes."""
import time

from . import problems
from ._compare import progress_bar
from ._entries import Skipped, set_up
from ._jit import is_compiled
from ._minimize import find_method


def warmup(methods=None, progress=None):
    """Compile the loops of methods now rather than in the first solve, and keep them on disk.

    A loop is compiled once for each method and each combination of types of the extra arguments; this does it for
    functions without extra arguments. The user's own functions are compiled with the first solve that uses them.

    Parameters
    ----------
    methods : list of method objects or names, optional
        All methods whose loop can be compiled, when omitted.
    progress : bool, optional
        Progress bar, drawn by tqdm; when omitted, only on a terminal.

    Returns
    -------
    dict
        Seconds spent on each method; next to nothing for those that were on disk already.

    Raises
    ------
    RuntimeError
        Where machine code is switched off, by CURVOPT_JIT=0 or NUMBA_DISABLE_JIT=1.

    Examples
    --------
    >>> import curvopt
    >>> list(curvopt.warmup(["SGM"]))
    ['SGM']
    """
    from . import _catalogue as catalogue

    p = problems.rosenbrock(2)
    if not is_compiled(p.fun):
        raise RuntimeError("there is nothing to compile: CURVOPT_JIT=0 or NUMBA_DISABLE_JIT=1 switches machine code off")
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
            method(p.fun, p.x0, jac=p.jac, hessp=p.hessp, compiled=True, maxiter=1)
            seconds[method.name] = time.perf_counter() - began
    return seconds
