"""Derivatives the user did not give, by differences, in canonical form.

Each builder takes canonical callables and returns a new one; the text is plain Python, and `_objective` compiles it when
the callables it closes over are compiled. The price is counted where it falls: in calls of `fun`, or of `jac`.
"""
import math

import numpy as np

from ._jit import kernel, routine
from ._oracle import F_KNOWN, G_KNOWN, KNOWN_F, KNOWN_G, KNOWN_X, POINT_F, POINT_G, V_COPY
from ._vectors import copy_to, norm, same

EPS = 2.0 ** -52
SQRT_EPS = 2.0 ** -26           # forward differences: error h |f''| + eps |f| / h is least near sqrt(eps)
CBRT_EPS = EPS ** (1.0 / 3.0)   # central differences: the cube root


@routine
def knows_value(data, x):
    return data.counts[F_KNOWN] == 1 and same(data.work[KNOWN_X], x)


@routine
def knows_gradient(data, x):
    return data.counts[G_KNOWN] == 1 and same(data.work[KNOWN_X], x)


@routine
def remember_value(data, x, f):
    if not same(data.work[KNOWN_X], x):
        copy_to(x, data.work[KNOWN_X])
        data.counts[G_KNOWN] = 0
    data.work[KNOWN_F, 0] = f
    data.counts[F_KNOWN] = 1


@routine
def remember_gradient(data, x, g):
    if not same(data.work[KNOWN_X], x):
        copy_to(x, data.work[KNOWN_X])
        data.counts[F_KNOWN] = 0
    copy_to(g, data.work[KNOWN_G])
    data.counts[G_KNOWN] = 1


def remembered_value(fun):
    def value(x, data):
        f = fun(x, data)
        remember_value(data, x, f)
        return f

    return value


def remembered_gradient(jac):
    def gradient(x, data, out):
        jac(x, data, out)
        remember_gradient(data, x, out)

    return gradient


@kernel
def shifted(x, i, h, out):
    """Write x with h added to entry i; return the step really made."""
    for j in range(x.size):
        out[j] = x[j]
    out[i] = x[i] + h
    return out[i] - x[i]


def forward_gradient(fun):
    """n further values of `fun`; its value at x is reused when it was the last one asked for."""

    def gradient(x, data, out):
        point = data.work[POINT_F]
        f = data.work[KNOWN_F, 0] if knows_value(data, x) else fun(x, data)
        for i in range(x.size):
            h = shifted(x, i, math.copysign(SQRT_EPS * max(1.0, abs(x[i])), x[i]), point)
            out[i] = (fun(point, data) - f) / h

    return gradient


def central_gradient(fun):
    """2 n values of `fun`."""

    def gradient(x, data, out):
        point = data.work[POINT_F]
        for i in range(x.size):
            h = CBRT_EPS * max(1.0, abs(x[i]))
            ahead = shifted(x, i, h, point)
            f = fun(point, data)
            behind = shifted(x, i, -h, point)
            out[i] = (f - fun(point, data)) / (ahead - behind)

    return gradient


def complex_step_gradient(fun, shape, count):
    """n values of `fun` at complex points; exact to rounding where `fun` is analytic. Python functions only."""

    def gradient(x, data, out):
        for i in range(x.size):
            z = x.astype(complex)
            z[i] += 1e-100j
            count(data)
            out[i] = imaginary(fun(z.reshape(shape), *data.args)) / 1e-100

    return gradient


def imaginary(f):
    """The imaginary part of what `fun` returned at a complex point; a real result would pass for a zero derivative."""
    array = np.asarray(f)
    if array.dtype.kind != "c" or array.size != 1:
        raise TypeError(f"jac='cs' needs a fun that is analytic and returns one complex number at a complex point, "
                        f"got {f!r}; use jac='2-point'")
    return float(array.imag.reshape(-1)[0])


@kernel
def ahead(x, v, length, out):
    """Write x + h v for the difference quotient along v, with h ||v|| = length; return h, or 0 when v vanishes."""
    size = norm(v, 2)
    if not size > 0.0:
        return 0.0
    h = length / size
    for i in range(x.size):
        out[i] = x[i] + h * v[i]
    return h


@kernel
def quotient(g, h, out):
    """Write (out - g) / h, or zeros when h is 0."""
    for i in range(out.size):
        out[i] = (out[i] - g[i]) / h if h > 0.0 else 0.0


def gradient_difference(jac):
    """H(x) v from one gradient at x + h v; the gradient at x is reused when it was the last one asked for."""

    def product(x, v, data, out):
        base, point = data.work[V_COPY], data.work[POINT_G]
        if knows_gradient(data, x):
            copy_to(data.work[KNOWN_G], base)
        else:
            jac(x, data, base)
        h = ahead(x, v, SQRT_EPS * (1.0 + norm(x, 2)), point)
        if h > 0.0:
            jac(point, data, out)
        quotient(base, h, out)
        remember_gradient(data, x, base)  # a shared evaluation at x + h v has replaced it

    return product
