"""The inequalities behind hypergradient descent, checked along real runs.

Derivations are on the methods' documentation page. L, mu, kappa: bounds of the Hessian and their ratio; h_k(P) is the
feedback (f(x_k - P g_k) - f(x_k)) / ||g_k||^2; P* is whatever preconditioner a run is compared with.
"""
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

import curvopt
from curvopt._objective import Objective
from curvopt.stepsize.hypergradient import ADAGRAD, DIAGONAL, FULL, OGD, SCALAR, heavy_ball, learn, learn_heavy_ball

HDM = curvopt.HDM.replace(patience=0, p0=0.0)      # as in the papers: the first trial is the start itself
rng = np.random.default_rng(20250211)


def states(method, fun, jac, x0, steps):
    """The states of a run, by the method's own init and step; arrays are copies."""
    oracle = Objective(fun, jac, None, None, (), np.shape(x0), False).oracle()
    state = method.init(oracle, np.array(x0, dtype=float), method.params)
    for _ in range(steps + 1):
        yield state._replace(**{name: part.copy() for name, part in state._asdict().items() if isinstance(part, np.ndarray)})
        state = method.step(oracle, state, method.params)


class Logistic:
    """Regularized logistic regression with columns of different scale: convex, smooth, kappa about 1e3."""

    def __init__(self, n=8, rows=60, reg=0.05):
        data = np.random.default_rng(7)
        self.X = data.standard_normal((rows, n)) * np.geomspace(1, 10, n)
        self.y = np.where(data.random(rows) < 0.5, -1.0, 1.0)
        self.reg, self.rows = reg, rows
        self.L = np.linalg.eigvalsh(self.X.T @ self.X / rows).max() / 4 + reg
        self.mu = reg
        self.x0 = np.zeros(n)

    def fun(self, x):
        return np.logaddexp(0, -self.y * (self.X @ x)).mean() + 0.5 * self.reg * x @ x

    def jac(self, x):
        p = -self.y * expit(-self.y * (self.X @ x))
        return self.X.T @ p / self.rows + self.reg * x


LOGISTIC = Logistic()


def quadratic(eigenvalues, rotate=None):
    n = len(eigenvalues)
    A = np.diag(eigenvalues)
    if rotate is not None:
        Q = np.linalg.qr(np.random.default_rng(rotate).standard_normal((n, n)))[0]
        A = Q @ A @ Q.T
        A = 0.5 * (A + A.T)
    return A, (lambda x: 0.5 * x @ A @ x), (lambda x: A @ x)


def matrix(p, n):
    return p[0] * np.eye(n) if p.size == 1 else np.diag(p) if p.size == n else p.reshape(n, n)


def log(a):
    return np.log(np.maximum(a, 1e-300))


# ---- the feedback ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", (SCALAR, DIAGONAL, FULL))
def test_hypergradient_is_the_derivative_of_the_feedback(shape):
    f, x = LOGISTIC, rng.standard_normal(8)
    g = f.jac(x)
    p = 0.1 / f.L * (1 + rng.random({SCALAR: 1, DIAGONAL: 8, FULL: 64}[shape]))

    def h(p):
        return (f.fun(x - matrix(p, 8) @ g) - f.fun(x)) / (g @ g)

    moved = p.copy()
    learn(OGD, shape, moved, np.zeros_like(p), g, f.jac(x - matrix(p, 8) @ g), g @ g, 1.0, 0.0, -math.inf, math.inf)
    for i in range(p.size):
        e = np.zeros_like(p)
        e[i] = 1e-5
        assert moved[i] - p[i] == pytest.approx(-(h(p + e) - h(p - e)) / 2e-5, abs=1e-8)


