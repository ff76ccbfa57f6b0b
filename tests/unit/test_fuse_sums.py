"""FUSE-PV on sums over rows: Adam on batches, the switch, every second phase, the guard, counts, two executions."""
import math
import pickle

import numpy as np
import pytest

import curvopt
from curvopt import Status, problems
from curvopt._jit import ENABLED
from curvopt.methods import fuse_auto, fuse_criteria, fuse_room, fuse_sums

RNG = np.random.default_rng(11)
N, B = 80, 16
A = RNG.standard_normal((N, 4)) * np.array([1.0, 2.0, 0.5, 1.0])
Y = A @ np.array([1.0, -1.0, 2.0, 0.0]) + 0.5 * RNG.standard_normal(N)
X0 = np.full(4, 2.0)
KINDS = ("full", "same-batch", "multi-batch", "svrg")
FUSE = curvopt.FUSEPV.replace(batch_size=B, lr=0.05)


def fun(x, idx):
    r = A[idx] @ x - Y[idx]
    return float(np.mean(np.sqrt(1.0 + r * r)))


def jac(x, idx):
    r = A[idx] @ x - Y[idx]
    return A[idx].T @ (r / np.sqrt(1.0 + r * r)) / len(idx)


def run(method=FUSE, total=None, **options):
    total = curvopt.FiniteSum(fun, jac, N) if total is None else total
    return curvopt.minimize(total, X0, method=method,
                            options={"compiled": False, "history": True, "maxiter": 400, "gtol": 1e-9, "rng": 3, **options})


LEAST = run(curvopt.LBFGS, rng=None).fun


# ---- the phases --------------------------------------------------------------------------------------------------------

