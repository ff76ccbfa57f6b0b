"""Clause: Ctrl-C ends a run with the best point so far, in both executions."""
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from curvopt import SGM, Status, minimize
from curvopt._jit import ENABLED

pytestmark = pytest.mark.thread_unsafe(reason="Ctrl-C reaches the main thread, which waits for the others")
on_main_thread = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals arrive in the main thread")


def test_an_interrupt_inside_a_user_function(method, solve, plain):
    calls = []

    def fun(x):
        calls.append(1)
        if len(calls) > 6:
            raise KeyboardInterrupt
        return plain.fun(x)

    seen = []
    res = solve(fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, callback=lambda x: seen.append(x),
                options={"history": True, "gtol": 1e-14})
    if res.status in (Status.CONVERGED, Status.PRECISION):
        return      # done within six values
    assert (res.status, res.success) == (Status.INTERRUPTED, False)
    assert res.message == str(Status.INTERRUPTED)
    assert res.nit == len(seen)
    assert res.fun == plain.fun(res.x) == min(res.history.fun)
    np.testing.assert_array_equal(res.jac, plain.jac(res.x))


def test_an_interrupt_before_there_is_a_point(method, solve, plain):
    def fun(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp)


@on_main_thread
def test_a_real_signal_between_iterations(method, solve, plain):
    """The iteration that is running ends; the result is that of a run of as many iterations."""
    calls = []

    def fun(x):
        calls.append(1)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return plain.fun(x)

    before = signal.getsignal(signal.SIGINT)
    options = {"gtol": 1e-14, "history": True, "chunk": 1}
    res = solve(fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    assert signal.getsignal(signal.SIGINT) is before
    if len(calls) < 5:
        return      # done within four values
    assert res.status == Status.INTERRUPTED and res.history.nfev[-1] >= 5
    assert res.nit == 0 or res.history.nfev[-2] < 5
    again = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                  options={**options, "maxiter": res.nit})
    np.testing.assert_array_equal(res.x, again.x)


def valley(x):
    """So flat that nothing converges within the test."""
    return 1e-3 * (x[0] * x[0] + 0.5 * x[1] * x[1]) + 1.0


def valley_jac(x):
    return np.array([2e-3 * x[0], 1e-3 * x[1]])


COMPILED = []


def press_when_compiled_code_runs():
    """Send SIGINT to this process, some time after the main thread has been seen inside a compiled chunk."""
    main = threading.main_thread().ident

    def send():
        for _ in range(60_000):
            frame = sys._current_frames().get(main)
            if frame.f_code.co_name == "advance" and frame.f_code.co_filename.endswith("_compiled_loop.py"):
                break
            time.sleep(0.0005)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


@on_main_thread
@pytest.mark.parametrize("handler", ["the usual one", "one that interrupts at once"])
def test_a_real_signal_during_compiled_chunks(handler, method_name, method):
    """Between chunks of about 20 ms with the usual handler; in the middle of one with a handler that raises."""
    if method_name not in ("GD", "Adam"):
        pytest.skip("the loop is the same for all methods; these two take steps of a length that never ends the run")
    numba = pytest.importorskip("numba")
    if numba.config.DISABLE_JIT or not ENABLED:
        pytest.skip("nothing is compiled in this run")
    if not COMPILED:
        COMPILED[:] = list(map(numba.njit, (valley, valley_jac)))

    def run(**options):
        return minimize(COMPILED[0], [3.0, 4.0], method=method.replace(lr=1e-6), jac=COMPILED[1],
                        options={"gtol": 0.0, "compiled": True, **options})

    def at_once(signum, frame):
        raise KeyboardInterrupt

    run(maxiter=2)      # compile first
    before = signal.signal(signal.SIGINT, signal.default_int_handler if handler == "the usual one" else at_once)
    try:
        thread = press_when_compiled_code_runs()
        res = run(maxiter=10 ** 9, maxtime=30.0)
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (res.status, res.success, res.compiled) == (Status.INTERRUPTED, False, True)
    assert res.nit > 0 and res.fun == valley(res.x)
    np.testing.assert_array_equal(res.jac, valley_jac(res.x))
    np.testing.assert_array_equal(res.x, run(maxiter=res.nit).x)
    # The state is sound as well: the run can go on from it.
    on = run(maxiter=res.nit + 1000, resume=res.state)
    np.testing.assert_array_equal(on.x, run(maxiter=res.nit + 1000).x)
    assert on.nfev == res.nit + 1001


@on_main_thread
def test_the_handler_of_somebody_else_is_left_alone(plain):
    seen = []
    before = signal.signal(signal.SIGINT, lambda *args: seen.append(args))
    try:
        res = minimize(plain.fun, plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp,
                       callback=lambda x: os.kill(os.getpid(), signal.SIGINT) if not seen else None)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen and res.success


@on_main_thread
def test_the_second_press_interrupts_at_once(plain):
    """A user function that takes forever is not waited for twice."""
    def fun(x):
        if len(calls) >= 3:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                time.sleep(0.001)
            raise AssertionError("waited for")
        calls.append(x)
        return plain.fun(x)

    calls = []
    res = minimize(fun, plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp)
    assert res.status == Status.INTERRUPTED and res.fun == plain.fun(res.x)
