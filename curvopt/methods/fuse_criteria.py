"""When FUSE-PV switches: the criteria, as a user gives them and as the result names them."""
import math

import numpy as np

from .. import _checks
from .._jit import kernel

STEPS, GRADIENT, LOSS, ASKED, EPOCHS, STALL = range(6)          # Params.rule; the last two only with batches
RULES = {"epoch": EPOCHS, "grad": GRADIENT, "loss": LOSS}
NUMBERS = {EPOCHS: (0, 1), GRADIENT: (1, 1), LOSS: (1, 2)}      # how many numbers may follow the name
DEFAULT_EPOCHS = 5          # of the paper's 100
DEFAULT_STEPS = 100         # the same without batches: 5 % of 2000 iterations
DEFAULT_WINDOW = 5          # iterations, or epochs, of small change; ours, the paper's is not known
# The automatic switch with batches, ours: Adam ends with the first epoch that brings at most this share of the decrease so
# far, and after so many at the latest. docs/methods/fuse.md has what neighbours do.
STALL_SHARE, MOST_EPOCHS = 0.02, 20

# Places in the ledger of epochs (`fuse_sums`): sum and number of the values of this epoch; epochs over; their last mean and
# the first one; epochs of small change in a row; whether the last step ended an epoch, and with a stall.
SUM, COUNT, OVER, MEAN, FIRST, QUIET, ENDED = range(7)


@kernel
def distance(u, v):
    total = 0.0
    for i in range(u.size):
        total += (u[i] - v[i]) * (u[i] - v[i])
    return math.sqrt(total)


def checked_switch(switch, batches):
    """(rule, after, level) of a criterion other than the automatic one of full gradients."""
    if callable(switch):
        return ASKED, 0, 0.0
    if switch == math.inf:
        return STEPS, 2 ** 62, 0.0
    if not isinstance(switch, (str, tuple, list)):
        return STEPS, _checks.count("switch (iterations of Adam)", switch), 0.0
    name, *numbers = (switch,) if isinstance(switch, str) else switch or ("",)
    rule = _checks.choice("switch", name, {"auto": STALL, **RULES})
    if rule == STALL and batches and not numbers:
        return rule, 0, 0.0
    least, most = NUMBERS.get(rule, (1, 0))
    if not least <= len(numbers) <= most:
        raise ValueError(f"switch must be 'auto', 'epoch', ('epoch', k), an integer, ('grad', delta), ('loss', tol[, window]) "
                         f"or a function; got {switch!r}")
    if rule == EPOCHS:
        k = _checks.count("k in switch", numbers[0]) if numbers else DEFAULT_EPOCHS if batches else DEFAULT_STEPS
        return rule if batches else STEPS, k, 0.0
    level = _checks.non_negative("delta in switch" if rule == GRADIENT else "tol in switch", numbers[0])
    return rule, _checks.count("window in switch", numbers[1], 1) if len(numbers) > 1 else DEFAULT_WINDOW, level


def asked(criterion, news):
    """Whether the user's function says that it is time; news(state) is (f, g), or None where there is nothing new."""
    def fires(state, params):
        seen = news(state)
        if seen is None:
            return False
        f, g = seen
        try:
            answer = criterion(state.k, state.adam.x.copy(), f, g.copy())
        except Exception as error:
            error.add_note(f"curvopt: raised by the criterion given as `switch`, asked after {state.k} iterations")
            raise
        if not isinstance(answer, (bool, np.bool_)):
            raise TypeError(f"the criterion given as `switch` must return True or False; "
                            f"after {state.k} iterations it returned {answer!r}")
        return bool(answer)

    return fires


def now(state):
    """What a criterion is asked with where every iteration has a value and a gradient."""
    return state.f, state.g


def reason(params, state, batches):
    """Why the switch came, in a sentence."""
    if params.rule == STEPS:
        return f"{params.after} iterations of Adam"
    if params.rule == EPOCHS:
        return f"{params.after} epochs of Adam"
    if params.rule == GRADIENT:
        gradient = "norm of the mean gradient over an epoch" if batches else "gradient norm"
        return f"the {gradient} was at most {params.level:g}"
    if params.rule == LOSS:
        fun, unit = ("the mean of fun over an epoch", "epochs") if batches else ("fun", "iterations")
        return f"{fun} changed by at most {params.level:g} max(1, |fun|) in each of {params.after} {unit}"
    if params.rule == ASKED:
        return "the criterion returned True"
    if state.ledger[OVER] >= MOST_EPOCHS:
        return f"{MOST_EPOCHS} epochs of Adam"
    return f"an epoch brought at most {STALL_SHARE:g} of the decrease so far"
