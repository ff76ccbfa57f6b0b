"""The largest curvature at a point, from a few gradients: the scale of steps where no Lipschitz constant is given."""
import math

from .._jit import kernel, routine
from .._oracle import gradient
from .._vectors import copy_to, norm

# Ours: the gradient is differenced over this length, relative to max(1, ||x||): cube root of the rounding unit.
PROBE = 6e-6
PROBES = 3              # gradients; as many as the random probes of the authors' code of arXiv:2509.11007


@kernel
def difference(g_point, g, point, x, v):
    """Write v = g_point - g; return ||v|| / ||point - x||."""
    for i in range(v.size):
        v[i] = point[i] - x[i]
    length = norm(v, 2)
    for i in range(v.size):
        v[i] = g_point[i] - g[i]
    return norm(v, 2) / length if length > 0.0 else 0.0


@kernel
def probe_point(x, v, out):
    length = norm(v, 2)
    scale = PROBE * max(1.0, norm(x, 2)) / length if length > 0.0 else 0.0
    for i in range(x.size):
        out[i] = x[i] - scale * v[i]


@kernel
def first_step_curvature(x, g):
    """The curvature at which a Newton step has the length max(1, ||x||): where nothing is known, or none was seen."""
    top = norm(g, 2)
    return top / max(1.0, norm(x, 2)) if top > 0.0 else 1.0


@routine
def largest_curvature(oracle, x, g, probes, v, point, g_point):
    """Estimate ||H(x)|| from below by power iteration, started at g, on differences of the gradient.

    `probes` gradients. Where there is no finite positive difference: the curvature at which a Newton step has length
    max(1, ||x||). The last three arguments are room.
    """
    largest = 0.0
    copy_to(g, v)
    for _ in range(probes):
        probe_point(x, v, point)
        gradient(oracle, point, g_point)
        seen = difference(g_point, g, point, x, v)
        if not (math.isfinite(seen) and seen > 0.0):
            break
        largest = max(largest, seen)
    return largest if largest > 0.0 else first_step_curvature(x, g)


@kernel
def curvature_of_step(x, x_new, g, g_new):
    """(||g_new - g|| / ||x_new - x||, ||x_new - x||, ||x_new||); the first is 0 for no step."""
    ss = yy = xx = 0.0
    for i in range(x.size):
        s, y = x_new[i] - x[i], g_new[i] - g[i]
        ss += s * s
        yy += y * y
        xx += x_new[i] * x_new[i]
    length = math.sqrt(ss)
    return math.sqrt(yy) / length if length > 0.0 else 0.0, length, math.sqrt(xx)
