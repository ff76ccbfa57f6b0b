"""A run in words: why it ended, how good the result can be, what to try next.

Everything is read from the result; no function of the user is called.
"""
import math

import numpy as np

from ._status import Status

EPS = np.finfo(float).eps
UNEVEN = 1e6        # ratio of the entries of x from which their scaling is worth a word
MANY = 1000         # iterations still to go from which a rate is called slow
GREW = 1e6          # growth of fun over its first value, and over 1, from which a run has run away
RAN_AWAY = ("fun grew along the steps until it was not finite: the steps are too long for it (1/L is a length that suits), "
            "or jac has the wrong sign (curvopt.check_derivatives tells).")

RESTS, STAYS = 1e-6, 1e-2   # a kink: fun has this share of its fall left at most, the gradient this share of its first norm

NEXT = {
    Status.MAXITER: "go on with options={'resume': res.state, 'maxiter': ...}",
    Status.BUDGET: "go on with options={'resume': res.state} and a larger budget",
    Status.MAXTIME: "go on with options={'resume': res.state}",
    Status.INTERRUPTED: "go on with options={'resume': res.state}",
    Status.CALLBACK: "your callback ended the run; options={'resume': res.state} goes on",
    Status.PRECISION: "take the point if the gradient is small enough for you; otherwise test it "
                      "(curvopt.check_derivatives), subtract a constant near fun from it, sum more carefully, or bring the "
                      "variables to one scale",
    Status.STEP_FAILED: "test the derivatives: curvopt.check_derivatives(fun, res.x, jac, hessp); if they are right, fun is "
                        "noisy here, or not smooth",
    Status.NONFINITE: "start from a point where fun is finite, or return inf outside its domain and keep "
                      "nonfinite='backtrack'",
    Status.UNBOUNDED: "look at fun along the way (options={'return_all': True}): a sign, or a penalty that is missing",
    Status.TARGET: "the value is what you asked for (a smaller ftarget, or none, goes on to gtol), or the bound f_star itself",
}


def ran_away(run):
    """Whether fun had grown out of all proportion when the run (a snapshot or a RunState) ended: steps of a fixed length."""
    first = -run.best.scalars[3] * EPS      # max(1, |f(x0)|), see `_stopping.first_scalars`
    return run.state.f > GREW * first


def step_length(method):
    """'lr=0.1' for a method that was given the length of its steps, '' for one that finds it."""
    given = getattr(method, method.length) if method.length else None
    return "" if given is None else f"{method.length}={given!r}"


