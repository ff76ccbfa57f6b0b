"""A problem counted from outside, the same way for every solver, with a record of what each evaluation brought."""
import numpy as np

UNITS = {"fun": 1, "jac": 1, "hessp": 2}


class Stopped(Exception):
    """Raised by the oracle inside a run that may not go on; `reason` is BUDGET or CONVERGED."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class CountedOracle:
    """``fun``, ``jac`` and ``hessp`` of a problem for one run of one solver.

    A value counts 1, a gradient 1, a Hessian-vector product 2. The evaluation that would pass the budget raises
    `Stopped` instead; with `stop_at_gtol`, so does the one after a gradient with largest entry at most `gtol`.

    Attributes
    ----------
    units : int
        Spent so far.
    counts : dict
        Evaluations of each function.
    best, least : float
        Least value and least gradient norm (largest entry) seen.
    values, gradients : list of (units, float)
        Each improvement of `best` and `least`, with the units at which it was known.
    """

    def __init__(self, problem, budget, gtol, stop_at_gtol):
        self.problem, self.budget, self.gtol, self.stop_at_gtol = problem, budget, gtol, stop_at_gtol
        self.units, self.counts = 0, dict.fromkeys(UNITS, 0)
        self.best = self.least = np.inf
        self.values, self.gradients = [], []

    def _spend(self, name):
        if self.stop_at_gtol and self.least <= self.gtol:
            raise Stopped("CONVERGED")
        if self.units + UNITS[name] > self.budget:
            raise Stopped("BUDGET")
        self.units += UNITS[name]
        self.counts[name] += 1

    def fun(self, x):
        self._spend("fun")
        f = float(self.problem.fun(np.array(x, dtype=float), *self.problem.args))
        if f < self.best:
            self.best = f
            self.values.append((self.units, f))
        return f

    def jac(self, x):
        self._spend("jac")
        g = self.problem.jac(np.array(x, dtype=float), *self.problem.args)
        size = float(np.max(np.abs(g)))
        if size < self.least:
            self.least = size
            self.gradients.append((self.units, size))
        return g

    def hessp(self, x, p):
        self._spend("hessp")
        return self.problem.hessp(np.array(x, dtype=float), np.array(p, dtype=float), *self.problem.args)


def run_method(method, oracle):
    """Run a curvopt method, interpreted, on the oracle; return the name of its status."""
    try:
        result = method(oracle.fun, oracle.problem.x0, jac=oracle.jac, hessp=oracle.hessp, gtol=oracle.gtol,
                        maxiter=10 * oracle.budget, compiled=False)
    except Stopped as stop:
        return stop.reason
    return result.status.name


# Tolerances so small that the oracle's own test of the gradient ends the runs, as for every other solver.
SCIPY = {
    "L-BFGS-B": {"ftol": 0.0, "gtol": 0.0, "maxls": 50},
    "CG": {"gtol": 0.0},
    "Newton-CG": {"xtol": 0.0},
    "BFGS": {"gtol": 0.0},
}
SCIPY_NAMES = tuple(SCIPY)
SCIPY_DEFAULT = ("L-BFGS-B", "CG", "Newton-CG")


def run_scipy(name, oracle):
    """Run a method of SciPy on the oracle; return a status in curvopt's vocabulary."""
    import warnings

    from scipy.optimize import minimize

    options = dict(SCIPY[name], maxiter=oracle.budget)
    if name == "L-BFGS-B":
        options["maxfun"] = oracle.budget
    hessp = {"hessp": oracle.hessp} if name == "Newton-CG" else {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")     # its remarks are what the status says
        try:
            result = minimize(oracle.fun, oracle.problem.x0, jac=oracle.jac, method=name, options=options, **hessp)
        except Stopped as stop:
            return stop.reason
    if oracle.least <= oracle.gtol:
        return "CONVERGED"
    if result.status == 1:
        return "MAXITER"
    return "STEP_FAILED" if name == "L-BFGS-B" else "PRECISION"     # the others call it loss of precision
