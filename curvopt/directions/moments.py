"""Running means of the gradient and of its square, entry by entry, and the step Adam makes of them."""
import math

from .. import _checks
from .._jit import kernel

PAPER, TORCH, RELATIVE = range(3)       # forms of Adam: where its eps stands


@kernel
def update_moments(g, beta1, beta2, m, v):
    """m <- beta1 m + (1 - beta1) g  and  v <- beta2 v + (1 - beta2) g^2, entry by entry."""
    for i in range(g.size):
        m[i] = beta1 * m[i] + (1.0 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i]


@kernel
def moments_step(x, m, v, lr, eps, decay1, decay2, plain, out):
    """Write x - lr m' / (sqrt(v') + eps), where m' = m / (1 - decay1), v' = v / (1 - decay2); return whether x moves.

    decay1 and decay2 are beta1^k and beta2^k after k updates from zero. With `plain`, eps is added to sqrt(v) before
    the correction of v, and not to sqrt(v') after it.
    """
    root = math.sqrt(1.0 - decay2)
    scale = lr / (1.0 - decay1)
    if plain:
        scale, root = scale * root, 1.0
    moved = False
    for i in range(x.size):
        out[i] = x[i] - scale * m[i] / (math.sqrt(v[i]) / root + eps)
        if out[i] != x[i]:
            moved = True
    return moved


def decays(beta1, beta2):
    """(beta1, beta2), checked."""
    for name, beta in (("beta1", beta1), ("beta2", beta2)):
        if not 0.0 <= _checks.real(name, beta) < 1.0:
            raise ValueError(f"{name} must lie in [0, 1), got {beta!r}")
    return float(beta1), float(beta2)
