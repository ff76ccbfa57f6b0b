"""Many small problems in compiled code: the same init, step and loop as for one problem, inside a loop over rows.

One entry point per method and types is compiled and kept on disk; the user's functions come in by pointer. It releases
the interpreter's lock, so slices of rows run in threads.
"""
import threading

import numpy as np
from numba import float64, int64, njit, typeof, types
from numba.core.errors import NumbaError
from numba.extending import overload

from ._compiled_loop import Notice, compile_callables, first_line, function_types, identity_of, name_apart
from ._compiled_tuples import lent
from ._compiled_whole import DRAFT, WHOLE
from ._jit import cached, routine
from ._loop import make_advance
from ._objective import NotCompilable
from ._oracle import N_COUNTS, Data, Oracle
from ._status import NONFINITE, RUNNING
from ._stopping import again_best, check, first_best, last_is_best
from ._vectors import copy_to, norm_inf

_entries = {}           # (algorithm text, types) -> machine code
_ready = {}             # (algorithm text, user callables, types) -> the same
_lock = threading.Lock()


def row_of(args, i):
    """The extra arguments of problem i: entry i of each array."""
    return tuple(array[i] for array in args)


@overload(row_of)
def _row_of(args, i):
    if len(args) == 0:
        return lambda args, i: ()
    return lambda args, i: (args[0][i],) + row_of(args[1:], i)


def make_run(step, residual, report, monotone, counted):
    """One problem from its first state to its end: writes x and its gradient, returns (f, nit, status).

    From the first state on no array is made and none is kept, so it may do without reference counts (unless `counted`):
    at n = 3 these, atomic and some hundred for each evaluation, take 70 % of the time. Its caller owns all arrays
    and gets numbers back. A step that makes arrays does not compile in this way.
    """
    advance = routine(make_advance(step, residual, report, monotone))

    @njit(error_model="numpy", nogil=True, _nrt=counted, **DRAFT)
    def run(fun, jac, hessp, data, state, params, tol, best, gnorm, trace, x, g):
        nit = 0
        status = check(tol, nit, data.counts, state.f, gnorm, state.flag, best.scalars)
        f = state.f
        if status == RUNNING:
            end, nit, status, _ = advance(
                Oracle(fun, jac, hessp, data), state, params, tol, best, nit, tol.maxiter + 1, trace)
            if last_is_best(monotone, status):
                f = end.f
                copy_to(end.x, x)
                copy_to(end.g, g)
                return f, nit, status
        elif last_is_best(monotone, status):
            copy_to(state.x, x)
            copy_to(state.g, g)
            return f, nit, status
        copy_to(best.x, x)
        copy_to(best.g, g)
        return best.scalars[0], nit, status

    return run


def make_again(init, again, residual, monotone):
    """(state, best, norm) of a start, in the arrays of the state before where the method knows how."""
    if again is None:
        def next_start(oracle, state, best, x0, params, norm):
            state = init(oracle, x0, params)
            gnorm = residual(state, norm)
            return state, first_best(state, gnorm, monotone), gnorm
    else:
        def next_start(oracle, state, best, x0, params, norm):
            state = again(oracle, state, x0, params)
            gnorm = residual(state, norm)
            return state, again_best(best, state, gnorm, monotone), gnorm

    return routine(next_start)


def make_entry(init, again, step, residual, report, monotone, counted):
    run = make_run(step, residual, report, monotone, counted)
    next_start = make_again(init, again, residual, monotone)

    def entry(fun, jac, hessp, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers):
        # All threads have these arrays: counting references to their rows, they would wait for each other.
        args, shared, starts, xs, gs = lent((args, shared, starts, xs, gs))
        counts, work, trace = np.zeros(N_COUNTS, np.int64), np.empty((8, starts.shape[1])), np.empty((0, 0))
        first = True
        for i in range(begin, end):
            cursor[0] = i       # the row to blame for an exception
            for j in range(counts.size):
                counts[j] = 0
            if not norm_inf(starts[i]) < np.inf:
                copy_to(starts[i], xs[i])
                fs[i], statuses[i] = np.nan, NONFINITE
                gs[i, :] = np.nan
                continue
            data = Data(row_of(args, i) + shared, counts, work, hess)
            oracle = Oracle(fun, jac, hessp, data)
            if first:
                state = init(oracle, starts[i], params)
                gnorm = residual(state, tol.norm)
                best = first_best(state, gnorm, monotone)
                first = False
            else:
                state, best, gnorm = next_start(oracle, state, best, starts[i], params, tol.norm)
            fs[i], numbers[i, 0], statuses[i] = run(
                fun, jac, hessp, data, state, params, tol, best, gnorm, trace, xs[i], gs[i])
            for j in range(3):
                numbers[i, 1 + j] = counts[j]
        cursor[0] = end

    return entry


