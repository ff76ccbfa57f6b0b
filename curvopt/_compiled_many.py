"""Many small problems in compiled code: the same init, step and loop as for one problem, inside a loop over rows.

One entry point per method, types and small n is compiled and kept on disk; the user's functions come in by address. It releases
the interpreter's lock, so slices of rows run in threads.
"""
import threading

import numpy as np
from numba import float64, int64, njit, types
from numba.core.errors import NumbaError
from numba.extending import overload

from ._compiled_loop import Notice, compile_callables, first_line, function_types, identity_of, name_apart, signatures
from ._compiled_pointers import address_of, pointer_to
from ._compiled_shapes import ANY, LARGEST_N, known_sizes, of_size
from ._compiled_tuples import hold, lent
from ._compiled_types import type_of, types_for
from ._compiled_whole import DRAFT, SIZED, WHOLE
from ._jit import cached, kernel, routine
from ._loop import make_advance
from ._objective import NotCompilable
from ._oracle import N_COUNTS, Data, Oracle, make_data
from ._status import NONFINITE, RUNNING
from ._stopping import again_best, check, first_best, last_is_best
from ._vectors import copy_to, norm_inf

OWNDATA = 0x4           # the bit of an array's flags that says who frees it
NO_HESSIAN = np.empty((0, 0))   # minimize_many takes products only

_entries = {}           # (algorithm text, types) -> machine code
_ready = {}             # (method, user functions, types) -> the same, and the addresses of the functions
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


def make_fresh_rows(init, step, residual, report, monotone, counted):
    """rows(...) for a method that makes the arrays of its state anew for each problem."""
    run = make_run(step, residual, report, monotone, counted)

    def rows(fun, jac, hessp, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers,
             counts, work, trace):
        for i in range(begin, end):
            cursor[0] = i       # the row to blame for an exception
            if not begins(starts[i], counts, xs, fs, gs, statuses, i):
                continue
            data = Data(row_of(args, i) + shared, counts, work, hess)
            state = init(Oracle(fun, jac, hessp, data), starts[i], params)
            gnorm = residual(state, tol.norm)
            best = first_best(state, gnorm, monotone)
            fs[i], numbers[i, 0], statuses[i] = run(
                fun, jac, hessp, data, state, params, tol, best, gnorm, trace, xs[i], gs[i])
            for j in range(3):
                numbers[i, 1 + j] = counts[j]
        cursor[0] = end

    return routine(rows)


def make_lasting_rows(init, again, step, residual, report, monotone, counted, n, places):
    """rows(...) for a method that knows how to use the arrays of a state again: all problems have those of the first.

    From there on no array is made: the whole loop does without reference counts, and with sizes that are known.
    """
    (sized_state, state_fits), (sized_best, _) = (of_size(n, part) for part in places)
    sized_vector, sized_work = of_size(n, (True,))[0], of_size(n, (False, True))[0]
    run = make_run(step, residual, report, monotone, counted)

    @njit(error_model="numpy", nogil=True, _nrt=counted, **DRAFT)
    def go_on(fun, jac, hessp, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers,
              counts, work, trace, state, best):
        fresh = True
        work = sized_work(work)
        for i in range(begin, end):
            cursor[0] = i
            x0, x, g = sized_vector(starts[i]), sized_vector(xs[i]), sized_vector(gs[i])
            if not fresh and not begins(x0, counts, xs, fs, gs, statuses, i):
                continue
            state, best = sized_state(state), sized_best(best)
            data = Data(row_of(args, i) + shared, counts, work, hess)
            if not fresh:
                state = again(Oracle(fun, jac, hessp, data), state, x0, params)
            gnorm = residual(state, tol.norm)
            best = again_best(best, state, gnorm, monotone)
            fresh = False
            fs[i], numbers[i, 0], statuses[i] = run(
                fun, jac, hessp, data, state, params, tol, best, gnorm, trace, x, g)
            for j in range(3):
                numbers[i, 1 + j] = counts[j]
        cursor[0] = end

    def rows(fun, jac, hessp, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers,
             counts, work, trace):
        for i in range(begin, end):
            cursor[0] = i
            if begins(starts[i], counts, xs, fs, gs, statuses, i):
                data = Data(row_of(args, i) + shared, counts, work, hess)
                state = init(Oracle(fun, jac, hessp, data), starts[i], params)
                if not state_fits(state):
                    raise RuntimeError("init made arrays of another size than with functions that are 0")
                best = first_best(state, 0.0, monotone)
                lent_state, lent_best = lent((state, best))
                go_on(fun, jac, hessp, args, shared, hess, starts, params, tol, i, end, cursor, xs, fs, gs, statuses, numbers,
                      counts, work, trace, lent_state, lent_best)
                hold(state, best)
                return
        cursor[0] = end

    return routine(rows)


