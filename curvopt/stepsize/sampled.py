"""What the automatic step of IAN-SGD makes of its measurements: slopes, quantiles, the guard, the length of a step."""
import math

from .._jit import kernel
from .._vectors import norm
from .normalized import power
from .secant import secant_curvature

# Ours; see methods/independent_auto. Weight of the past in running means; level of the quantiles; growth of a step; most
# that slopes may lengthen it; recovery of what was halved or cut; when the guard says lost, and at once; lengths below which
# there is no quantile; the power of all its cuts that a cut step adds to the caution.
MEMORY, LEVEL, GROWTH, STRETCH, RECOVERY, LOST, AT_ONCE, FEW, CAUTION = 0.8, 0.8, 2.0, 4.0, 1.01, 1e3, 1e5, 4, 0.25


@kernel
def mean(past, value):
    return MEMORY * past + (1.0 - MEMORY) * value


@kernel
def along(x, x_new, g, g_new):
    """(secant, slope at x, slope at x_new) of a step: the slopes downwards, as cosines with the larger gradient."""
    secant, before, after = secant_curvature(x, x_new, g, g_new), 0.0, 0.0
    length = 0.0
    for i in range(x.size):
        d = x_new[i] - x[i]
        length += d * d
        before -= g[i] * d
        after -= g_new[i] * d
    scale = math.sqrt(length) * max(norm(g, 2), norm(g_new, 2))
    return (secant, before / scale, after / scale) if scale > 0.0 else (secant, 0.0, 0.0)


@kernel
def remember(window, seen, length, energy):
    """Keep them in the next column; return how many have been kept."""
    place = seen % window.shape[1]
    window[0, place] = length
    window[1, place] = energy
    return seen + 1


@kernel
def order_statistic(window, row, n, k):
    """The entry with k smaller ones among the first n of a row. The window is short, and sorting would make an array."""
    for i in range(n):
        candidate = window[row, i]
        smaller = equal = 0
        for j in range(n):
            if window[row, j] < candidate:
                smaller += 1
            elif window[row, j] == candidate:
                equal += 1
        if smaller <= k < smaller + equal:
            return candidate
    return math.nan


@kernel
def quantile(window, row, seen, level):
    """The quantile of a row of the window, linearly interpolated."""
    n = min(seen, window.shape[1])
    place = level * (n - 1)
    below = min(int(place), n - 2)
    low, high = order_statistic(window, row, n, below), order_statistic(window, row, n, below + 1)
    return low + (place - below) * (high - low)


@kernel
def normalizer(length, window, seen, beta):
    if seen < FEW:
        return 1.0
    level = quantile(window, 0, seen, LEVEL)
    return power(max(1.0, length / level), beta) if level > 0.0 else 1.0


@kernel
def step_length(theta, curvature, h, before, slope0, slope1, longest):
    """theta / (L h), longer where the slopes along the last steps allow it, at most twice the step before if there is one."""
    s = theta / (curvature * h) if curvature > 0.0 else math.inf
    if slope0 > 0.0 and slope1 > 0.0:
        most = (1.0 + (STRETCH - 1.0) * theta) * s      # less for small batches, and after the guard has spoken
        s = max(s, min(before * slope0 / (slope0 - slope1), most)) if slope0 > slope1 else most
    if before > 0.0:
        s = min(s, GROWTH * before)
    s = min(s, longest)
    return s if 0.0 < s < math.inf else 0.0


@kernel
def median(a, b, c):
    return max(min(a, b), min(max(a, b), c))


@kernel
def mean_energy(window, seen):
    """The mean and not a median: the rows of many batches may all be flat, and then s |g'|^2 says nothing of the noise."""
    n, total = min(seen, window.shape[1]), 0.0
    for i in range(n):
        total += window[1, i] / n
    return total


@kernel
def is_lost(now, rise, rise1, rise2, window, seen):
    """Whether the values above the anchor, now and in the mean, are beyond what steps of the usual energy explain."""
    if not math.isfinite(now):
        return True
    if seen < 3:
        return False
    energy = mean_energy(window, seen)
    return now > AT_ONCE * energy or (rise > LOST * energy and median(now, rise1, rise2) > LOST * energy)


@kernel
def recover(caution, cuts):
    return min(1.0, caution * math.pow(RECOVERY, 1.0 / (1.0 + cuts)))


@kernel
def cautious(caution, cuts, share, seen):
    """(caution, cuts) after a step was cut to that share; the first steps are cut because nothing is known yet."""
    return (caution * math.pow(share, CAUTION), cuts + 1) if seen >= FEW else (caution, cuts)


@kernel
def is_long(length, window, seen):
    return seen < FEW or length > quantile(window, 0, seen, LEVEL)
