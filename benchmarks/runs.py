"""Runs of a solver on a problem, the oracle counted from outside.

A solver is any callable ``solver(oracle, x0, gtol)``; `SOLVERS` has this library's methods and SciPy's. One unit is a
value and a gradient at one point, however they are asked for; products count apart. A run is over when a gradient with
``||g||_inf <= gtol`` has been evaluated (the problem is *solved*), or when the budget of units is spent. A cap of CPU
seconds is there for the sake of whoever waits; what it cuts short is marked "clock" and says nothing about a solver.
"""
import json
import pathlib
import time
import warnings
from dataclasses import asdict, dataclass, field, replace

import numpy as np

try:
    from .collection import Case
except ImportError:
    from collection import Case

GTOL, BUDGET, SECONDS = 1e-6, 3000, 10.0
COUNTS = ("pairs", "values", "gradients", "products")


class Over(Exception):
    """The run is over, and why: "solved", "budget" or "clock"."""


class Oracle:
    """A case as a solver sees it. ``fun`` and ``jac`` at one point in a row are one unit."""

    def __init__(self, case, gtol, budget, seconds):
        self.case, self.gtol, self.budget, self.seconds = case, gtol, budget, seconds
        self.x, self.f, self.g = None, None, None
        self.f_asked = self.g_asked = False
        self.pairs = self.values = self.gradients = self.products = 0
        self.solved, self.f_best, self.falls = False, np.inf, []
        self.began = time.process_time()

    def look_at_the_clock(self):
        if time.process_time() - self.began > self.seconds:
            raise Over("clock")

    def at(self, x):
        x = np.array(x, float).ravel()
        if self.x is not None and np.array_equal(x, self.x):
            return
        if self.pairs >= self.budget:
            raise Over("budget")
        self.look_at_the_clock()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.f, self.g = self.case.fun_grad(x)
            except (OverflowError, ValueError, FloatingPointError, ZeroDivisionError):
                self.f, self.g = np.nan, np.full(x.size, np.nan)
        if not np.isreal(self.f) or not np.all(np.isreal(self.g)):
            self.f, self.g = np.nan, np.full(x.size, np.nan)
        self.x, self.f, self.g = x, float(np.real(self.f)), np.array(np.real(self.g), float)
        self.f_asked = self.g_asked = False
        self.pairs += 1

    def fun(self, x):
        self.at(x)
        self.values += not self.f_asked
        self.f_asked = True
        if self.f < self.f_best:
            self.f_best = self.f
            self.falls.append((self.f, self.pairs, self.values, self.gradients, self.products))
        return self.f

    def jac(self, x):
        self.at(x)
        self.gradients += not self.g_asked
        self.g_asked = True
        if np.abs(self.g).max() <= self.gtol:
            self.solved = True
            raise Over("solved")
        return self.g.copy()

    def pair(self, x):
        return self.fun(x), self.jac(x)

    def hessp(self, x, v):
        """A product from the source of the problem; by a difference of gradients, uncounted as one, where it has none."""
        self.products += 1
        self.look_at_the_clock()
        if self.case.hess_vec is not None:
            return self.case.hess_vec(np.array(x, float), np.array(v, float))
        size = np.linalg.norm(v)
        h = 1e-6 * (1.0 + np.linalg.norm(x)) / size if size > 0.0 else 1.0
        return (self.case.fun_grad(x + h * v)[1] - self.case.fun_grad(x - h * v)[1]) / (2.0 * h)


@dataclass
class Run:
    solver: str
    problem: str
    n: int
    tuning: bool
    solved: bool
    pairs: int          # points where a value or a gradient was taken, up to the solution
    values: int
    gradients: int
    products: int
    f: float            # least value seen
    cpu: float
    ended: str          # "solved", "budget", "clock", or what the solver said when it gave up
    falls: list = field(default_factory=list)   # (f, pairs, values, gradients, products) as f fell

    def to_value(self, target):
        """The same run, over when f was first at most `target`."""
        for f, *spent in self.falls:
            if f <= target:
                return replace(self, solved=True, ended="solved", **dict(zip(COUNTS, spent)))
        return replace(self, solved=False)


def thinned(falls):
    """Those falls that took a tenth off what was left above the last one."""
    kept = []
    for fall in falls:
        if not kept or fall[0] - falls[-1][0] <= 0.9 * (kept[-1][0] - falls[-1][0]):
            kept.append(fall)
    return kept


