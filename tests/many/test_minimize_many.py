"""Many problems at once: every row is a separate run, whatever happens to the others."""
import math
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba import njit
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt
from curvopt import Status, _compiled_loop, _compiled_many, _slices, _warmup
from curvopt._options import Options
from curvopt._slices import Queue

METHOD = curvopt.MRCG


@pytest.fixture(autouse=True)
def threads_from_the_start(monkeypatch):
    """These problems are solved before other threads are asked to join."""
    monkeypatch.setattr(_slices, "JOIN_SECONDS", 0.0)


@njit
def fun(x, t, y, weight):
    total = 0.0
    for i in range(t.size):
        r = x[0] * math.exp(-x[1] * t[i]) - y[i]
        total += r * r
    return 0.5 * weight * total


@njit
def jac(x, t, y, weight):
    g = np.zeros(2)
    for i in range(t.size):
        e = math.exp(-x[1] * t[i])
        r = weight * (x[0] * e - y[i])
        g[0] += r * e
        g[1] -= r * x[0] * t[i] * e
    return g


def fails_in_row_three(x, i):
    if i == 3:
        raise ZeroDivisionError
    return x @ x


def series(k, seed=0):
    print("seed", seed)
    rng = np.random.default_rng(seed)
    t = np.tile(np.linspace(0.0, 2.0, 8), (k, 1))
    truth = np.c_[rng.uniform(1.0, 3.0, k), rng.uniform(0.5, 2.0, k)]
    y = truth[:, :1] * np.exp(-truth[:, 1:] * t) + 0.01 * rng.standard_normal(t.shape)
    return np.ones((k, 2)), t, y


def solve(x0, t, y, f=fun, g=jac, **keywords):
    return curvopt.minimize_many(f, x0, args=(t, y), shared=(1.0,), jac=g, method=METHOD, **keywords)


def same(a, b):
    names = ("x", "fun", "jac", "status", "nit", "nfev", "njev", "nhev")
    return all(np.array_equal(a[name], b[name], equal_nan=name in ("fun", "jac")) for name in names)


def test_rows_have_the_bits_of_separate_runs():
    x0, t, y = series(23)
    many = solve(x0, t, y)
    assert many.compiled and many.success.all() and many.message == "23 converged"
    for i in range(len(x0)):
        one = curvopt.minimize(fun, x0[i], args=(t[i], y[i], 1.0), jac=jac, method=METHOD, options={"compiled": False})
        assert np.array_equal(one.x, many.x[i]) and one.fun == many.fun[i] and np.array_equal(one.jac, many.jac[i])
        assert (one.nit, one.nfev, one.njev, one.nhev) == (many.nit[i], many.nfev[i], many.njev[i], many.nhev[i])


def test_threads_and_slices_change_nothing():
    x0, t, y = series(301, seed=1)
    reference = solve(x0, t, y, workers=1)
    for workers, chunk in ((2, None), (5, 3), (1, 1)):
        assert same(reference, solve(x0, t, y, workers=workers, options={"chunk": chunk}))


def test_python_functions_give_the_same_numbers():
    x0, t, y = series(12, seed=2)
    plain = solve(x0, t, y, f=lambda *a: fun(*a), g=lambda *a: jac(*a))
    assert not plain.compiled and same(plain, solve(x0, t, y))


def test_python_functions_over_processes():
    starts = np.random.default_rng(3).uniform(-1.0, 1.0, (9, 2))
    here, there = (curvopt.minimize_many(rosen, starts, jac=rosen_der, hessp=rosen_hess_prod, method=METHOD, workers=w)
                   for w in (1, 2))
    assert here.success.all() and same(here, there)
    with pytest.raises(ValueError, match="pickled"):
        curvopt.minimize_many(lambda x: rosen(x), starts, jac=rosen_der, method=METHOD, workers=2)
    with pytest.raises(ZeroDivisionError) as raised:
        curvopt.minimize_many(fails_in_row_three, np.ones((12, 2)), args=(np.arange(12),), method=METHOD, workers=2)
    assert raised.value.__notes__ == ["curvopt: raised in row 3 of minimize_many"]
    assert raised.value.curvopt_result.success.tolist() == [True] * 3 + [False] * 9


