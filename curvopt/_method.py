"""A method: frozen parameters, an `init` and a `step`; callable by SciPy's custom-method protocol."""
from dataclasses import dataclass, fields, replace
from typing import ClassVar

from . import _checks
from ._jit import routine
from ._stopping import residual


@routine
def report(state, row):
    """Write the method's own history columns; most methods have none."""


@dataclass(frozen=True, repr=False)
class Method:
    """Base class of all methods. A subclass is a frozen dataclass of parameters with `init` and `step`.

    The ready-made objects (``curvopt.SGM`` and the others) are what ``method=`` takes, here and in SciPy. They cannot be
    changed; `replace` gives a copy. Two methods are equal if they are of one class and their parameters are.

    ``init(oracle, x0, params) -> State`` and ``step(oracle, state, params) -> State`` are routines. The State is a
    NamedTuple whose first fields are ``x f g alpha flag``. A step proposes into spare buffers and swaps: as long as it
    has not returned, x and g of the state it was given are intact, whatever a user function raises.

    Attributes
    ----------
    name : str
    parameters : tuple of str
        Names of the parameters, each an attribute.
    needs : tuple of str
        Of "jac", "hessp", "samples" and "lower bound".
    columns : tuple of str
        What the method adds to the history.
    monotone : bool
        Whether fun never rises, beyond rounding.
    cost, memory, paper : str
        As in the table of methods.

    Examples
    --------
    >>> import curvopt
    >>> curvopt.LBFGS.replace(m=5)
    LBFGS(m=5, c1=0.0001, c2=0.9, wolfe='auto')
    >>> curvopt.LBFGS == curvopt.LBFGS.replace(m=30)
    True
    """

    synonyms: ClassVar[dict] = {}           # other names of parameters: {name: (parameter, {word: value})}
    needs: ClassVar[tuple] = ("jac",)       # of "jac", "hessp", "samples", "lower bound"
    columns: ClassVar[tuple] = ()           # own columns of the history, written by `report`
    monotone: ClassVar[bool] = False        # fun never rises (beyond rounding), so the last point is the best one
    streams: ClassVar[bool] = True          # for methods that draw samples: whether an Expectation will do
    second_order: ClassVar[bool] = False    # look at the Hessian where the run has converged, and leave saddles
    length: ClassVar[str] = ""              # the parameter that is the length of a step, where it is given
    cost: ClassVar[str] = ""                # evaluations an iteration, for the table of methods
    memory: ClassVar[str] = ""              # vectors of length n that the state holds
    paper: ClassVar[str] = ""
    report: ClassVar = staticmethod(report)
    residual: ClassVar = staticmethod(residual)
    # again(oracle, state, x0, params): what `init` returns, in the arrays of `state`, where many problems should not pay for
    # new ones. None: `init` each time.
    again: ClassVar = None

    def __post_init__(self):
        object.__setattr__(self, "params", self.validated())

    def validated(self):
        """The Params (a NamedTuple of numbers) that `init` and `step` take; raises on a bad value."""
        raise NotImplementedError

    @property
    def name(self):
        return type(self).__name__

    @property
    def interpreted_only(self):
        """Why the loop of this method cannot be compiled (a parameter is a Python function, say); '' where it can."""
        return ""

    @property
    def interpreted_unless_asked(self):
        """Why the loop is compiled only on ``compiled=True``, though it could be; '' where compiling pays."""
        return ""

    def details(self, state):
        """The method's own fields of the result, read from the last state."""
        return {}

    @property
    def parameters(self):
        """Names of the parameters, in order."""
        return tuple(f.name for f in fields(self))

    def replace(self, **parameters):
        """A copy with some parameters changed.

        Parameters
        ----------
        **parameters
            New values, by name.

        Returns
        -------
        Method

        Raises
        ------
        TypeError
            For a name that is none of `parameters` (the message has the nearest), or a value of a wrong type.
        ValueError
            For a value out of its range.
        """
        parameters = self.by_own_names(parameters)
        for name in parameters:
            if name not in self.parameters:
                raise TypeError(f"{self.name} has no parameter {name!r}{_checks.nearest(name, self.parameters)}; "
                                f"it has {', '.join(self.parameters) or 'none'}")
        return replace(self, **parameters)

    def by_own_names(self, parameters):
        own = {}
        for name, value in parameters.items():
            name, words = self.synonyms.get(name, (name, {}))
            if name in own:
                raise TypeError(f"{name} is given twice, by that name and by another one")
            own[name] = words.get(value, value) if isinstance(value, str) else value
        return own

    def __repr__(self):
        return f"{self.name}({', '.join(f'{p}={getattr(self, p)!r}' for p in self.parameters)})"

    def __call__(self, fun, x0, args=(), jac=None, hess=None, hessp=None, bounds=None, constraints=(), callback=None,
                 **options):
        """Minimize `fun` from `x0`: SciPy's protocol for a custom method. See ``curvopt.minimize``."""
        from ._run import solve

        return solve(self, fun, x0, args, jac, hess, hessp, bounds, constraints, callback, options)
