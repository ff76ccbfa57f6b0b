r"""Steihaug's step: conjugate gradients up to the edge of a ball, and back along the same path when the ball was too large.

A solve that meets a direction without positive curvature goes on along it to the edge (`to_edge`); one that reaches the
edge between two iterates stops there (`krylov.within`). When the step is refused, the step of a smaller ball is on the path
already taken, and needs no product: `retreat` goes back along the last direction, and below that along the chord from the
longest kept iterate in the smaller ball. Each iterate minimizes the model over all that came before it, so that the model
falls along each chord; and the residual g + H p is linear, so that it stays exact.

References
----------
.. [1] T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal.
       20, 1983.
.. [2] P. L. Toint, "Towards an efficient sparsity exploiting Newton method for minimization", in "Sparse Matrices and
       Their Uses", 1981.
"""
import math

from .._jit import kernel, routine
from .._vectors import dot, norm
from .krylov import LAST, LENGTH, LONGER, SHORT, move, within


@kernel
def to_edge(radius, d, hd, p, r, real):
    """Go on along d until ||p|| = radius, or to the minimum along d where the curvature is positive, if in doubt."""
    dhd = dot(d, hd)
    lowest = -dot(r, d) / dhd if dhd > 0.0 else math.inf
    real[LAST] = within(lowest, d, p, radius)
    real[LENGTH] = move(real[LAST], d, hd, p, r)


@kernel
def share_within(a, p, radius):
    """t in [0, 1] with ||a + t (p - a)|| = radius, where ||a|| <= radius <= ||p||."""
    aa = ad = dd = 0.0
    for i in range(p.size):
        aa += a[i] * a[i]
        ad += a[i] * (p[i] - a[i])
        dd += (p[i] - a[i]) * (p[i] - a[i])
    room = max(radius * radius - aa, 0.0)
    root = math.sqrt(ad * ad + dd * room)
    t = room / (ad + root) if ad > 0.0 else (root - ad) / dd if dd > 0.0 else 1.0
    return min(t, 1.0)


@kernel
def blend(a, ra, radius, p, r):
    """Replace p by the point of the chord from a that has the length `radius`, and r by the residual there."""
    t = share_within(a, p, radius)
    for i in range(p.size):
        p[i] = a[i] + t * (p[i] - a[i])
        r[i] = ra[i] + t * (r[i] - ra[i])


@kernel
def shrink(radius, g, p, r):
    """The same for the chord from 0."""
    t = radius / norm(p, 2)
    for i in range(p.size):
        p[i] *= t
        r[i] = g[i] + t * (r[i] - g[i])


@kernel
def undo(radius, d, hd, p, r, real):
    """Go back along the last direction, to its beginning or to ||p|| = radius; return whether that came first."""
    whole, size = real[LAST], move(-real[LAST], d, hd, p, r)
    real[LAST] = 0.0
    if not size <= radius:
        return False
    real[LAST] = within(whole, d, p, radius)
    move(real[LAST], d, hd, p, r)
    return True


@routine
def retreat(radius, g, solve):
    """Replace the step by that of a smaller radius, along the path of the solve; its length becomes `radius`."""
    p, r, real = solve.p, solve.r, solve.real
    if real[LAST] == 0.0 or not undo(radius, solve.d, solve.hd, p, r, real):
        if 0.0 < real[LONGER] <= radius:
            blend(solve.longer, solve.r_longer, radius, p, r)
        elif 0.0 < real[SHORT] <= radius:
            blend(solve.short, solve.r_short, radius, p, r)
        else:
            shrink(radius, g, p, r)
    real[LENGTH] = norm(p, 2)
