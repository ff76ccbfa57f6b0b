r"""The parabola along which a curved ravine continues, from one point on it and the end of one Newton step.

A Newton step d from a point on a ravine is tangent to it, and the ravine bends away: after t d the distance from it has
grown like t^2. The path

.. math::  x(t) = x + t\,d + t^2 q

follows it when q is what brings the end of the step, t = 1, back: the Newton correction of the gradient there, without
its part along d, where the power law of the ravine has to be left alone,

.. math::  q = c\,d - H g_1, \qquad c = \langle H g_1, g\rangle / \langle d, g\rangle ,

so that q is orthogonal to the old gradient, that is conjugate to d. H is that of x, which a Newton-CG cycle has just taught
the memory, so that the correction costs no evaluation. With :math:`e = -\langle g_1, q\rangle`, the straight line t d lies
:math:`\tfrac12 e\, t^4` above the ravine and that much has to be taken off value and slope before they are read as a power of
the distance along it. On x^4 + a (y - x^2)^2 all of this is exact, whatever a; without it, three Newton steps from (u, u^2)
end at (0, -u^2), where fun is a times what it was.
"""
from .._jit import kernel
from .._vectors import dot


@kernel
def bending(g, g_new, d, slope, q):
    """q holds H g_new and becomes the bend of the ravine; `slope` is <g, d>. Return e, or 0 with q = 0 where there is none."""
    along = dot(q, g) / slope
    above = 0.0
    for i in range(d.size):
        q[i] = along * d[i] - q[i]
        above -= g_new[i] * q[i]
    if above > 0.0:
        return above
    straight(q)
    return 0.0


@kernel
def straight(q):
    """No bend."""
    for i in range(q.size):
        q[i] = 0.0


@kernel
def follow(t, d, q, x, out):
    """Write x + t d + t^2 q."""
    for i in range(x.size):
        out[i] = x[i] + t * (d[i] + t * q[i])
