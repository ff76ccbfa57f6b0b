"""The functions on which FUSE is measured, from their formulas, each with its gradient: ``fun(x) -> (f, g)``.

`STARTS` are the 21 function and start pairs of the specification's first table, `OTHERS` textbook functions that played
no part in choosing any constant, and `ROUGH` functions with kinks.
"""
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    name: str
    fun: object
    x0: np.ndarray
    f_star: float


def residuals(r_and_jacobian):
    """Sum of squares of r(x), from a function that returns (r, Jacobian)."""
    def fun(x):
        r, jacobian = r_and_jacobian(x)
        return float(r @ r), 2.0 * jacobian.T @ r

    return fun


def rosenbrock(x):
    t = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] = -400.0 * x[:-1] * t - 2.0 * (1.0 - x[:-1])
    g[1:] += 200.0 * t
    return float(np.sum(100.0 * t * t + (1.0 - x[:-1]) ** 2)), g


@residuals
def beale(x):
    k, c = np.arange(1, 4), np.array([1.5, 2.25, 2.625])
    return c - x[0] * (1 - x[1] ** k), np.column_stack([x[1] ** k - 1, x[0] * k * x[1] ** (k - 1)])


@residuals
def booth(x):
    return np.array([x[0] + 2 * x[1] - 7, 2 * x[0] + x[1] - 5]), np.array([[1.0, 2.0], [2.0, 1.0]])


def matyas(x):
    return float(0.26 * x @ x - 0.48 * x[0] * x[1]), 0.52 * x - 0.48 * x[::-1]


@residuals
def himmelblau(x):
    return np.array([x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7]), np.array([[2 * x[0], 1.0], [1.0, 2 * x[1]]])


def three_hump(x):
    a, b = x
    return (float(2 * a * a - 1.05 * a ** 4 + a ** 6 / 6 + a * b + b * b),
            np.array([4 * a - 4.2 * a ** 3 + a ** 5 + b, a + 2 * b]))


def ackley(x):
    n, length = x.size, np.sqrt(np.mean(x * x))
    bowl, waves = np.exp(-0.2 * length), np.exp(np.mean(np.cos(2 * np.pi * x)))
    pull = 4.0 * bowl * x / (n * length) if length > 0 else np.zeros(n)
    return float(-20 * bowl - waves + 20 + np.e), pull + waves * 2 * np.pi / n * np.sin(2 * np.pi * x)


def rastrigin(x):
    return (float(10 * x.size + np.sum(x * x - 10 * np.cos(2 * np.pi * x))),
            2 * x + 20 * np.pi * np.sin(2 * np.pi * x))


def goldstein_price(x):
    a, b = x
    p, q = a + b + 1, 19 - 14 * a + 3 * a * a - 14 * b + 6 * a * b + 3 * b * b
    r, s = 2 * a - 3 * b, 18 - 32 * a + 12 * a * a + 48 * b - 36 * a * b + 27 * b * b
    left, right = 1 + p * p * q, 30 + r * r * s
    d_left = np.array([2 * p * q + p * p * (-14 + 6 * a + 6 * b), 2 * p * q + p * p * (-14 + 6 * a + 6 * b)])
    d_right = np.array([4 * r * s + r * r * (-32 + 24 * a - 36 * b), -6 * r * s + r * r * (48 - 36 * a + 54 * b)])
    return float(left * right), d_left * right + left * d_right


def styblinski_tang(x):
    return float(0.5 * np.sum(x ** 4 - 16 * x * x + 5 * x)), 0.5 * (4 * x ** 3 - 32 * x + 5)


@residuals
def powell_singular(x):
    a, b, c, d = x
    s5, s10 = np.sqrt(5.0), np.sqrt(10.0)
    return (np.array([a + 10 * b, s5 * (c - d), (b - 2 * c) ** 2, s10 * (a - d) ** 2]),
            np.array([[1, 10, 0, 0], [0, 0, s5, -s5], [0, 2 * (b - 2 * c), -4 * (b - 2 * c), 0],
                      [2 * s10 * (a - d), 0, 0, -2 * s10 * (a - d)]]))


