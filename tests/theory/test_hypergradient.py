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
    assert xs[-1].f - f_star <= (xs[0].f - f_star) * (1 - 2 * f.mu * gain / K) ** K + 1e-12


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


@pytest.mark.parametrize("kappa", (4.0, 20.0, 100.0))
def test_full_matrix_on_a_quadratic_is_superlinear(kappa):
    A, fun, jac = quadratic(np.geomspace(1, kappa, 5), rotate=1)
    C = 4 * kappa ** 2 * np.sum(np.linalg.inv(A) ** 2)
    method = HDM.replace(shape="full", learner="ogd", lr=0.5 / kappa, null_step=False)
    gaps = np.array([s.f for s in states(method, fun, jac, np.ones(5), 200)])
    K = np.arange(1, 201)
    assert np.all(log(gaps[1:] / gaps[0]) <= K * np.log(C / K) + 1e-9)
    assert gaps.min() < 1e-12 * gaps[0]


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


@pytest.mark.parametrize("c, kappa", ((0.0, 100.0), (0.5, 134.0), (0.9, 535.0)))
def test_ratio_feedback_finds_the_best_diagonal_condition_number(c, kappa):
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
    K = 400
    gaps = np.array([s.f for s in states(method, lambda x: 0.5 * x @ A @ x, lambda x: A @ x, np.ones(4), K)])
    k = np.arange(1, K + 1)
    bound = 1 - 1 / best + L * L * np.sum(d * d) / k
    assert np.all(log(gaps[1:] / gaps[0]) <= k * np.log(bound) + 1e-9)


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
