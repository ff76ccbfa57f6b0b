"""The first trial of a search: its length where there is no other length but that of x, and along a direction whose full step
is 1, from what the searches before it left of their slopes."""
from .._jit import kernel
from .._vectors import norm

# A length in the units of x, such as 1, is believed while x is at most so many times shorter or longer. Ours: x near 1 and x
# near 0 are left alone, and x -> c x for any c is felt no more than for c = 1e-6 or 1e6, which costs some six trials.
FAR = 1e6

# A first trial is stretched where the last two searches left more than this share of their first slopes, by at most LONGEST.
# Measured: 0.1 to 0.3, and 10 in place of 3, are as good; 0.5, a single search, or 2 gain less or nothing.
LEFT_OVER, LONGEST = 0.2, 3.0


@kernel
def within_reach(length, x):
    """The length that is nearest to `length` and not far from that of x. At x = 0 there is no other unit."""
    size = norm(x, 2)
    return min(max(length, size / FAR), FAR * size) if size > 0.0 else length


@kernel
def note(left, slope_new, slope):
    """Remember what an accepted step left of the slope."""
    left[0] = left[1]
    left[1] = slope_new / slope


@kernel
def forget_slopes(left):
    left[0] = left[1] = 0.0


@kernel
def stretched(left):
    """First trial along a direction whose full step is 1: longer where two full steps in a row were too short.

    A step that leaves the share r of the slope asks, at constant curvature, for 1 / (1 - r) times its length. What comes
    twice in a row comes again: at a singular minimizer, and where the memory believes in a curvature that is gone. A
    longer first trial costs nothing; a longer search would cost a trial.
    """
    if left[0] >= LEFT_OVER and left[1] >= LEFT_OVER:
        return min(LONGEST, 1.0 / (1.0 - min(left[1], 0.95)))
    return 1.0
