"""Large problems of the literature in NumPy, n = 1000 and 5000: S2MPJ in Python takes a tenth of a second a value there.

Each is a sum of terms of a few variables. A term is written once, as a formula on arrays; its gradient comes from forward
differentiation in its own variables, and the product with the Hessian from one complex step of that gradient, exact to
rounding. Most formulas are those of the CUTE collection; their starts as well.
"""
import numpy as np

try:
    from .case import Case
except ImportError:
    from case import Case

STEP = 1e-30    # of the complex step: nothing is subtracted, so nothing is lost


class Jet:
    """A value and its derivatives in the variables of the term."""

    __array_ufunc__ = None      # array * jet is a jet

    def __init__(self, value, slopes):
        self.value, self.slopes = value, slopes

    def chain(self, value, slope):
        return Jet(value, [slope * d for d in self.slopes])

    def __add__(self, other):
        if isinstance(other, Jet):
            return Jet(self.value + other.value, [a + b for a, b in zip(self.slopes, other.slopes)])
        return Jet(self.value + other, self.slopes)

    def __mul__(self, other):
        if isinstance(other, Jet):
            return Jet(self.value * other.value,
                       [a * other.value + self.value * b for a, b in zip(self.slopes, other.slopes)])
        return self.chain(self.value * other, other)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self.chain(-self.value, -1.0)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __pow__(self, k):
        below = self.value ** (k - 1)
        return self.chain(below * self.value, k * below)

    def __truediv__(self, other):
        return self * other ** -1 if isinstance(other, Jet) else self * (1.0 / other)

    def __rtruediv__(self, other):
        return self ** -1 * other


def exp(u):
    e = np.exp(u.value)
    return u.chain(e, e)


def sin(u):
    return u.chain(np.sin(u.value), np.cos(u.value))


def cos(u):
    return u.chain(np.cos(u.value), -np.sin(u.value))


def tan(u):
    t = np.tan(u.value)
    return u.chain(t, 1.0 + t * t)


def sqrt(u):
    root = np.sqrt(u.value)
    return u.chain(root, 0.5 / root)


class Sum:
    """A sum of terms: pairs (formula, index arrays of its variables), all index arrays of a term of one length."""

    def __init__(self, n, *terms):
        self.n = n
        self.terms = [(formula, [np.broadcast_to(i, np.broadcast_shapes(*(np.shape(j) for j in places))).ravel()
                                 for i in places]) for formula, *places in terms]

    def pair(self, x):
        f, g = 0.0, np.zeros(self.n, x.dtype)
        for formula, places in self.terms:
            ones = [[1.0 if j == k else 0.0 for j in range(len(places))] for k in range(len(places))]
            jet = formula(*(Jet(x[i], e) for i, e in zip(places, ones)))
            f += jet.value.sum()
            for i, d in zip(places, jet.slopes):
                np.add.at(g, i, np.broadcast_to(d, i.shape))
        return f, g

    def fun_grad(self, x):
        f, g = self.pair(np.asarray(x, float))
        return float(f), g

    def hess_vec(self, x, v):
        size = np.abs(v).max()
        if not 0.0 < size < np.inf:
            return np.zeros(self.n) * size
        return self.pair(x + 1j * (STEP / size) * v)[1].imag * (size / STEP)


def windows(n, k, step=1):
    """Index arrays of k neighbours, beginning at 0, step, 2 step, ..."""
    first = np.arange(0, n - k + 1, step)
    return [first + j for j in range(k)]


def dixmaan(alpha, beta, gamma, delta, powers):
    def make(n):
        m = n // 3
        n = 3 * m
        i = np.arange(n)
        w = [((i + 1.0) / n) ** k for k in powers]
        terms = [(lambda a: alpha * w[0] * a ** 2, i)]
        if beta:
            terms.append((lambda a, b: beta * w[1][:n - 1] * a ** 2 * (b + b ** 2) ** 2, i[:-1], i[1:]))
        terms.append((lambda a, b: gamma * w[2][:2 * m] * a ** 2 * b ** 4, i[:2 * m], i[m:]))
        terms.append((lambda a, b: delta * w[3][:m] * a * b, i[:m], i[2 * m:]))
        return Sum(n, *terms), np.full(n, 2.0)

    return make


