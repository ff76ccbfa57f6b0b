r"""The rate of convergence that a run showed: which law its residuals follow, and with which constant.

Four laws are fitted by least squares to log r_k over the last part of a run:

.. math::
    r_k = C q^k, \qquad r_k = C k^{-p}, \qquad r_k = C e^{-b \sqrt k}, \qquad r_k = e^{a - b\, q^k} \ (q > 1) .

The third is a cost that grows like the square of the digits, the fourth has order q an iteration. The law with the least
Bayesian information criterion is taken; a law with one constant more has to earn it.
"""
import math
from dataclasses import dataclass

import numpy as np

LAWS = ("linear", "sublinear", "nearly linear", "superlinear")
FEWEST = 5              # rows below which nothing is said
WINDOW = 8              # rows looked at even where they are more than the last half
NOISE = 1e-3            # of log r; differences of fits below this do not count
FLOOR = 16 * np.finfo(float).eps    # of fun - f_star, relative to |fun|: what lies below is rounding
ORDERS = np.geomspace(1.15, 3.0, 50)    # candidates for q of the fourth law
EXPLAINED = 0.5, 0.9    # parts of the variance of log r that a law has to explain, and the law with one constant more
TRANSIENT = 0.1         # part of the digits an iteration that a promise for large k may still be short of


@dataclass(frozen=True)
class Bound:
    """What theory promises: a law, its constant (NaN where only the law is known), and for which functions.

    Attributes
    ----------
    law : str
        As in ``Rate``.
    constant : float
    text : str
        Conditions and source.
    asymptotic : bool
        Whether it holds for many iterations only; an observed rate may then be short of it by a tenth of the digits.

    Examples
    --------
    >>> import curvopt
    >>> print(curvopt.Bound("linear", 0.5, "an example"))
    linear, factor 0.5 an iteration (an example)
    """

    law: str
    constant: float
    text: str
    asymptotic: bool = False

    def __str__(self):
        return f"{described(self.law, self.constant)} ({self.text})"


@dataclass(frozen=True)
class Rate:
    """How fast a run converged, and what theory promises. Prints as a report; ``plot()`` draws it.

    Attributes
    ----------
    quantity : {"fun - f_star", "gradient norm"}
        What was looked at, r.
    law : {"linear", "sublinear", "nearly linear", "superlinear", "unclear"}
    constant : float
        Linear: the factor q an iteration. Sublinear: p of k^-p. Nearly linear: b of exp(-b sqrt(k)), a cost that grows
        like the square of the digits. Superlinear: the order q an iteration, 2 for Newton. NaN where unclear.
    scatter : float
        Root mean square of log r about the law; 0.1 means that r lies within about ten per cent of it.
    first, last : int
        Iterations between which the law was fitted.
    bounds : tuple of Bound
        Promises of theory for this method, each with its law, constant and conditions.
    nit, residuals : ndarray
        What was fitted to.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 10.0])
    >>> res = curvopt.minimize(p.fun, [10.0, 1.0], args=p.args, jac=p.jac, hessp=p.hessp, method="SCG",
    ...                        options={"history": True})
    >>> rate = res.rate(f_star=0.0)
    >>> rate.law, round(rate.constant, 4)
    ('linear', 0.6694)
    """

    quantity: str
    law: str
    constant: float
    scatter: float
    first: int
    last: int
    bounds: tuple
    nit: np.ndarray
    residuals: np.ndarray

    def __str__(self):
        if self.law == "unclear":
            return f"{self.quantity}: no law fits the last part of {len(self.nit)} usable rows of history"
        lines = [f"{self.quantity}: {described(self.law, self.constant)}, iterations {self.first} to {self.last}, "
                 f"scatter {self.scatter:.2g}"]
        for bound in self.bounds:
            lines.append(f"  theory: {bound}{verdict(self, bound)}")
        return "\n".join(lines)

    __repr__ = __str__

    def remaining(self, target):
        """Iterations from the last one until r is at most `target`, if the law goes on; inf where unclear."""
        r = self.residuals[-1] if len(self.residuals) else math.nan
        if not math.isfinite(self.constant) or not target > 0.0:
            return math.inf
        if r <= target:
            return 0
        k, digits = float(self.nit[-1]), math.log(r / target)
        if self.law == "linear":
            more = digits / -math.log(self.constant)
        elif self.law == "sublinear":
            more = k * math.expm1(min(digits / self.constant, 700.0))
        elif self.law == "nearly linear":
            more = (math.sqrt(k) + digits / self.constant) ** 2 - k
        else:
            more = 1.0 + math.log(max(math.log(target) / min(math.log(r), -1e-3), 1.0), self.constant)
        return math.ceil(more)

    def plot(self, ax=None):
        """Draw the residuals, the law fitted to them and the bounds that have a constant.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure when omitted.

        Returns
        -------
        matplotlib Axes
        """
        from ._plot import plot_rate

        return plot_rate(self, ax)

    def curve(self, law, constant, k):
        """Values of a law that passes through the residual at the start of the window (its middle, if it was fitted)."""
        inside = (self.nit >= self.first) & (self.nit <= self.last)
        at, logs = self.nit[inside].astype(float), np.log(self.residuals[inside])
        shape = abscissa(law, at, constant)
        slope = slope_of(law, constant)
        if law == "superlinear":
            slope, level = np.polyfit(shape, logs, 1)
        else:
            level = np.mean(logs - slope * shape)
        return np.exp(level + slope * abscissa(law, np.asarray(k, dtype=float), constant))


