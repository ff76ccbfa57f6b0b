"""What a run returns."""
import numpy as np
from scipy.optimize import OptimizeResult

from ._explain import RAN_AWAY, explain, ran_away, step_length
from ._history import History
from ._loop import COLUMNS, RunState
from ._oracle import NHEV, NJEV, NONFINITE_VALUES, ROWS, SAMPLE_F, SAMPLE_G, SAMPLE_H
from ._reports import curvature_of, rate_of
from ._status import NONFINITE, PRECISION, STEP_FAILED, Status
from ._stopping import last_is_best


class Result(OptimizeResult):
    """SciPy's ``OptimizeResult`` with the fields and reports of curvopt.

    A method may add fields of its own; its class says which.

    Attributes
    ----------
    x, jac : ndarray, in the shape of x0
        The best point seen and the gradient there.
    fun : float
    nit, nfev, njev, nhev : int
        Iterations, and true numbers of calls of the user's functions.
    nsamples : int
        For a `FiniteSum` or an `Expectation`: rows on which gradients were taken, and twice those of Hessian products.
        ``nfev``, ``njev`` and ``nhev`` are then passes over the data, with a fraction where the method draws samples.
    status : Status
        Why the run ended; compares equal to its number.
    success : bool
        True for CONVERGED and TARGET only.
    message : str
    method : Method
    history : History or None
    state : RunState
        Hand it to ``options={"resume": res.state}`` to go on; can be pickled.
    compiled : bool
        Whether the loop ran as machine code.
    time, compile_time : float
        Seconds spent solving, and seconds spent compiling before that.
    allvecs : list of ndarray
        With the option ``return_all``: the start and every iterate.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(2)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method="TruncatedNewton")
    >>> res.curvature_report().verdict
    'minimum'
    """

    # Beside the fields: no part of the dict, not printed, not pickled (functions often cannot be).
    objective = None
    settings = None

    def keep(self, objective, settings):
        """Remember what the reports need."""
        object.__setattr__(self, "objective", objective)
        object.__setattr__(self, "settings", settings)

    def __getstate__(self):
        return None

    def __repr__(self):
        shown = OptimizeResult(self)
        if isinstance(self.get("status"), Status):      # its sentence is the message
            shown["status"] = f"{int(self.status)} ({self.status.name})"
        return repr(shown)

    def rate(self, *, f_star=None, L=None, mu=None):
        """The rate of convergence the run showed, beside what theory promises for the method.

        Parameters
        ----------
        f_star : float, optional
            Least value of fun. The gap fun - f_star is looked at; the gradient norm when omitted.
        L, mu : float, optional
            Largest and least eigenvalue of the Hessian, for promises that depend on them.

        Returns
        -------
        Rate
            ``law``, ``constant``, ``scatter``, ``bounds``; prints as a report, ``plot()`` draws it.

        Raises
        ------
        ValueError
            Without ``history``; for f_star above a value seen; for L or mu that are not positive, or mu > L.

        Examples
        --------
        >>> import curvopt
        >>> p = curvopt.problems.quadratic([1.0, 10.0])
        >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.baselines.GD.replace(lr=1 / p.L),
        ...                        options={"history": True})
        >>> rate = res.rate(f_star=0.0, L=10.0, mu=1.0)
        >>> print(str(rate).splitlines()[0][:46])
        fun - f_star: linear, factor 0.81 an iteration
        >>> rate.bounds[0].law, round(rate.bounds[0].constant, 6)
        ('linear', 0.81)
        """
        return rate_of(self, f_star, L, mu)

    def explain(self):
        """Why the run ended, how good the point can be, and what to try next: a text, from what the run left behind.

        With ``options={"history": True}`` it also tells the rate and how far away gtol is. No function is called.

        Returns
        -------
        str
        """
        return explain(self)

    def curvature_report(self):
        """Whether ``x`` is a minimum, a saddle or flat, from the extreme eigenvalues of the Hessian there.

        The verdict is about the Hessian; it classifies x where the gradient is (nearly) zero. Uses n Hessian-vector
        products for n <= 30, and at most a few hundred (Lanczos' method) otherwise; where neither ``hessp`` nor ``hess``
        was given, as many gradients. These calls are not added to ``nfev``, ``njev``, ``nhev``.

        Returns
        -------
        SecondOrder
            ``verdict`` ("minimum", "saddle" or "flat"; "unknown" where a product is not finite), ``smallest`` and
            ``largest`` (least eigenvalue and largest absolute one), ``direction`` (unit eigenvector of the least),
            ``products`` (number used), ``gradient`` (its largest entry: where that is not small, x is none of the three).

        Raises
        ------
        ValueError
            For a result that was unpickled, which does not have the functions any more; for gradients that are
            differences themselves; for methods that draw samples.
        """
        return curvature_of(self)


def best_point(method, snapshot):
    """(x, f, g) of the point to return."""
    state, best = snapshot.state, snapshot.best
    if last_is_best(method.monotone, snapshot.status):
        return state.x, state.f, state.g
    return best.x, float(best.scalars[0]), best.g