def compile_entry(parts, signature):
    """The machine code for these routines: without reference counts where no step makes an array."""
    for counted in (False, True):
        dispatcher = njit(error_model="numpy", nogil=True, **WHOLE)(make_entry(*parts, counted))
        name = identity_of(("many", *parts, counted))
        if name is not None:
            cached(dispatcher, name)
        try:
            dispatcher.compile(signature)
        except NumbaError as error:
            if not counted and makes_arrays(error):
                continue
            raise NotCompilable(f"the loop does not compile: {first_line(error)}") from error
        dispatcher.disable_compile()
        return dispatcher


def makes_arrays(error):
    """Whether compilation without reference counts failed for want of them."""
    return "NRT required but not enabled" in str(error)


def compiled_entry(method, objective, args, shared, starts, tol):
    """entry(begin, end, cursor, outputs...) for these functions; NotCompilable where it cannot be."""
    callables = objective.compiled_callables()
    parts = (method.init, method.again, method.step, method.residual, method.report, method.monotone)
    key = (parts, callables, typeof(args), typeof(shared))
    entry = _ready.get(key)
    if entry is None:
        with Notice():
            entry = find_entry(method, objective, callables, parts, args, shared, tol)
        if len(_ready) >= 256:
            _ready.clear()      # a caller that makes new functions all the time must not fill the memory
        _ready[key] = entry

    def solve_rows(begin, end, cursor, outputs):
        entry(*callables, args, shared, objective.data.hess, starts, method.params, tol, begin, end, cursor, *outputs)

    return solve_rows


def find_entry(method, objective, callables, parts, args, shared, tol):
    """The machine code; the callables and, where this process has not done so yet, the loop are compiled."""
    data_t = typeof(objective.data)
    vector, none, matrix = float64[::1], types.none, float64[:, ::1]
    compile_callables(callables, data_t)
    name_apart(method.params)
    args_t, shared_t, params_t, tol_t = map(typeof, (args, shared, method.params, tol))
    key = (parts, args_t, shared_t)
    with _lock:
        if key not in _entries:
            signature = none(*function_types(data_t), args_t, shared_t, matrix, matrix, params_t, tol_t, int64, int64,
                             int64[::1], matrix, vector, matrix, int64[::1], int64[:, ::1])
            _entries[key] = compile_entry(parts, signature)
        return _entries[key]


def make_solver(method, objective, options):
    """A jitted ``(x0, args) -> (x, fun, status, nit)`` for calls from compiled code."""
    fun, jac, hessp = objective.compiled_callables()
    # The types are not known before it is called: no second attempt is possible, so references are counted.
    init, residual, monotone = method.init, method.residual, method.monotone
    run = make_run(method.step, residual, method.report, monotone, counted=True)
    params, tol = method.params, options.tolerances(1)
    by_n = options.maxiter is None
    keep_hess = objective.data.hess.size > 0
    tol_type = type(tol)

    def solver(x0, args):
        n = x0.size
        side = n if keep_hess else 0
        data = Data(args, np.zeros(N_COUNTS, np.int64), np.empty((8, n)), np.empty((side, side)))
        start, x, g = np.empty(n), np.empty(n), np.empty(n)
        copy_to(x0, start)
        maxiter = max(10_000, 200 * n) if by_n else tol.maxiter
        limits = tol_type(tol.gtol, tol.norm, tol.ftarget, maxiter, tol.maxfev, tol.maxjev, tol.maxhev, tol.stop_nonfinite)
        state = init(Oracle(fun, jac, hessp, data), start, params)
        gnorm = residual(state, tol.norm)
        best = first_best(state, gnorm, monotone)
        f, nit, status = run(fun, jac, hessp, data, state, params, limits, best, gnorm, np.empty((0, 0)), x, g)
        return x, f, status, nit

    return njit(error_model="numpy", nogil=True, **WHOLE)(solver)
