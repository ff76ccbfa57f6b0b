"""What theory promises for a method: rates of convergence, with their conditions and sources.

Only promises that hold for the method as it stands here, with the parameters it has, are listed. A method without an
entry has none that a number can be given to.
"""
import math

from ._rate import Bound

CONVEX = "fun convex with L-Lipschitz gradient"
STRONGLY = "fun mu-strongly convex with L-Lipschitz gradient"
QUADRATIC = "fun quadratic with eigenvalues in [mu, L]"


def bounds(method, quantity, L=None, mu=None):
    """Tuple of Bound for `method` and a quantity, "fun - f_star" or "gradient norm"."""
    promises = PROMISES.get(method.name)
    return () if promises is None else tuple(promises(method, 2 if quantity == "fun - f_star" else 1, L, mu))


# Each function below takes the power with which the quantity depends on the distance to the minimizer: 1 for the norm of
# the gradient, 2 for fun - f_star.

def gradient_descent(method, power, L, mu):
    if L is None or method.lr > 2.0 / L:
        return
    if mu:
        factor = max(abs(1.0 - method.lr * mu), abs(1.0 - method.lr * L))
        yield Bound("linear", factor ** power, f"{STRONGLY}; Taylor, Hendrickx, Glineur 2018")
    elif method.lr <= 1.0 / L and power == 2:
        yield Bound("sublinear", 1.0, f"{CONVEX}; Nesterov 2004, 2.1.5")


def heavy_ball(method, power, L, mu):
    """The spectral radius of z^2 - (1 + b - a lambda) z + b; it is largest at an end of [mu, L]."""
    if L is None or not mu or method.lr >= 2.0 * (1.0 + method.momentum) / L:
        return
    radius = max(spectral_radius(method.lr * e, method.momentum) for e in (mu, L))
    yield Bound("linear", radius ** power, f"{QUADRATIC}, many iterations; Polyak 1964", True)


def spectral_radius(t, momentum):
    trace = 1.0 + momentum - t
    inside = trace * trace - 4.0 * momentum
    return math.sqrt(momentum) if inside <= 0.0 else 0.5 * (abs(trace) + math.sqrt(inside))


def nesterov(method, power, L, mu):
    if L is None or method.lr > 1.0 / L * (1.0 + 1e-12):
        return
    if method.mu > 0.0:
        factor = 1.0 - math.sqrt(method.mu * method.lr)
        yield Bound("linear", factor ** (power / 2), f"{STRONGLY.replace('mu-', f'{method.mu:g}-')}; Nesterov 2004, 2.2.1")
    elif power == 2:
        yield Bound("sublinear", 2.0, f"{CONVEX}; Nesterov 1983")


def conjugate_scaling(method, power, L, mu):
    """The step is exact along the gradient: Kantorovich's inequality."""
    if L and mu:
        yield Bound("linear", ((L - mu) / (L + mu)) ** power, f"{QUADRATIC}; Kantorovich", power == 1)


def residual_scaling(method, power, L, mu):
    if L and mu and power == 1:
        yield Bound("linear", (L - mu) / (L + mu), f"{QUADRATIC}; arXiv:2502.03701")
    elif L and mu:
        yield Bound("linear", 1.0 - mu / L, f"{QUADRATIC}; arXiv:2502.03701")


def geometric_scaling(method, power, L, mu):
    if L and mu:
        yield Bound("linear", (1.0 - mu / L) if power == 2 else math.sqrt(1.0 - mu / L), f"{QUADRATIC}; arXiv:2502.03701")


def polyak_step(method, power, L, mu):
    if L and mu and power == 2:
        yield Bound("linear", 1.0 - mu / (4.0 * L), f"{STRONGLY}, f_star exact; Polyak 1969", True)


def long_steps(method, power, L, mu):
    yield Bound("nearly linear", math.nan, "growth of order four off a ravine; arXiv:2409.19791")


def secants(method, power, L, mu):
    yield Bound("linear", math.nan, "fun strongly convex near the minimizer; Liu and Nocedal 1989")


def newton(method, power, L, mu):
    yield Bound("superlinear", math.nan, "regular minimizer, Lipschitz Hessian; Dembo, Eisenstat, Steihaug 1982")


PROMISES = {
    "GD": gradient_descent, "HeavyBall": heavy_ball, "Nesterov": nesterov, "PolyakGD": polyak_step,
    "SCG": conjugate_scaling, "SMR": residual_scaling, "SGM": geometric_scaling,
    "GDPolyak": long_steps, "GDPolyakAdaptive": long_steps, "LBFGS": secants, "TruncatedNewton": newton,
}
