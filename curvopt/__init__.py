"""curvopt: smooth unconstrained minimization for NumPy and SciPy.

``curvopt.minimize`` takes what ``scipy.optimize.minimize`` takes; the methods (``curvopt.SGM`` and others, see
``curvopt.methods()``) also work inside SciPy's own ``minimize(method=curvopt.SGM)``. Numba and the methods are loaded when
they are first used.
"""
import importlib

__version__ = "0.1.0"

# Public name -> module that defines it. Loaded on first use, so that `import curvopt` costs next to nothing.
_WHERE = {
    "minimize": "_minimize",
    "iterate": "_minimize",
    "check_derivatives": "_check_derivatives",
    "compare": "_compare",
    "Comparison": "_compare",
    "warmup": "_warmup",
    "minimize_many": "_many",
    "solver": "_many",
    "ManyResult": "_many",
    "FiniteSum": "_finite_sum",
    "Expectation": "_finite_sum",
    "Status": "_status",
    "Result": "_result",
    "Rate": "_rate",
    "Bound": "_rate",
    "History": "_history",
    "Method": "_method",
    "PerformanceHint": "_run",
    "methods": None,
    "problems": None,
    "baselines": None,
}
_METHODS = (
    "SCG",
    "SMR",
    "SGM",
    "MRCG",
    "SAUTO",
    "LBFGS",
    "QuasiNewton",
    "RavineQN",
    "TruncatedNewton",
    "Adam",
    "FUSE",
    "FUSEPV",
    "HDM",
    "HDMRatio",
    "GDPolyak",
    "GDPolyakAdaptive",
    "HDMBest",
    "HDMNesterov",
    "ANGD",
    "IANSGD",
    "SGMStochastic",
    "HDMSecant",
)

__all__ = ["__version__", *_WHERE, *_METHODS]


def __getattr__(name):
    if name in _METHODS:
        value = importlib.import_module("._catalogue", __name__).METHODS[name]
    elif name in _WHERE:
        where = _WHERE[name]
        module = importlib.import_module(f".{where or name}", __name__)
        value = getattr(module, name) if where else module
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return __all__
