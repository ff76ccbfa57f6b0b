"""Step lengths that shrink with a power of the gradient's length."""
import math

from .._jit import kernel


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