def test_feedback_is_convex_smooth_and_bounded_as_the_theory_needs():
    f = LOGISTIC
    for _ in range(50):
        x = 2 * rng.standard_normal(8)
        g = f.jac(x)
        P, R = (rng.standard_normal((8, 8)) / f.L for _ in range(2))

        def h(P, x=x, g=g):
            return (f.fun(x - P @ g) - f.fun(x)) / (g @ g)

        def dh(P, x=x, g=g):
            return -np.outer(f.jac(x - P @ g), g) / (g @ g)

        slope = np.sum(dh(P) * (R - P))
        assert h(P) + slope - 1e-12 <= h(R) <= h(P) + slope + f.L / 2 * np.sum((R - P) ** 2) + 1e-12
        assert np.linalg.norm(dh(P)) <= 1 + f.L * np.linalg.norm(P, 2)
        assert h(np.eye(8) / f.L) <= -1 / (2 * f.L) + 1e-12
        assert h(np.zeros((8, 8))) == 0.0
        assert dh(np.zeros((8, 8))) == pytest.approx(-np.outer(g, g) / (g @ g), rel=1e-14)
        # f -> c f takes P to P/c and h to h/c.
        c = 7.0
        assert (c * f.fun(x - P / c @ (c * g)) - c * f.fun(x)) / (c * c * g @ g) == pytest.approx(h(P) / c, rel=1e-12)


def test_best_full_matrix_attains_the_whole_gap_and_bounds_the_slope():
    """inf h = -(f - f*) / ||g||^2, between -1/(2 mu) and -1/(2 L); ||dh(P)||^2 <= 2 L (h(P) - inf h)."""
    f = LOGISTIC
    x_star = next(reversed(list(states(curvopt.HDMBest, f.fun, f.jac, f.x0, 600)))).x
    for _ in range(30):
        x = 2 * rng.standard_normal(8)
        g, P = f.jac(x), rng.standard_normal((8, 8)) / f.L
        best = (f.fun(x_star) - f.fun(x)) / (g @ g)
        attained = np.outer(x - x_star, g) / (g @ g)
        assert (f.fun(x - attained @ g) - f.fun(x)) / (g @ g) == pytest.approx(best, rel=1e-9)
        assert -1 / (2 * f.mu) <= best + 1e-9 and best <= -1 / (2 * f.L) + 1e-9
        trial = x - P @ g
        slope, h = f.jac(trial), (f.fun(trial) - f.fun(x)) / (g @ g)
        assert slope @ slope / (g @ g) <= 2 * f.L * (h - best) * (1 + 1e-9)


# ---- regret and rates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ("scalar", "diagonal", "full"))
def test_static_regret_of_ogd_and_what_it_says_about_the_run(shape):
    f, K = LOGISTIC, 100
    lr = 0.5 / f.L
    xs = list(states(HDM.replace(shape=shape, learner="ogd", lr=lr, p_bounds=(-math.inf, math.inf)), f.fun, f.jac, f.x0, K))
    feedback, slopes = [], []
    for s in xs[:-1]:
        trial = s.x - matrix(s.p, 8) @ s.g
        feedback.append((f.fun(trial) - s.f) / (s.g @ s.g))
        slopes.append(np.outer(f.jac(trial), s.g) / (s.g @ s.g))
    norms = sum(np.trace(m) ** 2 if shape == "scalar" else np.sum((np.diag(m) if shape == "diagonal" else m) ** 2)
                for m in slopes)
    entries = {"scalar": 1, "diagonal": 8, "full": 8}[shape]
    for a in (0.3 / f.L, 1 / f.L, 1.9 / f.L):       # P* = a I
        best = sum((f.fun(s.x - a * s.g) - s.f) / (s.g @ s.g) for s in xs[:-1])
        assert sum(feedback) <= best + entries * a * a / (2 * lr) + lr / 2 * norms + 1e-9
    # The feedback is what the run lives on: a product of K factors at most the power of their mean.
    f_star = min(s.f for s in states(curvopt.HDM, f.fun, f.jac, f.x0, 400))
    gain = sum(max(-h, 0.0) for h in feedback)
    assert gain >= -sum(feedback)
    assert xs[-1].f - f_star <= (xs[0].f - f_star) * (1 - 2 * f.mu * gain / K) ** K + 1e-12


def least_feedback(xs, fun, jac, n):
    """(the diagonal that would have been best for all the points visited, the sum of their feedback under it)."""
    def total(p):
        return sum((fun(s.x - p * s.g) - s.f) / (s.g @ s.g) for s in xs)

    def slope(p):
        return sum(-jac(s.x - p * s.g) * s.g / (s.g @ s.g) for s in xs)

    res = curvopt.minimize(total, np.zeros(n), jac=slope, method=curvopt.HDMSecant, options={"gtol": 1e-4, "compiled": False})
    assert res.success
    return res.x, res.fun


