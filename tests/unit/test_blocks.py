"""Kernels in blocks: where vectors are cut, one result from many, and the same bits however many threads there are."""
import math
import os
import threading

import numpy as np
import pytest

import curvopt
from curvopt import _blocks, _threads
from curvopt._blocks import BLOCK, LINE, SHARED, block_length, copy_blocks
from curvopt._jit import ENABLED
from curvopt._python_adapters import LongCopies
from curvopt._vectors import axpy_to, copy_to, dot, norm, norm_inf, same
from curvopt.directions.curvature import curvature_products, scalings

AROUND = (BLOCK - 1, BLOCK, BLOCK + 1, SHARED - 1, SHARED, SHARED + 1, 3 * SHARED + 5) if ENABLED else (BLOCK + 1,)
machine_code_only = pytest.mark.skipif(not ENABLED, reason="as Python, kernels have no threads, and take seconds")
threads = pytest.mark.parametrize("threads", ["1", "2", "3"])


def vectors(n, count=2, seed=0):
    print("seed", seed)
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(n) for _ in range(count)]


def everything(u, v, out):
    """One of each kind: sums, a largest entry, flags, a result in an array, tuples, kernels made of others."""
    return (dot(u, v), norm_inf(u), norm(u, 1), norm(u, 2), axpy_to(0.5, u, v, out), same(u, out),
            curvature_products(u, v), scalings(u, v))


def compiled():
    from numba import njit

    return njit(error_model="numpy")(everything)


@pytest.mark.parametrize("n", [1, LINE, *AROUND, 10 ** 7, 10 ** 7 + 1])
def test_blocks_cover_a_vector_and_none_is_longer_than_allowed(n):
    length = block_length(n)
    begins = range(0, n, length)
    assert length <= BLOCK or n <= BLOCK
    assert len(begins) == math.ceil(n / BLOCK), "as few as the length of a block allows"
    assert n - begins[-1] > length - len(begins) * LINE, "the last one is nearly as long as the others"


@machine_code_only
def test_the_same_bits_compiled_interpreted_and_with_any_number_of_threads(monkeypatch):
    machine_code = compiled()
    for n in AROUND:
        u, v, out = vectors(n, 3)
        expected, written = machine_code(u, v, out), out.tobytes()
        for threads in ("1", "2", "3"):
            monkeypatch.setenv(_threads.VARIABLE, threads)
            out[:] = 0.0
            assert everything(u, v, out) == expected and out.tobytes() == written, (n, threads)


@pytest.mark.parametrize("n", AROUND)
def test_blocks_beside_numpy(n):
    u, v, out = vectors(n, 3, seed=1)
    assert dot(u, v) == pytest.approx(u @ v, rel=1e-10)
    assert norm(u, 2) == pytest.approx(np.linalg.norm(u), rel=1e-13)
    assert norm(u, 1) == pytest.approx(np.abs(u).sum(), rel=1e-13)
    assert norm_inf(u) == np.abs(u).max()
    assert axpy_to(0.5, u, v, out) and np.array_equal(out, v + 0.5 * u)
    copy_to(u, out)
    assert np.array_equal(out, u) and same(u, out)
    assert curvature_products(u, v) == pytest.approx((u @ u, u @ v, v @ v, 1.0, 1.0), rel=1e-10)


def test_one_block_is_not_cut():
    u, v = vectors(BLOCK)
    assert dot(u, v) == dot.__wrapped__(u, v)
    u, v = vectors(BLOCK + 1)
    length = block_length(u.size)
    assert dot(u, v) == dot.__wrapped__(u[:length], v[:length]) + dot.__wrapped__(u[length:], v[length:])


@machine_code_only
@threads
@pytest.mark.parametrize("place", [0, BLOCK, SHARED, -1])
def test_one_entry_decides(monkeypatch, threads, place):
    """A NaN, an infinity, a difference: in whichever block it is."""
    monkeypatch.setenv(_threads.VARIABLE, threads)
    u, v, out = vectors(SHARED + 100, 3)
    zero = np.zeros_like(u)
    assert not axpy_to(1.0, zero, v, out) and same(v, out)
    zero[place] = 1.0
    assert axpy_to(1.0, zero, v, out) and not same(v, out)
    u[place] = math.inf
    assert norm_inf(u) == norm(u, 2) == norm(u, 1) == math.inf
    u[(place + BLOCK) % u.size] = math.nan
    assert math.isnan(norm_inf(u)) and math.isnan(norm(u, 2)) and math.isnan(norm(u, 1)), "NaN goes before infinity"
    assert math.isnan(curvature_products(u, v)[0]) and math.isnan(dot(u, v))


