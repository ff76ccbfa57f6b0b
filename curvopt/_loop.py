"""The only iteration loop.

`make_advance` writes the loop around a method's step; the text runs as it is, or compiled (`_compiled_loop`), with the
same bits. `iterates` drives it in chunks. Everything public is a consumer of `iterates`.
"""
import copy
import time
from typing import NamedTuple

import numpy as np

from ._compiled_loop import Broken, compiled_advance
from ._jit import CompileClock, kernel
from ._objective import NotCompilable
from ._oracle import NFEV, NHEV, NJEV, ROWS, SAMPLE_F
from ._status import RUNNING
from ._stopping import Best, check, first_best, improves, keep_best

FIRST_CHUNK, LARGEST_CHUNK = 64, 2 ** 20
INTERPRETED_CHUNK = 16              # evaluations may become slow without warning
CHUNK_SECONDS = 0.02    # the longest time in which callbacks, the clock and Ctrl-C have to wait for a compiled loop
COLUMNS = ("nit", "fun", "grad_norm", "step", "nfev", "njev", "nhev")


@kernel
def write_row(row, nit, f, gnorm, alpha, counts):
    row[0] = nit
    row[1] = f
    row[2] = gnorm
    row[3] = alpha
    row[4] = counts[NFEV]
    row[5] = counts[NJEV]
    row[6] = counts[NHEV]
    if counts[ROWS] > 0:
        for i in range(3):
            row[4 + i] = counts[SAMPLE_F + i] / counts[ROWS]


def make_advance(step, residual, report, monotone):
    """The loop of a method: at most `budget` steps from `state`, rows into `trace` unless it is empty."""

    def advance(oracle, state, params, tol, best, nit, budget, trace):
        status, gnorm = RUNNING, 0.0
        for j in range(budget):
            state = step(oracle, state, params)
            nit += 1
            gnorm = residual(state, tol.norm)
            if improves(best.scalars, state.f, gnorm) and not monotone:
                keep_best(best, state.x, state.g)
            status = check(tol, nit, oracle.data.counts, state.f, gnorm, state.flag, best.scalars)
            if trace.shape[0] > 0:
                write_row(trace[j], nit, state.f, gnorm, state.alpha, oracle.data.counts)
                report(state, trace[j, 7:])
            if status != RUNNING:
                break
        return state, nit, status, gnorm

    return advance


class Snapshot(NamedTuple):
    """What a consumer of `iterates` sees after each chunk."""

    nit: int
    status: int
    state: tuple
    gnorm: float
    best: Best
    rows: np.ndarray
    seconds: float          # since the start, without compilation
    compile_seconds: float
    compiled: bool          # whether the loop is machine code


class RunState(NamedTuple):
    """A stopped run, to be pickled or handed to ``resume``. Arrays are never shared with a run that goes on."""

    method: object
    state: tuple
    best: Best
    nit: int
    counts: np.ndarray
    known: np.ndarray       # evaluations that the next step may ask for again, see `Objective.known`
    seconds: float

    def __repr__(self):
        return f"<RunState of {self.method.name} at iteration {self.nit}>"


class Last:
    """The state that the step under way was given, so that an exception inside a chunk does not lose it."""

    state, done = None, -1      # steps of the chunk that are over

    def remembers(self, step):
        def remembering(oracle, state, params):
            self.state = state
            self.done += 1
            return step(oracle, state, params)

        return remembering