def calls(counts):
    """nfev, njev and nhev: calls of the user's functions; of a sum over samples, passes over its rows."""
    found = counts[:3].tolist() if counts[ROWS] == 0 else (counts[SAMPLE_F:SAMPLE_H + 1] / counts[ROWS]).tolist()
    return dict(zip(("nfev", "njev", "nhev"), found))


def samples(objective):
    """Rows on which gradients were taken, and twice those of products."""
    counts = objective.counts
    if objective.n_samples:
        return int(counts[SAMPLE_G] + 2 * counts[SAMPLE_H])
    return int(objective.n_rows * (counts[NJEV] + 2 * counts[NHEV]))


def intermediate(method, objective, snapshot):
    """The OptimizeResult a callback gets: copies, in the user's shape."""
    state, counts = snapshot.state, objective.counts
    result = OptimizeResult(
        x=state.x.copy().reshape(objective.shape), fun=state.f, jac=state.g.copy().reshape(objective.shape),
        nit=snapshot.nit, **calls(counts), step=state.alpha, grad_norm=snapshot.gnorm, time=snapshot.seconds,
    )
    if method.columns:
        row = np.zeros(len(method.columns))
        method.report(state, row)
        result.update(zip(method.columns, row.tolist()))
    return result


def assemble(method, objective, snapshot, status, record, nonfinite):
    """The Result of a run that stopped at `snapshot` for the reason `status`."""
    x, f, g = best_point(method, snapshot)
    status = Status(status)
    result = Result(
        x=x.copy().reshape(objective.shape), fun=float(f), jac=g.copy().reshape(objective.shape), nit=snapshot.nit,
        **calls(objective.counts), status=status, success=status.success,
        message=message(method, status, snapshot, nonfinite, int(objective.counts[NONFINITE_VALUES])), method=method,
        history=record.history(method) if record.every else None,
        state=RunState(method, snapshot.state, snapshot.best, snapshot.nit, objective.counts.copy(),
                       objective.known(), snapshot.seconds),
        compiled=snapshot.compiled, time=snapshot.seconds, compile_time=snapshot.compile_seconds,
    )
    result.update(method.details(snapshot.state))
    if objective.n_samples or objective.n_rows:
        result.nsamples = samples(objective)
    if record.points is not None:
        result.allvecs = record.points
    return result


def message(method, status, snapshot, nonfinite, bad=0):
    """The sentence of a status, with the values that were not finite, `bad` of them, where they may be the reason."""
    status = Status(status)
    if status == STEP_FAILED and bad and ran_away(snapshot):
        return RAN_AWAY
    if status in (STEP_FAILED, PRECISION) and bad:
        return f"{status} Of the values of fun {bad} {'was' if bad == 1 else 'were'} not finite: its domain may end here."
    if status != NONFINITE:
        return str(status)
    state = snapshot.state
    what = "fun" if not np.isfinite(state.f) else "jac" if not np.all(np.isfinite(state.g)) else "fun at a trial point"
    if what == "fun at a trial point" and hasattr(state, "rng"):
        what = "fun or jac on a batch"
    if snapshot.nit == 0 and what in ("fun", "jac"):
        return f"{what} is not finite at x0; start from a point where it is."
    if nonfinite == "backtrack":
        length = step_length(method) if what == "fun" else ""
        return f"{status} It was {what} at the last point" + (f": {length} may be too long a step." if length else ".")
    return f"{status} It was {what} (nonfinite={nonfinite!r}; 'backtrack' treats a bad trial as a failed one)."


class Record:
    """Rows of the history, every k-th iteration and the last one, with a time for each."""

    def __init__(self, every, points, shape):
        self.every, self.shape = every, shape
        self.points = [] if points else None
        self.blocks, self.times, self.clock = [], [], 0.0
        self.last = None    # the latest row and its time, kept or not

    def add(self, snapshot):
        if self.points is not None:
            self.points.append(snapshot.state.x.copy().reshape(self.shape))
        rows = snapshot.rows
        if self.every and len(rows):
            times = self.clock + (snapshot.seconds - self.clock) * np.arange(1, len(rows) + 1) / len(rows)
            keep = rows[:, 0] % self.every == 0
            self.blocks.append(rows[keep])
            self.times.append(times[keep])
            self.last = (not keep[-1], rows[-1:].copy(), times[-1:])
        self.clock = snapshot.seconds

    def history(self, method):
        if self.last is not None and self.last[0]:
            self.blocks.append(self.last[1])
            self.times.append(self.last[2])
        width = len(COLUMNS) + len(method.columns)
        rows = np.concatenate(self.blocks) if self.blocks else np.zeros((0, width))
        times = np.concatenate(self.times) if self.times else np.zeros(0)
        return History.from_rows((*COLUMNS, *method.columns), rows, times, "samples" in method.needs)