def wood(x):
    a, b, c, d = x
    t, u = b - a * a, d - c * c
    f = 100 * t * t + (1 - a) ** 2 + 90 * u * u + (1 - c) ** 2 + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) \
        + 19.8 * (b - 1) * (d - 1)
    return float(f), np.array([-400 * a * t - 2 * (1 - a), 200 * t + 20.2 * (b - 1) + 19.8 * (d - 1),
                               -360 * c * u - 2 * (1 - c), 180 * u + 20.2 * (d - 1) + 19.8 * (b - 1)])


def levy(x):
    w = 1 + (x - 1) / 4
    u, v, z = w[:-1] - 1, np.sin(np.pi * w[:-1] + 1), w[-1] - 1
    f = np.sin(np.pi * w[0]) ** 2 + np.sum(u * u * (1 + 10 * v * v)) + z * z * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    g = np.zeros_like(x)
    g[0] = np.pi * np.sin(2 * np.pi * w[0])
    g[:-1] += 2 * u * (1 + 10 * v * v) + u * u * 20 * v * np.pi * np.cos(np.pi * w[:-1] + 1)
    g[-1] += 2 * z * (1 + np.sin(2 * np.pi * w[-1]) ** 2) + z * z * 2 * np.pi * np.sin(4 * np.pi * w[-1])
    return float(f), g / 4


def quadratic(eigenvalues):
    return lambda x: (0.5 * float(eigenvalues @ (x * x)), eigenvalues * x)


def rotated(fun, basis):
    def turned(x):
        f, g = fun(basis.T @ x)
        return f, basis @ g

    return turned


def start_pairs():
    """The 21 pairs. The rotation of the last quadratic is our own: the specification does not give one."""
    rng = np.random.default_rng(0)
    eigenvalues, x0 = np.logspace(0, 6, 50), rng.standard_normal(50)
    basis = np.linalg.qr(rng.standard_normal((50, 50)))[0]
    rows = [
        ("rosenbrock2/0", rosenbrock, [-1.2, 1], 0), ("rosenbrock2/1", rosenbrock, [-2, 2], 0),
        ("rosenbrock10", rosenbrock, [-1.2, 1] * 5, 0), ("rosenbrock100", rosenbrock, [-1.2, 1] * 50, 0),
        ("beale/0", beale, [1, 1], 0), ("beale/1", beale, [-2, -2], 0), ("booth", booth, [-5, 5], 0),
        ("matyas", matyas, [8, -6], 0), ("himmelblau/0", himmelblau, [0, 0], 0), ("himmelblau/1", himmelblau, [-4, 4], 0),
        ("three-hump", three_hump, [-2, 1.5], 0), ("ackley/0", ackley, [2.5, -1.5], 0), ("ackley/1", ackley, [0.4, 0.3], 0),
        ("rastrigin", rastrigin, [2.2, -1.7], 0), ("goldstein-price", goldstein_price, [-0.5, 0.5], 3),
        ("styblinski-tang", styblinski_tang, np.linspace(-1, 1, 10), -391.6616570377142),
        ("powell", powell_singular, [3, -1, 0, 1], 0), ("wood", wood, [-3, -1, -3, -1], 0),
        ("levy", levy, [-3, 2, 4, -1, 3], 0),
        ("quadratic", quadratic(eigenvalues), x0, 0),
        ("quadratic-rotated", rotated(quadratic(eigenvalues), basis), basis @ x0, 0),
    ]
    return [Case(name, fun, np.array(x0, float), float(f_star)) for name, fun, x0, f_star in rows]


# ---- functions that played no part in choosing the constants ---------------------------------------------------------------

@residuals
def brown_dennis(x):
    t = np.arange(1, 21) / 5.0
    u, v = x[0] + t * x[1] - np.exp(t), x[2] + x[3] * np.sin(t) - np.cos(t)
    return u * u + v * v, np.column_stack([2 * u, 2 * u * t, 2 * v, 2 * v * np.sin(t)])


