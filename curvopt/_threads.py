"""Threads that wait for work: compiled pieces handed to the cores of this process in tens of microseconds.

Threads made anew take a millisecond until they run; these are started at their first use and then wait. Pieces should be
calls of machine code that releases the interpreter's lock: only then do they run at the same time.

The calling thread always works itself and waits for no helper that has not begun, so a caller that finds no helper free does
its pieces alone, nested calls cannot lock each other, and a helper that a busy machine wakes too late delays nobody.

Measured on two cores: a call costs its thread 2 us alone and 10 us with a helper; that begins 45 us after the call, and
where the caller has nothing left to do, it goes on 40 us after the helper's end. All but 10 us of it is the system waking a
thread that sleeps. Two pieces of 0.5 ms therefore take 0.59 ms; a few pieces a thread hide the second part.
"""
import ctypes
import os
import threading
from collections import deque
from queue import SimpleQueue

VARIABLE = "CURVOPT_NUM_THREADS"

_idle = deque()         # helpers that wait; the last to come is the first to go
_started = 0            # helpers of this process
_start_lock = threading.Lock()


def count():
    """Threads to use: the number in the environment variable CURVOPT_NUM_THREADS, else the cores this process may use.

    Raises
    ------
    ValueError
        If the variable holds something else than a positive integer.
    """
    wish = os.environ.get(VARIABLE, "").strip()
    if wish:
        if not (wish.isascii() and wish.isdigit() and int(wish) > 0):
            raise ValueError(f"environment variable {VARIABLE} must be a positive integer, got {wish!r}")
        return int(wish)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(function, pieces, threads=None):
    """[function(piece) for piece in pieces], in several threads, the calling one among them.

    Parameters
    ----------
    function : callable
    pieces : iterable
        Handed out in order, the first one to the calling thread.
    threads : int, optional
        At most so many take part; `count()`, when omitted.

    Returns
    -------
    list
        In the order of `pieces`.

    Raises
    ------
    BaseException
        What the first failing piece raised, after all pieces that were running have ended; no further one is begun.
        KeyboardInterrupt goes before all others.
    """
    job = _Job(function, pieces)
    helpers = min(count() if threads is None else threads, len(job.waiting)) - 1
    interrupt = None
    try:
        if helpers > 0:
            core = _core()
            for helper in _free(helpers):
                helper.keep_off(core)
                helper.inbox.put(job)
        job.work()
    except BaseException as error:  # a signal, between two pieces
        interrupt = error
    while True:
        try:
            job.close()
            break
        except BaseException as error:  # a signal again: the helpers still write into what the caller gave
            interrupt = error
    return job.outcome(interrupt)


class _Job:
    """One call of `each`: what is left to do, and who is at it."""

    __slots__ = ("closed", "ended", "errors", "function", "lock", "results", "running", "waiting")

    def __init__(self, function, pieces):
        self.function, self.waiting = function, deque(enumerate(pieces))
        self.results, self.errors = [None] * len(self.waiting), {}
        self.running, self.closed = 0, False    # helpers at work; whether one may still begin
        self.lock, self.ended = threading.Lock(), threading.Lock()
        self.ended.acquire()

    def work(self):
        while self.waiting:
            try:
                i, piece = self.waiting.popleft()
            except IndexError:      # another thread took the last one
                return
            try:
                self.results[i] = self.function(piece)
            except BaseException as error:
                self.errors[i] = error
                self.waiting.clear()

    def help(self):
        """`work`, in another thread, unless the caller has done all by then."""
        with self.lock:
            if self.closed:
                return
            self.running += 1
        self.work()
        with self.lock:
            self.running -= 1
            if self.closed and self.running == 0:
                self.ended.release()

    def close(self):
        """Let no helper begin from now on, and wait for those at work. May be called again after a signal."""
        self.waiting.clear()
        with self.lock:
            self.closed = True
        while self.running:
            self.ended.acquire()

    def outcome(self, interrupt):
        if interrupt is None and self.errors:
            first = sorted(self.errors, key=lambda i: (isinstance(self.errors[i], Exception), i))[0]
            interrupt = self.errors[first]
        if interrupt is None:
            return self.results
        try:
            raise interrupt
        finally:        # a traceback leads here: without this it would keep the caller's arrays alive
            self.errors = interrupt = None


class _Helper:
    """A thread that waits for jobs."""

    def __init__(self, number):
        self.inbox, self.off = SimpleQueue(), None
        thread = threading.Thread(target=self._serve, name=f"curvopt-{number}", daemon=True)
        thread.start()
        self.thread_id = thread.native_id

    def _serve(self):
        while True:
            job = self.inbox.get()
            job.help()
            del job     # while waiting, hold nothing that belongs to others
            _idle.append(self)

    def keep_off(self, core):
        """Not to be woken on the caller's core.

        In a virtual machine Linux takes a core that sleeps for one that the host has taken away, wakes the helper where the
        caller runs, and leaves both there for some 4 ms, as long as a small job takes. Measured: after a pause of 20 ms three
        calls in four had no gain from their helper.
        """
        if core != self.off:
            self.off = core
            try:
                os.sched_setaffinity(self.thread_id, os.sched_getaffinity(0) - {core})
            except OSError:
                pass    # there is no other core, or the system does not want it


def _find_core():
    """The system's function for the number of the core that the calling thread runs on, or None."""
    try:
        function = ctypes.CDLL(None).sched_getcpu
    except (OSError, TypeError, AttributeError):
        return None
    function.argtypes, function.restype = (), ctypes.c_int
    return function


_core = (hasattr(os, "sched_setaffinity") and _find_core()) or (lambda: None)


def _free(wanted):
    """At most `wanted` helpers without work; new ones are started while there are fewer than that in all."""
    global _started
    found = []
    while len(found) < wanted:
        try:
            found.append(_idle.pop())
        except IndexError:
            break
    if len(found) < wanted and _started < wanted:
        with _start_lock:
            while len(found) < wanted and _started < wanted:
                try:
                    found.append(_Helper(_started + 1))
                except RuntimeError:    # the system gives no more threads, or the interpreter is about to end
                    break
                _started += 1
    return found


def _begin_anew():
    """In the child of a fork there is only the thread that forked."""
    global _idle, _started, _start_lock
    _idle, _started, _start_lock = deque(), 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
