"""Rows handed out in slices: to threads that run compiled code, or one by one to Python functions."""
import math
import pickle
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from . import _threads
from ._status import INTERRUPTED, MAXTIME, RUNNING

SLICE_SECONDS = 0.01    # a slice should take about this long: uneven problems balance, and the clock is seen often
SHORTEST_SECONDS = 0.0001   # what handing out a slice costs, 3 us, should not show
JOIN_SECONDS = 0.0003   # others are asked to join where as much is left to do: they begin 0.05 ms later
LARGEST_SLICE, GROWTH = 65536, 8


@dataclass
class Outputs:
    """Arrays that the solves write into, one row a problem."""

    x: np.ndarray
    fun: np.ndarray
    jac: np.ndarray
    status: np.ndarray
    numbers: np.ndarray     # (k, 4): nit, nfev, njev, nhev

    @classmethod
    def empty(cls, starts):
        """Rows that no solve has touched hold their start and the status RUNNING."""
        k, n = starts.shape
        return cls(starts.copy(), np.full(k, np.nan), np.full((k, n), np.nan), np.full(k, RUNNING), np.zeros((k, 4), np.int64))

    def arrays(self):
        return self.x, self.fun, self.jac, self.status, self.numbers

    def give_up(self, status):
        self.status[self.status == RUNNING] = status


class Queue:
    """Hands out [begin, end) slices, longer or shorter as the last ones took less or more time than they should.

    The first one is a single row, since nobody knows how long one takes. Towards the end they become shorter, so that no
    worker is left with a long one while the others have nothing to do.
    """

    def __init__(self, k, largest, workers):
        self.k, self.largest, self.workers = k, min(largest or LARGEST_SLICE, LARGEST_SLICE), workers
        self.next, self.size, self.shortest = 0, 1, 1
        self.done, self.rate = 0, math.inf      # rows solved, rows a second
        self.stopped = False
        self.lock = threading.Lock()

    def take(self):
        with self.lock:
            begin = self.next
            if self.stopped:
                return begin, begin
            share = math.ceil((self.k - begin) / (2 * self.workers)) if self.workers > 1 else self.k
            self.next = end = min(begin + min(self.size, max(share, self.shortest)), self.k)
        return begin, end

    def timed(self, rows, seconds):
        with self.lock:
            self.done += rows
            self.rate = rate = rows / max(seconds, 1e-9)
            self.size = int(min(max(rate * SLICE_SECONDS, 1), self.largest, GROWTH * self.size))
            self.shortest = math.ceil(rate * SHORTEST_SECONDS)

    def worth_sharing(self):
        """Whether so much is left that other threads should join. A single cheap row says too little."""
        seconds = 1 / self.rate
        return (self.workers > 1 and (self.done > 1 or seconds > SHORTEST_SECONDS)
                and (self.k - self.next) * seconds > JOIN_SECONDS)


class ProgressBar:
    """tqdm's bar where it is wanted and installed, otherwise nothing."""

    def __init__(self, total, wanted):
        self.bar = None
        if wanted:
            try:
                from tqdm.auto import tqdm

                self.bar = tqdm(total=total, unit="problem", unit_scale=True)
            except ImportError:
                pass

    def show(self, done):
        if self.bar is not None and done > self.bar.n:
            self.bar.update(done - self.bar.n)

    def close(self):
        if self.bar is not None:
            self.bar.close()


def run_compiled(solve_rows, outputs, workers, options, ctrl_c):
    """Solve all rows. This thread begins; others join it where there is enough left to do.

    On an exception no further slice is begun, and the row is named.
    """
    queue = Queue(len(outputs.fun), options.chunk, workers)
    arrays, here = outputs.arrays(), threading.get_ident()
    limit = math.inf if options.maxtime is None else time.perf_counter() + options.maxtime
    bar, late = ProgressBar(len(outputs.fun), options.disp), False

    def work(alone):
        nonlocal late
        cursor = np.zeros(1, np.int64)
        while not (alone and queue.worth_sharing()):
            begin, end = queue.take()
            if begin == end:
                return
            clock = time.perf_counter()
            try:
                solve_rows(begin, end, cursor, arrays)
            except BaseException as error:
                queue.stopped = True
                arrays[3][cursor[0]:end] = RUNNING
                raise blamed(error, cursor[0]) from None
            now = time.perf_counter()
            queue.timed(end - begin, now - clock)
            if now > limit or ctrl_c.pressed:
                late, queue.stopped = now > limit, True
            if threading.get_ident() == here:
                bar.show(queue.done)

    try:
        work(alone=True)
        if queue.next < queue.k and not queue.stopped:
            _threads.each(work, [False] * min(workers, queue.k - queue.next), workers)
    except KeyboardInterrupt:
        late = False
    finally:
        bar.show(queue.done)
        bar.close()
        outputs.give_up(MAXTIME if late else INTERRUPTED)