def next_size(size, seconds, largest):
    """How many iterations the next chunk has, after one of `size` that took so long."""
    if seconds < CHUNK_SECONDS / 2:
        return min(2 * size, largest)
    return max(size // 2, 1) if seconds > 2 * CHUNK_SECONDS else size


def start(method, objective, x0, tol):
    """(oracle, state, best) at x0."""
    oracle = objective.oracle()
    state = method.init(oracle, x0, method.params)
    gnorm = method.residual(state, tol.norm)
    return oracle, state, first_best(state, gnorm, method.monotone)


def restart(objective, run_state):
    """(oracle, state, best) of a stopped run; counts and known evaluations go on from where they were."""
    objective.remember(run_state.counts, run_state.known)
    state, best = copy.deepcopy((run_state.state, run_state.best))
    return objective.oracle(), state, best


class Stopwatch:
    """Seconds of a run, without what numba spends on compiling: the loop, the kernels, or a function of the user."""

    def __init__(self, before):
        self.before, self.began, self.loop, self.inside = before, time.perf_counter(), 0.0, 0.0
        self.clock = CompileClock()

    def compiling(self, compile_loop, *arguments):
        """The advance that `compile_loop` returns; all of its time is compilation, also what numba does not count."""
        counted = self.clock.seconds
        advance, self.loop = compile_loop(*arguments)
        self.inside = self.clock.seconds - counted
        return advance

    def seconds(self):
        compiled = self.loop + max(self.clock.seconds - self.inside, 0.0)
        return self.before + max(time.perf_counter() - self.began - compiled, 0.0)


def iterates(method, objective, x0, tol, **keywords):
    """Yield a Snapshot at the start and after every chunk of iterations, until a status ends the run. See `_iterates`."""
    resume = keywords.get("resume")
    watch = Stopwatch(0.0 if resume is None else resume.seconds)
    with watch.clock:
        yield from _iterates(watch, method, objective, x0, tol, **keywords)


def _iterates(watch, method, objective, x0, tol, *, chunk=None, compiled=False, history=False, resume=None, refused=None):
    """The snapshots of a run.

    A chunk is `chunk` iterations or, where that is None, as many as take about 20 ms, in the interpreted loop at most
    `INTERPRETED_CHUNK`. A loop that does not compile is reported to `refused`, and runs interpreted if that returns.
    """
    if resume is None:
        oracle, state, best = start(method, objective, x0, tol)
        nit = 0
    else:
        oracle, state, best = restart(objective, resume)
        nit = resume.nit
    gnorm = method.residual(state, tol.norm)
    status = check(tol, nit, objective.counts, state.f, gnorm, state.flag, best.scalars)
    width = len(COLUMNS) + len(method.columns)
    rows = np.zeros((0, width))
    if history:
        rows = np.zeros((1, width))
        write_row(rows[0], nit, state.f, gnorm, state.alpha, objective.counts)
        method.report(state, rows[0, len(COLUMNS):])
    parts = (method.step, method.residual, method.report, method.monotone)
    last = Last()
    interpreted = make_advance(last.remembers(method.step), *parts[1:])
    advance = interpreted
    if compiled and status == RUNNING:
        try:
            advance = watch.compiling(compiled_advance, make_advance, parts, objective, (state, method.params, tol, best))
        except NotCompilable as error:
            refused(error)
            compiled = False
    yield Snapshot(nit, status, state, gnorm, best, rows, watch.seconds(), watch.loop, compiled)
    size, trace = chunk or (FIRST_CHUNK if compiled else 1), None
    largest = LARGEST_CHUNK if compiled else INTERPRETED_CHUNK
    while status == RUNNING:
        if history or trace is None:
            trace = np.zeros((size if history else 0, width))
        first, last.done, before = nit, -1, watch.seconds()
        try:
            state, nit, status, gnorm = advance(oracle, state, method.params, tol, best, nit, size, trace)
        except Broken as broken:
            state, best, nit, error = broken.args
            if size > 1:    # the last snapshot was that of the iterate before the chunk
                gnorm = method.residual(state, tol.norm)
                yield Snapshot(nit, status, state, gnorm, best, trace[:0], watch.seconds(), watch.loop, compiled)
            raise error from None
        except BaseException:
            if last.done > 0:   # show what the chunk had reached before the exception goes on
                nit, state, gnorm = first + last.done, last.state, method.residual(last.state, tol.norm)
                yield Snapshot(nit, status, state, gnorm, best, trace[:last.done], before, watch.loop, compiled)
            raise
        after = watch.seconds()
        yield Snapshot(nit, status, state, gnorm, best, trace[: nit - first], after, watch.loop, compiled)
        if chunk is None:
            size = next_size(size, after - before, largest)