@residuals
def biggs_exp6(x):
    t = 0.1 * np.arange(1, 14)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    a, b, c = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-t * x[4])
    return (x[2] * a - x[3] * b + x[5] * c - y,
            np.column_stack([-t * x[2] * a, t * x[3] * b, a, -b, -t * x[5] * c, c]))


@residuals
def trigonometric(x):
    n, i = x.size, np.arange(1, x.size + 1)
    jacobian = np.tile(np.sin(x), (n, 1))
    jacobian[np.diag_indices(n)] += i * np.sin(x) - np.cos(x)
    return n - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x), jacobian


def penalty(x):
    excess = x @ x - 0.25
    return float(1e-5 * np.sum((x - 1) ** 2) + excess * excess), 2e-5 * (x - 1) + 4 * excess * x


@residuals
def chebyquad(x):
    n, z = x.size, 2 * x - 1
    below, here, slope_below, slope_here = np.ones(n), z, np.zeros(n), np.full(n, 2.0)
    r, jacobian = np.empty(n), np.empty((n, n))
    for k in range(1, n + 1):
        r[k - 1] = here.mean() + (1 / (k * k - 1) if k % 2 == 0 else 0.0)
        jacobian[k - 1] = slope_here / n
        below, here, slope_below, slope_here = \
            here, 2 * z * here - below, slope_here, 4 * here + 2 * z * slope_here - slope_below
    return r, jacobian


def branin(x):
    a, b, c, t = 5.1 / (4 * np.pi ** 2), 5 / np.pi, 10.0, 1 / (8 * np.pi)
    r = x[1] - a * x[0] ** 2 + b * x[0] - 6
    return (float(r * r + c * (1 - t) * np.cos(x[0]) + c),
            np.array([2 * r * (b - 2 * a * x[0]) - c * (1 - t) * np.sin(x[0]), 2 * r]))


def six_hump_camel(x):
    a, b = x
    return (float(4 * a * a - 2.1 * a ** 4 + a ** 6 / 3 + a * b - 4 * b * b + 4 * b ** 4),
            np.array([8 * a - 8.4 * a ** 3 + 2 * a ** 5 + b, a - 8 * b + 16 * b ** 3]))


def dixon_price(x):
    i = np.arange(2, x.size + 1)
    t = 2 * x[1:] ** 2 - x[:-1]
    g = np.zeros_like(x)
    g[0] = 2 * (x[0] - 1)
    g[1:] += 8 * i * t * x[1:]
    g[:-1] -= 2 * i * t
    return float((x[0] - 1) ** 2 + i @ (t * t)), g


def zakharov(x):
    i = 0.5 * np.arange(1, x.size + 1)
    s = i @ x
    return float(x @ x + s ** 2 + s ** 4), 2 * x + (2 * s + 4 * s ** 3) * i


def trid(x):
    g = 2 * (x - 1)
    g[1:] -= x[:-1]
    g[:-1] -= x[1:]
    return float(np.sum((x - 1) ** 2) - x[1:] @ x[:-1]), g


def other_functions():
    """Standard starts of More, Garbow and Hillstrom where there are any; f_star is that of the basin all solvers find, or
    the global one."""
    n = 10
    rows = [
        ("brown-dennis", brown_dennis, [25, 5, -5, -1], 85822.20162635627),
        ("biggs-exp6", biggs_exp6, [1, 2, 1, 1, 1, 1], 0.0),
        ("trigonometric", trigonometric, np.full(n, 1 / n), 0.0),
        ("penalty", penalty, np.arange(1, n + 1), 7.087651e-5),
        ("chebyquad", chebyquad, np.arange(1, 9) / 9, 3.516873725e-3),
        ("branin", branin, [2.5, 7.5], 0.39788735772973816),
        ("six-hump", six_hump_camel, [1.5, -1.5], -1.0316284534898774),
        ("dixon-price", dixon_price, np.full(n, 2.0), 0.0),
        ("zakharov", zakharov, np.full(n, 1.0), 0.0),
        ("trid", trid, np.zeros(n), -n * (n + 4) * (n - 1) / 6),
    ]
    return [Case(name, fun, np.array(x0, float), f_star) for name, fun, x0, f_star in rows]


