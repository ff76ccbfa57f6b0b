"""One derivative against differences that estimate their own error."""
from itertools import pairwise

import numpy as np

STEPS = 10.0 ** np.arange(0.0, -9.1, -0.5)  # relative to 1 + ||x||
# A derivative agrees when it differs from the difference quotient by no more than this, relative to the larger of the
# two, and ten times the quotient's own uncertainty. Ours: a hundred times what differences of smooth functions miss.
TOLERANCE, UNCERTAINTIES = 1e-6, 10.0
VAGUE = 0.1             # a difference this uncertain, relatively, says little
KINK_ORDER = 1.4        # below it the first-order expansion fails although the derivative agrees: fun is not smooth


class Comparison:
    """One derivative along one direction against differences.

    Attributes
    ----------
    name : str
        Of the user's function.
    error : float
        Norm of claimed minus measured.
    allowed : float
        Difference that would still pass.
    relative : float
        The error relative to the larger of claimed and measured.
    steps, remainders : ndarray
        Norm of F(x + h v) - F(x) - h F'(x) v at each step h; it falls like h^2 where the derivative is right, and like
        h where it is wrong.
    """

    def __init__(self, name, claimed, base, ahead, behind, steps):
        with np.errstate(all="ignore"):     # values at long steps may be infinite; these steps drop out
            self._measure(name, claimed, base, ahead, behind, steps)

    def _measure(self, name, claimed, base, ahead, behind, steps):
        quotients = np.array([(a - b) / (2.0 * h) for a, b, h in zip(ahead, behind, steps)])
        noise = noise_of(ahead, behind, base)
        measured, uncertainty = settle(quotients, noise / steps)
        size = max(np.linalg.norm(claimed), np.linalg.norm(measured))
        self.name, self.claimed, self.measured, self.steps = name, claimed, measured, steps
        self.size = size
        self.error = float(np.linalg.norm(claimed - measured))
        self.allowed = float(TOLERANCE * size + UNCERTAINTIES * uncertainty)
        self.relative = self.error / size if size > 0.0 else self.error
        self.remainders = np.array([np.linalg.norm(a - base - h * claimed) for a, h in zip(ahead, steps)])
        self.noise = noise

    @property
    def ok(self):
        return bool(self.error <= self.allowed)

    @property
    def vague(self):
        """Whether the differences are so uncertain that they would pass much that is wrong."""
        return bool(self.allowed > VAGUE * self.size and self.error > 0.0)

    @property
    def smooth(self):
        """Whether the remainder falls faster than the step; True where there is too little to judge by."""
        known = self.orders[np.isfinite(self.orders)]
        return bool(known.size < 4 or np.median(known) > KINK_ORDER)

    @property
    def orders(self):
        """Slope of log remainder against log step between neighbouring steps; NaN where rounding decides."""
        r, h = self.remainders, self.steps
        orders = np.full(len(h), np.nan)
        with np.errstate(all="ignore"):
            slopes = np.log(r[:-1] / r[1:]) / np.log(h[:-1] / h[1:])
        clear = r[1:] > 10.0 * self.noise
        orders[1:][clear] = slopes[clear]
        return orders


def noise_of(ahead, behind, base):
    """Rounding error of the values, from their second differences at short steps, where curvature has no say.

    Steps so short that nothing changes tell nothing; the three shortest ones where something does, do. Where there are
    both kinds, the smallest change is the grain of the values.
    """
    change = np.array([np.linalg.norm(a - b) for a, b in zip(ahead, behind)])
    seen = np.flatnonzero(change > 0.0)
    shortest = seen[-3:] if seen.size else []
    grain = [change[seen].min()] if seen.size and not change[seen[0]:].all() else []
    second = [np.linalg.norm(ahead[j] + behind[j] - 2.0 * base) for j in shortest]
    return max(grain + [s for s in second if np.isfinite(s)] + [np.finfo(float).eps * float(np.linalg.norm(base))])


def settle(quotients, rounding):
    """(value, uncertainty): the difference quotient that its neighbours confirm best, and by how much they differ.

    Truncation makes long steps disagree, rounding short ones; the claimed derivative plays no part in the choice.
    """
    apart = np.array([np.linalg.norm(b - a) for a, b in pairwise(quotients)])
    spread = np.maximum(np.maximum(apart[:-1], apart[1:]), rounding[1:-1])
    spread[~np.isfinite(spread)] = np.inf
    best = int(np.argmin(spread))
    if not np.isfinite(spread[best]):
        raise ValueError("no three neighbouring steps from x0 have finite values; check at another point")
    return quotients[best + 1], spread[best]


def along(function, name, x, v, claimed, base, steps):
    """The Comparison of `claimed` with differences of `function` at x along v."""
    return Comparison(name, claimed, base, [function(x + h * v) for h in steps], [function(x - h * v) for h in steps], steps)