def described(law, constant):
    """A law in words."""
    if not math.isfinite(constant):
        return law
    return {"linear": f"linear, factor {constant:.6g} an iteration", "sublinear": f"sublinear, k^-{constant:.3g}",
            "nearly linear": f"nearly linear, exp(-{constant:.3g} sqrt(k))",
            "superlinear": f"superlinear, order {constant:.2f}"}[law]


def verdict(rate, bound):
    """Whether the run kept a promise: by the constant, by what was gained over the window, or by the law alone."""
    short = TRANSIENT if bound.asymptotic or bound.law != "linear" else NOISE
    if math.isfinite(bound.constant) and bound.law in ("linear", "sublinear"):
        slope = slope_of(bound.law, bound.constant)
        if rate.law == bound.law:
            ahead = slope_of(rate.law, rate.constant) <= (1.0 - short) * slope
        else:
            ends = np.searchsorted(rate.nit, [rate.first, rate.last])
            ahead = np.diff(np.log(rate.residuals[ends]))[0] <= \
                (1.0 - short) * slope * np.diff(abscissa(bound.law, rate.nit[ends].astype(float), 0.0))[0]
    else:
        rank = ("sublinear", "nearly linear", "linear", "superlinear").index
        ahead = rank(rate.law) >= rank(bound.law)
    return ": kept" if ahead else ": NOT kept; a condition does not hold, or the run was not in its last phase yet"


def abscissa(law, k, constant):
    """The variable in which log r is a straight line."""
    if law == "linear":
        return k
    if law == "sublinear":
        return np.log(np.maximum(k, 1.0))
    if law == "nearly linear":
        return np.sqrt(k)
    return constant ** (k - k[0])


def slope_of(law, constant):
    return math.log(constant) if law == "linear" and constant > 0.0 else -constant


def straight(shape, logs):
    """(slope, sum of squared residuals) of the line through (shape, logs)."""
    x, y = shape - shape.mean(), logs - logs.mean()
    slope = float(x @ y / (x @ x)) if np.any(x) else 0.0
    return slope, float(np.sum((y - slope * x) ** 2))


def fit(k, r):
    """(law, constant, scatter) of residuals r > 0 at iterations k."""
    m = len(k)
    if m < FEWEST:
        return "unclear", math.nan, math.nan
    logs = np.log(r)
    total = np.sum((logs - logs.mean()) ** 2)
    if logs.max() - logs.min() < 10 * NOISE:
        return "unclear", math.nan, math.nan
    k = k.astype(float)
    found = []
    for law in LAWS[:3]:
        slope, squares = straight(abscissa(law, k, 0.0), logs)
        if slope < 0.0:
            found.append((squares, 2, law, math.exp(slope) if law == "linear" else -slope))
    for order in ORDERS[(k[-1] - k[0]) * np.log(ORDERS) < 14.0]:
        slope, squares = straight(order ** (k - k[0]), logs)
        if slope < 0.0 and squares <= (1.0 - EXPLAINED[1]) * total:
            found.append((squares, 3, "superlinear", float(order)))
    squares, _, law, constant = min(found, default=(math.inf, 0, "", 0.0),
                                    key=lambda c: m * math.log(c[0] / m + NOISE ** 2) + c[1] * math.log(m))
    if squares > (1.0 - EXPLAINED[0]) * total:
        return "unclear", math.nan, math.nan
    if constant == ORDERS[-1] and law == "superlinear":
        constant = math.nan     # too few iterations to tell the order
    return law, constant, math.sqrt(squares / m)


def observed(k, r, quantity, bounds, floor=0.0):
    """The Rate of residuals r at iterations k; `floor` is what is lost in rounding."""
    usable = np.isfinite(r) & (r > floor)
    below = np.flatnonzero(~usable & np.isfinite(r))
    if len(below):      # from where rounding takes over, nothing counts
        usable[below[0]:] = False
    k, r = k[usable], r[usable]
    window = k >= 0.5 * (k[0] + k[-1]) if len(k) else usable[:0]
    if window.sum() < WINDOW:
        window = np.arange(len(k)) >= len(k) - WINDOW
    law, constant, scatter = fit(k[window], r[window])
    ends = (int(k[window][0]), int(k[-1])) if len(k) else (0, 0)
    return Rate(quantity, law, constant, scatter, *ends, tuple(bounds), k, r)
