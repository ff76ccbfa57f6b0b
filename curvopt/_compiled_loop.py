"""The compiled execution of the loop: one machine-code loop per method and types, user functions by address.

Pointers let numba compile the loop once, whatever the user's functions are, and keep it on disk; a loop that takes
dispatchers would be compiled anew for each user function (seconds) and never cached.
"""
import copy
import re
import sys
import threading
import time

import numpy as np

from ._jit import ENABLED, FINGERPRINT, cached, routine
from ._objective import NotCompilable
from ._oracle import Oracle
from ._sampling import SampledOracle, draw_rows
from ._status import RUNNING

_loops = {}             # (algorithm text, types) -> machine code
_ready = {}             # (algorithm text, user callables, types of args) -> the same, found without asking for types
_lock = threading.Lock()
NOTICE_AFTER = 0.5      # seconds of compilation worth a line


def make_entry(advance, types_):
    from ._compiled_pointers import pointer_to
    from ._compiled_tuples import plain

    advance = routine(advance)
    fun_at, jac_at, hessp_at = map(pointer_to, types_)

    def entry(addresses, data, state, params, tol, best, nit, budget, trace):
        oracle = Oracle(fun_at(addresses[0]), jac_at(addresses[1]), hessp_at(addresses[2]), data)
        state, nit, status, gnorm = advance(oracle, state, params, tol, best, nit, budget, trace)
        return plain(state), nit, status, gnorm

    return entry


def make_sampled_entry(advance, types_):
    from ._compiled_pointers import pointer_to
    from ._compiled_tuples import plain

    advance = routine(advance)
    fun_at, jac_at, hessp_at, batch_fun_at, batch_jac_at, batch_hessp_at = map(pointer_to, types_)

    def entry(addresses, n_samples, data, state, params, tol, best, nit, budget, trace):
        oracle = SampledOracle(
            fun_at(addresses[0]), jac_at(addresses[1]), hessp_at(addresses[2]), data, batch_fun_at(addresses[3]),
            batch_jac_at(addresses[4]), batch_hessp_at(addresses[5]), draw_rows, n_samples, state.rng)
        state, nit, status, gnorm = advance(oracle, state, params, tol, best, nit, budget, trace)
        return plain(state), nit, status, gnorm

    return entry


def identity_of(parts):
    """Name of the algorithm text in the disk cache; None for code from outside this package, which is not kept on disk.

    Nothing there would tell of an edit: what it calls may stand in any file.
    """
    names = [FINGERPRINT]
    for part in parts:
        if callable(part):
            if not part.__module__.startswith("curvopt."):
                return None
            names.append(f"{part.__module__}.{part.__qualname__}")
        else:
            names.append(repr(part))
    return "|".join(names)


def signatures(data_t, sampled=False):
    """Signatures of the canonical callables for data of the given type."""
    from numba import float64, int64, types

    vector, none, rows = float64[::1], types.none, int64[::1]
    full = (float64(vector, data_t), none(vector, data_t, vector), none(vector, vector, data_t, vector))
    if not sampled:
        return full
    return (*full, float64(vector, rows, data_t), none(vector, rows, data_t, vector),
            none(vector, vector, rows, data_t, vector))


def function_types(data_t, sampled=False):
    """Types of pointers to the canonical callables."""
    from numba import types

    return tuple(types.FunctionType(signature) for signature in signatures(data_t, sampled))


def compile_callables(callables, data_t):
    """Compile the canonical callables for data of this type, or say why numba cannot."""
    from numba.core.errors import NumbaError

    names = ("fun", "jac", "hessp or hess", "fun on batches", "jac on batches", "hessp on batches")
    for name, function, signature in zip(names, callables, signatures(data_t, len(callables) > 3)):
        try:
            function.compile(signature)
        except (NumbaError, TypeError) as error:
            raise NotCompilable(f"numba cannot call {name} in compiled code: {first_line(error)}") from error


def name_apart(*records):
    """Give the classes of these NamedTuples names that numba can tell apart.

    The look-up of an argument's type, when machine code is called, goes by the names of the class and its fields and
    by their types, but not by the module: the `State` of one method would pass for that of another.
    """
    for record in records:
        cls = type(record)
        cls.__name__ = f"{cls.__module__}.{cls.__qualname__}".replace(".", "_")     # pickle goes by __qualname__


def _compile_loop(make_advance, parts, types_, sampled):
    from numba import float64, int64, njit, types

    from ._compiled_tuples import plain_type
    from ._compiled_whole import WHOLE

    data_t, state_t, params_t, tol_t, best_t = types_
    pointers, extra = function_types(data_t, sampled), (int64,) if sampled else ()
    signature = types.Tuple((plain_type(state_t), int64, int64, float64))(
        types.UniTuple(int64, len(pointers)), *extra, data_t, state_t, params_t, tol_t, best_t, int64, int64, float64[:, ::1],
    )
    make = make_sampled_entry if sampled else make_entry
    dispatcher = njit(error_model="numpy", nogil=True, **WHOLE)(make(make_advance(*parts), pointers))
    # A loop that uses a Generator holds addresses of NumPy's functions, which differ from process to process.
    identity = None if sampled else identity_of(parts)
    if identity is not None:
        cached(dispatcher, identity)
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


