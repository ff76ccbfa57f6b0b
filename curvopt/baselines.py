"""What the papers compare with: the baselines, as ready-made methods.

>>> from curvopt import baselines
>>> baselines.GD.name
'GD'
"""
from ._catalogue import BASELINES

__all__ = list(BASELINES)


def __getattr__(name):
    try:
        return BASELINES[name]
    except KeyError:
        raise AttributeError(f"curvopt.baselines has no method {name!r}; it has {', '.join(BASELINES)}") from None


def __dir__():
    return __all__