@kernel
def begins(start, counts, xs, fs, gs, statuses, i):
    """Whether problem i has a start to begin from; if so the counts are 0, if not its results are written."""
    for j in range(counts.size):
        counts[j] = 0
    if norm_inf(start) < np.inf:
        return True
    copy_to(start, xs[i])
    fs[i], statuses[i] = np.nan, NONFINITE
    for j in range(start.size):
        gs[i, j] = np.nan
    return False


def make_entry(init, again, step, residual, report, monotone, counted, n, places, types_):
    fun_at, jac_at, hessp_at = map(pointer_to, types_)
    if again is None:
        rows = make_fresh_rows(init, step, residual, report, monotone, counted)
    else:
        rows = make_lasting_rows(init, again, step, residual, report, monotone, counted, n, places)

    def entry(addresses, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers):
        fun, jac, hessp = fun_at(addresses[0]), jac_at(addresses[1]), hessp_at(addresses[2])
        # All threads have these arrays: counting references to their rows, they would wait for each other.
        args, shared, starts, xs, gs = lent((args, shared, starts, xs, gs))
        counts, work, trace = np.zeros(N_COUNTS, np.int64), np.empty((8, starts.shape[1])), np.empty((0, 0))
        rows(fun, jac, hessp, args, shared, hess, starts, params, tol, begin, end, cursor, xs, fs, gs, statuses, numbers,
             counts, work, trace)

    return entry


def compile_entry(parts, signature, sizes, types_):
    """The machine code for these routines: without reference counts where no step makes an array."""
    for counted in (False, True):
        pipeline = WHOLE if sizes[0] == ANY else SIZED
        dispatcher = njit(error_model="numpy", nogil=True, **pipeline)(make_entry(*parts, counted, *sizes, types_))
        name = identity_of(("many", *parts, counted, sizes))
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


def kind(value):
    """What the machine code depends on of an argument: its type for numba, found ten times faster for an array."""
    if type(value) is np.ndarray:
        return value.dtype, value.ndim, value.flags.num & ~OWNDATA
    return type_of(value)


def compiled_entry(method, functions, args, shared, starts, tol, make_objective):
    """entry(begin, end, cursor, outputs...) for these functions; NotCompilable where it cannot be.

    `make_objective` is called where this process has not seen this method, these functions and types before.
    """
    n = starts.shape[1]
    key = method, functions, n if n <= LARGEST_N else ANY, tuple(map(kind, args)), tuple(map(kind, shared))
    ready = _ready.get(key)
    if ready is None:
        with Notice():
            ready = find_entry(method, make_objective(), args, shared, tol, known_sizes(method, n))
        if len(_ready) >= 256:
            _ready.clear()      # a caller that makes new functions all the time must not fill the memory
        _ready[key] = ready
    entry, addresses, callables = ready

    def solve_rows(begin, end, cursor, outputs):
        entry(addresses, args, shared, NO_HESSIAN, starts, method.params, tol, begin, end, cursor, *outputs)

    solve_rows.functions = callables    # which have to live as long as their addresses are used
    return solve_rows


def find_entry(method, objective, args, shared, tol, sizes):
    """(machine code, addresses of the callables, these); what this process has not compiled yet is compiled."""
    callables, (data_t,) = objective.compiled_callables(), types_for(objective.data)
    compile_callables(callables, data_t)
    entry = machine_code(method, data_t, args, shared, tol, sizes)
    return entry, tuple(map(address_of, callables, signatures(data_t))), callables


def compile_ahead(method, n, args, shared, tol):
    """The machine code for functions of n variables with arguments of these types."""
    data = make_data(n, tuple(array[0] for array in args) + shared)
    machine_code(method, *types_for(data), args, shared, tol, known_sizes(method, n))


def machine_code(method, data_t, args, shared, tol, sizes):
    """The loop over rows of any functions with arguments of these types, kept on disk and in this process."""
    vector, none, matrix = float64[::1], types.none, float64[:, ::1]
    parts = (method.init, method.again, method.step, method.residual, method.report, method.monotone)
    name_apart(method.params)
    args_t, shared_t, params_t, tol_t = types_for(args, shared, method.params, tol)
    key = (parts, args_t, shared_t, sizes)
    with _lock:
        if key not in _entries:
            signature = none(types.UniTuple(int64, 3), args_t, shared_t, matrix, matrix, params_t, tol_t, int64, int64,
                             int64[::1], matrix, vector, matrix, int64[::1], int64[:, ::1])
            _entries[key] = compile_entry(parts, signature, sizes, function_types(data_t))
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