def test_adam_on_batches_then_all_rows():
    res = run()
    assert res.success and res.fun <= LEAST * (1 + 1e-14)
    epochs, rest = divmod(res.switch_nit, N // B)
    assert rest == 0 and 1 < epochs <= fuse_criteria.MOST_EPOCHS and res.adam_steps == res.switch_nit
    assert "decrease so far" in res.switch_reason
    phases = np.where(np.arange(res.nit) < res.switch_nit, fuse_auto.ADAM, fuse_auto.NEWTON)
    assert np.array_equal(res.history.phase[1:], phases)
    f = res.history.fun[res.switch_nit + 1:]
    assert np.all(np.diff(f) <= 1e-14 * f[0]) and np.all(np.isfinite(res.history.grad_norm[res.switch_nit + 1:]))


def test_a_switch_at_once_is_lbfgs():
    a, b = run(FUSE.replace(switch=0)), run(curvopt.LBFGS)
    assert np.array_equal(a.x, b.x) and a.nit == b.nit and a.nfev == b.nfev and a.switch_nit == 0


def test_a_switch_that_never_comes_is_adam():
    a = run(FUSE.replace(switch=math.inf), maxiter=23)
    b = run(curvopt.Adam.replace(lr=0.05, batch_size=B), maxiter=23)
    assert np.array_equal(a.state.state.x, b.state.state.x) and a.switch_nit is None and a.adam_steps == 23


@pytest.mark.parametrize("switch, nit", [("epoch", 5 * (N // B)), (("epoch", 2), 2 * (N // B)), (7, 7)])
def test_fixed_switches(switch, nit):
    assert run(FUSE.replace(switch=switch), maxiter=60).switch_nit == nit


def test_criteria_see_the_means_of_an_epoch():
    """Values and gradients of the batches, spied on: an epoch is five of them."""
    asked, gradients = [], []

    def spy(x, idx):
        g = jac(x, idx)
        if len(idx) == B:
            gradients.append((fun(x, idx), g))
        return g

    def criterion(k, x, f, g):
        asked.append((k, f, g))
        return k >= 20

    res = run(FUSE.replace(switch=criterion), curvopt.FiniteSum(fun, spy, N), maxiter=30)
    assert [k for k, _, _ in asked] == [0, 5, 10, 15, 20] and res.switch_nit == 20 and "criterion" in res.switch_reason
    for k, f, g in asked[1:]:
        values, batch = zip(*gradients[k - 5:k])
        assert f == pytest.approx(np.mean(values), rel=1e-13) and np.allclose(g, np.mean(batch, axis=0), rtol=1e-12)
    means = [np.mean([f for f, _ in gradients[k:k + 5]]) for k in range(0, 20, 5)]
    norms = [np.linalg.norm(np.mean([g for _, g in gradients[k:k + 5]], axis=0)) for k in range(0, 20, 5)]
    level = sorted(norms)[1] * 1.0000001
    first = next(k for k in range(4) if norms[k] <= level)
    assert run(FUSE.replace(switch=("grad", level)), maxiter=30).switch_nit == 5 * (first + 1)
    changes = [abs(means[k] - means[k - 1]) / max(1.0, means[k]) for k in range(1, 4)]
    level = sorted(changes)[1] * 1.0000001
    first = next(k for k in range(3) if changes[k] <= level)
    assert run(FUSE.replace(switch=("loss", level, 1)), maxiter=30).switch_nit == 5 * (first + 2)


@pytest.mark.parametrize("c", [2.0 ** -20, 2.0 ** 13])
def test_the_automatic_switch_does_not_see_the_unit_of_fun(c):
    scaled = curvopt.FiniteSum(lambda x, i: c * fun(x, i), lambda x, i: c * jac(x, i), N)
    a, b = run(maxiter=60, gtol=0.0), run(FUSE, scaled, maxiter=60, gtol=0.0)
    assert a.switch_nit == b.switch_nit and np.array_equal(a.x, b.x)


def test_a_bad_adam_phase_is_forgotten():
    """A learning rate that throws x away: quasi-Newton starts from the start."""
    res = run(FUSE.replace(lr=1e4, switch=5))
    assert res.success and res.fun <= LEAST * (1 + 1e-14)
    assert np.array_equal(res.x, run(FUSE.replace(switch=0)).x)


# ---- second phases on batches --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("second", KINDS)
def test_every_second_phase_comes_near_the_minimizer(second):
    res = run(FUSE.replace(second=second, switch=("epoch", 5)), maxiter=400)
    assert res.fun - LEAST < {"full": 1e-14, "svrg": 1e-10}.get(second, 2e-2)
    assert res.fun == pytest.approx(fun(res.x, np.arange(N)), rel=1e-14)
    assert run(FUSE.replace(second=second, switch=0), maxiter=400).fun - LEAST < {"full": 1e-14, "svrg": 1e-8}.get(second, 2e-2)


@pytest.mark.parametrize("second", ["same-batch", "multi-batch", "svrg"])
def test_pairs_are_of_one_batch_and_curve_upward(second):
    """The function is convex, so each difference over the same rows curves upward, and none is refused."""
    res = run(FUSE.replace(second=second, switch=0, m=60), maxiter=40)
    inverse = res.state.state.room.inverse
    held = inverse.info[0]
    sy = np.einsum("ij,ij->i", inverse.S[:held], inverse.Y[:held])
    assert held >= (6 if second == "svrg" else 38) and np.all(sy > 0.0)


def test_multi_batch_pairs_are_over_the_shared_rows():
    calls = []

    def spy(x, idx):
        calls.append((x.copy(), idx.copy()))
        return jac(x, idx)

    res = run(FUSE.replace(second="multi-batch", switch=0, check_every=10 ** 6), curvopt.FiniteSum(fun, spy, N), maxiter=6)
    parts = [calls[1 + 3 * k:4 + 3 * k] for k in range(6)]
    inverse = res.state.state.room.inverse
    for k in range(5):
        (x, last), (x_new, first) = parts[k][2], parts[k + 1][0]
        assert np.array_equal(last, first) and len(first) == B // 4
        assert np.allclose(inverse.S[k], x_new - x, atol=1e-15) and np.allclose(inverse.Y[k], jac(x_new, first) - jac(x, last))
    assert all(sum(len(rows) for _, rows in part) == B for part in parts)


def test_the_guard_of_svrg():
    """A step far too long: cycles are taken back and eta halved; f at the snapshots never rises, and the run converges."""
    res = run(FUSE.replace(second="svrg", switch=0, eta=8.0), maxiter=1500)
    measured = np.isfinite(res.history.grad_norm)
    f = res.history.fun[measured]
    assert res.cycles_taken_back > 2 and np.all(np.diff(f) <= 1e-14 * f[0])
    assert res.fun - LEAST < 1e-9 and np.all(np.isfinite(res.x))
    assert np.array_equal(np.flatnonzero(measured) % (N // B), np.zeros(measured.sum()))


def test_svrg_where_nothing_helps():
    """The gradient has the wrong sign on batches: every cycle is taken back, and the run ends at its start."""
    total = curvopt.FiniteSum(fun, lambda x, i: jac(x, i) if len(i) == N else -5.0 * jac(x, i) - 1.0, N)
    res = run(FUSE.replace(second="svrg", switch=0, eta=1e6), total, maxiter=4000)
    assert res.fun <= fun(X0, np.arange(N)) and np.all(np.isfinite(res.x))


@pytest.mark.parametrize("second", KINDS)
def test_batches_that_are_not_finite(second):
    spoilt = [0]

    def sometimes(x, idx):
        spoilt[0] += len(idx) < N and 0 in idx
        return np.full(4, np.nan) if len(idx) < N and 0 in idx else jac(x, idx)

    total = curvopt.FiniteSum(fun, sometimes, N)
    res = run(FUSE.replace(second=second, switch=("epoch", 3)), total, maxiter=200)
    assert spoilt[0] > 2 and np.all(np.isfinite(res.x)) and res.fun - LEAST < 0.05
    total = curvopt.FiniteSum(fun, lambda x, i: jac(x, i) if len(i) == N else np.full(4, np.nan), N)
    res = run(FUSE.replace(second=second, switch=0), total, maxiter=200)
    assert res.success if second == "full" else res.status == Status.NONFINITE


@pytest.mark.parametrize("second", KINDS)
def test_counts_are_rows(second):
    rows = {"f": 0, "g": 0}

    def spy(name, function):
        def counted(x, idx):
            rows[name] += len(idx)
            return function(x, idx)
        return counted

    res = run(FUSE.replace(second=second, switch=("epoch", 2)), curvopt.FiniteSum(spy("f", fun), spy("g", jac), N), maxiter=50)
    assert (res.nfev * N, res.njev * N, res.nsamples) == (rows["f"], rows["g"], rows["g"])


@pytest.mark.parametrize("second", KINDS)
def test_resumed_runs_are_uninterrupted_ones(second):
    method = FUSE.replace(second=second, switch=12)
    whole = run(method, maxiter=60, gtol=0.0)
    for cut in (5, 31):
        half = run(method, maxiter=cut, gtol=0.0)
        rest = run(method, maxiter=60, gtol=0.0, resume=pickle.loads(pickle.dumps(half.state)), rng=99)
        assert np.array_equal(rest.x, whole.x) and rest.nsamples == whole.nsamples and rest.switch_nit == whole.switch_nit


@pytest.mark.skipif(not ENABLED, reason="nothing is compiled in this run")
@pytest.mark.xdist_group("compiled-samples")
def test_interpreted_and_compiled_runs_have_the_same_bits():
    p = problems.logistic(A, Y > 0, lam=0.01)
    total = problems.finite_sum(p)
    method = FUSE.replace(second="svrg", batch_size=8, switch=("epoch", 2))     # the one loop that is quick to compile
    runs = [curvopt.minimize(total, p.x0, args=p.args, method=method, options={"rng": 7, "maxiter": 60, "history": True, **kw})
            for kw in ({}, {"compiled": True, "chunk": 7}, {"compiled": True, "chunk": 64})]
    assert not runs[0].compiled     # though it could be: compiling takes long
    for res in runs[1:]:
        assert res.compiled and res.switch_nit == runs[0].switch_nit
        assert np.array_equal(res.x, runs[0].x) and res.nsamples == runs[0].nsamples and res.message == runs[0].message
        for name in res.history.columns:
            if name != "time":
                np.testing.assert_array_equal(res.history[name], runs[0].history[name], err_msg=name)


# ---- arguments -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("bad, error, words", [
    ({"second": "svgr"}, ValueError, "did you mean 'svrg'"),
    ({"second": "svrg", "batch_size": None}, ValueError, "give batch_size"),
    ({"second": "multi-batch", "batch_size": 2}, ValueError, "at least 3"),
    ({"eta": 0.0}, ValueError, "eta must be positive"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    ({"m": 0}, ValueError, "m must be at least 1"),
    ({"first": "adam"}, ValueError, "first belongs to switch='auto' without batches"),
    ({"switch": ("epoch", -1)}, ValueError, "k in switch must be at least 0"),
    ({"switch": ("epoch", 1, 2)}, ValueError, "switch must be"),
    ({"switch": ("auto", 3)}, ValueError, "switch must be"),
    ({"switch": "epcoh"}, ValueError, "did you mean 'epoch'"),
    ({"sampling": "epohc"}, ValueError, "did you mean 'epoch'"),
    ({"check_every": -1}, ValueError, "check_every"),
])
def test_bad_parameters(bad, error, words):
    with pytest.raises(error, match=words):
        FUSE.replace(**bad)


def test_sums_only():
    with pytest.raises(TypeError, match="FiniteSum"):
        curvopt.minimize(lambda x: float(x @ x), X0, jac=lambda x: 2 * x, method=FUSE)
    stream = curvopt.Expectation(lambda x, z: 0.0, lambda x, z: x, lambda rng, size: rng.normal(size=size))
    with pytest.raises(TypeError, match="passes over all rows"):
        curvopt.minimize(stream, X0, method=FUSE)
    with pytest.raises(ValueError, match="batch_size is 81"):
        run(FUSE.replace(batch_size=81))
    with pytest.raises(TypeError, match="must return True or False"):
        run(FUSE.replace(switch=lambda k, x, f, g: None))


def test_phases_have_one_numbering():
    assert (fuse_sums.ADAM, fuse_sums.NEWTON) == (fuse_auto.ADAM, fuse_auto.NEWTON)
    assert fuse_room.SECOND == dict(zip(KINDS, range(4)))
