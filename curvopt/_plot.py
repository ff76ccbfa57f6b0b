"""Pictures. matplotlib is an extra and is imported when a picture is asked for."""
import numpy as np

AXES = {"units": "oracle units (f = 1, gradient = 1, Hessian product = 2)", "nit": "iterations", "time": "seconds",
        "nfev": "values of fun", "njev": "gradients"}


def pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install 'curvopt[plot]'") from None
    return plt


def plot_history(history, ax=None, *, f_star=None, x="units", label=None):
    if x not in AXES:
        raise ValueError(f"x must be one of {', '.join(map(repr, AXES))}; got {x!r}")
    if ax is None:
        ax = pyplot().subplots(figsize=(6.4, 4.0), layout="constrained")[1]
    across = history.units if x == "units" else history[x]
    up = history["grad_norm"] if f_star is None else history["fun"] - f_star
    positive = up > 0
    ax.plot(across[positive], up[positive], label=label, linewidth=1.6)
    ax.set_yscale("log")
    if len(across) and np.max(across) > 200 * max(np.min(across), 1):
        ax.set_xscale("log")
    ax.set_xlabel(AXES[x])
    ax.set_ylabel(r"$\|g\|$" if f_star is None else r"$f - f^*$")
    if label:
        ax.legend()
    return ax
