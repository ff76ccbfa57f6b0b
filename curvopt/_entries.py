"""What takes part in a comparison: methods of curvopt, set up with what the problem knows, and methods of SciPy."""
from ._counted_oracle import SCIPY_DEFAULT, SCIPY_NAMES, run_method, run_scipy
from ._minimize import find_method

# Methods without a line search get the step of theory where the problem knows L: {name: parameter}.
FIXED_STEPS = {"GD": "lr", "HeavyBall": "lr", "Nesterov": "lr", "Baydin": "lr", "GDPolyak": "eta", "GDPolyakRestarts": "eta"}


class Skipped(Exception):
    """A method that the problem cannot serve; the text says why."""


class Entry:
    """One solver of a comparison: a label, what was set for it, and how it runs."""

    def __init__(self, label, run, setting=""):
        self.label, self.run, self.setting = label, run, setting


def scipy_name(name):
    """The SciPy method a string names ('SciPy CG', 'l-bfgs-b'), or None."""
    key = str(name).lower().removeprefix("scipy").strip(" :-")
    return {known.lower(): known for known in SCIPY_NAMES}.get(key) if isinstance(name, str) else None


def entry_of(method, problem):
    """The Entry of a method object, a curvopt name or a SciPy name. Names are set up for the problem, objects are not."""
    known = scipy_name(method)
    if known:
        return Entry(f"SciPy {known}", lambda oracle: run_scipy(known, oracle))
    found, setting = find_method(method), ""
    if "samples" in found.needs:
        raise Skipped("needs a finite sum")
    if isinstance(method, str):
        found, setting = set_up(found, problem)
    return Entry(found.name, lambda oracle: run_method(found, oracle), setting)


def set_up(method, problem):
    """(method with the constants it needs from the problem, what was set)."""
    change, said = {}, []
    if method.name in FIXED_STEPS and problem.L:
        if method.name == "HeavyBall" and problem.mu:
            method = type(method).from_curvature(problem.L, problem.mu)
            said.append("lr and momentum from L and mu")
        else:
            change[FIXED_STEPS[method.name]] = 1.0 / problem.L
            said.append(f"{FIXED_STEPS[method.name]} = 1/L")
    if "lower bound" in method.needs:
        if problem.f_lower is None:
            raise Skipped("needs a lower bound of fun")
        name = "f_star" if "f_star" in method.parameters and problem.f_star is not None else \
            "f_lower" if "f_lower" in method.parameters else "f_star"
        change[name] = problem.f_lower
        said.append(f"{name} = {problem.f_lower:.6g}")
    return method.replace(**change), ", ".join(said)


def all_methods():
    """Names of everything that `compare` runs when it is not told what to."""
    from . import _catalogue as catalogue

    return (*(m.name for m in catalogue.by_name().values()), *SCIPY_DEFAULT)
