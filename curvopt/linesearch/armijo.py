"""Armijo's sufficient decrease: backtracking, and tracking forward where curvature is negative."""
import math

from .._jit import kernel, routine
from .._oracle import value
from .._sampling import batch_value
from .._status import PRECISION, STEP_FAILED
from .._stopping import NOISE
from .._vectors import axpy_to

MAX_TRIALS = 200        # enough to halve a step from 1e10 to 1e-50
SEEN = 1e3              # decreases of so many times the slack are seen for certain
ALPHA_MAX = 1e10        # a step this much longer than the model's, with fun still falling, means no minimum


@routine
def decreases(f_new, f, slope, alpha, rho):
    """Whether f_new is a sufficient decrease; a value that is not finite is none.

    The slack of ten rounding errors of f lets the test pass where the decrease it asks for is lost in rounding. It is
    relative, so that f -> c f changes nothing.
    """
    return math.isfinite(f_new) and f_new <= f + rho * alpha * slope + NOISE * abs(f)


@routine
def backtrack(oracle, x, f, d, slope, alpha, rho, theta, out):
    """First of alpha, alpha theta, alpha theta^2, ... with f(x + a d) <= f + rho a slope.

    Returns (a, f(x + a d), found) and leaves x + a d in `out`. One value of fun a trial. The search gives up when a
    step no longer changes x, and when it was promised a decrease that can be seen and is down to steps whose decrease
    cannot: the slack of `decreases` would take those, and a run with a wrong gradient would creep on in them.
    """
    return backtrack_scaled(oracle, x, f, d, 1.0, slope, alpha, rho, theta, out)


@routine
def backtrack_scaled(oracle, x, f, v, scale, slope, alpha, rho, theta, out):
    """The same along d = scale v, a vector that is written nowhere; `slope` is <g, d>."""
    visible = -rho * alpha * slope > SEEN * NOISE * abs(f)
    for _ in range(MAX_TRIALS):
        if visible and -rho * alpha * slope < NOISE * abs(f):
            break
        if not axpy_to(alpha * scale, v, x, out):
            break
        f_new = value(oracle, out)
        if decreases(f_new, f, slope, alpha, rho):
            return alpha, f_new, True
        alpha *= theta
    return 0.0, f, False


@routine
def backtrack_batch(oracle, batch, x, f, d, slope, alpha, rho, theta, out):
    """As `backtrack`, for the mean over a batch; f is that mean at x."""
    for _ in range(MAX_TRIALS):
        if not axpy_to(alpha, d, x, out):
            break
        f_new = batch_value(oracle, out, batch)
        if decreases(f_new, f, slope, alpha, rho):
            return alpha, f_new, True
        alpha *= theta
    return 0.0, f, False


@routine
def track_forward(oracle, x, f, d, slope, f_new, rho, theta, out):
    """From an accepted step 1, lengthen by 1/theta while sufficient decrease holds.

    Returns (alpha, f(x + alpha d)) of the last step that satisfied it, with that point in `out`. One value of fun a
    trial.
    """
    return track_forward_scaled(oracle, x, f, d, 1.0, slope, f_new, rho, theta, out)


@routine
def track_forward_scaled(oracle, x, f, v, scale, slope, f_new, rho, theta, out):
    """The same along d = scale v."""
    alpha = 1.0
    while alpha < ALPHA_MAX:
        trial = alpha / theta
        axpy_to(trial * scale, v, x, out)
        f_trial = value(oracle, out)
        if not decreases(f_trial, f, slope, trial, rho):
            break
        alpha, f_new = trial, f_trial
    axpy_to(alpha * scale, v, x, out)
    return alpha, f_new


@kernel
def fill_recent(recent, f):
    """Let a run begin with a window full of its first value."""
    for i in range(recent.size):
        recent[i] = f


@kernel
def largest_recent(recent, k, f):
    """Keep f, the value of iteration k, in the window of the last values; return the largest one in it.

    In the place of f in Armijo's test this lets fun rise within the window (L. Grippo, F. Lampariello, S. Lucidi,
    SIAM J. Numer. Anal. 23, 1986): steps that are long for one iteration and right for several are not refused.
    """
    recent[k % recent.size] = f
    largest = f
    for i in range(recent.size):
        if recent[i] > largest:
            largest = recent[i]
    return largest


@routine
def failure(f, slope):
    """The status of a search that found nothing: rounding, when the decrease to first order is near its level."""
    return PRECISION if -slope <= SEEN * NOISE * abs(f) else STEP_FAILED
