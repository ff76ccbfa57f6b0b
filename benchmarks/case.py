"""A problem of the collection, and the part it belongs to."""
import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Case:
    """A problem: ``fun_grad(x) -> (f, g)``, a start, and ``hess_vec(x, v)`` where the source has it, else None."""

    name: str
    family: str
    x0: np.ndarray
    fun_grad: object
    hess_vec: object = None

    @property
    def n(self):
        return self.x0.size

    @property
    def tuning(self):
        return for_tuning(self.name)


def for_tuning(name):
    return zlib.crc32(name.encode()) % 3 != 0