# ---- functions with kinks --------------------------------------------------------------------------------------------------

def weighted_l1(seed, n=20):
    w = np.logspace(0, 3, n)
    return Case(f"weighted l1, {n}, start {seed}", lambda x: (float(w @ np.abs(x)), w * np.sign(x)),
                np.random.default_rng(seed).standard_normal(n), 0.0)


def least_absolute(seed, m=60, n=20):
    """Least absolute deviations; f_star is the optimum of the linear program."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((m, n)), rng.standard_normal(m)
    program = linprog(np.r_[np.zeros(n), np.ones(m)], A_ub=np.block([[a, -np.eye(m)], [-a, -np.eye(m)]]), b_ub=np.r_[b, -b],
                      bounds=[(None, None)] * n + [(0, None)] * m)
    return Case(f"absolute deviations {m} x {n}, {seed}", lambda x: (float(np.abs(a @ x - b).sum()), a.T @ np.sign(a @ x - b)),
                np.zeros(n), program.fun)


def relu_net(seed, samples=200, hidden=16):
    """Mean square error of a 5-h-1 network with ReLU units; x holds W1 (5 h), b1, w2, b2. The least value is not known."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((samples, 5))
    target = np.sin(inputs[:, 0]) * inputs[:, 1] + 0.5 * np.abs(inputs[:, 2])
    h, k = hidden, 5 * hidden

    def fun(x):
        w1, b1, w2, b2 = x[:k].reshape(5, h), x[k:k + h], x[k + h:k + 2 * h], x[-1]
        pre = inputs @ w1 + b1
        hid = np.maximum(pre, 0.0)
        r = hid @ w2 + b2 - target
        back = (2.0 / samples) * r
        inner = np.outer(back, w2) * (pre > 0)
        return float(r @ r / samples), np.concatenate([(inputs.T @ inner).ravel(), inner.sum(0), hid.T @ back, [back.sum()]])

    return Case(f"ReLU net, {samples} rows, {seed}", fun, 0.5 * rng.standard_normal(k + 2 * h + 1), 0.0)


def largest_square(n):
    def fun(x):
        i = np.argmax(np.abs(x))
        g = np.zeros(n)
        g[i] = 2 * x[i]
        return float(x[i] ** 2), g

    return Case(f"largest square {n}", fun, np.linspace(1, 2, n), 0.0)


def total_variation(n):
    """Sum of |differences| and a quadratic; the least value is taken from the best run."""
    aim = 3 * np.arange(n) / n

    def fun(x):
        d, r = np.diff(x), x - aim
        g = r.copy()
        g[1:] += np.sign(d)
        g[:-1] -= np.sign(d)
        return float(np.abs(d).sum() + 0.5 * r @ r), g

    return Case(f"total variation {n}", fun, np.random.default_rng(0).standard_normal(n), np.nan)


def hinge(seed, m=100, n=10):
    """A linear support vector machine; the least value is taken from the best run."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((m, n))
    inputs *= np.sign(inputs[:, :1] + 0.5 * rng.standard_normal((m, 1)))

    def fun(w):
        slack = 1 - inputs @ w
        on = slack > 0
        return float(slack[on].sum() / m + 5e-4 * w @ w), -inputs[on].sum(0) / m + 1e-3 * w

    return Case(f"hinge loss, {seed}", fun, np.zeros(n), np.nan)


def rough_functions():
    """Two thirds are for tuning, those with crc32(name) % 3 != 0; the rest for validation."""
    return [*map(weighted_l1, range(6)), *(weighted_l1(seed, 50) for seed in range(6, 10)),
            *map(least_absolute, range(4)), *(least_absolute(seed, 100, 10) for seed in range(4, 7)),
            *(least_absolute(seed, 200, 40) for seed in range(7, 10)), *map(relu_net, range(5)),
            *(relu_net(seed, 100) for seed in range(5, 8)), *map(largest_square, (10, 20, 50)),
            *map(total_variation, (20, 40, 60, 100)), *map(hinge, range(5))]
