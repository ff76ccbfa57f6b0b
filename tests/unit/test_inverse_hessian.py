"""The inverse Hessian that begins as pairs and ends as a matrix."""
import numpy as np
import pytest

from curvopt.directions import dense_inverse, packed_inverse
from curvopt.directions import inverse_hessian as ih


def naive_bfgs(H, s, y):
    rho = 1.0 / (s @ y)
    V = np.eye(s.size) - rho * np.outer(y, s)
    return V.T @ H @ V + rho * np.outer(s, s)


def spd(n, rng):
    A = rng.standard_normal((n, n))
    return A @ A.T + np.eye(n)


def close(a, b, tol=1e-12):
    return np.abs(a - b).max() <= tol * np.abs(b).max()


@pytest.mark.parametrize("n", [1, 2, 4, 5, 11])
@pytest.mark.parametrize("scale", [1.0, 1.7])
def test_rank_two_is_the_bfgs_update(n, scale):
    rng = np.random.default_rng(n)
    H, A = spd(n, rng), spd(n, rng)
    s = rng.standard_normal(n)
    y = A @ s
    expected = naive_bfgs(scale * H, s, y)
    dense_inverse.rank_two(H, s, y, s @ y, scale, np.empty(n))
    assert close(H, expected) and close(H @ y, s)
    assert np.array_equal(H, H.T)


def test_product():
    rng = np.random.default_rng(0)
    H, v, out = spd(7, rng), rng.standard_normal(7), np.empty(7)
    assert dense_inverse.product(H, -1.0, v, out) == pytest.approx(-v @ H @ v)
    assert close(out, -H @ v)


@pytest.mark.parametrize("n", [1, 2, 5, 11])
def test_packed_matrix_is_the_full_one_in_half_the_room(n):
    rng = np.random.default_rng(n)
    packed, H, A = np.empty(packed_inverse.triangle(n)), np.diag(rng.uniform(1, 2, n)), spd(n, rng)
    packed_inverse.set_diagonal(packed, np.diag(H).copy())
    for _ in range(3):
        s, v = rng.standard_normal((2, n))
        y, work = A @ s, np.empty((3, n))
        packed_inverse.rank_two(packed, s, y, s @ y, 1.3, work[0])
        dense_inverse.rank_two(H, s, y, s @ y, 1.3, work[1])
        assert packed_inverse.product(packed, -1.0, v, work[2]) == pytest.approx(-v @ H @ v, rel=1e-10)
        assert close(work[2], -H @ v) and close(packed, H[np.tril_indices(n)])
        assert packed_inverse.positive_diagonal(packed, work[0])
        assert np.array_equal(work[0], packed[np.cumsum(np.arange(1, n + 1)) - 1])


def test_packed_diagonal_that_is_not_positive_is_not_handed_out():
    d = np.array([7.0, 8.0])
    for entry in (0.0, -1e-300, np.inf, np.nan):
        assert not packed_inverse.positive_diagonal(np.array([1.0, 5.0, entry]), d)
        assert d.tolist() == [7.0, 8.0]


@pytest.mark.parametrize("sy, sBs, expected", [(1.0, 4.0, 2.0), (4.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, np.inf, 1.0)])
def test_soft_scale(sy, sBs, expected):
    assert dense_inverse.soft_scale(sy, sBs) == expected


@pytest.mark.parametrize("turn", [0, 5])
def test_pairs_then_matrix(turn):
    """The matrix continues the two-loop recursion, then takes every pair; without `turn` the ring just goes on."""
    n, m, rng = 8, 6, np.random.default_rng(3)
    inverse, A = ih.make_inverse(n, m, turn), spd(n, rng)
    assert inverse.H.shape == ((n, n) if turn else (0, 0))
    pairs = []
    for k in range(9):
        s = rng.standard_normal(n)
        pairs.append((s, A @ s))
        assert ih.learn_pair(inverse, *pairs[-1])
        kept = pairs if turn and k + 1 >= turn else pairs[-m:]
        last = turn - 1 if turn and k + 1 >= turn else k
        s, y = pairs[last]
        H = np.eye(n) * (s @ y) / (y @ y)
        for pair in kept:
            H = naive_bfgs(H, *pair)
        v, out = rng.standard_normal(n), np.empty(n)
        inner = ih.times(inverse, 1.0, v, out)
        assert close(out, H @ v, 1e-10) and inner == pytest.approx(v @ out)
        assert inverse.phase[ih.DENSE] == (turn > 0 and k + 1 >= turn) and inverse.phase[ih.HELD] == k + 1
    ih.forget(inverse)
    ih.times(inverse, -1.0, v, out)
    assert np.array_equal(out, -v) and inverse.phase[ih.HELD] == 0


def test_a_step_is_learned_with_its_scaling():
    n, rng = 5, np.random.default_rng(4)
    inverse, A = ih.make_inverse(n, 4, 1), spd(n, rng)
    x, x_new = rng.standard_normal((2, n))
    fit, ss = ih.learn_step(inverse, x_new, x, A @ x_new, A @ x, 0.0)
    assert fit and ss == pytest.approx((x_new - x) @ (x_new - x))
    H = inverse.H.copy()
    s = rng.standard_normal(n)
    sBs = 4.0 * (s @ A @ s)
    ih.learn_step(inverse, x + s, x, A @ (x + s), A @ x, sBs)
    assert close(inverse.H, naive_bfgs(2.0 * H, s, A @ s), 1e-10)


def test_an_unfit_step_leaves_everything():
    inverse, rng = ih.make_inverse(3, 4, 2), np.random.default_rng(5)
    for s in rng.standard_normal((3, 3)):
        ih.learn_pair(inverse, s, 2.0 * s)
    H, held = inverse.H.copy(), inverse.phase[ih.HELD]
    x = rng.standard_normal(3)
    fit, _ = ih.learn_step(inverse, x, 0.0 * x, -x, 0.0 * x, 0.0)
    assert not fit and np.array_equal(inverse.H, H) and inverse.phase[ih.HELD] == held
