"""Every method on one problem at equal budget: a table, a picture, a page."""
import contextlib
import math
import sys
import time

import numpy as np

from . import _checks, problems
from ._counted_oracle import CountedOracle
from ._entries import Skipped, all_methods, entry_of
from ._jit import CompileClock
from ._method import Method

COLUMNS = ("method", "status", "f - f*", "||g||inf", "nfev", "njev", "nhev", "units", "time")


class Comparison:
    """What `compare` found. Prints as a table.

    Attributes
    ----------
    problem : Problem
    rows : list of dict
        One for each run, converged ones first, by oracle units, then the others, by value. Keys: ``method status
        success fun gap grad_norm nfev njev nhev units time setting``; ``fun`` and ``grad_norm`` are the least seen.
    f_star : float
        The known least value, or, when `f_star_known` is False, the least that any run has seen.
    curves : dict
        For each method ``{"fun": (units, value), "grad_norm": (units, value)}``: every improvement as arrays.
    skipped, errors : dict
        Reasons, by method.
    budget : int
    gtol : float
    interrupted : bool
        True when Ctrl-C ended the comparison before its end.
    """

    def __init__(self, problem, budget, gtol, f_star):
        self.problem, self.budget, self.gtol = problem, budget, gtol
        self.f_star_known = f_star is not None
        self.rows, self.curves, self.skipped, self.errors = [], {}, {}, {}
        self.interrupted = False
        self._given = f_star

    @property
    def f_star(self):
        """NaN where it is not known and no run has seen a finite value."""
        seen = [row["fun"] for row in self.rows if math.isfinite(row["fun"])]
        return self._given if self.f_star_known else min(seen, default=math.nan)

    def add(self, entry, status, oracle, seconds):
        label, number = entry.label, 2
        while label in self.curves:     # the same method with other parameters
            label, number = f"{entry.label} ({number})", number + 1
        counts = oracle.counts
        self.rows.append({
            "method": label, "status": status, "success": status in ("CONVERGED", "TARGET"), "fun": oracle.best,
            "grad_norm": oracle.least, "nfev": counts["fun"], "njev": counts["jac"], "nhev": counts["hessp"],
            "units": oracle.units, "time": seconds, "setting": entry.setting,
        })
        self.curves[label] = {
            "fun": tuple(np.array(oracle.values, dtype=float).reshape(-1, 2).T),
            "grad_norm": tuple(np.array(oracle.gradients, dtype=float).reshape(-1, 2).T),
        }
        self.rows.sort(key=lambda row: (not row["success"], row["units"] if row["success"] else row["fun"]))
        f_star = self.f_star
        for row in self.rows:
            row["gap"] = row["fun"] - f_star

    def __str__(self):
        p = self.problem
        lines = [f"{p.name}: n = {p.n}, at most {self.budget} oracle units (value 1, gradient 1, Hessian product 2), "
                 f"||g||inf <= {self.gtol:g}",
                 f"f* = {self.f_star:.15g}" + ("" if self.f_star_known else " (the least value seen by any run)"), ""]
        cells = [COLUMNS, *map(self.cells, self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
        for number, row in enumerate(cells):
            lines.append("  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))
            if number == 0:
                lines.append("  ".join("-" * w for w in widths))
        return "\n".join([*lines, *self.notes()])

    __repr__ = __str__

    def cells(self, row):
        """The strings of one line of the table."""
        return (row["method"], row["status"], f"{row['gap']:.1e}", f"{row['grad_norm']:.1e}", str(row["nfev"]),
                str(row["njev"]), str(row["nhev"]), str(row["units"]), f"{row['time']:.2f} s")

    def notes(self):
        """Lines below the table: what was set for a method, what did not run, and why."""
        given, missing = {}, {}
        for row in self.rows:
            if row["setting"]:
                given.setdefault(row["setting"], []).append(row["method"])
        for name, reason in self.skipped.items():
            missing.setdefault(reason, []).append(name)
        lines = [""] if given or self.skipped or self.errors or self.interrupted else []
        lines += [f"given {setting}: {', '.join(names)}" for setting, names in given.items()]
        lines += [f"not run, {reason}: {', '.join(names)}" for reason, names in missing.items()]
        lines += [f"error in {name}: {message}" for name, message in self.errors.items()]
        return [*lines, "interrupted: the other methods have not run"] if self.interrupted else lines

    def plot(self, axes=None, highlight=None):
        """Draw f - f* and the gradient norm against oracle units.

        Parameters
        ----------
        axes : pair of matplotlib Axes, optional
            A new figure when omitted.
        highlight : list of str, optional
            Methods to draw in colour; the best seven, and SciPy's in black, when omitted. All others are grey.

        Returns
        -------
        pair of matplotlib Axes
        """
        from ._compare_plot import plot_comparison

        return plot_comparison(self, axes, highlight)

    def to_html(self, path):
        """Write one page that needs nothing else: the table, the notes and, with matplotlib, the picture.

        Parameters
        ----------
        path : str or path-like
        """
        from ._compare_plot import write_page

        write_page([self], path)


@contextlib.contextmanager
def progress_bar(total, label, wanted):
    """A function to call with the name of each run. Draws with tqdm where it is installed, else nothing."""
    bar = None
    if wanted is None:
        wanted = sys.stderr.isatty()
    if wanted:
        try:
            from tqdm import tqdm
        except ImportError:
            pass
        else:
            bar = tqdm(total=total, desc=label, unit="method", leave=False, dynamic_ncols=True)
    try:
        yield (lambda name: None) if bar is None else (lambda name: (bar.set_postfix_str(name), bar.update()))
    finally:
        if bar is not None:
            bar.close()


def compare(problem, methods=None, budget=2000, gtol=1e-8, f_star=None, progress=None):
    """Run methods on one problem at equal oracle budget.

    Evaluations are counted from outside, in the same way for curvopt's and SciPy's methods: a value 1, a gradient 1, a
    Hessian-vector product 2. Loops run interpreted for that reason; ``time`` is that of the interpreted loop with the
    evaluations, without what numba spends on compiling.

    Parameters
    ----------
    problem : Problem or str
        A ``curvopt.problems.Problem``, or the name of one, such as ``"rosenbrock:10"``.
    methods : list, or one of its entries, optional
        Method objects, names of methods, and names of SciPy's ("L-BFGS-B", "CG", "Newton-CG", "BFGS"). All methods that
        the problem can serve, and the first three of SciPy's, when omitted. Methods given by name get what they need
        from the problem: the step 1/L, a lower bound. Objects are run as they are.
    budget : int
        Oracle units for each method.
    gtol : float
        A run ends when the largest entry of the gradient is at most this.
    f_star : float, optional
        Least value, for the gap; ``problem.f_star`` or else the least value seen when omitted.
    progress : bool, optional
        Progress bar, drawn by tqdm where that is installed; when omitted, only on a terminal.

    Returns
    -------
    Comparison
        ``rows`` to work with; prints as a table; ``plot()``, ``to_html(path)``. After Ctrl-C it holds what was finished.

    Raises
    ------
    TypeError, ValueError
        For an unknown problem or method, and arguments that make no sense. An exception inside a run is reported in
        ``errors`` and does not keep the others from running.

    Examples
    --------
    >>> import curvopt
    >>> found = curvopt.compare("rosenbrock:2", ["MRCG", "GD", "L-BFGS-B"], budget=400)
    >>> [row["method"] for row in found.rows]
    ['SciPy L-BFGS-B', 'MRCG', 'GD']
    """
    problem = problems.by_name(problem) if isinstance(problem, str) else problem
    if not isinstance(problem, problems.Problem):
        raise TypeError(f"problem must be a curvopt.problems.Problem or the name of one, got {type(problem).__name__}")
    budget, gtol = _checks.count("budget", budget, 1), _checks.non_negative("gtol", gtol)
    found = Comparison(problem, budget, gtol, problem.f_star if f_star is None else _checks.finite("f_star", f_star))
    methods = all_methods() if methods is None else [methods] if isinstance(methods, (str, Method)) else list(methods)
    if len(methods) == 0:
        raise ValueError("methods is empty; leave it out for all of them")
    entries = []
    for method in methods:
        try:
            entries.append(entry_of(method, problem))
        except Skipped as skipped:
            found.skipped[getattr(method, "name", method)] = str(skipped)
    with progress_bar(len(entries), problem.name, progress) as show:
        try:
            for entry in entries:
                show(entry.label)
                if not run_one(found, entry):
                    break
        except KeyboardInterrupt:   # between two runs
            found.interrupted = True
    return found


def run_one(found, entry):
    """Run one solver and keep its row; False after Ctrl-C."""
    stop_at_gtol = entry.label.startswith("SciPy")      # the others test the gradient themselves
    oracle = CountedOracle(found.problem, found.budget, found.gtol, stop_at_gtol)
    began, clock = time.perf_counter(), CompileClock()
    try:
        with clock, np.errstate(all="ignore"):      # a method that diverges says so in its status
            status = entry.run(oracle)
    except KeyboardInterrupt:
        status = "INTERRUPTED"
    except Exception as error:
        found.errors[entry.label] = f"{type(error).__name__}: {error}"
        status = "ERROR"
    found.add(entry, status, oracle, time.perf_counter() - began - clock.seconds)
    found.interrupted = status == "INTERRUPTED"
    return not found.interrupted