def test_regret_against_the_best_diagonal_in_hindsight_and_the_rate_it_gives():
    """With eta = D / ((1 + L D) sqrt(K)) the regret is at most D (1 + L D) sqrt(K): f_K - f* <= Delta^2 / (K gamma - that)."""
    f, K = LOGISTIC, 60
    x_star = next(reversed(list(states(curvopt.HDMBest, f.fun, f.jac, f.x0, 600)))).x
    box = 2.0 / f.L
    D = box * math.sqrt(8)                      # the diameter of the box [0, 2/L]^8
    lr = D / ((1 + f.L * D) * math.sqrt(K))
    xs = list(states(HDM.replace(learner="ogd", lr=lr, p_bounds=(0.0, box)), f.fun, f.jac, f.x0, K))
    lived = sum((f.fun(s.x - s.p * s.g) - s.f) / (s.g @ s.g) for s in xs[:-1])
    p, _ = least_feedback(xs[:-1], f.fun, f.jac, 8)
    p = np.clip(p, 0.0, box)                    # what it is compared with must lie in the box
    best = sum((f.fun(s.x - p * s.g) - s.f) / (s.g @ s.g) for s in xs[:-1])
    regret = D * (1 + f.L * D) * math.sqrt(K)
    assert lived <= best + regret
    assert -best >= K / (2 * f.L) * (1 - 1e-9) or np.any(p == box)      # never worse than P = I/L, where the box allows it
    gap, delta2 = f.fun(f.x0) - f.fun(x_star), 2 * (f.fun(f.x0) - f.fun(x_star)) / f.mu
    assert xs[-1].f - f.fun(x_star) <= min(gap, delta2 / max(-best - regret, 1e-300))
    # The run itself, and the minimizer for the points visited: the guarantee that depends on the trajectory alone.
    free = list(states(HDM.replace(learner="ogd", lr=0.5 / f.L, p_bounds=(-math.inf, math.inf)), f.fun, f.jac, f.x0, K))
    p, best = least_feedback(free[:-1], f.fun, f.jac, 8)
    assert best <= -K / (2 * f.L)
    squares = sum(np.sum((f.jac(s.x - s.p * s.g) * s.g) ** 2) / (s.g @ s.g) ** 2 for s in free[:-1])
    lived = sum((f.fun(s.x - s.p * s.g) - s.f) / (s.g @ s.g) for s in free[:-1])
    assert lived <= best + p @ p * f.L + 0.25 / f.L * squares + 1e-9


def test_regret_of_adagrad_on_a_box():
    """Entries between 0 and w: regret at most (w^2 / (2 eta) + eta) sum_i sqrt(sum_k u_ki^2) against any P in the box."""
    f, K, width = LOGISTIC, 80, 2.0 / LOGISTIC.L
    for lr in (0.2 * width, width):
        xs = list(states(HDM.replace(lr=lr, p_bounds=(0.0, width)), f.fun, f.jac, f.x0, K))[:-1]
        lived = sum((f.fun(s.x - s.p * s.g) - s.f) / (s.g @ s.g) for s in xs)
        u = np.array([f.jac(s.x - s.p * s.g) * s.g / (s.g @ s.g) for s in xs])
        bound = (width ** 2 / (2 * lr) + lr) * np.sqrt((u ** 2).sum(axis=0)).sum()
        for p in (np.zeros(8), np.full(8, 0.5 * width), np.full(8, width), width * rng.random(8)):
            assert lived <= sum((f.fun(s.x - p * s.g) - s.f) / (s.g @ s.g) for s in xs) + bound + 1e-12


