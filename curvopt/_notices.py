"""Warnings that point at the line of the caller, however deep in the house they arise."""
import sys
import warnings

HOUSE = ("curvopt", "scipy.optimize")   # both doors


def warn(message, category):
    """Issue a warning for the first frame outside this package and SciPy's ``minimize``."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _inside(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _inside(module):
    return any(module == name or module.startswith(name + ".") for name in HOUSE)
