r"""The automatic FUSE-PV: quasi-Newton first, Adam as probe and rescuer.

Quasi-Newton runs. When it stalls, Adam is tried from the current point for some steps; what it found is kept if it
brought at least as much per call as quasi-Newton did last, and otherwise rolled back: point *and* memory go on as if
nothing had happened. When quasi-Newton fails, Adam tries to get it going again. A search that runs out of trials is
the sign of a kink, at which the strong Wolfe conditions may hold nowhere; from the first one on quasi-Newton searches by
the weak ones [1]_. Every threshold is relative, so the path
does not see f -> c f + s beyond rounding.

A probe is a phase of this state machine: an iteration is one quasi-Newton step or one Adam step.

References
----------
.. [1] A. S. Lewis, M. L. Overton, "Nonsmooth optimization via quasi-Newton methods", Math. Program. 141, 2013.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._oracle import NFEV, NJEV
from .._status import PRECISION, RUNNING, STEP_FAILED
from .._vectors import copy_to, norm, norm_inf
from ..directions.inverse_hessian import forget
from ..linesearch.first_trial import within_reach
from . import adam, quasi_newton

ADAM, NEWTON, PROBE, RESCUE, TRIAL = range(5)       # State.phase
PHASES = ("Adam", "quasi-Newton", "Adam probe", "Adam rescue", "quasi-Newton trial")

# All measured, docs/methods/fuse.md. A call is one value with its gradient.
FIRST_CHECK = 200       # calls before progress is judged for the first time; then at every doubling
STALL = 0.01            # stalled: the second half of the calls brought less than this share of the whole decrease
SHARE, SHORTEST = 0.1, 20           # an Adam probe takes this share of the calls so far, at least 20
HALF_RATE = 0.5         # after a probe was kept, quasi-Newton has to bring this share of Adam's decrease per call
RESCUES, RESCUE_STEPS = 3, 50       # rescues at most, of 50, 100, 200 steps
RESCUE_GAIN = 100.0 * 2.0 ** -52    # ... that count when f fell by more than this share of |f|
FLAT = 1e-3             # rounding is believed to end a run only where the gradient fell below this share of the first one
LONG_SEARCH = 20        # calls of a quasi-Newton step after which a kink is suspected: as many as the search has trials
ADAM_STEPS, TRIAL_STEPS = 20, 10    # Adam first: steps before the first trial of quasi-Newton, and steps of a trial

GO_ON, KEEP, BACK, GIVE_UP = range(4)               # verdicts on an Adam phase

# Places in the ledger: prices and tallies; what quasi-Newton is judged by; what Adam is judged by.
(PAIR, NIT, SWITCH, ADAM_CALLS, PROBES, KEPT, RESCUED,
 CHECK, FIRST_F, FIRST_G, HALF_F, WINDOW_F, WINDOW_CALLS,
 LENGTH, LEFT, BEST_F, BEGAN, RATE, KEPT_F, KEPT_CALLS, KINK) = range(21)


class Params(NamedTuple):
    adam_first: bool
    adam: adam.Params
    newton: quasi_newton.Params
    weak: quasi_newton.Params       # the same with the weak Wolfe conditions, for functions with kinks


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    phase: int
    adam: adam.State
    newton: quasi_newton.State
    best_x: np.ndarray      # best point of the Adam phase
    best_g: np.ndarray
    ledger: np.ndarray      # what the decisions rest on


@routine
def init(oracle, x0, params):
    first = adam.init(oracle, x0, params.adam)
    x, f, g = first.x, first.f, first.g
    second = quasi_newton.begin(x.copy(), f, g.copy(), params.newton)
    second = quasi_newton.moved(second, x, f, g, first_length(x), second.K)
    ledger = np.zeros(21)
    open_ledger(ledger, oracle.data.counts, f, norm_inf(g), params.adam_first)
    return State(x, f, g, 0.0, RUNNING, ADAM if params.adam_first else NEWTON, first, second, x.copy(), g.copy(), ledger)


@kernel
def first_length(x):
    """Length of the first trial: a tenth of ||x||, between 0.1 and 1 unless x is far from there."""
    return within_reach(min(1.0, max(0.1, 0.1 * norm(x, 2))), x)


# ---- the decisions ---------------------------------------------------------------------------------------------------

@kernel
def open_ledger(ledger, counts, f, gnorm, adam_first):
    ledger[PAIR] = max(1, counts[NFEV] + counts[NJEV])      # what a value and a gradient cost: derivatives or differences
    ledger[FIRST_F], ledger[FIRST_G] = f, gnorm
    ledger[SWITCH] = -1.0 if adam_first else 0.0
    plan(ledger, float(FIRST_CHECK), 1.0, f)
    begin_adam(ledger, float(ADAM_STEPS), f, 1.0)


@kernel
def calls_so_far(ledger, counts):
    """Evaluations so far, a value with its gradient as the unit."""
    return (counts[NFEV] + counts[NJEV]) / ledger[PAIR]


@kernel
def begin_adam(ledger, steps, f, calls):
    """A phase of that many steps from a point with the value f."""
    ledger[LENGTH] = ledger[LEFT] = steps
    ledger[BEST_F] = ledger[HALF_F] = f
    ledger[BEGAN] = calls


@kernel
def plan(ledger, check, calls, f):
    """The next judgement of quasi-Newton, after `check` calls."""
    ledger[CHECK] = check
    ledger[HALF_F] = f if 2.0 * calls >= check else math.nan
    ledger[WINDOW_F] = math.nan


@kernel
def judge(ledger, calls, f):
    """Steps of Adam that are to be tried now; 0 for none. Notes the values that the next judgement needs."""
    check = ledger[CHECK]
    if math.isnan(ledger[HALF_F]) and 2.0 * calls >= check:
        ledger[HALF_F] = f
    if math.isnan(ledger[WINDOW_F]) and calls >= check - max(SHORTEST, SHARE * check):
        ledger[WINDOW_F] = f
        ledger[WINDOW_CALLS] = calls
    if calls < check:
        return 0
    if ledger[RATE] > 0.0:
        ledger[WINDOW_F] = ledger[KEPT_F]
        ledger[WINDOW_CALLS] = ledger[KEPT_CALLS]
        if ledger[KEPT_F] - f < HALF_RATE * ledger[RATE] * (calls - ledger[KEPT_CALLS]):
            return 2 * int(ledger[LENGTH])
        ledger[RATE] = 0.0
    elif ledger[HALF_F] - f <= STALL * (ledger[FIRST_F] - f):
        return max(SHORTEST, int(SHARE * calls))
    plan(ledger, 2.0 * calls, calls, f)
    return 0


@kernel
def after_newton(ledger, phase, flag, f, gnorm, calls):
    """(phase, flag, steps of Adam to begin from here) after a quasi-Newton step to the value f."""
    if phase == TRIAL:
        ledger[LEFT] -= 1.0
        if flag != STEP_FAILED and (flag != RUNNING or ledger[LEFT] > 0.0):
            return TRIAL, flag, 0
        if flag == RUNNING and ledger[BEST_F] - f >= ledger[RATE] * (calls - ledger[BEGAN]):
            ledger[RATE] = 0.0
            ledger[SWITCH] = ledger[NIT] - TRIAL_STEPS
            plan(ledger, max(FIRST_CHECK, 2.0 * calls), calls, f)
            return NEWTON, flag, 0
        begin_adam(ledger, ledger[ADAM_CALLS], ledger[BEST_F], calls)
        return ADAM, RUNNING, 0
    stuck = flag == STEP_FAILED or (flag == PRECISION and gnorm > FLAT * ledger[FIRST_G])
    if stuck and ledger[KINK] == 0.0:
        ledger[KINK] = ledger[NIT]
        return NEWTON, RUNNING, 0
    if stuck and ledger[RESCUED] < RESCUES:
        steps = RESCUE_STEPS << int(ledger[RESCUED])
        ledger[RESCUED] += 1.0
        begin_adam(ledger, float(steps), f, calls)
        return RESCUE, RUNNING, steps
    if flag == RUNNING:
        steps = judge(ledger, calls, f)
        if steps > 0:
            ledger[PROBES] += 1.0
            begin_adam(ledger, float(steps), f, calls)
            return PROBE, RUNNING, steps
    return NEWTON, flag, 0


@kernel
def after_adam(ledger, phase, flag, f, calls):
    """The verdict after an Adam step; f is the value where quasi-Newton stands."""
    ledger[ADAM_CALLS] += 1.0
    ledger[LEFT] -= 1.0
    if phase == ADAM and ledger[LEFT] == ledger[LENGTH] // 2.0:
        ledger[HALF_F] = ledger[BEST_F]
    if ledger[LEFT] > 0.0 and flag == RUNNING:
        return GO_ON
    used = calls - ledger[BEGAN]
    if phase == ADAM:
        ledger[RATE] = (ledger[HALF_F] - ledger[BEST_F]) / (0.5 * used)
        ledger[BEGAN], ledger[LEFT] = calls, TRIAL_STEPS
        return KEEP
    gain = f - ledger[BEST_F]
    if phase == RESCUE:
        ledger[RATE] = 0.0
        plan(ledger, 2.0 * calls, calls, ledger[BEST_F])
        return KEEP if gain > RESCUE_GAIN * abs(f) else GIVE_UP
    if gain > 0.0 and gain * (ledger[BEGAN] - ledger[WINDOW_CALLS]) >= (ledger[WINDOW_F] - f) * used:
        ledger[KEPT] += 1.0
        ledger[RATE], ledger[KEPT_F], ledger[KEPT_CALLS] = gain / used, ledger[BEST_F], calls
        plan(ledger, calls + used, calls, ledger[BEST_F])
        return KEEP
    ledger[RATE] = 0.0
    plan(ledger, 2.0 * ledger[BEGAN], ledger[BEGAN], f)
    return BACK


# ---- the step --------------------------------------------------------------------------------------------------------

@routine
def step(oracle, state, params):
    _, _, _, _, _, phase, first, second, best_x, best_g, ledger = state
    ledger[NIT] += 1.0
    if phase == NEWTON or phase == TRIAL:
        before = calls_so_far(ledger, oracle.data.counts)
        second = quasi_newton.step(oracle, second, params.newton if ledger[KINK] == 0.0 else params.weak)
        calls = calls_so_far(ledger, oracle.data.counts)
        if ledger[KINK] == 0.0 and calls - before >= LONG_SEARCH:
            ledger[KINK] = ledger[NIT]
        phase, flag, steps = after_newton(
            ledger, phase, second.flag, second.f, norm_inf(second.g), calls)
        if steps > 0:
            first = adam.restart(first, second.x, second.f, second.g, params.adam.lr, params.adam)
            copy_to(second.x, best_x)
            copy_to(second.g, best_g)
        elif phase == ADAM:
            return State(first.x, first.f, first.g, 0.0, RUNNING, ADAM, first, second, best_x, best_g, ledger)
        return State(second.x, second.f, second.g, second.alpha, flag, phase, first, second, best_x, best_g, ledger)
    lr = first.lr
    first = adam.step(oracle, first, params.adam)
    if first.f < ledger[BEST_F]:
        ledger[BEST_F] = first.f
        copy_to(first.x, best_x)
        copy_to(first.g, best_g)
    if first.lr < lr:
        first = adam.restart(first, best_x, ledger[BEST_F], best_g, first.lr, params.adam)
    verdict = after_adam(ledger, phase, first.flag, second.f, calls_so_far(ledger, oracle.data.counts))
    if verdict == GO_ON:
        return State(first.x, first.f, first.g, first.alpha, RUNNING, phase, first, second, best_x, best_g, ledger)
    if verdict == KEEP:
        forget(second.inverse)
        second = quasi_newton.moved(second, best_x, ledger[BEST_F], best_g, first_length(best_x), second.K)
    return State(second.x, second.f, second.g, 0.0, second.flag if verdict == GIVE_UP else RUNNING,
                 TRIAL if phase == ADAM else NEWTON, first, second, best_x, best_g, ledger)


@routine
def report(state, row):
    row[0] = state.phase


def details(state, params):
    """What the result tells of an automatic run."""
    ledger = state.ledger
    switched = ledger[SWITCH] >= 0.0
    if params.adam_first:
        reason = "a trial of quasi-Newton was kept" if switched else "no trial of quasi-Newton was kept"
    else:
        reason = "quasi-Newton comes first"
    return {"switch_nit": int(ledger[SWITCH]) if switched else None, "switch_reason": reason,
            "adam_steps": int(ledger[ADAM_CALLS]), "probes": int(ledger[PROBES]), "probes_kept": int(ledger[KEPT]),
            "rescues": int(ledger[RESCUED]), "kink_nit": int(ledger[KINK]) if ledger[KINK] > 0.0 else None}
