"""What a problem knows about itself."""
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Problem:
    """A problem: its functions, a start, and what is known about it.

    Attributes
    ----------
    name : str
    fun, jac, hessp : callable
        ``fun(x, *args)``, ``jac(x, *args)``, ``hessp(x, p, *args)``, in the collection compiled by numba.
    x0 : ndarray of shape (n,)
    args : tuple
    f_star : float or None
        Least value, where known.
    x_star : ndarray or None
        One minimizer.
    L, mu : float or None
        Largest and smallest eigenvalue of the Hessian, where it is constant or bounded.
    growth : float or None
        p where fun - f_star grows like the distance to the power p in the flattest direction.
    ravine : callable or None
        ``ravine(t)``, a curve of points with ``ravine(0)`` a minimizer, along which fun - f_star grows like |t|^growth.
    f_lower : float or None
        A number that fun never falls below, known without solving the problem; ``f_star`` where that is known.

    Examples
    --------
    A problem of your own, for `compare`; what is not given is not used.

    >>> import curvopt
    >>> import numpy as np
    >>> curvopt.problems.Problem("bowl", lambda x: float(x @ x), lambda x: 2.0 * x, lambda x, p: 2.0 * p, np.ones(3),
    ...                          f_star=0.0, L=2.0, mu=2.0)
    <Problem bowl, n = 3>
    """

    name: str
    fun: object
    jac: object
    hessp: object
    x0: np.ndarray
    args: tuple = ()
    f_star: float = None
    x_star: np.ndarray = None
    L: float = None
    mu: float = None
    growth: float = None
    ravine: object = None
    f_lower: float = None
    notes: str = field(default="", repr=False)

    def __post_init__(self):
        if self.f_lower is None or self.f_star is not None:
            object.__setattr__(self, "f_lower", self.f_star)

    @property
    def n(self):
        return self.x0.size

    def __repr__(self):
        return f"<Problem {self.name}, n = {self.n}>"
