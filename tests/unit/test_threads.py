"""The pool of threads: order, exceptions, callers at once and inside each other, forks, signals, the end of the process."""
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

from curvopt import _threads

pytestmark = pytest.mark.thread_unsafe(reason="they hold, count and interrupt the helpers of the process")


@pytest.fixture(autouse=True)
def rested():
    """All helpers are waiting: one that has just ended a piece of the last test may not be back yet."""
    limit = time.monotonic() + 20.0
    while len(_threads._idle) < _threads._started and time.monotonic() < limit:
        time.sleep(0.001)


def meet(barrier):
    """Ends only when another thread is here too."""
    barrier.wait(timeout=20.0)
    return threading.get_ident()


def at_once(function, callers):
    """function(i) in threads that begin together; the results."""
    begin, results = threading.Barrier(callers), [None] * callers

    def call(i):
        begin.wait()
        results[i] = function(i)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert not any(thread.is_alive() for thread in threads)
    return results


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 2, 17])
def test_results_in_order(threads, pieces):
    assert _threads.each(lambda i: i * i, range(pieces), threads) == [i * i for i in range(pieces)]


def test_the_calling_thread_and_a_helper():
    barrier = threading.Barrier(2)
    idents = _threads.each(meet, [barrier, barrier], 2)
    assert threading.get_ident() == idents[0] != idents[1]      # the first piece is the caller's


def test_a_single_piece_stays_here():
    assert _threads.each(lambda piece: threading.get_ident(), [0], 4) == [threading.get_ident()]
    assert set(_threads.each(lambda piece: threading.get_ident(), range(9), 1)) == {threading.get_ident()}


def test_threads_are_used_again():
    def helpers():
        barrier = threading.Barrier(3)
        return set(_threads.each(meet, [barrier] * 3, 3)) - {threading.get_ident()}

    first = helpers()
    for _ in range(50):
        end = time.monotonic() + 20.0
        while len(_threads._idle) < 2 and time.monotonic() < end:   # back from the last call
            time.sleep(0.001)
        assert len(helpers() | first) <= _threads._started
    assert len(first) == 2 and all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("curvopt-"))


@pytest.mark.skipif(_threads._core() is None or _threads.count() < 2, reason="needs Linux and two cores")
def test_helpers_are_not_woken_on_the_core_of_the_caller():
    barrier = threading.Barrier(2)

    def where(piece):
        barrier.wait(timeout=20.0)
        return threading.get_native_id(), os.sched_getaffinity(0)

    (_, ours), (helper, theirs) = _threads.each(where, range(2), 2)
    assert helper != threading.get_native_id() and len(ours - theirs) == 1 and theirs < ours
    assert os.sched_getaffinity(0) == ours


def test_the_first_exception_after_all_running_pieces():
    barrier, ended = threading.Barrier(2), []

    def piece(i):
        if i < 2:
            barrier.wait(timeout=20.0)
        if i == 0:
            raise ZeroDivisionError("zero")
        time.sleep(0.02)
        ended.append(i)
        raise ValueError("one")

    with pytest.raises(ZeroDivisionError, match="zero"):
        _threads.each(piece, range(100), 2)
    assert ended == [1]         # it ended, and no other was begun
    assert _threads.each(str, range(3), 2) == ["0", "1", "2"]


def test_an_interrupt_goes_before_other_exceptions():
    barrier = threading.Barrier(2)

    def piece(i):
        barrier.wait(timeout=20.0)
        raise (ValueError, KeyboardInterrupt)[i]

    with pytest.raises(KeyboardInterrupt):
        _threads.each(piece, range(2), 2)


def test_nothing_of_the_caller_is_kept():
    class Piece:
        pass

    def call(fails):
        piece = Piece()

        def function(one):
            if fails:
                raise ValueError
            return one

        try:
            _threads.each(function, [piece] * 4, 2)
        except ValueError:
            pass
        return weakref.ref(piece)

    for fails in (False, True):
        kept = call(fails)
        end = time.monotonic() + 20.0
        while kept() is not None and time.monotonic() < end:    # a helper that came too late lets go of it soon
            time.sleep(0.001)
            gc.collect()
        assert kept() is None


def test_callers_at_once_and_inside_each_other():
    def inner(i):
        return sum(_threads.each(lambda j: i * j, range(5), 3))

    def outer(caller):
        return [_threads.each(inner, range(caller, caller + 6), 3) for _ in range(30)]

    expected = [[[10 * i for i in range(caller, caller + 6)]] * 30 for caller in range(4)]
    assert at_once(outer, 4) == expected


def test_a_caller_finds_no_helper_free():
    barrier, go_on = threading.Barrier(_threads._started + 3), threading.Event()

    def hold(piece):
        barrier.wait(timeout=20.0)
        go_on.wait(timeout=20.0)

    holder = threading.Thread(target=_threads.each, args=(hold, range(barrier.parties - 1), barrier.parties - 1))
    holder.start()
    try:
        barrier.wait(timeout=20.0)      # all helpers are held now
        assert set(_threads.each(lambda piece: threading.get_ident(), range(5), 2)) == {threading.get_ident()}
    finally:
        go_on.set()
        holder.join(20.0)


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals arrive in the main thread")
def test_a_signal_while_the_caller_waits():
    barrier, ended, main = threading.Barrier(2), [], threading.get_ident()

    def piece(i):
        barrier.wait(timeout=20.0)
        if threading.get_ident() != main:
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            ended.append(i)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            _threads.each(piece, range(2), 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [1]


def test_count(monkeypatch):
    monkeypatch.delenv(_threads.VARIABLE, raising=False)
    assert 1 <= _threads.count() <= os.cpu_count()
    for text in ("3", " 3 "):
        monkeypatch.setenv(_threads.VARIABLE, text)
        assert _threads.count() == 3
    for text in ("0", "-1", "two", "1.5", "²"):
        monkeypatch.setenv(_threads.VARIABLE, text)
        with pytest.raises(ValueError, match="CURVOPT_NUM_THREADS must be a positive integer"):
            _threads.count()


PROGRAM = """
import os, threading, time
from curvopt import _threads

def used():
    barrier = threading.Barrier(2)
    return len(set(_threads.each(lambda i: (barrier.wait(20.0), threading.get_ident())[1], range(2), 2)))

assert threading.active_count() == 1            # none is started before the first use
assert used() == 2
if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        os._exit(used())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
assert used() == 2
# At the end of the interpreter one helper waits and another one, called by a thread that nobody waits for, is at work.
threading.Thread(target=_threads.each, args=(time.sleep, [60.0] * 2, 2), daemon=True).start()
print("end")
"""


def test_forks_and_the_end_of_the_process():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM]    # Python 3.12 warns of forks with threads
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "end", "")
