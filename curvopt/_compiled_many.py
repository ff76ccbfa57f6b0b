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
from ._jit import cached, routine
from ._loop import make_advance
from ._objective import NotCompilable
from ._oracle import N_COUNTS, Data, Oracle
from ._status import NONFINITE, RUNNING
from ._stopping import check, first_best, last_is_best
from ._vectors import copy_to, norm_inf

_entries = {}
_lock = threading.Lock()


def row_of(args, i):
    """The extra arguments of problem i: entry i of each array."""
    return tuple(array[i] for array in args)


@overload(row_of)
def _row_of(args, i):
    if len(args) == 0:
        return lambda args, i: ()
    return lambda args, i: (args[0][i],) + row_of(args[1:], i)


def make_solve_one(init, step, residual, report, monotone):
    """One problem from its start to its end, as a routine."""
    advance = routine(make_advance(step, residual, report, monotone))

    def solve_one(oracle, x0, params, tol):
        state = init(oracle, x0, params)
        gnorm = residual(state, tol.norm)
        best = first_best(state, gnorm, monotone)
        nit = 0
        status = check(tol, nit, oracle.data.counts, state.f, gnorm, state.flag, best.scalars)
        if status == RUNNING:
            state, nit, status, gnorm = advance(
                oracle, state, params, tol, best, nit, tol.maxiter + 1, np.empty((0, 0)))
        return state, best, nit, status

    return routine(solve_one)


def make_entry(solve_one, monotone):
    def entry(fun, jac, hessp, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers):
        counts, work = np.zeros(N_COUNTS, np.int64), np.empty((8, starts.shape[1]))
        for i in range(begin, end):
            cursor[0] = i       # the row to blame for an exception
            for j in range(counts.size):
                counts[j] = 0
            if not norm_inf(starts[i]) < np.inf:
                copy_to(starts[i], xs[i])
                fs[i], statuses[i] = np.nan, NONFINITE
                gs[i, :] = np.nan
                continue
            oracle = Oracle(fun, jac, hessp, Data(row_of(args, i) + shared, counts, work, hess))
            state, best, nit, status = solve_one(oracle, starts[i], params, tol)
            statuses[i], numbers[i, 0] = status, nit
            for j in range(3):
                numbers[i, 1 + j] = counts[j]
            if last_is_best(monotone, status):
                fs[i] = state.f
                copy_to(state.x, xs[i])
                copy_to(state.g, gs[i])
            else:
                fs[i] = best.scalars[0]
                copy_to(best.x, xs[i])
                copy_to(best.g, gs[i])
        cursor[0] = end

    return entry


def compiled_entry(method, objective, args, shared, starts, tol):
    """entry(begin, end, cursor, outputs...) for these functions; NotCompilable where it cannot be."""
    callables = objective.compiled_callables()
    data_t = typeof(objective.data)
    vector, none, matrix = float64[::1], types.none, float64[:, ::1]
    with Notice():
        compile_callables(callables, data_t)
        parts = (method.init, method.step, method.residual, method.report, method.monotone)
        name_apart(method.params)
        args_t, shared_t, params_t, tol_t = map(typeof, (args, shared, method.params, tol))
        key = (parts, args_t, shared_t)
        with _lock:
            if key not in _entries:
                signature = none(*function_types(data_t), args_t, shared_t, matrix, matrix, params_t, tol_t, int64, int64,
                                 int64[::1], matrix, vector, matrix, int64[::1], int64[:, ::1])
                dispatcher = njit(error_model="numpy", nogil=True)(make_entry(make_solve_one(*parts), method.monotone))
                name = identity_of(("many", *parts))
                if name is not None:
                    cached(dispatcher, name)
                try:
                    dispatcher.compile(signature)
                except NumbaError as error:
                    raise NotCompilable(f"the loop does not compile: {first_line(error)}") from error
                dispatcher.disable_compile()
                _entries[key] = dispatcher
    entry = _entries[key]

    def solve_rows(begin, end, cursor, outputs):
        entry(*callables, args, shared, objective.data.hess, starts, method.params, tol, begin, end, cursor, *outputs)

    return solve_rows


def make_solver(method, objective, options):
    """A jitted ``(x0, args) -> (x, fun, status, nit)`` for calls from compiled code."""
    fun, jac, hessp = objective.compiled_callables()
    solve_one = make_solve_one(method.init, method.step, method.residual, method.report, method.monotone)
    params, tol, monotone = method.params, options.tolerances(1), method.monotone
    by_n = options.maxiter is None
    keep_hess = objective.data.hess.size > 0
    tol_type = type(tol)

    def solver(x0, args):
        n = x0.size
        side = n if keep_hess else 0
        data = Data(args, np.zeros(N_COUNTS, np.int64), np.empty((8, n)), np.empty((side, side)))
        start = np.empty(n)
        copy_to(x0, start)
        maxiter = max(10_000, 200 * n) if by_n else tol.maxiter
        limits = tol_type(tol.gtol, tol.norm, tol.ftarget, maxiter, tol.maxfev, tol.maxjev, tol.maxhev, tol.stop_nonfinite)
        state, best, nit, status = solve_one(Oracle(fun, jac, hessp, data), start, params, limits)
        if last_is_best(monotone, status):
            return state.x, state.f, status, nit
        return best.x, best.scalars[0], status, nit

    return njit(error_model="numpy", nogil=True)(solver)