def blamed(error, row):
    """What was raised in a row of compiled code, with a note of the row; an interrupt needs none."""
    while isinstance(error, SystemError) and error.__cause__ is not None:
        error = error.__cause__     # raised by the handler of a signal while numba handed back the results
    if isinstance(error, Exception):
        error.add_note(f"curvopt: raised in row {row} of minimize_many")
    return error


def solve_python_row(method, fun, jac, hessp, start, args, options):
    """One row by the interpreted loop: what the compiled code would write into the outputs."""
    from ._status import NONFINITE

    if not np.all(np.isfinite(start)):
        return start, math.nan, np.full(start.size, math.nan), int(NONFINITE), (0, 0, 0, 0)
    kept = {name: getattr(options, name) for name in ("gtol", "ftarget", "maxiter", "maxfev", "maxjev", "maxhev")}
    kept["norm"] = {0: math.inf, 1: 1, 2: 2}[options.norm]
    kept["nonfinite"] = "stop" if options.nonfinite == "raise" else options.nonfinite
    result = method(fun, start, args=args, jac=jac, hessp=hessp, compiled=False, **kept)
    return result.x, result.fun, result.jac, int(result.status), (result.nit, result.nfev, result.njev, result.nhev)


def check_picklable(workers, functions):
    if workers > 1:
        try:
            pickle.dumps(functions)
        except Exception as error:
            raise ValueError(f"workers = {workers} runs Python functions in other processes, which needs functions that can be "
                             f"pickled (defined at the top of a module, no lambdas): {error}") from None


def run_python(method, fun, jac, hessp, starts, args, shared, outputs, workers, options, ctrl_c):
    """Solve the rows one by one, here or in processes. The numbers are the same."""
    check_picklable(workers, (fun, jac, hessp, shared))
    k, done = len(starts), 0
    limit = math.inf if options.maxtime is None else time.perf_counter() + options.maxtime
    bar, why = ProgressBar(k, options.disp), INTERRUPTED

    def task(i):
        return method, fun, jac, hessp, starts[i], tuple(array[i] for array in args) + shared, options

    def stopped():
        nonlocal why
        why = INTERRUPTED if ctrl_c.pressed else MAXTIME
        return ctrl_c.pressed or time.perf_counter() > limit

    def store(i, row):
        nonlocal done
        if row[3] == INTERRUPTED:   # such rows hold their start
            raise KeyboardInterrupt
        outputs.x[i], outputs.fun[i], outputs.jac[i], outputs.status[i], outputs.numbers[i] = row
        done += 1
        bar.show(done)

    row, futures = 0, {}
    try:
        if workers == 1:
            for row in range(k):
                if stopped():
                    break
                store(row, solve_python_row(*task(row)))
        else:
            with warnings.catch_warnings(), ProcessPoolExecutor(workers) as pool:
                # Python 3.12 warns of forks in a process with threads, whose locks would stay locked. Ours wait and hold none.
                warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
                try:
                    for row in range(-4 * workers, k):      # so many are begun ahead of the one whose result is awaited
                        i = row + 4 * workers
                        if i < k and not stopped():
                            futures[i] = pool.submit(solve_python_row, *task(i))
                        if row in futures:
                            store(row, futures.pop(row).result())
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    except KeyboardInterrupt:
        why = INTERRUPTED
    except Exception as error:
        error.add_note(f"curvopt: raised in row {row} of minimize_many")
        raise
    finally:
        bar.close()
        outputs.give_up(why)
