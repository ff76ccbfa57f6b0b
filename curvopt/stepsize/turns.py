r"""Whose turn it is, a quasi-Newton burst's or a Newton step's, and how deep and how long that step may be.

Three measurements decide, all of them free. The error of the quadratic model along the last Newton step,

.. math::  e = \|g(x + p) - (g + H p)\| / \|g\|,

says whether another one follows, and how exactly to solve for it: what is less than e repairs nothing. The same error per
length squared tells how far the next model is to be trusted: e grows like ||p||^2, and the radius of a solve is where it
would be REACH. And where products are many or dear, both kinds of step are asked what they take off ln ||g|| per unit.

A unit is a gradient; a value is half of one. What a product costs is read off the counts of the oracle, so a matrix costs
once and then nothing, a difference of gradients a gradient; for a call of `hessp` the user's word is taken.
"""
import math

import numpy as np

from .._jit import kernel, routine
from .._oracle import NFEV, NHEV, NJEV
from .._vectors import norm
from ..linesearch.first_trial import within_reach

# Measured on two thirds of a collection (docs/methods/truncated_newton.md).
FIRST_BURST, LONGEST_BURST = 5.0, 20.0      # quasi-Newton steps between Newton steps; doubled after each poor one
LEAST_FORCING, MOST_FORCING = 1e-3, 0.5     # what e is clipped to as the relative residual of a solve
LEAST_CAP, SHARE, GROWTH = 10, 0.5, 4       # products of a solve: this many; this share of all spent; so many last good ones
REACH, REACH_LARGE = 4.0, 1.0               # n <= 500, where the memory becomes a matrix, and above
BURST_STEP = 1.5                            # units of a quasi-Newton step whose first trial is accepted
# In a region, solves dearer than TURN let bursts try: 60 steps, in which a memory of 30 pairs is renewed twice.
TURN, LONGEST_TURN = 90.0, 400.0
CHEAP, DEAR = 1e-3, 1.5                     # least price of a product in gradients; from which it has to prove itself:
DEAR_BURST, DEAR_SHARE = 80.0, 0.25         # ... not before so many steps, doubled without end, and for this share of all spent

# Places in the book.
ERROR = 0       # e of the last Newton step; infinite where there was none to measure, or where bursts win more
DEPTH = 1       # products of the last good solve, 0 if it was not good
LEFT = 2        # quasi-Newton steps to come before a Newton step
LENGTH = 3      # of the next burst
PLAIN = 4       # 1: solve without the preconditioner
STRETCH = 5     # length of the last step along negative curvature
FAILURES = 6    # in a row
TAKEN = 7       # products of the last step
BEND = 8        # change of the Hessian along the last Newton step, per length
PRICE = 9       # of a product, in gradients, as the last solve paid it
RATE = 10       # what the last burst took off ln ||g||, per unit
MARK = 11       # ln ||g|| where the burst began
BILL = 12       # units spent until then
RADIUS = 13     # of the trust region
UNUSABLE = 14   # solves ended by a product that was not finite
PLACES = 15


@kernel
def decades(g):
    """ln ||g||, always a number."""
    return math.log(max(norm(g, 2), 1e-300))


@routine
def units(oracle, price):
    """What has been spent so far, in gradients; `price` is that of a call of hessp or hess."""
    counts = oracle.data.counts
    return 0.5 * counts[NFEV] + counts[NJEV] + price * counts[NHEV]


@kernel
def dear(book):
    return book[PRICE] > DEAR


@kernel
def shortest_burst(book):
    """Most runs are over before a dear product could have paid for itself; those that are not begin with a long burst."""
    return DEAR_BURST if dear(book) else FIRST_BURST


@routine
def make_book(x0, bursts, price):
    """The book at the start of a run, which begins with a burst or not."""
    book = np.zeros(PLACES)
    book[ERROR] = MOST_FORCING
    book[PRICE] = price
    book[LENGTH] = shortest_burst(book)
    book[RATE] = -math.inf
    book[RADIUS] = within_reach(max(1.0, norm(x0, 2)), x0)
    if bursts:
        book[LEFT] = book[LENGTH]
    return book


# ---- bursts ----------------------------------------------------------------------------------------------------------

@routine
def begin_burst(oracle, g, price, book):
    book[MARK] = decades(g)
    book[BILL] = units(oracle, price)


@kernel
def note_rate(mark, bill, book):
    spent = bill - book[BILL]
    book[RATE] = (book[MARK] - mark) / spent if spent > 0.0 else 0.0    # 0: its first step did not even move x


@routine
def end_burst(oracle, g, price, book):
    """Note what the burst has won per unit."""
    note_rate(decades(g), units(oracle, price), book)


@kernel
def worthwhile(g, g_new, paid, book):
    """Whether a step from g to g_new that cost `paid` won no less per unit than the last burst."""
    return decades(g) - decades(g_new) >= book[RATE] * paid


# ---- Newton steps ----------------------------------------------------------------------------------------------------

@kernel
def forcing(most, book):
    """The relative residual to solve to: e where that is at most `most`."""
    return max(book[ERROR], LEAST_FORCING) if book[ERROR] <= most else MOST_FORCING


@kernel
def depth_cap(n, spent, book):
    """Products that the next solve may take."""
    share = (DEAR_SHARE if dear(book) else SHARE) * spent / book[PRICE]
    return int(min(2.0 * n + 5.0, max(float(LEAST_CAP), max(share, GROWTH * book[DEPTH]))))


@kernel
def radius(g, reach, book):
    """The length at which the model error would be `reach` if the Hessian changed as along the last Newton step."""
    return math.sqrt(reach * norm(g, 2) / book[BEND]) if book[BEND] > 0.0 else math.inf


@kernel
def bend_of(error, g, size):
    return error * norm(g, 2) / (size * size)


@kernel
def settle(products, paid, book):
    """Note what a solve has cost."""
    book[TAKEN] = products
    if products > 0:
        book[PRICE] = max(CHEAP, paid / products)


@routine
def plan(error, good, auto, plain_retry, book):
    """Note the error of a Newton step; up to `good`, another one follows, and otherwise a burst, longer each time."""
    fine = error <= good
    book[ERROR] = error
    book[DEPTH] = book[TAKEN] if fine else 0.0
    if not auto:
        return
    if plain_retry and not fine and book[LENGTH] >= LONGEST_BURST:
        book[PLAIN] = 1.0 - book[PLAIN]
    elif not fine:
        book[PLAIN] = 0.0
    book[LEFT] = 0.0 if fine else book[LENGTH]
    book[LENGTH] = shortest_burst(book) if fine else min(2.0 * book[LENGTH], math.inf if dear(book) else LONGEST_BURST)


@kernel
def plan_in_region(error, good, auto, won, paid, book):
    """The same for a step in a trust region that cost `paid`, and that `won` more per unit than the last burst or did not.

    What is cheap goes on: far from a minimizer a short solve in a region is as good as a quasi-Newton step. A dear solve is
    followed by a burst as dear, twice as long as the last one if that had won more.
    """
    book[ERROR] = error
    book[DEPTH] = book[TAKEN] if error <= good else 0.0
    tried = book[RATE] > -math.inf
    book[LEFT] = 0.0
    if not auto or paid <= TURN:
        return
    if tried and won:
        book[LENGTH] = shortest_burst(book)
        return
    longer = 2.0 * book[LENGTH] if tried else book[LENGTH]
    book[LENGTH] = book[LEFT] = min(LONGEST_TURN, max(longer, float(int(paid / BURST_STEP))))
