"""Rows handed out in slices: to threads that run compiled code, or one by one to Python functions."""
import math
import pickle
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from ._interrupt import CtrlC
from ._status import INTERRUPTED, MAXTIME, RUNNING

SLICE_SECONDS = 0.01    # a slice should take about this long: uneven problems balance, and the clock is seen often
SHORTEST_SECONDS = 0.0001   # what handing out a slice costs, 3 us, should not show
COUNT_SECONDS = 5 * SLICE_SECONDS
# So long the calling thread works by itself before it asks others to join. Measured on 2,000 fits of 2.8 us: threads after
# 2 ms make a call that others like it have just preceded 1.2 times faster, and one that follows other work 1.1 times slower.
ALONE_SECONDS = 0.015
FIRST_SLICE, LARGEST_SLICE = 16, 65536


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

    Towards the end they become shorter, so that no worker is left with a long one while the others have nothing to do.
    """

    def __init__(self, k, largest, workers):
        self.k, self.largest, self.workers = k, min(largest or LARGEST_SLICE, LARGEST_SLICE), workers
        self.next, self.size, self.shortest = 0, min(FIRST_SLICE, self.largest), 1
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
        rate = rows / max(seconds, 1e-9)
        self.size = int(min(max(rate * SLICE_SECONDS, 1), self.largest, 4 * self.size))
        self.shortest = math.ceil(rate * SHORTEST_SECONDS)


def progress_bar(total, shown):
    """tqdm's bar where it is wanted and installed; otherwise something with the same two methods."""
    if shown:
        try:
            from tqdm.auto import tqdm

            return tqdm(total=total, unit="problem", unit_scale=True)
        except ImportError:
            pass
    return _Silent()


class _Silent:
    def update(self, n):
        pass

    def close(self):
        pass


def results_of(work, workers):
    """(rows done, exception or None) each time that a worker comes back, and now and then while none does."""
    empty = False
    while not empty:    # without threads; work that is soon over needs none
        done, error = 0, None
        try:
            done, empty = work(COUNT_SECONDS if workers == 1 else ALONE_SECONDS)
        except Exception as raised:
            error, empty = raised, True
        yield done, error
        if workers > 1:
            break
    if empty:
        return
    with ThreadPoolExecutor(workers) as pool:
        pending = {pool.submit(work, COUNT_SECONDS) for _ in range(workers)}
        while pending:
            finished, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in finished:
                error = future.exception()
                done, empty = (0, True) if error else future.result()
                if not empty:
                    pending.add(pool.submit(work, COUNT_SECONDS))
                yield done, error
            if not finished:
                yield 0, None


def run_compiled(solve_rows, outputs, workers, options):
    """Solve all rows in threads. On an exception no further slice is begun, and the row is named."""
    queue = Queue(len(outputs.fun), options.chunk, workers)
    arrays = outputs.arrays()

    def work(seconds):
        done, cursor = 0, np.zeros(1, np.int64)
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:   # return now and then, so that the main thread can count and look around
            begin, end = queue.take()
            if begin == end:
                return done, True
            clock = time.perf_counter()
            try:
                solve_rows(begin, end, cursor, arrays)
            except Exception as error:
                queue.stopped = True
                arrays[3][cursor[0]:end] = RUNNING
                error.add_note(f"curvopt: raised in row {cursor[0]} of minimize_many")
                raise
            queue.timed(end - begin, time.perf_counter() - clock)
            done += end - begin
        return done, False

    limit = math.inf if options.maxtime is None else time.perf_counter() + options.maxtime
    bar, why, failure = progress_bar(len(outputs.fun), options.disp), INTERRUPTED, None

    with CtrlC() as ctrl_c:
        for done, error in results_of(work, workers):
            bar.update(done)
            failure = failure or error
            if ctrl_c.pressed or time.perf_counter() > limit:
                why = INTERRUPTED if ctrl_c.pressed else MAXTIME
                queue.stopped = True
    bar.close()
    outputs.give_up(why)
    if failure is not None:
        raise failure


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


def run_python(method, fun, jac, hessp, starts, args, shared, outputs, workers, options):
    """Solve the rows one by one, here or in processes. The numbers are the same."""
    check_picklable(workers, (fun, jac, hessp, shared))
    k = len(starts)
    limit = math.inf if options.maxtime is None else time.perf_counter() + options.maxtime
    bar, why = progress_bar(k, options.disp), INTERRUPTED

    def task(i):
        return method, fun, jac, hessp, starts[i], tuple(array[i] for array in args) + shared, options

    def store(i, row):
        outputs.x[i], outputs.fun[i], outputs.jac[i], outputs.status[i], outputs.numbers[i] = row
        bar.update(1)

    with CtrlC() as ctrl_c:
        def stopped():
            nonlocal why
            why = INTERRUPTED if ctrl_c.pressed else MAXTIME
            return ctrl_c.pressed or time.perf_counter() > limit

        i = 0
        try:
            if workers == 1:
                for i in range(k):
                    if stopped():
                        break
                    store(i, solve_python_row(*task(i)))
            else:
                with ProcessPoolExecutor(workers) as pool:
                    ahead, futures = 4 * workers, {}
                    for i in range(k + ahead):
                        if i < k and not stopped():
                            futures[i] = pool.submit(solve_python_row, *task(i))
                        if i - ahead in futures:
                            store(i - ahead, futures.pop(i - ahead).result())
        except Exception as error:
            row = i if workers == 1 else min(futures, default=i)
            error.add_note(f"curvopt: raised in row {row} of minimize_many")
            raise
        finally:
            bar.close()
            outputs.give_up(why)
