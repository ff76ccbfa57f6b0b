"""Curvature along a direction and the scalings it gives: what the scaled gradient methods share."""
import math

from .. import _checks
from .._blocks import add, add_triples, blocked, composed
from .._jit import kernel
from .._vectors import norm_inf

# Curvature along g: strongly positive, limited, negative (SPC, LPC, NC in arXiv:2502.03701).
POSITIVE, LIMITED, NEGATIVE = 0, 1, 2
TINY, HUGE = 1e-280, 1e280      # squares between these have lost nothing to underflow or overflow


@blocked("g", add_triples)
@kernel
def products(g, hg):
    """<g, g>, <g, Hg>, <Hg, Hg>."""
    # Four partial sums each, in a fixed order: one sum would wait for each addition to end, longer than for the memory.
    gg = gh = hh = gg1 = gh1 = hh1 = gg2 = gh2 = hh2 = gg3 = gh3 = hh3 = 0.0
    whole = g.size // 4 * 4
    for i in range(0, whole, 4):
        u, v = g[i], hg[i]
        gg += u * u
        gh += u * v
        hh += v * v
        u, v = g[i + 1], hg[i + 1]
        gg1 += u * u
        gh1 += u * v
        hh1 += v * v
        u, v = g[i + 2], hg[i + 2]
        gg2 += u * u
        gh2 += u * v
        hh2 += v * v
        u, v = g[i + 3], hg[i + 3]
        gg3 += u * u
        gh3 += u * v
        hh3 += v * v
    gg, gh, hh = (gg + gg1) + (gg2 + gg3), (gh + gh1) + (gh2 + gh3), (hh + hh1) + (hh2 + hh3)
    for i in range(whole, g.size):
        gg += g[i] * g[i]
        gh += g[i] * hg[i]
        hh += hg[i] * hg[i]
    return gg, gh, hh


@blocked("g", add_triples)
@kernel
def scaled_products(g, hg, top_g, top_h):
    """The same of g / top_g and Hg / top_h."""
    gg = gh = hh = 0.0
    for i in range(g.size):
        u, v = g[i] / top_g, hg[i] / top_h
        gg += u * u
        gh += u * v
        hh += v * v
    return gg, gh, hh


@composed("g")
@kernel
def curvature_products(g, hg):
    """<g, g>, <g, Hg>, <Hg, Hg>, and the factors of g and Hg that these are taken from.

    The factors are 1 unless a square would vanish or overflow, as for gradients of 1e-170 or 1e170.
    """
    gg, gh, hh = products(g, hg)
    if TINY < gg < HUGE and TINY < hh < HUGE:
        return gg, gh, hh, 1.0, 1.0
    top_g, top_h = norm_inf(g), norm_inf(hg)
    if not (0.0 < top_g < math.inf and 0.0 < top_h < math.inf):
        return gg, gh, hh, 1.0, 1.0
    gg, gh, hh = scaled_products(g, hg, top_g, top_h)
    return gg, gh, hh, top_g, top_h


@composed("g")
@kernel
def scalings(g, hg):
    """The curvature <g, Hg> / <g, g>, s_CG and s_MR; the scalings are 0 unless the curvature is positive."""
    gg, gh, hh, top_g, top_h = curvature_products(g, hg)
    c = (gh / gg) * (top_h / top_g) if gg > 0.0 else 0.0
    if not (c > 0.0 and hh > 0.0):
        return c, 0.0, 0.0
    return c, (gg / gh) * (top_g / top_h), (gh / hh) * (top_g / top_h)


@blocked("x")
@kernel
def secant(x, g, x_old, g_old):
    """Write x - x_old and g - g_old over x_old and g_old."""
    for i in range(x.size):
        x_old[i] = x[i] - x_old[i]
        g_old[i] = g[i] - g_old[i]


@composed("x")
@kernel
def secant_scalings(x, g, x_old, g_old):
    """`scalings` of the last step and of what it changed the gradient by; writes these over x_old and g_old.

    The change of the gradient is the Hessian's mean over the step times the step, and the step is along the gradient
    of the point before: this is curvature that no product has to be paid for.
    """
    secant(x, g, x_old, g_old)
    return scalings(x_old, g_old)


@kernel
def kind_of(c, sigma, s_mr):
    """The kind of the curvature c; it counts as positive only if it gives a scaling."""
    if c > sigma and s_mr > 0.0:
        return POSITIVE
    return LIMITED if c >= 0.0 else NEGATIVE


@blocked("g", add)
@kernel
def scale_to(s, g, d):
    """Write d = -s g; return the slope <g, d>."""
    slope = 0.0
    for i in range(g.size):
        d[i] = -s * g[i]
        slope += g[i] * d[i]
    return slope


def checked(sigma, rho, theta, s_negative, s_limited):
    """These five parameters as numbers; an `s_limited` of 0 becomes 1/sigma, and stays 0 where sigma is 0."""
    s_limited = _checks.non_negative("s_limited", s_limited)
    sigma = _checks.non_negative("sigma", sigma)
    if s_limited * sigma > 1.0:
        raise ValueError(f"s_limited must be at most 1/sigma = {1.0 / sigma:g}, got {s_limited!r}")
    return (
        sigma,
        _checks.in_open_interval("rho", rho, 0.0, 0.5),
        _checks.in_open_interval("theta", theta, 0.0, 1.0),
        _checks.positive("s_negative", s_negative),
        s_limited if s_limited > 0.0 or sigma == 0.0 else 1.0 / sigma,
    )
