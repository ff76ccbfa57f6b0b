"""Every method of the package, listed once: names, the contract suite and the table of methods all read it from here."""
from functools import lru_cache

from .methods import (
    adagrad,
    adam,
    adaptive_normalization,
    armijo_gradient,
    barzilai_borwein,
    baydin,
    fuse,
    fuse_pv,
    gd_polyak,
    gd_polyak_adaptive,
    gd_polyak_restarts,
    gradient_descent,
    heavy_ball,
    hypergradient_best,
    hypergradient_descent,
    hypergradient_nesterov,
    hypergradient_secant,
    independent_normalization,
    lbfgs,
    nesterov,
    normalized_gradient,
    quasi_newton,
    ravine_qn,
    scaled_auto,
    scaled_gradient,
    spider,
    stochastic_adam,
    stochastic_gradient,
    stochastic_scaled,
    truncated_newton,
)

METHODS = {
    "SCG": scaled_gradient.SCG,
    "SMR": scaled_gradient.SMR,
    "SGM": scaled_gradient.SGM,
    "MRCG": scaled_gradient.MRCG,
    "SAUTO": scaled_auto.SAUTO,
    "LBFGS": lbfgs.LBFGS,
    "QuasiNewton": quasi_newton.QuasiNewton,
    "RavineQN": ravine_qn.RavineQN,
    "TruncatedNewton": truncated_newton.TruncatedNewton,
    "Adam": adam.Adam,
    "FUSE": fuse.FUSE,
    "FUSEPV": fuse_pv.FUSEPV,
    "ANGD": adaptive_normalization.ANGD,
    "IANSGD": independent_normalization.IANSGD,
    "SGMStochastic": stochastic_scaled.SGMStochastic,
    "GDPolyak": gd_polyak.GDPolyak,
    "GDPolyakAdaptive": gd_polyak_adaptive.GDPolyakAdaptive,
    "HDM": hypergradient_descent.HDM,
    "HDMRatio": hypergradient_descent.HDMRatio,
    "HDMBest": hypergradient_best.HDMBest,
    "HDMNesterov": hypergradient_nesterov.HDMNesterov,
    "HDMSecant": hypergradient_secant.HDMSecant,
}
BASELINES = {
    "GD": gradient_descent.GD,
    "PolyakGD": gd_polyak.PolyakGD,
    "GDPolyakRestarts": gd_polyak_restarts.GDPolyakRestarts,
    "AdaGrad": adagrad.AdaGrad,
    "Baydin": baydin.Baydin,
    "ArmijoGD": armijo_gradient.ArmijoGD,
    "BarzilaiBorwein": barzilai_borwein.BarzilaiBorwein,
    "HeavyBall": heavy_ball.HeavyBall,
    "Nesterov": nesterov.Nesterov,
    "NormalizedGD": normalized_gradient.NormalizedGD,
    "ClippedGD": normalized_gradient.ClippedGD,
    "SGD": stochastic_gradient.SGD,
    "NormalizedSGD": stochastic_gradient.NormalizedSGD,
    "NormalizedSGDMomentum": stochastic_gradient.NormalizedSGDMomentum,
    "ClippedSGD": stochastic_gradient.ClippedSGD,
    "SPIDER": spider.SPIDER,
    "StochasticAdam": stochastic_adam.StochasticAdam,
}


@lru_cache(maxsize=1)
def by_name():
    """{lower-case name without hyphens: method} of methods and baselines."""
    return {name.lower(): method for name, method in {**METHODS, **BASELINES}.items()}


def default(second_order=False):
    """The method that ``method=None`` means: by whether Hessian products are given.

    Without products, quasi-Newton steps with Adam as probe and rescuer; with them, truncated Newton. Measured:
    docs/methods/fuse.md and docs/methods/truncated_newton.md.
    """
    return METHODS["TruncatedNewton" if second_order else "FUSEPV"]


class MethodTable(list):
    """Rows of `methods`, as dicts; prints as a table."""

    def __str__(self):
        titles = ("name", "needs", "per iteration", "vectors", "paper")
        rows = [titles, *((r["name"], " ".join(r["needs"]), r["cost"], r["memory"], r["paper"]) for r in self)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(titles))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    __repr__ = __str__


def methods(baselines=True):
    """List the methods: what they need, evaluations an iteration, vectors of memory, paper.

    Parameters
    ----------
    baselines : bool
        Whether to list the baselines as well.

    Returns
    -------
    MethodTable
        A list of dicts with the keys ``name needs cost memory paper method``; prints as a table.

    Examples
    --------
    >>> import curvopt
    >>> [row["name"] for row in curvopt.methods() if row["name"].startswith("SG")][0]
    'SGM'
    """
    listed = {**METHODS, **BASELINES} if baselines else METHODS
    return MethodTable(
        {"name": name, "needs": m.needs, "cost": m.cost, "memory": m.memory, "paper": m.paper, "method": m}
        for name, m in listed.items()
    )