class Explanation(str):
    """A text that shows itself without quotes."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


def explain(result):
    """The text for a result."""
    lines = [f"{result.method.name} ended after {result.nit} iterations: {result.message}"]
    lines += [f"  {line}" for part in (gradient, rounding, calls, progress, scale, curvature, advice) for line in part(result)]
    return Explanation("\n".join(lines))


def gradient(result):
    norm = float(np.max(np.abs(result.jac))) if np.size(result.jac) else 0.0
    if not math.isfinite(norm):
        yield "The gradient at the point returned is not finite."
        return
    gtol = result.settings.gtol if result.settings else None
    asked = "" if gtol is None else f"; gtol asked for {gtol:.3g}"
    yield f"The largest entry of the gradient is {norm:.3g}{asked}. fun is {result.fun:.6g}."
    given = result.objective
    if given is not None and (given.jac is None or given.jac == "2-point") and not result.success:
        yield "The gradient is made of differences of fun, wrong in the eighth digit: jac, jac='3-point' or 'cs' go further."
    if has_kink(result):
        yield "fun has come to rest, but the gradient has not fallen: a kink (abs, max, a hinge) near x, or a wrong jac."
    if has_no_gain(result):
        yield "No value below that of x0 was seen."


def has_no_gain(result):
    """Whether some steps were taken and none of them led lower."""
    if result.history is None or len(result.history) < 10 or result.success:
        return False
    fun = result.history["fun"]
    return bool(np.nanmin(fun) >= fun[0])


def has_kink(result):
    """Whether fun converged while the gradient stayed, which no smooth function does."""
    if result.history is None or len(result.history) < 20 or result.success or "samples" in result.method.needs:
        return False
    fun, norm = result.history["fun"], result.history["grad_norm"]
    half, least = len(fun) // 2, fun.min()
    fell, left = fun[0] - least, fun[:half].min() - least
    return bool(0.0 < fell < math.inf and left <= RESTS * fell and norm[half:].min() >= STAYS * norm[0])


def rounding(result):
    """What cannot be seen of fun, and hence of x, in double precision."""
    if not math.isfinite(result.fun) or result.status == Status.UNBOUNDED:
        return
    noise = EPS * abs(result.fun)
    if noise > 0.0 and not result.success:
        yield f"Values of fun are rounded to about {noise:.1g}; what an iteration gains below that cannot be seen in them."
    before = None if result.history is None else result.history["fun"]
    if before is not None and len(before) > 10:
        still = int(np.argmax(before <= before.min() + 4.0 * noise))
        if len(before) - 1 - still > max(10, len(before) // 4):
            yield f"From row {still} of the history on, of {len(before)}, fun did not fall by more than its rounding."


def calls(result):
    n = max(result.nit, 1)
    means = [(f"{getattr(result, name) / n:.3g}", what) for name, what in
             (("nfev", "value"), ("njev", "gradient"), ("nhev", "Hessian product")) if getattr(result, name)]
    spent = [f"{mean} {what}{'' if mean == '1' else 's'}" for mean, what in means]
    if spent:
        yield f"An iteration took {', '.join(spent)}" + (" (passes over the data)." if "nsamples" in result else ".")


def progress(result):
    """The rate, and how long it would take from here."""
    if result.history is None or len(result.history) < 8 or "samples" in result.method.needs:
        return
    rate = result.rate()
    if rate.law == "unclear":
        return
    yield f"Rate: {str(rate).splitlines()[0]}."
    more = rate.remaining(result.settings.gtol) if result.settings else math.inf
    if result.status in (Status.MAXITER, Status.BUDGET, Status.MAXTIME, Status.INTERRUPTED) and 0 < more < 1e9:
        yield f"If that goes on, gtol is about {more} iterations away."
    other = "TruncatedNewton" if "hessp" in result.method.needs else "QuasiNewton"
    if (rate.law == "sublinear" or more > MANY) and not result.success and result.method.name != other:
        yield f"That is slow: compare with method={other!r}, or look at curvopt.compare on your problem."


def scale(result):
    sizes = np.abs(np.ravel(result.x))
    sizes = sizes[(sizes > 0.0) & np.isfinite(sizes)]
    if not result.success and len(sizes) > 1 and sizes.max() > UNEVEN * sizes.min():
        yield (f"The entries of x differ by a factor of {sizes.max() / sizes.min():.0e}; "
               "variables of one scale help every method.")


def curvature(result):
    unusable = result.get("unusable_products")
    if unusable:
        were = "product of the Hessian was" if unusable == 1 else "products of the Hessian were"
        yield f"{unusable} {were} not finite: test hessp with curvopt.check_derivatives."
    if result.get("second_order"):
        yield f"Second order: {result.second_order}, least eigenvalue {result.curvature:.3g}."
    if result.history is not None and "curvature" in result.history.columns:
        negative = int(np.sum(result.history["curvature"] < 0.0))
        if negative:
            yield f"Negative curvature was met in {negative} of {len(result.history)} iterations kept."


def advice(result):
    if result.status == Status.CONVERGED:
        if not result.get("second_order"):
            yield "Next: a small gradient does not tell a minimum from a saddle; res.curvature_report() does."
    elif result.status == Status.STEP_FAILED and result.message == RAN_AWAY:
        length = step_length(result.method)
        yield f"Next: a shorter step{' than ' + length if length else ''}, or a method that finds its own, " \
              "such as 'QuasiNewton' or 'BarzilaiBorwein'."
    elif has_kink(result):
        yield f"Next: {NEXT[Status.STEP_FAILED]}."
    elif has_no_gain(result) and result.status in (Status.MAXITER, Status.BUDGET, Status.MAXTIME):
        length = step_length(result.method)
        yield f"Next: {NEXT[Status.STEP_FAILED]}{f', or {length} is too long a step' if length else ''}."
    elif result.status in NEXT:
        yield f"Next: {NEXT[result.status]}."
