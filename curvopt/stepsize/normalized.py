"""Step lengths that shrink with a power of the gradient's length, and averages of the iterates."""
import math

from .._jit import kernel

# Exponent of the averaging: number t in an average has about the weight t^8. Ours, within the range that O. Shamir and
# T. Zhang (ICML 2013) propose.
DECAY = 8.0


@kernel
def power(base, exponent):
    """base^exponent for base >= 0, exact for the exponents 0 and 1."""
    if exponent == 0.0:
        return 1.0
    if exponent == 1.0:
        return base
    return math.pow(base, exponent)


@kernel
def normalized_length(gamma, length, beta, delta, clip):
    """gamma / max(length + delta, clip)^beta; 0 where that has no value, as for a gradient of length 0."""
    h = power(max(length + delta, clip), beta)
    return gamma / h if 0.0 < h < math.inf else 0.0


@kernel
def average_to(x, w, count, out):
    """Write the average x with the iterate w, number `count`, in it."""
    a = (DECAY + 1.0) / (count + DECAY)
    for i in range(x.size):
        out[i] = x[i] + a * (w[i] - x[i])
