"""Pictures. matplotlib is an extra and is imported when a picture is asked for."""
import numpy as np

AXES = {"units": "oracle units (f = 1, gradient = 1, Hessian product = 2)", "nit": "iterations", "time": "seconds",
        "nfev": "values of fun", "njev": "gradients"}


def pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install \"curvopt[plot]\"") from None
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


def plot_derivative_check(report, ax=None):
    if ax is None:
        ax = pyplot().subplots(figsize=(6.4, 4.0), layout="constrained")[1]
    for name, color, marker in zip(report.names, ("#0072B2", "#D55E00", "#009E73"), "os^"):
        for i, c in enumerate(report.of(name)):
            seen = c.remainders > 0.0
            ax.loglog(c.steps[seen], c.remainders[seen], marker=marker, markersize=3.5, color=color, linewidth=1.0,
                      alpha=0.85, label=name if i == 0 else None)
    first = report.comparisons[0]
    top = np.nanmedian(first.remainders[:3])
    for order in (1, 2):
        ax.loglog(first.steps, top * (first.steps / first.steps[1]) ** order, color="0.5", linewidth=0.9,
                  linestyle=(0, (4, 2)) if order == 2 else ":", label=f"slope {order} ({'right' if order == 2 else 'wrong'})")
    ax.set_ylim(bottom=1e-17 * max(top, 1.0))
    ax.set_xlabel("step $h$ (Euclidean length)")
    ax.set_ylabel(r"$\|F(x + h v) - F(x) - h\,F'(x)\,v\|$")
    ax.set_title("OK" if report.ok else "WRONG", loc="right", fontsize=9)
    ax.legend(fontsize=8)
    return ax


def plot_rate(rate, ax=None):
    if ax is None:
        ax = pyplot().subplots(figsize=(6.4, 4.0), layout="constrained")[1]
    ax.semilogy(rate.nit, rate.residuals, ".", color="0.45", markersize=4, label="run")
    if np.isfinite(rate.constant):
        k = np.linspace(rate.first, rate.last, 200)
        ax.semilogy(k, rate.curve(rate.law, rate.constant, k), color="#0072B2", linewidth=1.8,
                    label=f"{rate.law}, {rate.constant:.4g}")
        for bound, style in zip((b for b in rate.bounds if b.constant > 0.0 and b.law != "superlinear"), ("--", ":", "-.")):
            ax.semilogy(k, rate.curve(bound.law, bound.constant, k), style, color="#D55E00", linewidth=1.4,
                        label=f"theory: {bound.law}, {bound.constant:.4g}")
    ax.set_xlabel("iterations")
    ax.set_ylabel(r"$f - f^*$" if rate.quantity.startswith("fun") else r"$\|g\|$")
    ax.legend(loc="lower left", fontsize=8)
    return ax
