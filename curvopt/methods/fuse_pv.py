r"""FUSE-PV: Adam until a criterion fires, quasi-Newton from there on; or a switch that decides by itself.

References
----------
.. [1] Z. Jiang, M. Z. Hasan, A. Balu, J. R. Waite, G. Huang, S. Sarkar, "FUSE: First-Order and Second-Order Unified
       SynthEsis in Stochastic Optimization", arXiv:2503.04204, 2025. Algorithm 4.
"""
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._sampling import SAMPLING, batch_parameters
from .._sampling import residual as measured_residual
from .._status import RUNNING
from .._stopping import residual
from .._vectors import copy_to, norm
from . import adam, fuse_auto, fuse_room, fuse_sums, lbfgs, quasi_newton
from .fuse_criteria import GRADIENT, STEPS, asked, checked_switch, distance, now, reason


class Params(NamedTuple):
    rule: int
    after: int          # steps, or iterations of small change
    level: float        # of the gradient norm, or of the change
    adam: adam.Params
    newton: quasi_newton.Params


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    phase: int              # as in `fuse_auto`: ADAM or NEWTON
    k: int                  # iterations so far
    switch: int             # iterations before the switch; -1: not yet
    quiet: int              # iterations of small change in a row
    adam: adam.State
    newton: quasi_newton.State
    best_x: np.ndarray      # best point of the Adam phase
    best_f: float
    best_g: np.ndarray


@routine
def init(oracle, x0, params):
    first = adam.init(oracle, x0, params.adam)
    x, f, g = first.x, first.f, first.g
    second = quasi_newton.begin(x.copy(), f, g.copy(), params.newton)
    return State(x, f, g, 0.0, RUNNING, fuse_auto.ADAM, 0, -1, 0, first, second, x.copy(), f, g.copy())


@routine
def fires(state, params):
    """Whether the criterion holds."""
    if params.rule == STEPS:
        return state.k >= params.after
    if params.rule == GRADIENT:
        return norm(state.g, 2) <= params.level
    return state.quiet >= params.after


def make_step(fires):
    """The step that switches when fires(state, params); compiled where `fires` can be."""
    def step(oracle, state, params):
        _, _, _, _, _, phase, k, switch, quiet, first, second, best_x, best_f, best_g = state
        if phase == fuse_auto.ADAM and fires(state, params):
            phase, switch = fuse_auto.NEWTON, k
            if k > 0:       # the first trial is as long as Adam's last step, whose size is known to be safe
                length = distance(first.x, first.x_trial)
                second = quasi_newton.moved(second, best_x, best_f, best_g, length if length > 0.0 else 1.0, second.K)
        if phase == fuse_auto.NEWTON:
            second = quasi_newton.step(oracle, second, params.newton)
            return State(second.x, second.f, second.g, second.alpha, second.flag, phase, k + 1, switch, quiet,
                         first, second, best_x, best_f, best_g)
        f = first.f
        first = adam.step(oracle, first, params.adam)
        small = abs(first.f - f) <= params.level * max(1.0, abs(first.f))
        quiet = quiet + 1 if small and first.alpha > 0.0 else 0
        if first.f < best_f:
            best_f = first.f
            copy_to(first.x, best_x)
            copy_to(first.g, best_g)
        return State(first.x, first.f, first.g, first.alpha, first.flag, phase, k + 1, switch, quiet,
                     first, second, best_x, best_f, best_g)

    return step


step = routine(make_step(fires))


@routine
def report(state, row):
    row[0] = state.phase