def arwhead(n):
    i = np.arange(n - 1)
    return Sum(n, (lambda a, z: (a ** 2 + z ** 2) ** 2 - 4.0 * a + 3.0, i, n - 1)), np.ones(n)


def bdqrtic(n):
    i = np.arange(n - 4)
    return Sum(n, (lambda a, b, c, d, z: (3.0 - 4.0 * a) ** 2
                   + (a ** 2 + 2.0 * b ** 2 + 3.0 * c ** 2 + 4.0 * d ** 2 + 5.0 * z ** 2) ** 2,
                   i, i + 1, i + 2, i + 3, n - 1)), np.ones(n)


def broyden_tridiagonal(n):
    a, b, c = windows(n, 3)
    return Sum(n, (lambda a, b, c: ((3.0 - 2.0 * b) * b - a - 2.0 * c + 1.0) ** 2, a, b, c),
               (lambda b, c: ((3.0 - 2.0 * b) * b - 2.0 * c + 1.0) ** 2, 0, 1),
               (lambda a, b: ((3.0 - 2.0 * b) * b - a + 1.0) ** 2, n - 2, n - 1)), -np.ones(n)


def chained_wood(n):
    x0 = np.full(n, -2.0)
    x0[:4] = -3.0, -1.0, -3.0, -1.0
    return Sum(n, (lambda a, b, c, d: 100.0 * (b - a ** 2) ** 2 + (1.0 - a) ** 2 + 90.0 * (d - c ** 2) ** 2
                   + (1.0 - c) ** 2 + 10.0 * (b + d - 2.0) ** 2 + 0.1 * (b - d) ** 2, *windows(n, 4, 2))), x0


def cosine(n):
    return Sum(n, (lambda a, b: cos(a ** 2 - 0.5 * b), *windows(n, 2))), np.ones(n)


def cragg_levy(n):
    x0 = np.full(n, 2.0)
    x0[0] = 1.0
    return Sum(n, (lambda a, b, c, d: (exp(a) - b) ** 4 + 100.0 * (b - c) ** 6 + (tan(c - d) + c - d) ** 4 + a ** 8
                   + (d - 1.0) ** 2, *windows(n, 4, 2))), x0


def curly(k):
    def make(n):
        def quartic(*u):
            q = sum(u[1:], u[0])
            return q * (q * (q ** 2 - 20.0) - 0.1)

        tails = [(quartic, *range(j, n)) for j in range(n - k, n)]
        return Sum(n, (quartic, *windows(n, k + 1)), *tails), 1e-4 * np.arange(1, n + 1) / (n + 1)

    return make


def dixon(n):
    return Sum(n, (lambda a, b: (a - b) ** 2, *(i[1:] for i in windows(n, 2))), (lambda a: (a - 1.0) ** 2, [0, n - 1])), \
        -np.ones(n)


def edensch(n):
    return Sum(n, (lambda a, b: (a - 2.0) ** 4 + (a * b - 2.0 * b) ** 2 + (b + 1.0) ** 2, *windows(n, 2))), np.zeros(n)


def engval(n):
    return Sum(n, (lambda a, b: (a ** 2 + b ** 2) ** 2 - 4.0 * a + 3.0, *windows(n, 2))), np.full(n, 2.0)


def fletcher(n):
    return Sum(n, (lambda a, b: 100.0 * (b - a + 1.0 - a ** 2) ** 2, *windows(n, 2))), np.zeros(n)