@machine_code_only
@pytest.mark.parametrize("scale", [2.0 ** -600, 2.0 ** 600])
def test_gradients_whose_squares_vanish_or_overflow(monkeypatch, scale):
    monkeypatch.setenv(_threads.VARIABLE, "2")
    g, hg = vectors(SHARED)
    hg += g
    assert norm(scale * g, 2) == pytest.approx(scale * np.linalg.norm(g), rel=1e-13)
    assert scalings(scale * g, scale * hg) == pytest.approx(scalings(g, hg), rel=1e-13)
    assert scalings(scale * g, hg)[1] == pytest.approx(scale * scalings(g, hg)[1], rel=1e-13)


@machine_code_only
def test_strided_vectors_and_numbers_of_python():
    u, v, out = vectors(2 * SHARED, 3)
    assert dot(u[::2], v[1::2]) == dot(u[::2].copy(), v[1::2].copy())
    results = everything(u, v, out)
    for value in (*results[:6], *results[6], *results[7]):
        assert type(value) in (float, bool), "in a State, a number of NumPy would warn where one of Python does not"


@machine_code_only
def test_callers_at_once(monkeypatch):
    monkeypatch.setenv(_threads.VARIABLE, "2")
    u, v, out = vectors(SHARED + 7, 3)
    expected, found = everything(u, v, out), [None] * 4

    def caller(i):
        mine = np.empty_like(out)
        found[i] = [everything(u, v, mine) for _ in range(3)] + [mine.tobytes()]

    callers = [threading.Thread(target=caller, args=(i,)) for i in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert found == [[expected] * 3 + [out.tobytes()]] * 4


@machine_code_only
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_after_threads_were_used(monkeypatch):
    monkeypatch.setenv(_threads.VARIABLE, "2")
    u, v = vectors(SHARED)
    expected = dot(u, v)
    child = os.fork()
    if child == 0:
        os._exit(0 if dot(u, v) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0




@machine_code_only
def test_joined_in_the_order_of_the_blocks(monkeypatch):
    seen = []

    def join(a, b):
        seen.append(b)
        return b

    monkeypatch.setenv(_threads.VARIABLE, "3")
    v = np.arange(float(4 * SHARED))
    _blocks.in_blocks(norm_inf.__wrapped__, join, (v,), v.size, 3)
    assert seen == sorted(seen) and len(seen) == 4 * SHARED // BLOCK - 1


def test_copies_of_long_vectors_for_functions_that_keep_them():
    shape = (2, SHARED)
    copied, x = LongCopies(shape), vectors(2 * SHARED)[0]
    first = copied(x)
    assert first.shape == shape and np.array_equal(first.ravel(), x)
    first[0, 0] = 7.0
    assert x[0] != 7.0
    address = first.ctypes.data
    del first
    second = copied(2.0 * x)
    assert second.ctypes.data == address, "nobody has kept the memory"
    kept = second[0, 10:20]
    del second
    expected = kept.copy()
    assert copied(3.0 * x).ctypes.data != address and np.array_equal(kept, expected), "a view of it is kept"


def test_results_of_long_functions_in_any_layout():
    out, v = np.empty(SHARED), np.arange(2 * SHARED)
    copy_blocks(v[::2], out)
    assert np.array_equal(out, v[::2])


def value(x):
    total = 0.0
    for i in range(x.size - 1):
        total += (1.0 + i % 5) * (x[i] * x[i] + 0.1 * x[i] * x[i] * x[i] * x[i] + 0.5 * x[i] * x[i + 1])
    return total


def slopes(x):
    g = np.zeros_like(x)
    for i in range(x.size - 1):
        g[i] += (1.0 + i % 5) * (2.0 * x[i] + 0.4 * x[i] * x[i] * x[i] + 0.5 * x[i + 1])
        g[i + 1] += (1.0 + i % 5) * 0.5 * x[i]
    return g


def products(x, v):
    h = np.zeros_like(x)
    for i in range(x.size - 1):
        h[i] += (1.0 + i % 5) * ((2.0 + 1.2 * x[i] * x[i]) * v[i] + 0.5 * v[i + 1])
        h[i + 1] += (1.0 + i % 5) * 0.5 * v[i]
    return h


@machine_code_only
@pytest.mark.parametrize("method", ["SGM", "LBFGS"])
def test_runs(monkeypatch, method):
    """Bits, history and counts of whole runs; left to itself, a run of such a length is interpreted and uses threads."""
    from numba import njit

    fun, jac, hessp = map(njit(error_model="numpy"), (value, slopes, products))
    x0, seen = vectors(SHARED + 5)[0], []
    for threads, compiled in (("1", None), ("2", None), ("3", False), ("1", False)):
        monkeypatch.setenv(_threads.VARIABLE, threads)
        res = curvopt.minimize(fun, x0, jac=jac, hessp=hessp, method=method,
                               options={"maxiter": 4, "gtol": 0.0, "compiled": compiled, "history": True, "chunk": 3})
        assert res.compiled == (threads == "1" and compiled is None)
        seen.append((res.x.tobytes(), res.history.fun.tobytes(), res.history.grad_norm.tobytes(), res.history.step.tobytes(),
                     res.nit, res.nfev, res.njev, res.nhev))
    assert seen[1:] == seen[:1] * 3