def _compile(make_advance, parts, objective, callables, arguments):
    """(loop, addresses of these callables): compiles them, and the loop where this process has not done so yet."""
    from numba.core.errors import NumbaError

    from ._compiled_pointers import address_of
    from ._compiled_types import types_for

    name_apart(*arguments)
    types_ = types_for(objective.data, *arguments)
    sampled = len(callables) > 3
    compile_callables(callables, types_[0])
    with _lock:
        if (parts, types_) not in _loops:
            try:
                _loops[parts, types_] = _compile_loop(make_advance, parts, types_, sampled)
            except NumbaError as error:
                raise NotCompilable(f"the loop does not compile: {first_line(error)}") from error
        return _loops[parts, types_], tuple(map(address_of, callables, signatures(types_[0], sampled)))


def duplicate(tree, known):
    """A deep copy of nested tuples of arrays and numbers, at a tenth of the price of `copy.deepcopy`. An array that
    occurs twice is one array in the copy as well; `known` maps what has been copied."""
    kind = type(tree)
    if kind is float or kind is int:
        return tree
    if isinstance(tree, tuple):
        parts = [duplicate(part, known) for part in tree]
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    if kind is np.ndarray and tree.dtype != object:
        if id(tree) not in known:
            known[id(tree)] = tree.copy()
        return known[id(tree)]
    return copy.deepcopy(tree, known)


def compiled_advance(make_advance, parts, objective, arguments):
    """(advance, seconds spent compiling). Raises NotCompilable, with the reason, where it cannot be done."""
    if not ENABLED:
        raise NotCompilable("CURVOPT_JIT=0 is set")
    from ._compiled_types import type_of

    began = time.perf_counter()
    callables = objective.compiled_callables()
    # The types of state and parameters follow from the method; asking numba for them at each solve would cost 100 us.
    key = (parts, callables, type_of(objective.args))
    ready = _ready.get(key)
    if ready is None:
        with Notice():
            ready = _compile(make_advance, parts, objective, callables, arguments)
        if len(_ready) >= 256:
            _ready.clear()      # a caller that makes new functions all the time must not fill the memory
        _ready[key] = ready
    entry, addresses = ready
    functions = (addresses, objective.n_samples) if len(callables) > 3 else (addresses,)
    spent = time.perf_counter() - began

    interpreted = make_advance(*parts)

    def advance(oracle, state, params, tol, best, nit, budget, trace):
        before = duplicate((state, best), {}) if budget > 1 else (state, best)
        counts, known = objective.counts.copy(), objective.known()
        try:
            values, nit, status, gnorm = entry(*functions, objective.data, state, params, tol, best, nit, budget, trace)
        except BaseException as error:
            while isinstance(error, SystemError) and error.__cause__ is not None:
                error = error.__cause__     # raised by the handler of a signal while numba handed back the results
            state, best = before
            if budget > 1:
                objective.remember(counts, known)
                if not isinstance(error, KeyboardInterrupt):
                    state, nit, error = replay(interpreted, oracle, state, params, tol, best, nit, budget, trace[:0], error)
            raise Broken(state, best, nit, error) from None
        return named(values, state), nit, status, gnorm

    advance.functions = callables   # which have to live as long as their addresses are used
    return advance, spent


class Broken(Exception):
    """Something was raised inside a compiled chunk. Carries the state before the step that raised, the best point, the
    iteration, and what was raised."""


def replay(advance, oracle, state, params, tol, best, nit, budget, trace, error):
    """(state, nit, error) before the step of a chunk that raised: the chunk again, interpreted, one step at a time.

    The buffers of the chunk that was lost are somewhere inside it. The same steps have the same bits and end at the same
    exception, with the iterate before it known and a Python traceback. When they raise nothing, `error` came from outside,
    such as the handler of a signal, and still holds.
    """
    try:
        for _ in range(budget):
            state, nit, status, _ = advance(oracle, state, params, tol, best, nit, 1, trace)
            if status != RUNNING:
                break
    except BaseException as raised:
        return state, nit, raised
    return state, nit, error


def named(values, like):
    """Plain tuples with the names of `like` put back, inner ones as well."""
    return type(like)(*(named(v, inner) if isinstance(inner, tuple) else v for v, inner in zip(values, like)))


class Notice:
    """Says that something is being compiled when it takes longer than anyone would expect a solve to take."""

    def __enter__(self):
        self._timer = threading.Timer(NOTICE_AFTER, self._say)
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *exception):
        self._timer.cancel()

    def _say(self):
        print("curvopt: compiling (once per machine; CURVOPT_JIT=0 runs everything interpreted) ...", file=sys.stderr)


def first_line(error):
    if "NRT required" in str(error):    # the adapters hand arrays on without counting references, and take nothing else
        return "it must return an array, not a list, and args must hold none"
    if "float(OptionalType(" in str(error):
        return "it may return None"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wanted = [line for line in lines if not line.startswith("Failed in")    # a line that all of numba's errors begin with
              and re.search("(?i:error|cannot|unknown|invalid)|No |must be", line)]
    return (wanted or lines or [type(error).__name__])[0][:200]