def test_bad_rows_touch_no_other_row():
    x0, t, y = series(40, seed=4)
    clean = solve(x0, t, y)
    y_bad, x_bad = y.copy(), x0.copy()
    y_bad[7, 3], x_bad[11, 0] = np.nan, np.inf
    mixed = solve(x_bad, t, y_bad)
    good = np.setdiff1d(np.arange(40), [7, 11])
    assert np.array_equal(mixed.x[good], clean.x[good]) and np.array_equal(mixed.nit[good], clean.nit[good])
    assert (mixed.status[[7, 11]] == Status.NONFINITE).all() and not mixed.success[[7, 11]].any()
    assert mixed.message == "38 converged, 2 not finite"
    assert np.array_equal(mixed.x[11], x_bad[11]), "a row that cannot start keeps its start"
    plain = solve(x_bad, t, y_bad, f=lambda *a: fun(*a), g=lambda *a: jac(*a))
    assert same(plain, mixed)


def test_each_problem_stops_by_itself():
    x0, t, y = series(30, seed=5)
    free = solve(x0, t, y)
    limit = int(np.median(free.nit))
    cut = solve(x0, t, y, options={"maxiter": limit})
    stopped = free.nit > limit
    assert stopped.any() and (cut.status[stopped] == Status.MAXITER).all() and (cut.nit <= limit).all()
    assert np.array_equal(cut.x[~stopped], free.x[~stopped])


def test_arrays_that_functions_hand_back():
    """References: a function may return x itself, a view of an argument, or a new array; none is lost and none is kept."""
    from numba.core.runtime import _nrt_python as nrt
    from numba.core.runtime import rtsys

    @njit
    def square(x, t, y, weight):
        return 0.5 * (x[0] * x[0] + x[1] * x[1])

    @njit
    def itself(x, t, y, weight):
        return x

    @njit
    def linear(x, t, y, weight):
        return y[0] * x[0] + y[1] * x[1]

    @njit
    def view(x, t, y, weight):
        return y[:2]

    x0, t, y = series(9, seed=10)
    for f, g in ((square, itself), (linear, view), (fun, jac)):
        def run(f, g):
            return solve(x0, t, y, f=f, g=g, workers=1, options={"maxiter": 20})
        reference = run(lambda *a, f=f: f.py_func(*a), lambda *a, g=g: g.py_func(*a))
        run(f, g)
        nrt.memsys_enable_stats()
        try:
            before = rtsys.get_allocation_stats()
            result = run(f, g)
            after = rtsys.get_allocation_stats()
        finally:
            nrt.memsys_disable_stats()
        assert result.compiled and same(result, reference)
        assert after.alloc - before.alloc == after.free - before.free and after.mi_alloc - before.mi_alloc == \
            after.mi_free - before.mi_free


def test_an_exception_names_its_row_and_keeps_the_others():
    @njit
    def touchy(x, t, y, weight):
        if y[0] < 0.0:
            raise ValueError("negative signal")
        return fun(x, t, y, weight)

    x0, t, y = series(60, seed=6)
    clean = solve(x0, t, y)
    y[41, 0] = -1.0
    for f, g in ((touchy, jac), (lambda *a: touchy(*a), lambda *a: jac(*a))):
        with pytest.raises(ValueError, match="negative signal") as caught:
            solve(x0, t, y, f=f, g=g, workers=1, options={"chunk": 5})
        assert any("row 41" in note for note in caught.value.__notes__)
        kept = caught.value.curvopt_result
        assert np.array_equal(kept.x[:40], clean.x[:40]) and (kept.status[:40] == Status.CONVERGED).all()
        assert not kept.success[41:].any()


def test_ctrl_c_returns_what_is_finished():
    x0, t, y = series(4, seed=7)
    calls = []

    def slow(*a):
        calls.append(1)
        if len(calls) == 30:
            signal.raise_signal(signal.SIGINT)
        return fun(*a)

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals are handled in the main thread")
    result = solve(x0, t, y, f=slow, g=lambda *a: jac(*a))
    finished = result.status == Status.CONVERGED
    assert 0 < finished.sum() < 4 and (result.status[~finished] == Status.INTERRUPTED).all()
    assert np.array_equal(result.x[~finished], x0[~finished])


