"""Minimum, saddle or flat: a look at the Hessian where a gradient method has stopped, and the way on from a saddle.

The least eigenvalue comes from Lanczos' method (SciPy's eigsh), from n products for small n. It is judged against the
largest one met: what is below the square root of the rounding error of that is called flat, or below 1e-5 of it where
products are differences of gradients.
"""
import math
from typing import NamedTuple

import numpy as np

from ._loop import RunState
from ._oracle import NHEV, NJEV, hess_vec, value
from ._status import CONVERGED, RUNNING
from ._stopping import first_best

DENSE_N = 30                # up to here n products give the whole matrix, and its eigenvalues are exact
FLAT = 2.0 ** -26           # relative to the largest eigenvalue
FLAT_BY_DIFFERENCES = 1e-5  # the same where products are differences of gradients, good to about eight digits
MAX_ESCAPES = 10            # saddles left in one run; each costs a Lanczos run
HALVINGS = 40


class SecondOrder(NamedTuple):
    """What the Hessian says at a point."""

    verdict: str            # "minimum", "saddle" or "flat"; "unknown" where products are not finite
    smallest: float         # least eigenvalue
    largest: float          # largest absolute eigenvalue
    direction: np.ndarray   # unit eigenvector of the least one
    products: int
    gradient: float = math.nan      # its largest entry there, where it was asked for

    def __str__(self):
        there = "" if math.isnan(self.gradient) else f"; largest entry of the gradient {self.gradient:.3g}"
        return (f"{self.verdict}: least eigenvalue of the Hessian {self.smallest:.6g}, largest absolute one "
                f"{self.largest:.6g} ({self.products} products){there}")


def threshold(problem):
    """What `examine` may take for zero with the second derivatives that a problem has.

    `problem` has the attributes jac, hess and hessp. Without jac there is nothing to go by: differences of differences are
    as rough as the curvature itself.
    """
    if callable(problem.hessp) or callable(problem.hess):
        return FLAT
    if callable(problem.jac) or problem.jac is True:
        return FLAT_BY_DIFFERENCES
    return None


def examine(oracle, x, seed=0, flat=FLAT):
    """SecondOrder at x; an eigenvalue below `flat` times the largest is taken for zero.

    At most a few hundred Hessian-vector products; they are counted like all others.
    """
    n, out = x.size, np.empty_like(x)
    before = oracle.data.counts[NHEV] + oracle.data.counts[NJEV]

    def product(v):
        hess_vec(oracle, x, np.ascontiguousarray(v, dtype=float).reshape(n), out)
        if not np.isfinite(out).all():
            raise NotFinite
        return out.copy()

    try:
        smallest, largest, v = dense_ends(n, product) if n <= DENSE_N else lanczos_ends(n, product, seed)
        threshold = flat * largest
        verdict = "minimum" if smallest > threshold else "saddle" if smallest < -threshold else "flat"
    except NotFinite:
        verdict, smallest, largest, v = "unknown", math.nan, math.nan, np.full(n, math.nan)
    products = int(oracle.data.counts[NHEV] + oracle.data.counts[NJEV] - before)
    return SecondOrder(verdict, float(smallest), float(largest), v, products)


class NotFinite(ArithmeticError):
    """A product that no eigenvalue can be taken from."""


def dense_ends(n, product):
    """(least eigenvalue, largest absolute one, eigenvector of the least) from n products."""
    matrix = np.array([product(e) for e in np.eye(n)])
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return values[0], np.abs(values).max(), vectors[:, 0]


def lanczos_ends(n, product, seed):
    """The same from Lanczos' method."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    start = np.random.default_rng(seed).standard_normal(n)
    length = np.linalg.norm(start)
    first = np.linalg.norm(product(start)) / length
    if first == 0.0:        # ARPACK refuses the zero matrix, and no other one maps a random vector to zero
        return 0.0, 0.0, start / length
    operator = LinearOperator((n, n), matvec=product, dtype=float)
    try:
        largest = abs(eigsh(operator, k=1, which="LM", v0=start, tol=1e-2, return_eigenvectors=False)[0])
    except ArpackNoConvergence as error:
        largest = max(np.abs(error.eigenvalues), default=first)
    try:
        values, vectors = eigsh(operator, k=1, which="SA", v0=start, tol=1e-3, maxiter=10 * n)
    except ArpackNoConvergence as error:
        values, vectors = error.eigenvalues, error.eigenvectors
        if len(values) == 0:
            values, vectors = np.array([0.0]), start[:, None] / length
    return values[0], largest, vectors[:, 0]


def lower_point(oracle, x, f, direction, smallest):
    """A point along +-direction where fun is lower than the curvature there promises in part; None if there is none."""
    length = max(1.0, float(np.linalg.norm(x)))
    for _ in range(HALVINGS):
        for sign in (1.0, -1.0):
            trial = x + sign * length * direction
            f_trial = value(oracle, trial)
            if math.isfinite(f_trial) and f_trial <= f + 0.1 * smallest * length * length and f_trial < f:
                return trial
        length *= 0.5
    return None


class Verified:
    """A stream of snapshots that does not end at a saddle.

    Where the run has converged, the Hessian is looked at; from a saddle it goes on along the negative direction, as one
    more iteration. ``second_order`` is the last verdict.
    """

    def __init__(self, method, objective, norm, streams):
        """`streams(resume)` begins a stream of snapshots; `norm` is the order of the norm for gtol."""
        self.method, self.objective, self.norm, self.streams = method, objective, norm, streams
        self.second_order, self.flat = None, threshold(objective)
        if method.second_order and self.flat is None:
            raise ValueError("second_order=True needs jac, hess or hessp: differences of differences are too rough")

    def __iter__(self):
        stream = self.streams(None)
        for escape in range(MAX_ESCAPES + 1):
            resume = None
            for snapshot in stream:
                if snapshot.status == CONVERGED and self.method.second_order:
                    oracle = self.objective.oracle()
                    self.second_order = examine(oracle, snapshot.state.x, flat=self.flat)
                    if self.second_order.verdict == "saddle" and escape < MAX_ESCAPES:
                        resume = self._go_on(oracle, snapshot)
                yield snapshot if resume is None else snapshot._replace(status=RUNNING)
            if resume is None:
                return
            stream = self.streams(resume)

    def _go_on(self, oracle, snapshot):
        state, found = snapshot.state, self.second_order
        x = lower_point(oracle, state.x, state.f, found.direction, found.smallest)
        if x is None:
            return None
        fresh = self.method.init(oracle, x, self.method.params)
        best = first_best(fresh, self.method.residual(fresh, self.norm), self.method.monotone)
        return RunState(self.method, fresh, best, snapshot.nit + 1, self.objective.counts.copy(),
                        self.objective.known(), snapshot.seconds)

