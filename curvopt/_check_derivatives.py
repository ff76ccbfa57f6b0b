"""Are the derivatives the derivatives? Random directions, a slope table, a verdict."""
import numpy as np

from . import _checks
from ._difference_test import STEPS, TOLERANCE, along
from ._objective import Objective
from ._problem_checks import start_point

LISTED = 200            # variables up to which the wrong entries of a gradient are looked for


def random_direction(rng, n):
    v = rng.standard_normal(n)
    return v / np.linalg.norm(v)


class Evaluator:
    """The user's functions, checked for shape and type, as functions of a vector."""

    def __init__(self, fun, jac, hess, hessp, args, shape):
        self.objectives = {"jac": Objective(fun, jac, None, None, args, shape, False)}
        if hessp is not None:
            self.objectives["hessp"] = Objective(fun, jac, None, hessp, args, shape, True)
        if hess is not None:
            self.objectives["hess"] = Objective(fun, jac, hess, None, args, shape, True)
        self.oracles = {name: objective.oracle() for name, objective in self.objectives.items()}

    def value(self, x):
        oracle = self.oracles["jac"]
        return np.float64(oracle.fun(x, oracle.data))

    def gradient(self, x):
        out, oracle = np.empty_like(x), self.oracles["jac"]
        oracle.jac(x, oracle.data, out)
        return out

    def product(self, name, x, v):
        out, oracle = np.empty_like(x), self.oracles[name]
        oracle.hessp(x, v, oracle.data, out)
        return out


