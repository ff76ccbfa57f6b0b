"""The step of SGMStochastic: Adam's metric, the curvature in it, and whether the iterates still travel."""
import math

from .._jit import kernel

# Ours; see methods/stochastic_scaled. Memory of the mean of s; what the spread of s adds to L, and the spread relative to
# the mean that adds nothing; memory of both sides of q; least and largest c.
MEMORY, SPREAD, CALM, RECENT, LEAST, MOST = 0.95, 4.0, 0.5, 0.9, 0.5, 2.0


@kernel
def recall(past, value):
    return MEMORY * past + (1.0 - MEMORY) * value


@kernel
def metric(v, decay2, k, eps, p):
    """Write the diagonal of P after k batches: in each mean of squares, the mean over all entries counts for one batch.

    An entry that no batch has moved yet would have no curvature to speak of otherwise, until a row of a product moves it.
    """
    mean = 0.0
    for i in range(v.size):
        mean += v[i] / v.size
    for i in range(v.size):
        p[i] = 1.0 / (math.sqrt((k * v[i] + mean) / ((k + 1.0) * (1.0 - decay2))) + eps)


@kernel
def direction(m, p, decay1, d):
    """Write P m of the corrected mean."""
    for i in range(d.size):
        d[i] = p[i] * m[i] / (1.0 - decay1)


@kernel
def curvature(d, hd, p):
    """sqrt(<Hd, P Hd> / <d, P^-1 d>); 0 where d vanishes."""
    top = bottom = 0.0
    for i in range(d.size):
        top += hd[i] * hd[i] * p[i]
        bottom += d[i] * d[i] / p[i]
    return math.sqrt(top / bottom) if bottom > 0.0 else 0.0


@kernel
def travel(g, w, x, lr, d, p, excess, shaking):
    """The running means of <g, w - x> and lr <d, P^-1 d>, d the step that led to w, and P its metric."""
    now = square = 0.0
    for i in range(g.size):
        now += g[i] * (w[i] - x[i])
        square += d[i] * d[i] / p[i]
    return RECENT * excess + (1.0 - RECENT) * now, RECENT * shaking + (1.0 - RECENT) * lr * square


@kernel
def length_factor(excess, shaking, beta1):
    """c: 1 where the iterates are stationary, up to MOST where they travel."""
    stationary = 0.5 * (1.0 + beta1) / (1.0 - beta1) * shaking
    return min(max(2.0 - excess / stationary, LEAST), MOST) if stationary > 0.0 else 1.0


@kernel
def learning_rate(theta, mean, square, products, before):
    """The step after `products` measurements of s, from the running means of s and s^2; theta with c in it."""
    weight = 1.0 - math.pow(MEMORY, products)
    mean /= weight
    spread = math.sqrt(max(square / weight - mean * mean, 0.0))
    top = mean + SPREAD * max(spread - CALM * mean, 0.0)
    longest = (1.0 + 1.0 / products) * before if before > 0.0 else math.inf
    lr = min(theta / top, longest) if top > 0.0 else longest
    return lr if 0.0 < lr < math.inf else before
