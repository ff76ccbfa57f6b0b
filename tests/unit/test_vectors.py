"""The kernels on vectors beside naive NumPy twins."""
import math

import numpy as np
import pytest

from curvopt._vectors import axpy_to, copy_to, dot, norm, norm_inf, same
from curvopt.directions.curvature import curvature_products

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 1000)


def vectors(n, seed=0):
    print("seed", seed)
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n), rng.standard_normal(n)


@pytest.mark.parametrize("n", SIZES)
def test_sums_and_norms(n):
    u, v = vectors(n)
    assert dot(u, v) == pytest.approx(u @ v, rel=1e-12, abs=1e-13 * n)
    assert norm_inf(u) == np.abs(u).max() == norm(u, 0)
    assert norm(u, 1) == pytest.approx(np.abs(u).sum(), rel=1e-13)
    assert norm(u, 2) == pytest.approx(np.linalg.norm(u), rel=1e-13)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_norm_inf_finds_every_entry_that_is_not_finite(n, bad):
    for place in {0, n // 2, n - 1}:
        v = vectors(n)[0]
        v[place] = bad
        found = norm_inf(v)
        assert math.isnan(found) if math.isnan(bad) else found == math.inf
        v[0] = math.inf
        if math.isnan(bad) and place > 0:
            assert math.isnan(norm_inf(v)), "NaN goes before infinity"


def test_norms_neither_overflow_nor_vanish():
    for scale in (1e-200, 1e200):
        v = np.array([3.0, -4.0]) * scale
        assert norm(v, 2) == pytest.approx(5.0 * scale, rel=1e-14)
    assert norm(np.zeros(3), 2) == 0.0 and norm_inf(np.full(9, 1.7e308)) == 1.7e308


@pytest.mark.parametrize("n", SIZES)
def test_axpy_copy_same(n):
    d, x = vectors(n)
    out = np.empty(n)
    assert axpy_to(0.5, d, x, out) and np.array_equal(out, x + 0.5 * d)
    assert not axpy_to(1e-30, d, x, out) and np.array_equal(out, x), "a step below rounding moves nothing"
    copy_to(d, out)
    assert np.array_equal(out, d) and same(out, d)
    out[-1] += 1.0
    assert not same(out, d)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("scale", [1.0, 1e-170, 1e170])
def test_curvature_products(n, scale):
    g, hg = vectors(n)
    gg, gh, hh, top_g, top_h = curvature_products(g * scale, hg * scale)
    assert gg * (top_g / scale) ** 2 == pytest.approx(g @ g, rel=1e-11)
    assert gh * (top_g / scale) * (top_h / scale) == pytest.approx(g @ hg, rel=1e-11, abs=1e-12 * n)
    assert hh * (top_h / scale) ** 2 == pytest.approx(hg @ hg, rel=1e-11)
