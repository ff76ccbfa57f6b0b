"""The largest curvature at a point, from a few gradients: the scale of steps where no Lipschitz constant is given."""
import math

from .._jit import kernel, routine
from .._oracle import gradient
from .._vectors import copy_to, norm
from .secant import secant_products

# Ours: the gradient is differenced over this length, relative to max(1, ||x||): cube root of the rounding unit.
PROBE = 6e-6
PROBES = 3              # gradients; as many as the random probes of the authors' code of arXiv:2509.11007
FIRST_TRIALS = 3        # ours: trials whose own curvatures stand in for further probes
LEAST_ALONG = 0.1       # ours: a curvature along g below this share of the largest is not used: the parabola is no guide


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
def curvatures(x, point, g, g_point):
    """(||y|| / ||s||, <s, y> / <s, s>) of the step s from x to the point; zeros for no step."""
    ss, sy, yy = secant_products(x, point, g, g_point)
    return (math.sqrt(yy / ss), sy / ss) if ss > 0.0 else (0.0, 0.0)


@routine
def probed_curvature(oracle, x, g, point, g_point):
    """(||H g|| / ||g||, <g, H g> / <g, g>) from one gradient; the last two arguments are room.

    The second, whose inverse is the best step along -g, is the first where it is not positive or much smaller. Without a
    finite positive difference both are the curvature at which a Newton step has length max(1, ||x||).
    """
    probe_point(x, g, point)
    gradient(oracle, point, g_point)
    largest, along = curvatures(x, point, g, g_point)
    if not (math.isfinite(largest) and largest > 0.0):
        largest = first_step_curvature(x, g)
        return largest, largest
    return largest, along if along >= LEAST_ALONG * largest else largest


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