def freudenstein_roth(n):
    x0 = np.zeros(n)
    x0[:2] = 0.5, -2.0
    return Sum(n, (lambda a, b: (a - 13.0 + ((5.0 - b) * b - 2.0) * b) ** 2 + (a - 29.0 + ((b + 1.0) * b - 14.0) * b) ** 2,
                   *windows(n, 2))), x0


def generalized_rosenbrock(n):
    return Sum(n, (lambda a, b: 100.0 * (b - a ** 2) ** 2 + (b - 1.0) ** 2, *windows(n, 2))), np.arange(1.0, n + 1) / (n + 1)


def liarwhd(n):
    return Sum(n, (lambda a, z: 4.0 * (a ** 2 - z) ** 2 + (a - 1.0) ** 2, np.arange(n), 0)), np.full(n, 4.0)


def surface(n):
    """Minimal surface over a square, the boundary held by a quadratic."""
    p = int(np.sqrt(n))
    grid = np.arange(p * p).reshape(p, p)
    edge = np.unique(np.r_[grid[0], grid[-1], grid[:, 0], grid[:, -1]])
    held = np.cos(3.0 * np.arange(p * p) / p)[edge]
    return Sum(p * p, (lambda a, b, c, d: sqrt(1.0 + 0.5 * p * p * ((a - d) ** 2 + (b - c) ** 2)) * (1.0 / (p * p)),
                       *(g.ravel() for g in (grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]))),
               (lambda a: 0.5 * (a - held) ** 2, edge)), np.zeros(p * p)


def more_bvp(n):
    h = 1.0 / (n + 1)
    t = h * np.arange(1, n + 1)
    a, b, c = windows(n, 3)

    def bent(u, s):
        return 2.0 * u + 0.5 * h * h * (u + (s + 1.0)) ** 3

    return Sum(n, (lambda a, b, c: (bent(b, t[1:-1]) - a - c) ** 2, a, b, c), (lambda b, c: (bent(b, t[0]) - c) ** 2, 0, 1),
               (lambda a, b: (bent(b, t[-1]) - a) ** 2, n - 2, n - 1)), t * (t - 1.0)


def noncvx(n):
    i = np.arange(n)
    j, k = (3 * i + 1) % n, (7 * i + 4) % n
    return Sum(n, (lambda a, b, c: (a + b + c) ** 2 + 4.0 * cos(a + b + c), i, j, k)), np.arange(1.0, n + 1)


def nondquar(n):
    i = np.arange(n - 2)
    x0 = np.ones(n)
    x0[1::2] = -1.0
    return Sum(n, (lambda a, b, z: (a + b + z) ** 4, i, i + 1, n - 1), (lambda a, b: (a - b) ** 2, 0, 1),
               (lambda a, b: (a + b) ** 2, n - 2, n - 1)), x0


