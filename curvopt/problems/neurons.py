r"""Two neurons learn one: the population loss of two ReLU neurons against a teacher with a single neuron.

.. math::  f(w_1, w_2) = \tfrac14 |w_1 + w_2 - v|^2
           + \tfrac1{2\pi} \left[\varphi(w_1, w_2) - \varphi(w_1, v) - \varphi(w_2, v)\right], \qquad
           \varphi(a, b) = |a|\,|b|\,(\sin t - t \cos t),

t the angle between a and b. Every minimizer splits v into two parallel parts; along the ravine fun grows with order 3 and
has no fourth derivative. The textbook formula acos(<a, b> / |a||b|) loses everything at fun = 1e-16; here angles come from
chords and small ones go through a series, which is exact down to 1e-28.

References
----------
.. [1] W. Xu, S. S. Du, "Over-parameterization exponentially slows down gradient descent for learning a single neuron",
       COLT 2023.
"""
import math
from functools import partial

import numpy as np

from .._jit import kernel
from ._problem import Problem
from .flat import check_sizes


@kernel
def unit_to(a, out):
    """Write a / |a| (0 for a = 0); return |a|."""
    length = 0.0
    for i in range(a.size):
        length += a[i] * a[i]
    length = math.sqrt(length)
    inverse = 1.0 / length if length > 0.0 else 0.0
    for i in range(a.size):
        out[i] = a[i] * inverse
    return length


@kernel
def angle(u, v):
    """The angle between two unit vectors, from the chords |u - v| and |u + v|: accurate for all angles."""
    minus = plus = 0.0
    for i in range(u.size):
        minus += (u[i] - v[i]) * (u[i] - v[i])
        plus += (u[i] + v[i]) * (u[i] + v[i])
    return 2.0 * math.atan2(math.sqrt(minus), math.sqrt(plus))


@kernel
def bend(t):
    """sin t - t cos t, to full relative accuracy for t >= 0."""
    if t > 0.5:
        return math.sin(t) - t * math.cos(t)
    term = t * t * t / 3.0
    total = 0.0
    for k in range(1, 10):      # the ninth term is below 1e-20 of the first at t = 1/2
        total += term
        term *= -t * t / (2.0 * k * (2.0 * k + 3.0))
    return total


@kernel
def neurons_fun(x, v):
    n = v.size
    u1, u2, u = np.empty(n), np.empty(n), np.empty(n)
    r1, r2, r = unit_to(x[:n], u1), unit_to(x[n:], u2), unit_to(v, u)
    total = 0.0
    for i in range(n):
        s = x[i] + x[n + i] - v[i]
        total += 0.25 * s * s
    pairs = r1 * r2 * bend(angle(u1, u2)) - r1 * r * bend(angle(u1, u)) - r2 * r * bend(angle(u2, u))
    return total + pairs / (2.0 * math.pi)


@kernel
def add_pair_gradient(scale, ua, ub, rb, out):
    """Add scale times the gradient of phi(a, b) in a: |b| (sin t a/|a| - t b/|b|)."""
    t = angle(ua, ub)
    sine = math.sin(t)
    for i in range(out.size):
        out[i] += scale * rb * (sine * ua[i] - t * ub[i])


@kernel
def neurons_jac(x, v):
    n = v.size
    u1, u2, u = np.empty(n), np.empty(n), np.empty(n)
    r1, r2, r = unit_to(x[:n], u1), unit_to(x[n:], u2), unit_to(v, u)
    g = np.empty_like(x)
    for i in range(n):
        g[i] = g[n + i] = 0.5 * (x[i] + x[n + i] - v[i])
    scale = 1.0 / (2.0 * math.pi)
    add_pair_gradient(scale, u1, u2, r2, g[:n])
    add_pair_gradient(-scale, u1, u, r, g[:n])
    add_pair_gradient(scale, u2, u1, r1, g[n:])
    add_pair_gradient(-scale, u2, u, r, g[n:])
    return g


@kernel
def add_pair_product(scale, ua, ra, ub, rb, da, db, out):
    """Add scale times the derivative of the gradient of phi(a, b) in a, along (da, db)."""
    t = angle(ua, ub)
    sine, cosine = math.sin(t), math.cos(t)
    inverse = 1.0 / sine if sine > 0.0 else 0.0
    across = 1.0 / ra if ra > 0.0 else 0.0
    along_a = along_b = 0.0         # <a/|a|, da>, <b/|b|, db>
    for i in range(da.size):
        along_a += ua[i] * da[i]
        along_b += ub[i] * db[i]
    turn_a = turn_b = 0.0           # rates at which a and b turn towards each other
    for i in range(da.size):
        turn_a += (ub[i] - cosine * ua[i]) * inverse * (da[i] - along_a * ua[i])
        turn_b += (ua[i] - cosine * ub[i]) * inverse * (db[i] - along_b * ub[i])
    dt = -turn_a * across - (turn_b / rb if rb > 0.0 else 0.0)
    for i in range(da.size):
        du = (da[i] - along_a * ua[i]) * across
        out[i] += scale * (along_b * sine * ua[i] - rb * dt * (ub[i] - cosine * ua[i]) + rb * sine * du - t * db[i])


@kernel
def neurons_hessp(x, p, v):
    n = v.size
    u1, u2, u, still = np.empty(n), np.empty(n), np.empty(n), np.zeros(n)
    r1, r2, r = unit_to(x[:n], u1), unit_to(x[n:], u2), unit_to(v, u)
    hp = np.empty_like(x)
    for i in range(n):
        hp[i] = hp[n + i] = 0.5 * (p[i] + p[n + i])
    scale = 1.0 / (2.0 * math.pi)
    add_pair_product(scale, u1, r1, u2, r2, p[:n], p[n:], hp[:n])
    add_pair_product(-scale, u1, r1, u, r, p[:n], still, hp[:n])
    add_pair_product(scale, u2, r2, u1, r1, p[n:], p[:n], hp[n:])
    add_pair_product(-scale, u2, r2, u, r, p[n:], still, hp[n:])
    return hp


def split(t, v, across):
    """Half of v in each neuron, moved apart by t: |t|^3 (|w1| + |w2|) / (3 pi |w1| |w2|) to first order."""
    return np.concatenate([0.5 * v + t * across, 0.5 * v - t * across])


def two_neurons_from(v, x0, name):
    """The problem of a given teacher v and start x0 = (w1, w2)."""
    across = np.zeros_like(v)
    across[:2] = -v[1], v[0]
    length = np.hypot(v[0], v[1])
    across = across / length if length > 0.0 else np.eye(v.size)[0]
    return Problem(name, neurons_fun, neurons_jac, neurons_hessp, x0, (v,), f_star=0.0, x_star=np.concatenate([v, v]) / 2,
                   growth=3.0, ravine=partial(split, v=v, across=across))


def two_neurons(d=20, seed=0):
    """Two ReLU neurons in d dimensions against one; third-order growth, 2d variables.

    Parameters
    ----------
    d : int >= 2
    seed : int
        Of both neurons at the start and of the teacher, all N(0, I).

    Returns
    -------
    Problem
    """
    check_sizes(d=(d, 2))
    rng = np.random.default_rng(seed)
    x0, v = rng.standard_normal(2 * d), rng.standard_normal(d)
    return two_neurons_from(v, x0, f"two-neurons-{d}")
