r"""Adam: a step whose length, entry by entry, is the learning rate times a signal-to-noise ratio of the gradient.

.. math::
    m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1-\beta_2)\, g \odot g, \qquad
    x^+ = x - \mathrm{lr}\, \frac{m}{1-\beta_1^k} \oslash
          \Bigl(\sqrt{\frac{v}{1-\beta_2^k}} + \epsilon_k\Bigr), \qquad k = 1, 2, \dots

References
----------
.. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980. Algorithm 1 and the
       remark on the order of computation at the end of its section 2.
.. [2] Z. Jiang et al., "FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization",
       arXiv:2503.04204, 2025.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start, value
from .._sampling import SAMPLING, batch_parameters
from .._sampling import residual as measured_residual
from .._status import RUNNING, STEP_FAILED
from .._stopping import residual
from .._vectors import copy_to, norm_inf
from ..directions.moments import PAPER, RELATIVE, TORCH, decays, moments_step, update_moments
from . import adam_batches

FORMS = {"paper": PAPER, "torch": TORCH, "relative": RELATIVE}


class Params(NamedTuple):
    lr: float
    beta1: float
    beta2: float
    eps: float
    form: int


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    m: np.ndarray           # mean of g
    v: np.ndarray           # mean of g^2
    x_trial: np.ndarray     # trade places with x and g on acceptance
    g_trial: np.ndarray
    lr: float               # learning rate in force
    eps: float              # eps in force
    decay1: float           # beta1^k
    decay2: float           # beta2^k


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return begin(x, f, g, params)


@routine
def begin(x, f, g, params):
    """The state at a point that is known already; x and g become its own."""
    return fresh(x, f, g, params.lr, params, np.empty_like(x), np.empty_like(x), np.empty_like(x), np.empty_like(x))


@routine
def fresh(x, f, g, lr, params, m, v, x_trial, g_trial):
    """The state before the first step from x, with these arrays as its buffers."""
    clear(m)
    clear(v)
    eps = params.eps * norm_inf(g) if params.form == RELATIVE else params.eps
    return State(x, f, g, 0.0, RUNNING, m, v, x_trial, g_trial, lr, eps, 1.0, 1.0)


@routine
def restart(state, x, f, g, lr, params):
    """The state before the first step from another known point."""
    copy_to(x, state.x_trial)
    copy_to(g, state.g_trial)
    return fresh(state.x_trial, f, state.g_trial, lr, params, state.m, state.v, state.x, state.g)


@routine
def moved(state, x, f, g):
    """The state at another known point, with both means as they are."""
    copy_to(x, state.x_trial)
    copy_to(g, state.g_trial)
    return State(state.x_trial, f, state.g_trial, state.alpha, RUNNING, state.m, state.v, state.x, state.g,
                 state.lr, state.eps, state.decay1, state.decay2)


@kernel
def clear(v):
    for i in range(v.size):
        v[i] = 0.0


@routine
def step(oracle, state, params):
    x, f, g, _, _, m, v, x_trial, g_trial, lr, eps, decay1, decay2 = state
    update_moments(g, params.beta1, params.beta2, m, v)
    decay1, decay2 = decay1 * params.beta1, decay2 * params.beta2
    moved = moments_step(x, m, v, lr, eps, decay1, decay2, params.form == PAPER, x_trial)
    f_new = value(oracle, x_trial)
    if math.isfinite(f_new):
        gradient(oracle, x_trial, g_trial)
        if math.isfinite(norm_inf(g_trial)):
            flag = RUNNING if moved or lr == params.lr else STEP_FAILED
            return State(x_trial, f_new, g_trial, lr, flag, m, v, x, g, lr, eps, decay1, decay2)
    return fresh(x, f, g, 0.5 * lr, params, m, v, x_trial, g_trial)


@dataclass(frozen=True, repr=False)
class AdamMethod(Method):
    """Adam, on the full gradient or on batches of rows.

    One value and one gradient an iteration; six vectors. The values of ``fun`` go up and down, and with a fixed
    learning rate the run ends in a neighbourhood of a minimizer rather than at it; the result is the best point seen.

    Parameters
    ----------
    lr : float > 0
        Learning rate: about the length of a step in each entry, in the units of x. 1e-3 as in [1]_.
    beta1, beta2 : float in [0, 1)
        Memory of the two means. 0.9 and 0.999 as in [1]_.
    eps : float > 0
        Keeps the quotient finite. 1e-8 as in [1]_.
    form : {"torch", "paper", "relative"}
        Where eps stands. ``"torch"`` is Algorithm 1 of [1]_ and ``torch.optim.Adam``: eps is added after the correction
        of v, eps_k = eps. ``"paper"`` is the cheaper order of [1]_ and the form printed in [2]_: eps is added before it,
        which is eps_k = eps / sqrt(1 - beta2^k). ``"relative"`` is ours, and is what the automatic ``FUSEPV`` uses: as
        ``"torch"`` with eps_k = eps max|g|, g at the point where the means begin, so that f -> c f leaves the path as
        it is.
    batch_size : int >= 1, optional
        For a `FiniteSum` or an `Expectation`: rows of the batch that each step takes its gradient from. By default the
        gradient is the full one.
    check_every : int >= 0
        With batches, iterations between measurements of fun and its gradient over all rows; 0: about one pass.
    sampling : {"epoch", "batch", "replacement"}
        With batches: those of a random order of all rows, a new one each epoch; each without replacement from all rows; or
        with replacement.

    Notes
    -----
    An addition to [1]_: where ``fun`` or ``jac`` is not finite at the new point, the point is refused, the learning rate
    halved for the rest of the run, and both means begin again from zero at the old point (the history has a step of 0
    there). When a halved rate no longer moves x, the run ends with STEP_FAILED.

    With batches nothing is refused: a batch whose gradient is not finite is skipped, and 20 in a row end the run with
    NONFINITE. The run converges only by a measurement over all rows, and the best point measured is the one returned.

    The powers beta^k are kept as running products; their error is below k rounding errors.

    Squares of gradient entries beyond 1e154 overflow, and Adam then stands still, as every implementation of it does.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.
    .. [2] Z. Jiang et al., "FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization",
           arXiv:2503.04204, 2025.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 1e4])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.Adam.replace(lr=0.01),
    ...                        options={"ftarget": 1e-6})
    >>> res.success
    True
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    form: str = "torch"
    batch_size: int = None
    check_every: int = 0
    sampling: str = "epoch"

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "6"
    length: ClassVar = "lr"
    paper: ClassVar = "arXiv:1412.6980"

    def validated(self):
        numbers = (_checks.positive("lr", self.lr), *decays(self.beta1, self.beta2), _checks.positive("eps", self.eps),
                   _checks.choice("form", self.form, FORMS))
        rows = batch_parameters(1 if self.batch_size is None else self.batch_size, self.check_every, self.sampling, SAMPLING)
        return Params(*numbers) if self.batch_size is None else adam_batches.Params(*rows, *numbers)

    @property
    def needs(self):
        return ("jac",) if self.batch_size is None else ("samples",)

    @property
    def init(self):
        return init if self.batch_size is None else adam_batches.init

    @property
    def step(self):
        return step if self.batch_size is None else adam_batches.step

    @property
    def residual(self):
        return residual if self.batch_size is None else measured_residual

    @property
    def name(self):
        return "Adam"


Adam = AdamMethod()