@dataclass(frozen=True, repr=False)
class FusePVMethod(Method):
    """FUSE-PV: Adam, then quasi-Newton, or the two taking turns as the run asks for it.

    With ``switch="auto"``, the default, `QuasiNewton` runs first, and Adam is insurance: tried for a while where
    quasi-Newton stalls, and called where it fails. What Adam finds is kept if it brought at least as much per call;
    otherwise quasi-Newton goes on, bit for bit, as if Adam had not been there. On smooth functions the price is about
    1 % of the calls. A search that runs out of trials is taken for the sign of a kink, and later ones are by the weak
    Wolfe conditions, which can be met there: on functions with kinks the gain is large.

    Every other ``switch`` is the paper's: `Adam` until the criterion holds, then `LBFGS` from the best point seen, with
    an empty memory, for good. The levels of ``"grad"`` and ``"loss"`` are absolute numbers that have to suit the
    function: scaling fun moves the switch, or keeps it from ever happening.

    With ``batch_size``, for a `FiniteSum`: Adam on batches, then, by default, quasi-Newton on all rows. Criteria are
    then looked at after each epoch, with the means of its batches, and ``"auto"`` switches when an epoch brings at most
    2 % of the decrease so far, after 20 epochs at the latest.

    An iteration is one step of either kind; the history tells which in the column ``phase``: 0 Adam, 1 quasi-Newton, and
    for the automatic switch 2 a probe by Adam, 3 a rescue by Adam, 4 a trial of quasi-Newton.

    The result has the fields ``switch_nit`` (iterations before the first quasi-Newton step that counted, or None),
    ``switch_reason`` (a sentence), ``adam_steps`` and, for the automatic switch, ``probes``, ``probes_kept``,
    ``rescues`` and ``kink_nit`` (iteration of the first sign of a kink, or None); with ``second="svrg"``,
    ``cycles_taken_back``.

    Parameters
    ----------
    switch : "auto", "epoch", ("epoch", k), int >= 0, ("grad", delta), ("loss", tol[, window]), or callable
        After so many iterations (``"epoch"``: 100; inf: never); when the 2-norm of the gradient is at most delta; when fun
        changed by at most tol max(1, abs(fun)) in each of the last ``window`` (5) iterations; or when
        ``switch(k, x, f, g)``, asked before each iteration with copies of what there is after k of them, returns True.
        With batches k, f and g are those of an epoch (``"epoch"``: 5 of them), a number alone is one of iterations.
    lr : float > 0
        Learning rate of Adam.
    m : int >= 1, optional
        Pairs of the quasi-Newton part: by default those of `QuasiNewton` for the automatic switch and 30 for the others.
    first : {"newton", "adam"}, optional
        What the automatic switch begins with. ``"adam"``: Adam for 20 steps, then trials of quasi-Newton, of 10 steps
        each, at every doubling of Adam's steps until one is kept. It costs 70 % more gradients on smooth functions and
        may end in another basin.
    batch_size : int >= 1, optional
        For a `FiniteSum`: rows of a batch. By default there are no batches, and all gradients are full ones.
    second : {"full", "same-batch", "multi-batch", "svrg"}
        With batches, what follows Adam: quasi-Newton on all rows; or on batches, with pairs over one batch, over the quarter
        of it that the next one shares, or with gradients corrected by a full one at a snapshot. See the Notes.
    eta : float > 0
        Step along -H g of a second phase on batches: the first trial, or for ``"svrg"`` the largest step.
    check_every : int >= 0
        Iterations between measurements over all rows in the phases ``"same-batch"`` and ``"multi-batch"``; 0: about one
        pass. Adam's are not measured before the switch.
    sampling : {"epoch", "batch", "replacement"}
        How the rows of a batch are drawn, as for `Adam`.

    Notes
    -----
    The automatic switch is ours; its constants were measured and are listed in the documentation. Deviations from [1]_
    for the others: the paper's criteria are known from its code and from what others wrote on it; here the switch is final,
    L-BFGS starts at the best point of the Adam phase and with a first trial as long as Adam's last step, and the
    constants of ``"epoch"`` and ``"loss"`` are ours.

    The second phase of [1]_'s code takes pairs over two batches, which has a noise floor; it is not offered.
    ``"multi-batch"`` is [2]_ and ``"svrg"`` is [3]_ with differences of gradients in place of Hessian products, pairs of full
    gradients where there are two, and a guard: a cycle (one epoch, then f over all rows) that ends higher than it began is
    taken back and the step halved, so that f at the snapshots never rises. Neither of the first two has a guard, and both
    circle at a distance from the minimizer that depends on ``eta``; the best point measured is returned.

    With a criterion that is a Python function the loop runs interpreted. With batches it does so unless ``compiled=True``:
    such loops cannot be kept on disk, and compiling this one takes longer (15 to 20 s) than most runs gain from it.

    References
    ----------
    .. [1] Z. Jiang et al., "FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization",
           arXiv:2503.04204, 2025. Algorithm 4.
    .. [2] A. S. Berahas, J. Nocedal, M. Takac, "A multi-batch L-BFGS method for machine learning", NeurIPS 2016,
           arXiv:1605.06049.
    .. [3] P. Moritz, R. Nishihara, M. I. Jordan, "A linearly-convergent stochastic L-BFGS algorithm", AISTATS 2016,
           arXiv:1508.02087.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(10)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.FUSEPV.replace(switch=50))
    >>> res.success, res.switch_nit, res.switch_reason
    (True, 50, '50 iterations of Adam')

    On batches of two rows for three epochs, then on all four rows:

    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1], lam=0.1)
    >>> res = curvopt.minimize(curvopt.problems.finite_sum(p), p.x0, args=p.args,
    ...                        method=curvopt.FUSEPV.replace(batch_size=2, switch=("epoch", 3)),
    ...                        options={"rng": 1, "compiled": False})
    >>> res.success, res.switch_nit, res.switch_reason
    (True, 6, '3 epochs of Adam')
    """

    switch: object = "auto"
    lr: float = 1e-2
    m: int = None
    first: str = None
    batch_size: int = None
    second: str = "full"
    eta: float = 0.1
    check_every: int = 0
    sampling: str = "epoch"

    columns: ClassVar = ("phase",)
    streams: ClassVar = False
    cost: ClassVar = "1.3 f, 1.3 g"
    memory: ClassVar = "2m + 18, or n + 18"
    paper: ClassVar = "arXiv:2503.04204"
    report: ClassVar = staticmethod(report)

    def validated(self):
        first = adam.Adam.replace(lr=self.lr)
        kind = _checks.choice("second", self.second, fuse_room.SECOND)
        if self.first is not None and (self.switch != "auto" or self.batch_size is not None):
            raise ValueError("first belongs to switch='auto' without batches; every other switch begins with Adam")
        if self.batch_size is not None:
            return self.sum_params(kind)
        if kind != fuse_room.FULL:
            raise ValueError(f"second={self.second!r} takes batches: give batch_size as well")
        if self.switch == "auto":
            adam_first = _checks.choice("first", self.first or "newton", {"newton": False, "adam": True})
            second = quasi_newton.QuasiNewton.replace(m=self.m, wolfe="strong")
            return fuse_auto.Params(adam_first, first.replace(form="relative").params, second.params,
                                    second.replace(wolfe="weak").params)
        second = lbfgs.LBFGS.replace(m=30 if self.m is None else self.m, wolfe="strong")
        return Params(*checked_switch(self.switch, False), first.params, second.params)

    def sum_params(self, kind):
        """Parameters of the run on batches."""
        size, check_every, sampling = batch_parameters(self.batch_size, self.check_every, self.sampling, SAMPLING)
        if kind == fuse_room.MULTI and size < 3:
            raise ValueError(f"second='multi-batch' needs batch_size of at least 3: rows shared with the batch before, rows "
                             f"of its own, and rows shared with the next; got {size}")
        m = 30 if self.m is None else _checks.count("m", self.m, 1)
        second = fuse_room.Params(kind, 0 if kind == fuse_room.FULL else m, max(size // 4, 1),
                                     _checks.positive("eta", self.eta), check_every, sampling)
        form = "relative" if self.switch == "auto" else "torch"
        first = adam.Adam.replace(lr=self.lr, form=form, batch_size=size, check_every=2 ** 62, sampling=self.sampling)
        if kind != fuse_room.FULL:
            newton = lbfgs.LBFGS.replace(m=1)        # of this one only the point is used
        else:
            newton = quasi_newton.QuasiNewton.replace(m=self.m) if self.switch == "auto" else lbfgs.LBFGS.replace(m=m)
        return fuse_sums.Params(*checked_switch(self.switch, True), size, first.params, second, newton.params)

    @property
    def needs(self):
        return ("jac",) if self.batch_size is None else ("samples",)

    @property
    def residual(self):
        return residual if self.batch_size is None else measured_residual

    @property
    def init(self):
        if self.batch_size is not None:
            return fuse_sums.init
        return fuse_auto.init if self.switch == "auto" else init

    @property
    def step(self):
        if self.batch_size is not None:
            kind = fuse_room.SECOND[self.second]
            if callable(self.switch):
                return fuse_sums.make_step(asked(self.switch, fuse_sums.news), fuse_sums.ADVANCE[kind])
            return fuse_sums.STEP[kind]
        if callable(self.switch):
            return make_step(asked(self.switch, now))
        return fuse_auto.step if self.switch == "auto" else step

    @property
    def interpreted_only(self):
        return "the criterion is a Python function" if callable(self.switch) else ""

    @property
    def interpreted_unless_asked(self):
        return "" if self.batch_size is None else "a loop over samples is compiled in every process, and this one takes long"

    def details(self, state):
        if self.switch == "auto" and self.batch_size is None:
            return fuse_auto.details(state, self.params)
        fired = state.switch >= 0
        why = reason(self.params, state, self.batch_size is not None) if fired else "the criterion never held"
        told = {"switch_nit": state.switch if fired else None, "switch_reason": why,
                "adam_steps": state.switch if fired else state.k}
        if self.second == "svrg":
            told["cycles_taken_back"] = int(state.room.ledger[fuse_room.REJECTED])
        return told

    @property
    def name(self):
        return "FUSEPV"


FUSEPV = FusePVMethod()
