"""The human side of a run: chunks, callback, clock, Ctrl-C, budgets of time, the table, the result."""
import math
import re

import numpy as np

from ._blocks import threads_take
from ._callback import Table, adapt_callback
from ._interrupt import CtrlC
from ._loop import RunState, iterates
from ._notices import warn
from ._options import split
from ._problem_checks import make_objective, refuse_bounds
from ._result import Record, assemble, best_point, intermediate, message
from ._second_order import Verified
from ._status import BAD_BOUND, CALLBACK, INTERRUPTED, MAXTIME, NONFINITE, RUNNING

CALLS = "curvopt calls functions compiled by numba with"


class PerformanceHint(UserWarning):
    """The compiled loop was not possible although every function was compiled by the user."""


def prepare(method, fun, x0, args, jac, hess, hessp, bounds, constraints, options):
    """(method, options, objective, x0) checked and ready to iterate."""
    options, parameters = split(dict(options), method)
    method = method.replace(**parameters) if parameters else method
    refuse_bounds(method, bounds, constraints)
    objective, x0 = make_objective(method, fun, x0, args, jac, hess, hessp, options.rng)
    resume = options.resume
    if resume is not None:
        if not isinstance(resume, RunState):
            raise TypeError(f"resume must be the `state` of an earlier result, got {type(resume).__name__}")
        if resume.method != method:
            raise ValueError(f"resume: the state is one of {resume.method!r}, not of {method!r}")
        if resume.state.x.size != x0.size:
            raise ValueError(f"resume: the state has {resume.state.x.size} variables, x0 has {x0.size}")
    return method, options, objective, x0


def snapshots(method, options, objective, x0, every_iteration, resume=None):
    """Generator of snapshots. Decides which loop runs, and says so when asked in vain."""
    reason = method.interpreted_only or objective.why_not_compilable()
    if options.compiled is None and not reason:
        reason = "a callback wants every iteration" if every_iteration else method.interpreted_unless_asked
        reason = reason or (threads_take(x0.size) and "threads take part, which only the interpreted loop has")
    if options.compiled and reason:
        raise ValueError(f"compiled=True, but the loop cannot be compiled: {reason}")

    def refused(error):
        if options.compiled:
            raise ValueError(f"compiled=True, but the loop cannot be compiled: {error}") from error
        warn(f"{method.name} runs interpreted: {error}", PerformanceHint)

    chunk = options.chunk or (options.disp if options.disp > 1 else None)
    return iterates(method, objective, x0, options.tolerances(x0.size), chunk=1 if every_iteration else chunk,
                    compiled=options.compiled is not False and not reason, history=bool(options.history),
                    resume=resume or options.resume, refused=refused)


def solve(method, fun, x0, args, jac, hess, hessp, bounds, constraints, callback, options):
    """Run `method` to its end and return the Result."""
    method, options, objective, x0 = prepare(method, fun, x0, args, jac, hess, hessp, bounds, constraints, options)
    callback = adapt_callback(callback)
    every_iteration = callback is not None or options.return_all
    stream = Verified(method, objective, options.norm,
                      lambda resume: snapshots(method, options, objective, x0, every_iteration, resume))
    record, table = Record(options.history, options.return_all, objective.shape), Table(options.disp, method)
    maxtime = math.inf if options.maxtime is None else options.maxtime
    snapshot, status = None, RUNNING
    watched = options.history or options.return_all or options.disp > 1
    with CtrlC() as ctrl_c:
        try:
            for snapshot in stream:
                status = snapshot.status
                if watched:
                    record.add(snapshot)
                    table.show(snapshot, objective.counts)
                if callback is not None and snapshot.nit > 0 and stops(callback, intermediate(method, objective, snapshot)):
                    status = CALLBACK
                elif status == RUNNING and ctrl_c.pressed:
                    status = INTERRUPTED
                elif status == RUNNING and snapshot.seconds >= maxtime:
                    status = MAXTIME
                if status != RUNNING:
                    break
        except KeyboardInterrupt:
            if snapshot is None:
                raise
            status = INTERRUPTED
        except Exception as error:
            if isinstance(error, RuntimeError) and isinstance(error.__cause__, StopIteration):
                error = error.__cause__     # raised by a user function; a generator lets it out in disguise (PEP 479)
            tell_types(error, objective)
            if snapshot is not None:
                attach(error, method, objective, snapshot)
            raise error
    if status == NONFINITE and options.nonfinite == "raise":
        raise nonfinite_error(method, objective, snapshot)
    if status == BAD_BOUND:
        raise bound_error(method, objective, snapshot)
    result = assemble(method, objective, snapshot, status, record, options.nonfinite)
    if stream.second_order is not None:
        result.second_order, result.curvature = stream.second_order.verdict, stream.second_order.smallest
    result.keep(objective, options)
    table.summary(result)
    return result


def stops(callback, result):
    try:
        callback(result)
    except StopIteration:
        return True
    return False


def attach(error, method, objective, snapshot):
    """Leave the iterate so far with an exception of a user function, which goes on unchanged."""
    x, f, _ = best_point(method, snapshot)
    shown = np.array2string(x.reshape(objective.shape), floatmode="unique", threshold=50, separator=", ")
    try:
        error.add_note(f"curvopt: {method.name} was at iteration {snapshot.nit}; best point so far: fun = {f!r}, x = {shown}")
        error.curvopt_x, error.curvopt_fun = x.copy().reshape(objective.shape), float(f)
    except AttributeError:
        pass    # an exception that takes no attributes: better it comes out bare than another one in its place


def tell_types(error, objective):
    """numba's errors speak of types, and not of who passed them: say what the functions were called with."""
    numbas = type(error).__module__.startswith("numba.") or (
        isinstance(error, TypeError) and re.search("arguments: expected|No matching definition", str(error)))
    if numbas:
        args = ", ".join(f"{a.dtype} array of shape {a.shape}" if isinstance(a, np.ndarray) else type(a).__name__
                         for a in objective.args)
        notes = getattr(error, "__notes__", [])     # numba raises the same exception again when asked again
        notes[:] = [note for note in notes if not note.startswith(CALLS)]
        error.add_note(
            f"{CALLS} x, a float64 array of shape {objective.shape}, and args = ({args}). "
            "Where they cannot take these: other args, no signature for numba, or functions that are not compiled.")


def nonfinite_error(method, objective, snapshot):
    error = FloatingPointError(f"{method.name}: {message(method, NONFINITE, snapshot, 'raise')}")
    attach(error, method, objective, snapshot)
    return error


def bound_error(method, objective, snapshot):
    """A value below f_star or f_lower. With a wrong bound the steps built on it are wrong: the user has to know."""
    given = ", ".join(f"{p}={getattr(method, p)!r}" for p in ("f_star", "f_lower") if getattr(method, p, None) is not None)
    error = ValueError(f"{method.name}: fun is {snapshot.state.f!r} at a point, below its bound ({given}); give a lower one")
    attach(error, method, objective, snapshot)
    return error