def powell_singular(n):
    return Sum(n, (lambda a, b, c, d: (a + 10.0 * b) ** 2 + 5.0 * (c - d) ** 2 + (b - 2.0 * c) ** 4 + 10.0 * (a - d) ** 4,
                   *windows(n, 4, 4))), np.tile([3.0, -1.0, 0.0, 1.0], n // 4)


def rosenbrock_pairs(n):
    return Sum(n, (lambda a, b: 100.0 * (b - a ** 2) ** 2 + (1.0 - a) ** 2, *windows(n, 2, 2))), np.tile([-1.2, 1.0], n // 2)


def schmvett(n):
    return Sum(n, (lambda a, b, c: -1.0 / (1.0 + (a - b) ** 2) - sin(0.5 * (np.pi * b + c))
                   - exp(-1.0 * ((a + c) / b - 2.0) ** 2), *windows(n, 3))), np.full(n, 3.0)


def sinquad(n):
    i = np.arange(1, n - 1)
    return Sum(n, (lambda a: (a - 1.0) ** 4, [0]), (lambda a, s, z: (sin(a - z) - s ** 2 + a ** 2) ** 2, i, 0, n - 1),
               (lambda s, z: (z ** 2 - s ** 2) ** 2, [0], n - 1)), np.full(n, 0.1)


def toint(n):
    return Sum(n, (lambda a, b, c: (10.0 / (n + 2) + c ** 2) * (2.0 - exp(-1.0 * (a - b) ** 2 / (0.1 + c ** 2))),
                   *windows(n, 3))), np.full(n, 3.0)


def tridia(n):
    weight = np.arange(2.0, n + 1)
    return Sum(n, (lambda a, b: weight * (2.0 * b - a) ** 2, *windows(n, 2)), (lambda a: (a - 1.0) ** 2, [0])), np.ones(n)


def logistic(n):
    """Sparse logistic regression: 3 n rows of 8 entries, columns scaled from 1 to 30."""
    rng = np.random.default_rng(n)
    places = [rng.integers(0, n, 3 * n) for _ in range(8)]
    scales = np.logspace(0, 1.5, n)
    entries = [rng.standard_normal(3 * n) * scales[i] for i in places]
    sign = np.where(rng.random(3 * n) < 0.5, -1.0, 1.0)

    def loss(*u):
        z = sum((sign * a * w for a, w in zip(u, entries)), Jet(0.0, [0.0] * len(u)))
        return z.chain(np.log1p(np.exp(-z.value)), -1.0 / (1.0 + np.exp(z.value))) * (1.0 / (3 * n))

    return Sum(n, (loss, *places), (lambda a: 5e-5 * a ** 2, np.arange(n))), np.zeros(n)


def wood(n):
    return Sum(n, (lambda a, b, c, d: 100.0 * (b - a ** 2) ** 2 + (1.0 - a) ** 2 + 90.0 * (d - c ** 2) ** 2
                   + (1.0 - c) ** 2 + 10.0 * (b + d - 2.0) ** 2 + 0.1 * (b - d) ** 2, *windows(n, 4, 4))), \
        np.tile([-3.0, -1.0, -3.0, -1.0], n // 4)


MAKERS = {
    "arwhead": arwhead, "bdqrtic": bdqrtic, "broyden3d": broyden_tridiagonal, "chainwoo": chained_wood, "cosine": cosine,
    "cragglvy": cragg_levy, "curly10": curly(10), "dixmaane": dixmaan(1.0, 0.0, 0.125, 0.125, (1, 0, 0, 1)),
    "dixmaanf": dixmaan(1.0, 0.0625, 0.0625, 0.0625, (1, 0, 0, 1)),
    "dixmaanh": dixmaan(1.0, 0.26, 0.26, 0.26, (1, 0, 0, 1)), "dixmaanj": dixmaan(1.0, 0.0625, 0.0625, 0.0625, (2, 0, 0, 2)),
    "dixmaanl": dixmaan(1.0, 0.26, 0.26, 0.26, (2, 0, 0, 2)), "dixmaanm": dixmaan(1.0, 0.0, 0.125, 0.125, (2, 1, 1, 2)),
    "dixon3dq": dixon, "edensch": edensch, "engval1": engval, "fletchcr": fletcher, "freuroth": freudenstein_roth,
    "genrose": generalized_rosenbrock, "liarwhd": liarwhd, "logistic": logistic, "morebv": more_bvp, "noncvxu2": noncvx,
    "nondquar": nondquar, "powellsg": powell_singular, "schmvett": schmvett, "sinquad": sinquad, "srosenbr": rosenbrock_pairs,
    "surface": surface, "tointgss": toint, "tridia": tridia, "woods": wood,
}


def large(max_n, skipped, wanted):
    """Every problem with n about 1000 and about 5000, as cases of the collection."""
    for name, make in MAKERS.items():
        for n in (1000, 5000):
            if n > max_n:
                skipped.append((f"{name}-{n}", f"n = {n}"))
            elif wanted(f"{name}-{n}"):
                problem, x0 = make(n)
                yield Case(f"{name}-{n}", "large", x0, problem.fun_grad, problem.hess_vec)