def to_values(runs, share):
    """Runs to the value f_L + share (f_0 - f_L) instead: f_L the least value any of them found, f_0 that of the start."""
    least, first = {}, {}
    for r in runs:
        least[r.problem] = min(r.f, least.get(r.problem, np.inf))
        first[r.problem] = max(r.falls[0][0], first.get(r.problem, -np.inf)) if r.falls else np.inf
    return [r.to_value(least[r.problem] + share * (first[r.problem] - least[r.problem])) for r in runs]


def run(name, solver, case, gtol=GTOL, budget=BUDGET, seconds=SECONDS):
    """One Run."""
    oracle = Oracle(case, gtol, budget, seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ended = str(solver(oracle, case.x0.copy(), gtol))
    except Over as over:
        ended = str(over)
    cpu = time.process_time() - oracle.began
    return Run(name, case.name, case.n, bool(case.tuning), oracle.solved, oracle.pairs, oracle.values, oracle.gradients,
               oracle.products, oracle.f_best, cpu, ended, thinned(oracle.falls))


def warm(solvers):
    """Let each solver import and compile on a long run, so that this is not charged to the first problem."""
    from scipy.optimize import rosen, rosen_der, rosen_hess_prod

    case = Case("warm-up", "", np.tile([-1.2, 1.0], 15), lambda x: (float(rosen(x)), rosen_der(x)), rosen_hess_prod)
    for name, solver in solvers.items():
        run(name, solver, case, budget=400, seconds=600.0)


class RunFile:
    """Runs in a file of JSON lines, one written as soon as it is there. The first line holds the limits: runs with other
    limits do not belong in the same file."""

    def __init__(self, path, **limits):
        self.path, self.limits = pathlib.Path(path), limits
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        if lines and limits and json.loads(lines[0]) != limits:
            raise SystemExit(f"{path} holds runs with the limits {lines[0]}, not {json.dumps(limits)}")
        if not lines and limits:
            self.path.write_text(json.dumps(limits) + "\n")
        self.runs = [Run(**json.loads(line)) for line in lines[1:]]

    def add(self, run):
        self.runs.append(run)
        with open(self.path, "a") as file:
            file.write(json.dumps(asdict(run)) + "\n")


# ---- solvers ---------------------------------------------------------------------------------------------------------

def ours(method, products=False, **parameters):
    """A method of this library; with `products`, Hessian-vector products are given."""
    def solve(oracle, x0, gtol):
        import curvopt

        found = curvopt.minimize(oracle.fun, x0, jac=oracle.jac, hessp=oracle.hessp if products else None, method=method,
                                 options={"gtol": gtol, "maxiter": 10 ** 9, "compiled": False, **parameters})
        return found.status.name

    return solve


def scipys(method, **options):
    def solve(oracle, x0, gtol):
        from scipy.optimize import minimize

        more = {"hessp": oracle.hessp} if method in ("Newton-CG", "trust-ncg", "trust-krylov") else {}
        limits = {"L-BFGS-B": {"ftol": 0.0, "maxfun": 10 ** 9, "maxls": 50}, "Newton-CG": {"xtol": 0.0}}.get(method, {})
        tolerance = {} if method == "Newton-CG" else {"gtol": gtol}
        found = minimize(oracle.pair, x0, jac=True, method=method,
                         options={"maxiter": 10 ** 9, **tolerance, **limits, **options}, **more)
        return found.message

    return solve


SOLVERS = {
    "default": ours(None),
    "QuasiNewton": ours("quasinewton"),
    "TruncatedNewton": ours("truncatednewton", products=True),
    "TruncatedNewton, plain_retry": ours("truncatednewton", products=True, plain_retry=True),
    "FUSEPV": ours("fusepv"),
    "FUSEPV-adam": ours("fusepv", first="adam"),
    "LBFGS": ours("lbfgs"),
    "LBFGS10": ours("lbfgs", m=10),
    "L-BFGS-B": scipys("L-BFGS-B"),
    "BFGS": scipys("BFGS"),
    "CG": scipys("CG"),
    "trust-ncg": scipys("trust-ncg"),
    "Newton-CG": scipys("Newton-CG"),
    "trust-krylov": scipys("trust-krylov"),
}
