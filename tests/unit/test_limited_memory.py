"""The pair memory against the formulas it stands for, written out with matrices."""
import numpy as np
import pytest

from curvopt.directions import limited_memory as lm


def naive_inverse(pairs, middle):
    """The inverse Hessian as a matrix, one update V'HV + rho ss' a pair."""
    H = np.diag(np.array(middle, float))
    for s, y in pairs:
        rho = 1.0 / (s @ y)
        V = np.eye(s.size) - rho * np.outer(y, s)
        H = V.T @ H @ V + rho * np.outer(s, s)
    return H


def random_memory(n, m, pushed, seed):
    """(memory, the pairs it should hold, generator), pairs of one positive definite matrix."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    A = A @ A.T + np.eye(n)
    memory, pairs = lm.make_pairs(n, m), []
    for _ in range(pushed):
        s = rng.standard_normal(n)
        y = A @ s
        stored, gamma = lm.push(memory.S, memory.Y, memory.rho, memory.info, s, y, lm.PAIR_TEST)
        assert stored
        assert gamma == pytest.approx((s @ y) / (y @ y), rel=1e-14)
        pairs.append((s, y))
    return memory, pairs[-m:], rng


def close(a, b, tol=1e-13):
    return np.abs(a - b).max() <= tol * np.abs(b).max()


@pytest.mark.parametrize("m, pushed", [(9, 9), (9, 4), (5, 13), (1, 3), (3, 0)])
@pytest.mark.parametrize("n", [12, 3])
def test_two_loop_is_the_product_of_the_updates(n, m, pushed):
    memory, pairs, rng = random_memory(n, m, pushed, seed=pushed)
    v, out = rng.standard_normal(n), np.empty(n)
    inner = lm.two_loop(*memory, 0.7, -1.0, v, out)
    assert close(out, -naive_inverse(pairs, np.full(n, 0.7)) @ v)
    assert inner == pytest.approx(v @ out, rel=1e-13)
    middle = rng.uniform(0.5, 2.0, n)
    inner = lm.two_loop_diagonal(*memory, middle, 1.0, v, out)
    assert close(out, naive_inverse(pairs, middle) @ v)
    assert inner == pytest.approx(v @ out, rel=1e-13)


def test_secant_equation():
    memory, pairs, _ = random_memory(20, 6, 8, seed=1)
    s, y = pairs[-1]
    out = np.empty(20)
    lm.two_loop(*memory, 0.3, 1.0, y, out)
    assert close(out, s)


def test_the_first_loop_alone_splits_the_quadratic_form():
    """v'Hv = gamma |q|^2 + what the pairs contribute: this is what a memory-aware gamma needs."""
    memory, pairs, rng = random_memory(15, 7, 7, seed=2)
    v = rng.standard_normal(15)
    q = v.copy()
    known = lm.first_loop(*memory, q)
    assert 0.4 * (q @ q) + known == pytest.approx(v @ naive_inverse(pairs, np.full(15, 0.4)) @ v, rel=1e-12)


def test_a_refused_candidate_disturbs_nothing():
    memory, _, rng = random_memory(8, 4, 6, seed=3)
    v, before, after = rng.standard_normal(8), np.empty(8), np.empty(8)
    lm.two_loop(*memory, 1.0, 1.0, v, before)
    s = rng.standard_normal(8)
    stored, _ = lm.push(memory.S, memory.Y, memory.rho, memory.info, s, -s, lm.PAIR_TEST)
    assert not stored
    lm.two_loop(*memory, 1.0, 1.0, v, after)
    assert np.array_equal(before, after)
    lm.clear(memory.info)
    lm.two_loop(*memory, 1.0, 1.0, v, after)
    assert np.array_equal(after, v)


def test_difference_pair():
    memory, _, rng = random_memory(5, 2, 3, seed=4)
    x_new, x, g_new, g = rng.standard_normal((4, 5))
    ss, sy, yy = lm.propose_difference(memory.S, memory.Y, memory.info, x_new, x, g_new, g)
    s, y = x_new - x, g_new - g
    assert (ss, sy, yy) == pytest.approx((s @ s, s @ y, y @ y), rel=1e-14)
    row = memory.info[lm.HEAD]
    assert np.array_equal(memory.S[row], s) and np.array_equal(memory.Y[row], y)


@pytest.mark.parametrize("ss, sy, yy, expected", [
    (1.0, 1.0, 1.0, True), (1.0, 1e-9, 1.0, True), (1.0, 1e-11, 1.0, False), (1.0, 0.0, 1.0, False), (1.0, -1.0, 1.0, False),
    (0.0, 0.0, 0.0, False), (1.0, np.inf, np.inf, False), (1.0, np.nan, 1.0, False), (1.0, 1.0, np.nan, False),
    (1e-300, 1e-310, 1e-305, False), (1e-160, 1e-160, 1e-160, True), (1e300, 1e200, 1e280, False),
])
def test_pair_test(ss, sy, yy, expected):
    assert lm.curved(ss, sy, yy, lm.PAIR_TEST) == expected


@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 64])
def test_scaling_by_powers_of_two_is_exact(n):
    """f -> c f with c = 2^k: y -> c y, g -> c g, gamma -> gamma / c leave the direction bit for bit."""
    rng = np.random.default_rng(5)
    S, D, g = rng.standard_normal((6, n)), rng.uniform(1.0, 9.0, n), rng.standard_normal(n)
    directions = []
    for c in (1.0, 2.0 ** -20):
        memory = lm.make_pairs(n, 4)
        for s in S:
            _, sy, yy = lm.propose(memory.S, memory.Y, memory.info, s, c * D * s)
            lm.accept(memory.rho, memory.info, sy)
        out = np.empty(n)
        lm.two_loop(*memory, sy / yy, -1.0, c * g, out)
        directions.append(out)
    assert np.array_equal(*directions)