def test_an_interrupt_inside_a_user_function():
    x0, t, y = series(4, seed=7)
    calls = []

    def impatient(*a):
        calls.append(1)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return fun(*a)

    result = solve(x0, t, y, f=impatient, g=lambda *a: jac(*a))
    finished = result.status == Status.CONVERGED
    assert 0 < finished.sum() < 4 and (result.status[~finished] == Status.INTERRUPTED).all()
    assert np.array_equal(result.x[~finished], x0[~finished])


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals arrive in the main thread")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("handler", ["the usual one", "one that interrupts at once"])
def test_a_real_signal_in_compiled_code(handler, workers):
    k, main = 100_000, threading.get_ident()
    x0, t, y = (np.tile(array, (k // 10, 1)) for array in series(10, seed=7))
    solve(x0[:4], t[:4], y[:4])

    def send():
        for _ in range(60_000):
            frame = sys._current_frames()[main]
            if frame.f_code.co_name in ("work", "solve_rows"):
                break
            time.sleep(0.0005)
        time.sleep(0.03)
        os.kill(os.getpid(), signal.SIGINT)

    def at_once(signum, frame):
        raise KeyboardInterrupt

    usual = handler == "the usual one"
    before = signal.signal(signal.SIGINT, signal.default_int_handler if usual else at_once)
    try:
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        result = solve(x0, t, y, workers=workers)
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    finished = result.status == Status.CONVERGED
    assert 0 < finished.sum() < k and (result.status[~finished] == Status.INTERRUPTED).all()
    assert np.array_equal(result.x[~finished], x0[~finished])
    some = np.flatnonzero(finished)[-20:]
    assert np.array_equal(result.x[some], solve(x0[some], t[some], y[some]).x)


def test_maxtime_is_for_the_whole_call():
    x0, t, y = series(50, seed=8)
    result = solve(x0, t, y, f=lambda *a: fun(*a), g=lambda *a: jac(*a), options={"maxtime": 0.0})
    assert (result.status == Status.MAXTIME).all() and result.message == "50 time limit"


def test_seconds_of_compilation_are_apart():
    x0, t, y = series(3, seed=11)
    fresh = njit(fun.py_func)
    began = time.perf_counter()
    result = solve(x0, t, y, f=fresh)
    wall = time.perf_counter() - began
    assert result.compiled and result.compile_time > 0.0 and result.time + result.compile_time <= wall


def test_one_line_while_it_compiles(monkeypatch, capsys):
    monkeypatch.setattr(_compiled_loop, "NOTICE_AFTER", 0.01)
    with _compiled_loop.Notice():
        time.sleep(0.2)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "once per machine" in said
    monkeypatch.setattr(_compiled_loop, "NOTICE_AFTER", 60.0)
    with _compiled_loop.Notice():
        pass
    assert not capsys.readouterr().err


def test_slices_hand_out_every_row_once_and_end_short():
    queue = Queue(1000, None, 2)
    taken = []
    while True:
        begin, end = queue.take()
        if begin == end:
            break
        taken.append((begin, end))
        queue.timed(end - begin, (end - begin) * 1e-5)
    assert [b for b, _ in taken] == [0] + [e for _, e in taken[:-1]] and taken[-1][1] == 1000
    sizes = [e - b for b, e in taken]
    assert max(sizes) > 100 and sizes[-1] < 100


def test_no_problems():
    result = solve(np.empty((0, 2)), np.empty((0, 8)), np.empty((0, 8)))
    assert result.x.shape == (0, 2) and result.message == ""


@pytest.mark.parametrize(("change", "error", "text"), [
    ({"X0": [[1.0, 2.0], [1.0]]}, ValueError, "unequal lengths"),
    ({"X0": [1.0, 2.0]}, ValueError, r"shape \(k, n\)"),
    ({"X0": np.ones((3, 0))}, ValueError, "at least one variable"),
    ({"X0": np.ones((3, 2), complex)}, TypeError, "real numbers"),
    ({"args": (np.ones((4, 8)), np.ones((3, 8)))}, ValueError, r"args\[0\].*first axis must be k = 3"),
    ({"args": ([[1.0], [1.0, 2.0], [1.0]],)}, ValueError, r"args\[0\].*unequal"),
    ({"options": {"history": True}}, ValueError, "single run"),
    ({"options": {"maxitr": 3}}, TypeError, "maxiter"),
    ({"options": [1]}, TypeError, "options must be a dict"), ({"options": {"maxiter": np.ones(4)}}, TypeError, "maxiter"),
    ({"jac": [1]}, ValueError, "jac must be"), ({"hessp": 1}, TypeError, "hessp must be"),
    ({"fun": 1}, TypeError, "fun must be"),
    ({"workers": 0}, ValueError, "workers"),
    ({"method": "sgmm"}, ValueError, "SGM"),
])
def test_bad_input(change, error, text):
    x0, t, y = series(3)
    call = {"fun": fun, "X0": x0, "args": (t, y), "shared": (1.0,), "jac": jac, "method": METHOD, **change}
    with pytest.raises(error, match=text):
        curvopt.minimize_many(**call)


def test_nonfinite_raise_names_the_row():
    x0, t, y = series(5)
    y[2, 0] = np.nan
    with pytest.raises(FloatingPointError, match="row 2") as caught:
        solve(x0, t, y, options={"nonfinite": "raise"})
    assert caught.value.curvopt_result.success.sum() == 4


def test_solver_in_compiled_code_has_the_same_bits():
    solve_one = curvopt.solver(METHOD, fun, jac)
    x0, t, y = series(6, seed=9)

    @njit
    def all_of_them(x0, t, y):
        xs, numbers = np.empty_like(x0), np.empty((x0.shape[0], 2), np.int64)
        for i in range(x0.shape[0]):
            x, f, status, nit = solve_one(x0[i], (t[i], y[i], 1.0))
            xs[i, :] = x
            numbers[i, 0], numbers[i, 1] = status, nit
        return xs, numbers

    xs, numbers = all_of_them(x0, t, y)
    many = solve(x0, t, y)
    assert np.array_equal(xs, many.x) and np.array_equal(numbers, np.c_[many.status, many.nit])
    with pytest.raises(ValueError, match="not compiled"):
        curvopt.solver(METHOD, fun.py_func, jac)


# ---- several Python threads that solve at once get what one gets

WORKERS = 4


def at_once(task):
    """`task(i)` in each of the threads, all begun together."""
    gate = threading.Barrier(WORKERS)

    def begin(i):
        gate.wait(timeout=60)
        return task(i)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(begin, range(WORKERS)))


def test_minimize_many_from_several_threads():
    problems = [series(40 + i, seed=20 + i) for i in range(WORKERS)]
    alone = [solve(*p) for p in problems]
    together = at_once(lambda i: solve(*problems[i], workers=1 + i % 2))
    assert all(map(same, alone, together))


@pytest.mark.parametrize("compiled", [True, False])
def test_minimize_from_several_threads(compiled):
    x0, t, y = series(WORKERS, seed=30)

    def one(i):
        return curvopt.minimize(fun, x0[i], args=(t[i], y[i], 1.0), jac=jac, method=METHOD,
                                options={"compiled": compiled, "history": True})

    for a, b in zip([one(i) for i in range(WORKERS)], at_once(one)):
        assert np.array_equal(a.x, b.x) and (a.nit, a.nfev, a.njev, a.nhev) == (b.nit, b.nfev, b.njev, b.nhev)
        assert np.array_equal(a.history.fun, b.history.fun)


def test_first_use_from_several_threads():
    """Functions that no thread has compiled yet."""
    fresh = [njit(f.py_func) for f in (fun, jac)]
    x0, t, y = series(10, seed=31)
    for result in at_once(lambda i: solve(x0, t, y, f=fresh[0], g=fresh[1])):
        assert result.compiled and same(result, solve(x0, t, y))


def test_work_that_is_soon_over_is_done_here(monkeypatch):
    def forbidden(*arguments):
        raise AssertionError("threads for a moment's work")

    x0, t, y = series(20)
    with_threads = solve(x0, t, y, workers=2)
    monkeypatch.setattr(_slices._threads, "each", forbidden)
    with pytest.raises(AssertionError, match="moment's work"):
        solve(x0, t, y, workers=2)
    monkeypatch.setattr(_slices, "JOIN_SECONDS", 60.0)
    assert same(with_threads, solve(x0, t, y, workers=2))


def test_warmup_makes_the_machine_code_that_minimize_many_takes():
    x0, t, y = series(3)
    solve(x0, t, y)
    known = dict(_compiled_many._entries)
    args, shared = _warmup.types_of(((t[:1].tolist(), y[:1]), (1.0,)))
    _compiled_many.compile_ahead(METHOD, 2, args, shared, Options().tolerances(2))
    assert known == _compiled_many._entries
    assert _warmup.types_of(None) is None and _warmup.types_of(True) == ((), ())


@pytest.mark.parametrize(("many", "error", "text"), [
    (np.zeros(3), TypeError, "tuple"), ((np.zeros((1, 3)), ()), TypeError, "two tuples"),
    (((np.zeros((0, 3)),), ()), ValueError, "a row each"), (((np.zeros((2, 3)), np.zeros(1)), ()), ValueError, "first axis"),
])
def test_warmup_refuses_what_are_no_arguments(many, error, text):
    with pytest.raises(error, match=text):
        curvopt.warmup("SGM", many=many)
