"""Runs of a solver on a problem, the oracle counted from outside.

A solver is any callable ``solver(oracle, x0, gtol)``; `SOLVERS` has this library's methods and SciPy's. One unit is a
value and a gradient at one point, however they are asked for; products count apart. A run is over when a gradient with
``||g||_inf <= gtol`` has been evaluated (the problem is *solved*), at the cap of gradients, or at the cap of CPU seconds.
"""
import time
import warnings
from dataclasses import asdict, dataclass

import numpy as np


class Over(Exception):
    """The run is over: solved, or at a cap."""


class Oracle:
    """A case as a solver sees it. ``fun`` and ``jac`` at one point in a row are one unit."""

    def __init__(self, case, gtol, gradients, seconds):
        self.case, self.gtol, self.cap, self.seconds = case, gtol, gradients, seconds
        self.x, self.f, self.g = None, None, None
        self.f_asked = self.g_asked = False
        self.pairs = self.values = self.gradients = self.products = 0
        self.solved, self.f_best = False, np.inf
        self.began = time.process_time()

    def at(self, x):
        x = np.array(x, float).ravel()
        if self.x is not None and np.array_equal(x, self.x):
            return
        if self.pairs >= self.cap or time.process_time() - self.began > self.seconds:
            raise Over
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
        return self.f

    def jac(self, x):
        self.at(x)
        self.gradients += not self.g_asked
        self.g_asked = True
        if np.abs(self.g).max() <= self.gtol:
            self.solved = True
            raise Over
        return self.g.copy()

    def pair(self, x):
        return self.fun(x), self.jac(x)

    def hessp(self, x, v):
        """A product from the source of the problem; by a difference of gradients, uncounted as one, where it has none."""
        self.products += 1
        if time.process_time() - self.began > self.seconds:
            raise Over
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
    ended: str


def run(name, solver, case, gtol=1e-6, gradients=5000, seconds=2.0):
    """One Run. What the solver says about its end is only kept as a note."""
    oracle = Oracle(case, gtol, gradients, seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ended = str(solver(oracle, case.x0.copy(), gtol))
    except Over:
        ended = "solved" if oracle.solved else "cap"
    cpu = time.process_time() - oracle.began
    return Run(name, case.name, case.n, bool(case.tuning), oracle.solved, oracle.pairs, oracle.values, oracle.gradients,
               oracle.products, oracle.f_best, cpu, ended)


def as_dict(run):
    return asdict(run)


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
