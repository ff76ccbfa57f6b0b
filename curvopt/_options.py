"""The options that every method takes, checked once."""
import math
from dataclasses import dataclass, fields

from . import _checks, _scipy_names
from ._stopping import Tolerances

NORMS = {math.inf: 0, "inf": 0, 1: 1, 2: 2}
NONFINITE_POLICIES = ("backtrack", "stop", "raise")
UNLIMITED = 2 ** 62


@dataclass
class Options:
    """Common options; see ``curvopt.minimize`` for what each one means."""

    gtol: float = 1e-5
    norm: object = math.inf
    ftarget: float = None
    maxiter: int = None
    maxfev: int = None
    maxjev: int = None
    maxhev: int = None
    maxtime: float = None
    disp: int = 0
    history: object = False
    return_all: bool = False
    nonfinite: str = "backtrack"
    compiled: bool = None
    resume: object = None
    rng: object = None
    chunk: int = None

    def __post_init__(self):
        self.gtol = _checks.non_negative("gtol", self.gtol)
        self.norm = _checks.choice("norm", self.norm, NORMS)
        if self.ftarget is not None:
            self.ftarget = _checks.real("ftarget", self.ftarget)
        for name in ("maxiter", "maxfev", "maxjev", "maxhev"):
            if getattr(self, name) is not None:
                limit = getattr(self, name)
                setattr(self, name, UNLIMITED if isinstance(limit, float) and limit == math.inf else _checks.count(name, limit))
        if self.maxtime is not None:
            self.maxtime = _checks.real("maxtime", self.maxtime)
            if self.maxtime < 0.0:
                raise ValueError(f"maxtime must be non-negative (seconds), got {self.maxtime!r}")
        for name in ("disp", "history"):    # None and False are 0, True is 1: every iteration, or a summary
            given = getattr(self, name)
            setattr(self, name, int(bool(given)) if given in (None, True, False) else _checks.count(name, given))
        if self.chunk is not None:
            self.chunk = _checks.count("chunk", self.chunk, 1)
        if self.compiled not in (None, True, False):
            raise TypeError(f"compiled must be None, True or False, got {self.compiled!r}")
        _checks.choice("nonfinite", self.nonfinite, dict.fromkeys(NONFINITE_POLICIES))

    def tolerances(self, n):
        """The numbers the loop tests, for a problem of size n."""
        # Ours: first-order methods need more iterations than SciPy's 200 n allows on small problems.
        maxiter = max(10_000, 200 * n) if self.maxiter is None else self.maxiter
        budgets = (UNLIMITED if b is None else b for b in (self.maxfev, self.maxjev, self.maxhev))
        ftarget = -math.inf if self.ftarget is None else self.ftarget
        return Tolerances(self.gtol, self.norm, ftarget, maxiter, *budgets, self.nonfinite != "backtrack")


NAMES = tuple(f.name for f in fields(Options))


def split(options, method):
    """(Options, {parameter: value}) from one dict of keywords; an unknown one is an error that names the nearest."""
    common, own = {}, {}
    tol = options.pop("tol", None)
    if tol is not None:
        options.setdefault("gtol", tol)
    for name, value in options.items():
        if name in method.parameters or name in method.synonyms:
            own[name] = value
        elif name in NAMES:
            common[name] = value
        else:
            known = [*method.parameters, *NAMES]
            hint = _scipy_names.option_hint(name) or _checks.nearest(name, known)
            raise TypeError(f"unknown option {name!r} for {method.name}{hint}; "
                            f"known options: {', '.join(known)}")
    return Options(**common), own

