"""What SciPy calls the things that have another name here, for scripts that come from there."""

# Methods of scipy.optimize.minimize, and the one here that takes the same derivatives and is nearest in idea. None: bounds,
# constraints and functions without derivatives stay with SciPy.
METHODS = {
    "bfgs": "QuasiNewton", "l-bfgs-b": "LBFGS", "cg": "LBFGS", "newton-cg": "TruncatedNewton", "tnc": "TruncatedNewton",
    "trust-ncg": "TruncatedNewton", "trust-krylov": "TruncatedNewton", "trust-exact": "TruncatedNewton",
    "dogleg": "TruncatedNewton", "nelder-mead": None, "powell": None, "cobyla": None, "cobyqa": None, "slsqp": None,
    "trust-constr": None,
}
_NO_TEST = "runs end by gtol or ftarget, not by the change of fun or x"
_STEP = "differences choose their own steps; pass a jac of your own otherwise"
_REGION = "the region of TruncatedNewton sets its own radius"
OPTIONS = {
    "maxfun": "the limit of values is maxfev",
    "maxcor": "the pairs that LBFGS and QuasiNewton keep are their m",
    "maxls": "line searches set their own limit",
    "iprint": "printing is asked for by disp", "verbose": "printing is asked for by disp",
    "ftol": _NO_TEST, "xtol": _NO_TEST, "xrtol": _NO_TEST, "xatol": _NO_TEST, "fatol": _NO_TEST,
    "eps": _STEP, "finite_diff_rel_step": _STEP,
    "workers": "differences are taken one after the other",
    "seed": "the seed or Generator is rng", "random_state": "the seed or Generator is rng",
    "hess_inv0": "quasi-Newton methods start from a steepest descent step",
    "initial_trust_radius": _REGION, "max_trust_radius": _REGION,
}


def method_hint(name):
    """What to say about an unknown method that is SciPy's; '' for other names."""
    if name.lower() not in METHODS:
        return ""
    near = METHODS[name.lower()]
    return " (a method of scipy.optimize.minimize" + (f"; the nearest here is {near!r})" if near else ")")


def option_hint(name):
    """What to say about an unknown option that is SciPy's; '' for other names."""
    return f" (SciPy's; {OPTIONS[name]})" if name in OPTIONS else ""