def test_regret_against_a_moving_target_and_sublinear_bound_with_null_steps():
    """Sum h_k(P_k) against P*_k = a_k I with a_k between 0 and 2/L: D^2/(2 lr) + D path/lr + lr/2 sum ||dh||^2 more."""
    f, K, width = LOGISTIC, 80, 2.0 / LOGISTIC.L
    lr = 0.5 / f.L
    xs = list(states(HDM.replace(shape="scalar", learner="ogd", lr=lr, p_bounds=(0.0, width)), f.fun, f.jac, f.x0, K))
    target = width * (0.5 + 0.5 * np.sin(np.arange(K) / 20.0))
    lived, moving, squares = 0.0, 0.0, 0.0
    for s, a in zip(xs[:-1], target):
        gg, trial = s.g @ s.g, s.x - s.p[0] * s.g
        lived += (f.fun(trial) - s.f) / gg
        moving += (f.fun(s.x - a * s.g) - s.f) / gg
        squares += (f.jac(trial) @ s.g / gg) ** 2
    path = np.abs(np.diff(target)).sum()
    assert lived <= moving + width ** 2 / (2 * lr) + width / lr * path + lr / 2 * squares + 1e-9
    # Convexity alone: f_K - f* <= Delta^2 / sum of the decreases m_k, Delta the radius of the level set of the start.
    last = next(reversed(list(states(curvopt.HDMBest, f.fun, f.jac, f.x0, 600))))
    delta2 = 2 * (f.fun(f.x0) - last.f) / f.mu
    gain = sum(max(-(f.fun(s.x - s.p[0] * s.g) - s.f) / (s.g @ s.g), 0.0) for s in xs[:-1])
    assert xs[-1].f - last.f <= delta2 / gain


def test_lookahead_makes_the_regret_constant():
    for kappa in (4.0, 20.0, 100.0):
        A, fun, jac = quadratic(np.geomspace(1, kappa, 5), rotate=3)
        L, P_star = kappa, np.linalg.inv(A)
        method = HDM.replace(shape="full", learner="ogd", lr=1 / L, lookahead=1 / L, null_step=False)
        xs = list(states(method, fun, jac, np.ones(5), 40))
        regret = sum((b.f - fun(a.x - P_star @ a.g)) / (a.g @ a.g) for a, b in pairwise(xs) if a.f > 1e-20)
        assert regret <= L / 2 * np.sum(P_star ** 2)
        for a, b in pairwise(xs):       # each lookahead gains ||dh||^2 / (2 L) on the feedback of its trial
            trial = a.x - matrix(a.p, 5) @ a.g
            slope = jac(trial) @ jac(trial) / (a.g @ a.g)
            assert (b.f - a.f) / (a.g @ a.g) <= (fun(trial) - a.f) / (a.g @ a.g) - slope / (2 * L) + 1e-9 or a.f < 1e-20


@pytest.mark.parametrize("kappa, alone, ahead", ((4.0, 27, 14), (20.0, 48, 29), (100.0, 94, 63)))
def test_full_matrix_on_a_quadratic_is_superlinear(kappa, alone, ahead):
    """(C/K)^K; and the iterations to 1e-12, with a lookahead as well, against those measured with the research code."""
    A, fun, jac = quadratic(np.geomspace(1, kappa, 5), rotate=1)
    C = 4 * kappa ** 2 * np.sum(np.linalg.inv(A) ** 2)
    method = HDM.replace(shape="full", learner="ogd", lr=0.5 / kappa, null_step=False)
    gaps = np.array([s.f for s in states(method, fun, jac, np.ones(5), 200)])
    K = np.arange(1, 201)
    assert np.all(log(gaps[1:] / gaps[0]) <= K * np.log(C / K) + 1e-9)
    assert abs(np.argmax(gaps <= 1e-12 * gaps[0]) - alone) <= 0.3 * alone
    looking = method.replace(lr=1 / kappa, lookahead=1 / kappa)
    gaps = np.array([s.f for s in states(looking, fun, jac, np.ones(5), 200)])
    assert abs(np.argmax(gaps <= 1e-12 * gaps[0]) - ahead) <= 0.3 * ahead
    # What the rate comes from: half the excess of the feedback lived is at most that of P* and L ||P_1 - P*||^2 more.
    xs = list(states(method, fun, jac, np.ones(5), 150))[:-1]
    excess = sum(fun(s.x - matrix(s.p, 5) @ s.g) / (s.g @ s.g) for s in xs if s.f > 1e-20)
    assert 0.5 * excess <= kappa * np.sum(np.linalg.inv(A) ** 2)


