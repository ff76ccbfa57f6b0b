"""Every method of the package, listed once: names, the contract suite and the table of methods all read it from here."""
from functools import lru_cache

from .methods import scaled_gradient

METHODS = {
    "SCG": scaled_gradient.SCG,
    "SMR": scaled_gradient.SMR,
    "SGM": scaled_gradient.SGM,
    "MRCG": scaled_gradient.MRCG,
}
BASELINES = {}


@lru_cache(maxsize=1)
def by_name():
    """{lower-case name without hyphens: method} of methods and baselines."""
    return {name.lower(): method for name, method in {**METHODS, **BASELINES}.items()}


def default():
    """The method that ``method=None`` means."""
    return METHODS["MRCG"]