class DerivativeReport:
    """What `check_derivatives` found. Prints as a table with a verdict; true when everything agrees.

    Attributes
    ----------
    ok : bool
    verdict : str
        One sentence.
    comparisons : tuple of Comparison
        Gradient and Hessian products along each direction.
    symmetry : dict
        For each product, the largest ``|<u, H v> - <v, H u>|`` relative to ``||H u|| + ||H v||``, u and v of length 1.
    entries : tuple of (index, claimed, measured)
        The entries of the gradient that are wrong, worst first, where the gradient is wrong and has at most 200 entries.
    """

    def __init__(self, n, comparisons, symmetry, entries):
        self.n, self.comparisons, self.symmetry, self.entries = n, tuple(comparisons), symmetry, tuple(entries)

    @property
    def names(self):
        return tuple(dict.fromkeys(c.name for c in self.comparisons))

    def of(self, name):
        return [c for c in self.comparisons if c.name == name]

    def agrees(self, name):
        return all(c.ok for c in self.of(name))

    def symmetric(self, name):
        return self.symmetry[name] <= TOLERANCE

    @property
    def ok(self):
        return all(c.ok and c.smooth for c in self.comparisons) and all(map(self.symmetric, self.symmetry))

    def __bool__(self):
        return self.ok

    @property
    def verdict(self):
        if not self.agrees("jac"):
            worst = max(self.of("jac"), key=lambda c: c.relative)
            text = f"jac is not the gradient of fun: along a random direction it is off by {100 * worst.relative:.2g} %"
            if self.entries:
                i, claimed, measured = self.entries[0]
                text += f"; entry {i} is {claimed:.6g}, differences of fun give {measured:.6g}"
            return text + "."
        for name in self.symmetry:
            if not self.agrees(name):
                worst = max(self.of(name), key=lambda c: c.relative)
                return (f"{name} is not the derivative of jac: along a random direction it is off by "
                        f"{100 * worst.relative:.2g} %; jac agrees with fun.")
            if not self.symmetric(name):
                return f"{name} is not symmetric (relative difference {self.symmetry[name]:.2g}), which a Hessian is."
        if not all(c.smooth for c in self.of("jac")):
            return "fun has a kink at x0: differences agree with jac on average, but not from one side."
        if not self.ok:
            return "jac has a kink at x0: differences agree with its derivative on average, but not from one side."
        what = " and ".join(self.names)
        vague = [c for c in self.comparisons if c.vague]
        if vague:
            return (f"{what} agree{'s' if len(self.names) == 1 else ''} with differences as far as they tell: in {len(vague)} "
                    f"of {len(self.comparisons)} comparisons what is to be seen, {max(c.size for c in vague):.1e}, is lost in "
                    "their own error. Check at another point: not a minimizer, and not where values are noise.")
        worst = max(c.relative for c in self.comparisons)
        return f"{what} agree{'s' if len(self.names) == 1 else ''} with differences (largest relative difference {worst:.1e})."

    def table(self):
        """Rows (step, then for each function the remainder and its order, medians over the directions)."""
        rows = []
        for j in range(0, len(STEPS), 2):
            row = [STEPS[j]]
            for name in self.names:
                found = self.of(name)
                slopes = [c.orders[j - 1:j + 1].mean() for c in found] if j else [np.nan]
                row += [_median(c.remainders[j] for c in found), _median(slopes)]
            rows.append(row)
        return rows

    def __str__(self):
        lines = [f"Check of derivatives at x0 (n = {self.n}, {len(self.of('jac'))} random directions)", "",
                 "   step" + "".join(f"{name:>12} error  order" for name in self.names)]
        for step, *cells in self.table():
            line = f"{step:7.0e}"
            for error, order in zip(cells[::2], cells[1::2]):
                line += f"{error:18.1e}  " + (f"{order:5.2f}" if np.isfinite(order) else "    -")
            lines.append(line)
        lines += ["", "order 2: right; order 1: wrong, or a kink; '-': nothing but rounding"]
        lines += [f"symmetry of {name}: {value:.1e}" for name, value in self.symmetry.items()]
        lines += [f"  jac[{i}] = {a:.8g}, by differences {b:.8g}" for i, a, b in self.entries[:5]]
        return "\n".join([*lines, "", ("OK: " if self.ok else "WRONG: ") + self.verdict])

    __repr__ = __str__

    def plot(self, ax=None):
        """Draw the error of the first-order expansion against the step, with the slopes 1 (wrong) and 2 (right).

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from ._plot import plot_derivative_check

        return plot_derivative_check(self, ax)


def _median(values):
    values = [v for v in values if np.isfinite(v)]
    return float(np.median(values)) if values else np.nan


def wrong_entries(evaluate, x, steps):
    """[(index, claimed, measured)] of gradient entries that differences contradict, worst first."""
    g, f, found = evaluate.gradient(x), evaluate.value(x), []
    for i in range(x.size):
        e = np.zeros_like(x)
        e[i] = 1.0
        try:
            c = along(evaluate.value, "jac", x, e, g[i], f, steps)
        except ValueError:      # too rough along this axis to say anything
            continue
        if not c.ok:
            found.append((i, float(g[i]), float(c.measured)))
    return sorted(found, key=lambda entry: -abs(entry[1] - entry[2]))


def check_derivatives(fun, x0, jac, hessp=None, hess=None, args=(), directions=3, rng=0):
    """Compare ``jac``, ``hessp`` and ``hess`` with differences along random directions.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args) -> float``; with ``jac=True``, ``fun(x, *args) -> (float, array)``.
    x0 : array_like, any shape
        Point to check at. Choose one that is not special: at a minimizer a gradient of the wrong sign is right.
    jac : callable or True
        Gradient.
    hessp : callable, optional
        ``hessp(x, p, *args)``.
    hess : callable, optional
        ``hess(x, *args)`` -> array, sparse matrix or LinearOperator.
    args : tuple, optional
        Extra arguments of all functions.
    directions : int >= 1
        Number of random directions; each takes 38 values and, with ``hessp`` or ``hess``, 38 gradients.
    rng : seed or numpy.random.Generator
        For the directions.

    Returns
    -------
    DerivativeReport
        ``report.ok``, ``report.verdict``; ``print(report)`` shows a table, ``report.plot()`` draws it.

    Raises
    ------
    TypeError, ValueError
        For functions that cannot be called as they should be, and where fun is not finite at or around x0.

    Notes
    -----
    A central difference quotient is taken at steps from 1 to 1e-9, relative to 1 + ||x|| (to ||x|| where those tell nothing
    and x is small); the one that agrees best with
    its neighbours is the measurement, and the disagreement its uncertainty. The derivative passes when it is within
    1e-6, relatively, and ten uncertainties of it. So noise in ``fun`` widens what passes, and an error below it is not
    found. The table shows the other view: the error of the first-order expansion falls like the square of the step
    where the derivative is right, and linearly where it is wrong.

    Examples
    --------
    >>> import curvopt
    >>> report = curvopt.check_derivatives(lambda x: float(x @ x), [1.0, 2.0], jac=lambda x: 2 * x)
    >>> report.ok
    True
    >>> print(curvopt.check_derivatives(lambda x: float(x @ x), [2.0], jac=lambda x: 3 * x).verdict)
    jac is not the gradient of fun: along a random direction it is off by 33 %; entry 0 is 6, differences of fun give 4.
    """
    if not (callable(jac) or jac is True):
        raise TypeError(f"jac must be a callable or True, got {jac!r}: there is nothing to check otherwise")
    for name, function in (("fun", fun), ("hessp", hessp), ("hess", hess)):
        if not callable(function) and not (function is None and name != "fun"):
            raise TypeError(f"{name} must be callable, got {type(function).__name__}")
    x, shape = start_point(x0)
    rng = np.random.default_rng(rng)
    evaluate = Evaluator(fun, jac, hess, hessp, args if isinstance(args, tuple) else (args,), shape)
    f, g = evaluate.value(x), evaluate.gradient(x)
    if not (np.isfinite(f) and np.isfinite(g).all()):
        raise ValueError("fun or jac is not finite at x0; check at a point where both are")
    directions = [(random_direction(rng, x.size), random_direction(rng, x.size))
                  for _ in range(_checks.count("directions", directions, 1))]
    length = np.linalg.norm(x)
    report = compared(evaluate, x, f, g, directions, STEPS * (1.0 + length))
    if 0.0 < length < 1.0 and any(c.vague for c in report.comparisons):     # fun may live at the scale of x
        report = compared(evaluate, x, f, g, directions, STEPS * length)
    return report


def compared(evaluate, x, f, g, directions, steps):
    """The report of differences with these steps along these pairs of directions."""
    comparisons, symmetry = [], {name: 0.0 for name in evaluate.objectives if name != "jac"}
    for u, v in directions:
        comparisons.append(along(evaluate.value, "jac", x, v, g @ v, f, steps))
        for name in symmetry:
            hu, hv = evaluate.product(name, x, u), evaluate.product(name, x, v)
            comparisons.append(along(evaluate.gradient, name, x, v, hv, g, steps))
            size = np.linalg.norm(hu) + np.linalg.norm(hv)
            symmetry[name] = max(symmetry[name], float(abs(u @ hv - v @ hu) / size) if size > 0.0 else 0.0)
    wrong = [c for c in comparisons if c.name == "jac" and not c.ok]
    return DerivativeReport(x.size, comparisons, symmetry,
                            wrong_entries(evaluate, x, steps) if wrong and x.size <= LISTED else ())