def test_superlinear_where_the_hessian_is_lipschitz():
    # mu x^2 / 2 + log(1 + e^x): delta_{K+1} <= delta_1 (C/K)^K with
    # C = 4 L^2 (P_1 - P*)^2 + (kappa M / mu)^2 / 2 sum (x_k - x*)^2.
    mu, L, M = 0.2, 0.45, 1 / (6 * math.sqrt(3))

    def fun(x):
        return 0.5 * mu * x[0] ** 2 + math.log1p(math.exp(x[0]))

    def jac(x):
        return mu * x + expit(x)

    x_star = 0.0
    for _ in range(100):
        e = expit(x_star)
        x_star -= (mu * x_star + e) / (mu + e * (1 - e))
    P_star = 1 / (mu + expit(x_star) * (1 - expit(x_star)))
    method = HDM.replace(shape="scalar", learner="ogd", lr=0.5 / L, p_bounds=(-math.inf, math.inf))
    xs = list(states(method, fun, jac, [4.0], 40))
    gaps = np.array([s.f for s in xs]) - fun([x_star])
    far = np.cumsum([(s.x[0] - x_star) ** 2 for s in xs])
    K = np.arange(1, len(xs))
    C = 4 * L ** 2 * P_star ** 2 + (L / mu) ** 2 * M ** 2 / (2 * mu ** 2) * far[:-1]
    seen = gaps[1:] > 1e-14
    assert seen.sum() >= 5 and np.all(log(gaps[1:] / gaps[0])[seen] <= (K * np.log(C / K))[seen] + 1e-6)
    assert gaps[25] < 1e-13


