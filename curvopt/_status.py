"""Why a run ended: one vocabulary for all methods. The numbers keep SciPy's core and leave room around it."""
from enum import IntEnum

RUNNING = -1
CONVERGED = 0
MAXITER = 1
PRECISION = 2
NONFINITE = 3
BUDGET = 4
MAXTIME = 5
STEP_FAILED = 6
UNBOUNDED = 7
TARGET = 8
BAD_BOUND = 9
INTERRUPTED = 90
CALLBACK = 99


class Status(IntEnum):
    """Reason for the end of a run: one vocabulary for all methods.

    A member equals its number, which is SciPy's for 0 and 1. ``status.name`` is the word, ``str(status)`` a sentence.

    Attributes
    ----------
    success : bool
        Whether the goal was met: True for CONVERGED and TARGET.

    Examples
    --------
    >>> import curvopt
    >>> status = curvopt.Status(2)
    >>> status.name, status == 2, status.success
    ('PRECISION', True, False)
    >>> print(curvopt.Status.TARGET)
    Target value (ftarget, or a lower bound given as f_star) reached.
    """

    RUNNING = RUNNING
    CONVERGED = CONVERGED
    MAXITER = MAXITER
    PRECISION = PRECISION
    NONFINITE = NONFINITE
    BUDGET = BUDGET
    MAXTIME = MAXTIME
    STEP_FAILED = STEP_FAILED
    UNBOUNDED = UNBOUNDED
    TARGET = TARGET
    BAD_BOUND = BAD_BOUND
    INTERRUPTED = INTERRUPTED
    CALLBACK = CALLBACK

    def __str__(self):
        return SENTENCES[int(self)]

    __format__ = IntEnum.__format__

    @property
    def success(self):
        return self in (Status.CONVERGED, Status.TARGET)


SENTENCES = {
    RUNNING: "The run has not ended.",
    CONVERGED: "Converged: the gradient norm is at most gtol.",
    MAXITER: "Iteration limit (maxiter) reached.",
    PRECISION: "No further progress is possible in floating point: the decrease that a step still promises is below the "
               "rounding error of fun.",
    NONFINITE: "A value that is not finite: fun or jac returned NaN or infinity.",
    BUDGET: "Evaluation budget (maxfev, maxjev or maxhev) used up.",
    MAXTIME: "Time limit (maxtime) reached.",
    STEP_FAILED: "No acceptable step was found although the gradient promises decrease: a wrong jac or hessp "
                 "(curvopt.check_derivatives tells), a kink, or noise in fun.",
    UNBOUNDED: "fun appears to be unbounded below.",
    TARGET: "Target value (ftarget, or a lower bound given as f_star) reached.",
    BAD_BOUND: "fun fell below f_star or f_lower, which must be its least value or a lower bound.",
    INTERRUPTED: "Interrupted (Ctrl-C); the best point so far is returned.",
    CALLBACK: "`callback` raised `StopIteration`.",
}