@pytest.mark.parametrize("theta", (0.2, 0.5, 0.9, 1.0, 1.5, 1.9))
def test_one_dimension_in_closed_form(theta):
    a, x0 = 4.0, 3.0
    method = HDM.replace(shape="scalar", learner="ogd", lr=theta / a, null_step=False, p_bounds=(-math.inf, math.inf))
    for k, s in enumerate(states(method, lambda x: 0.5 * a * x[0] ** 2, lambda x: a * x, [x0], 12)):
        expected = x0 * (1 - theta) ** (k * (k - 1) // 2) if k else x0
        if abs(expected) < 1e-60:
            break
        assert 1 - a * s.p[0] == pytest.approx((1 - theta) ** k, abs=1e-14)
        assert s.x[0] == pytest.approx(expected, rel=1e-10 if abs(expected) > 1e-6 else 1e-4, abs=1e-14)


def test_one_dimension_beyond_the_stable_rate_explodes_and_the_box_alone_only_stalls_it():
    a = 2.0
    method = HDM.replace(shape="scalar", learner="ogd", lr=2.5 / a, null_step=False, p_bounds=(-math.inf, math.inf))
    f = [s.f for s in states(method, lambda x: 0.5 * a * x[0] ** 2, lambda x: a * x, [math.sqrt(6.0)], 6)]
    assert f[:5] == pytest.approx([6, 6, 13.5, 68.34, 778.5], rel=1e-3)
    boxed = method.replace(p_bounds=(0.0, 2.0 / a), null_step=True, lr=4.0 / a)
    xs = {s.x[0] for s in states(boxed, lambda x: 0.5 * a * x[0] ** 2, lambda x: a * x, [1.0], 50)}
    assert {abs(x) for x in xs} == {1.0}


SPIKES = [  # eigenvalues geometric from 1 to 100, n = 20, from ones: shape, learner, p0 L, lr L, spike, and both counts
    ("scalar", "ogd", 0.0, 1.0, 1.0, 168, 244),
    ("scalar", "ogd", 10.0, 0.5, 1.9e4, 244, 322),
    ("scalar", "ogd", 100.0, 0.5, 7e16, 94, 330),
    ("diagonal", "ogd", 0.0, 1.0, 1.0, 100, 100),
    ("diagonal", "ogd", 10.0, 0.5, 3e19, 77, 99),
    ("diagonal", "adagrad", 0.0, 1.0, 1.0, 43, 43),
    ("diagonal", "adagrad", 0.0, 10.0, 7e3, 24, 12),
]


@pytest.mark.parametrize("shape, learner, p0, lr, spike, vanilla, null", SPIKES)
def test_two_phases_without_the_null_step_and_none_with_it(shape, learner, p0, lr, spike, vanilla, null):
    L = 100.0
    _, fun, jac = quadratic(np.geomspace(1, L, 20))
    for null_step, count in ((False, vanilla), (True, null)):
        method = HDM.replace(shape=shape, learner=learner, p0=p0 / L, lr=lr / L, null_step=null_step,
                             p_bounds=(-math.inf, math.inf))
        f = np.array([s.f for s in states(method, fun, jac, np.ones(20), count + 40)])
        assert f.max() / f[0] == pytest.approx(1.0 if null_step else spike, rel=0.3)
        assert abs(np.argmax(f <= 1e-8 * f[0]) - count) <= max(3, 0.05 * count)


def test_spike_near_the_largest_stable_rate():
    """At 1.9/L its height depends on the last digits (1.2 at 1.8/L, 1e10 at 1.95/L); the counts do not."""
    _, fun, jac = quadratic(np.geomspace(1, 100, 20))
    for null_step, count in ((False, 324), (True, 340)):
        method = HDM.replace(shape="scalar", learner="ogd", lr=1.9 / 100, null_step=null_step, p_bounds=(-math.inf, math.inf))
        f = np.array([s.f for s in states(method, fun, jac, np.ones(20), 420)])
        assert f.max() == f[0] if null_step else 5 < f.max() / f[0] < 1e4
        assert abs(np.argmax(f <= 1e-8 * f[0]) - count) <= 0.1 * count


@pytest.mark.parametrize("learner, p0, lr, overflow", (("adagrad", 100.0, 1.0, 79), ("ogd", 0.0, 10.0, 19)))
def test_what_no_null_step_saves(learner, p0, lr, overflow):
    """A first P of 100/L that AdaGrad cannot take back, and a rate of OGD beyond 2/L: overflow, or null steps for ever."""
    L = 100.0
    _, fun, jac = quadratic(np.geomspace(1, L, 20))
    method = HDM.replace(shape="scalar", learner=learner, p0=p0 / L, lr=lr / L, p_bounds=(-math.inf, math.inf))
    with np.errstate(all="ignore"):
        free = [s.f for s in states(method.replace(null_step=False), fun, jac, np.ones(20), overflow + 20)]
        kept = list(states(method, fun, jac, np.ones(20), 300))
    assert not max(free) < 1e200 and kept[-1].f > 0.1 * kept[0].f and kept[-1].nulls > 200
    # The rescue of `patience`, which is ours, gets on.
    assert next(reversed(list(states(curvopt.HDM.replace(shape="scalar", learner=learner, lr=lr / L, p0=p0 / L), fun, jac,
                                     np.ones(20), 300)))).f < 1e-2 * kept[0].f


def test_unnormalized_rule_depends_on_its_rate():
    """The additive rule on the same quadratic: 1e-6 converges, 1e-5 blows up within a few steps."""
    _, fun, jac = quadratic(np.geomspace(1, 100, 20))
    for rate, good in ((1e-6, True), (1e-5, False)):
        method = curvopt.baselines.Baydin.replace(lr=1e-2, hyper_lr=rate)
        f = [s.f for s in states(method, fun, jac, np.ones(20), 2000 if good else 8)]
        assert f[-1] < 1e-20 if good else max(f) > 10 * f[0]


# ---- momentum --------------------------------------------------------------------------------------------------------------


def test_heavy_ball_learner_follows_both_derivatives():
    f, x, x_old = LOGISTIC, rng.standard_normal(8), rng.standard_normal(8)
    g, d, p, beta = f.jac(x), x - x_old, 0.1 / f.L * (1 + rng.random(8)), 0.4
    curvature = 1.7

    def h(p, beta):
        return (f.fun(x - p * g + beta * d) - f.fun(x)) / (g @ g + 0.25 * curvature ** 2 * d @ d)

    trial = np.empty(8)
    heavy_ball(x, x_old, g, p, beta, trial)
    assert trial == pytest.approx(x - p * g + beta * d, rel=1e-15)
    moved, acc = p.copy(), np.zeros(8)
    beta_new, acc_beta, finite = learn_heavy_ball(moved, acc, beta, 0.0, x, x_old, g, f.jac(trial), curvature, 0.0, 1e-4, 1e-3,
                                                  0.0)
    eps = 1e-6
    u = np.array([(h(p + eps * e, beta) - h(p - eps * e, beta)) / (2 * eps) for e in np.eye(8)])
    v = (h(p, beta + eps) - h(p, beta - eps)) / (2 * eps)
    assert finite and acc == pytest.approx(u * u, rel=1e-5, abs=1e-12) and acc_beta == pytest.approx(v * v, rel=1e-5)
    assert moved == pytest.approx(np.maximum(p - 1e-4 * np.sign(u), 0)) and beta_new == pytest.approx(beta - 1e-3 * np.sign(v))


def test_heavy_ball_lyapunov_inequality():
    """With omega = 3 L, tau = 16 L^2, P = I/(4 L), beta = 1/2 the potential falls from every pair of points."""
    f, omega = LOGISTIC, 3 * LOGISTIC.L
    worst = -math.inf
    for _ in range(300):
        x = rng.standard_normal(8) * 10 ** rng.uniform(-2, 1)
        d = rng.standard_normal(8) * 10 ** rng.uniform(-3, 1)
        g = f.jac(x)
        s = -g / (4 * f.L) + 0.5 * d
        h = (f.fun(x + s) + omega / 2 * s @ s - f.fun(x) - omega / 2 * d @ d) / (g @ g + 8 * f.L ** 2 * d @ d)
        worst = max(worst, 8 * f.L * h)
    assert worst <= -1.0


def test_heavy_ball_feedback_is_jointly_convex():
    f, omega, tau = LOGISTIC, 3 * LOGISTIC.L, 16 * LOGISTIC.L ** 2
    for _ in range(100):
        x, d = rng.standard_normal(8), rng.standard_normal(8)
        g = f.jac(x)

        def h(z, x=x, d=d, g=g):
            s = -z[:8] * g + z[8] * d
            return (f.fun(x + s) + omega / 2 * s @ s - f.fun(x) - omega / 2 * d @ d) / (g @ g + tau / 2 * d @ d)

        a, b, t = rng.standard_normal(9), rng.standard_normal(9), rng.random()
        assert h(t * a + (1 - t) * b) <= t * h(a) + (1 - t) * h(b) + 1e-12


@pytest.mark.parametrize("variant", ("robust", "icml2025"))
def test_null_step_never_raises_the_potential_and_drops_the_momentum(variant):
    """omega = 0: the potential is f, and the pair (x, x) follows a refused trial."""
    p = curvopt.problems.rosenbrock(4)
    xs = list(states(curvopt.HDMBest.replace(variant=variant, lr=1e-3), p.fun, p.jac, p.x0, 300))
    refused = 0
    for a, b in pairwise(xs):
        assert b.f <= a.f
        if np.array_equal(a.x, b.x):
            refused += 1
            assert np.array_equal(b.x_old, b.x)
    assert 10 < refused < 290


@pytest.mark.parametrize("lr", (None, 100.0))
def test_accelerated_bound_holds_whatever_p_is(lr):
    f = LOGISTIC
    x_star = next(reversed(list(states(curvopt.HDMBest, f.fun, f.jac, f.x0, 400)))).x
    for x0 in (f.x0, 3 * rng.standard_normal(8)):
        distance = np.sum((x0 - x_star) ** 2)
        fixed = curvopt.HDMNesterov.replace(L=f.L, restart=False, lr=lr)
        for K, s in enumerate(states(fixed, f.fun, f.jac, x0, 150)):
            assert K == 0 or s.f - f.fun(x_star) <= 2 * f.L * distance / K ** 2 + 1e-13
        for s in states(curvopt.HDMNesterov.replace(restart=False, lr=lr), f.fun, f.jac, x0, 150):
            assert s.A == 0 or s.f - f.fun(x_star) <= distance / (2 * s.A) + 1e-13


# ---- preconditioners -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c, kappa, count", ((0.0, 100.0, 439), (0.5, 134.0, 578), (0.9, 535.0, 2180)))
def test_ratio_feedback_finds_the_best_diagonal_condition_number(c, kappa, count):
    """And needs the iterations to 1e-10 that the research code did."""
    scale = np.diag([1.0, 10.0, 1.0, 10.0])
    A = scale @ np.kron(np.eye(2), [[1, c], [c, 1]]) @ scale
    eigenvalues = np.linalg.eigvalsh(A)
    L, best = eigenvalues[-1], (1 + c) / (1 - c)    # kappa*, from Diag(d) <= A^-1 <= kappa* Diag(d)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(kappa, rel=0.01)
    d = np.diag(scale) ** -2.0 / (1 + c)
    assert np.linalg.eigvalsh(np.linalg.inv(A) - np.diag(d))[0] > -1e-12
    assert np.linalg.eigvalsh(best * np.diag(d) - np.linalg.inv(A))[0] > -1e-12
    method = curvopt.HDMRatio.replace(learner="ogd", lr=1 / (2 * L * L), lookahead=1 / L, null_step=False, f_star=0.0,
                                      p_bounds=(-math.inf, math.inf), patience=0, p0=0.0)
    K = count + 200
    gaps = np.array([s.f for s in states(method, lambda x: 0.5 * x @ A @ x, lambda x: A @ x, np.ones(4), K)])
    k = np.arange(1, K + 1)
    bound = 1 - 1 / best + L * L * np.sum(d * d) / k
    assert np.all(log(gaps[1:] / gaps[0]) <= k * np.log(bound) + 1e-9)
    assert abs(np.argmax(gaps <= 1e-10 * gaps[0]) - count) <= 0.1 * count


@pytest.mark.parametrize("c", (-0.9, -0.3, 0.0, 0.6))
def test_best_diagonal_of_a_two_by_two_matrix(c):
    """kappa* = (1 + |c|) / (1 - |c|), c the correlation: no diagonal scaling of many does better, and one attains it."""
    S = np.diag([0.2, 30.0])
    A = S @ np.array([[1, c], [c, 1]]) @ S

    def condition(t):
        D = np.diag([1.0, t])
        e = np.linalg.eigvalsh(D @ A @ D)
        return e[1] / e[0]

    best = (1 + abs(c)) / (1 - abs(c))
    scan = [condition(t) for t in np.geomspace(1e-5, 1e3, 2001)]
    assert min(scan) >= best - 1e-9 and condition(0.2 / 30.0) == pytest.approx(best, rel=1e-9)
    assert best <= condition(1.0) + 1e-9 and (c != 0.0 or best == 1.0)


# ---- invariance ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [HDM, curvopt.HDM, curvopt.HDM.replace(shape="full"), curvopt.HDM.replace(learner="ogd"),
                                    curvopt.HDM.replace(learner="mirror"), curvopt.HDMRatio, curvopt.HDMBest,
                                    curvopt.HDMNesterov, curvopt.HDMSecant], ids=repr)
def test_multiplying_f_by_a_power_of_two_changes_no_bit(method):
    p = curvopt.problems.rosenbrock(4)
    runs = []
    for e in (0, -40, 37):
        c = 2.0 ** e
        runs.append([s.x for s in states(method, lambda x, c=c: c * p.fun(x), lambda x, c=c: c * p.jac(x), p.x0, 60)])
    for other in runs[1:]:
        assert np.array_equal(other, runs[0])


def test_learners_of_one_entry_are_the_textbook_ones():
    p, acc = np.array([0.5]), np.array([0.0])
    for u in (-2.0, 1.0, 0.5):
        before, seen = p.copy(), acc[0] + u * u
        learn(ADAGRAD, DIAGONAL, p, acc, np.array([1.0]), np.array([-u]), 1.0, 0.1, 0.0, 0.0, 10.0)
        assert acc[0] == seen and p[0] == before[0] - 0.1 * (u / math.sqrt(seen))
