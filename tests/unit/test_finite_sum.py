"""Sums over samples: full means in blocks, batches drawn and counted, the same bits however the loop is run."""
import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.optimize

import curvopt
from curvopt import FiniteSum, Status, problems
from curvopt._jit import ENABLED
from curvopt._sampling import BATCH, EPOCH, REPLACEMENT, draw_rows

RNG = np.random.default_rng(4)
A = RNG.standard_normal((103, 3))
B = A @ np.array([1.0, -2.0, 0.5]) + 0.3 * RNG.standard_normal(103)
SGD = curvopt.baselines.SGD.replace(batch_size=10, gamma=0.1)


def fun(x, idx):
    return 0.5 * float(np.mean((A[idx] @ x - B[idx]) ** 2))


def jac(x, idx):
    return A[idx].T @ (A[idx] @ x - B[idx]) / len(idx)


def hessp(x, p, idx):
    return A[idx].T @ (A[idx] @ p) / len(idx)


def least_squares(**kw):
    return FiniteSum(fun, jac, len(A), hessp, **kw)


def solve(total, method=SGD, x0=(0.0, 0.0, 0.0), **options):
    return curvopt.minimize(total, x0, method=method, options={"rng": 7, "maxiter": 60, **options})


# ---- full means ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("block", [1, 10, 103, 4096])
def test_full_means_do_not_depend_on_the_blocks(block):
    total, x, p = least_squares(block=block), np.array([0.3, 0.1, -2.0]), np.array([1.0, 2.0, 3.0])
    every = np.arange(103)
    assert np.isclose(total(x), fun(x, every), rtol=1e-13) and total(x) == total.fun(x)
    np.testing.assert_allclose(total.jac(x), jac(x, every), rtol=1e-12)
    np.testing.assert_allclose(total.hessp(x, p), hessp(x, p, every), rtol=1e-12)


@pytest.mark.thread_unsafe(reason="measures the memory of the whole process")
def test_no_more_than_a_block_of_rows_is_handed_over():
    seen = []
    total = FiniteSum(lambda x, idx: float(seen.append(len(idx)) or 0.0), lambda x, idx: np.zeros(1), 1_000_003, block=5000)
    tracemalloc.start()
    total(np.zeros(1))
    total.jac(np.zeros(1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(seen) == 5000 and sum(seen) == 1_000_003
    assert peak < 1e6, "an array over all rows would take 8 MB"


def test_a_sum_is_an_objective_for_everyone():
    x = np.linalg.lstsq(A, B, rcond=None)[0]
    total = least_squares()
    for method in ("lbfgs", "sgm", "angd"):
        res = curvopt.minimize(total, np.zeros(3), method=method, tol=1e-8)
        assert res.success and np.allclose(res.x, x, atol=1e-7)
    assert res.nfev == int(res.nfev), "whole calls for a method that draws nothing"
    res = scipy.optimize.minimize(total, np.zeros(3), jac=total.jac, method="BFGS")
    assert np.allclose(res.x, x, atol=1e-4)


def test_a_shape_of_x0_reaches_the_functions():
    def fun2(x, idx):
        assert x.shape == (3, 1)
        return fun(x.ravel(), idx)

    total = FiniteSum(fun2, lambda x, idx: jac(x.ravel(), idx).reshape(3, 1), 103)
    res = solve(total, x0=np.zeros((3, 1)))
    assert res.x.shape == (3, 1)
    np.testing.assert_array_equal(res.x.ravel(), solve(least_squares()).x)


# ---- drawing ------------------------------------------------------------------------------------------------------------

def test_batches_without_replacement(rng):
    order, out = np.arange(12), np.empty(4, np.int64)     # 11 rows
    seen = np.zeros(11)
    for _ in range(4000):
        draw_rows(rng, order, BATCH, out)
        assert len(set(out.tolist())) == 4
        seen[out] += 1
    assert sorted(order[:11].tolist()) == list(range(11))
    assert np.all(np.abs(seen - 4000 * 4 / 11) < 5 * np.sqrt(4000 * 4 / 11)), "every row equally often"


def test_batches_with_replacement(rng):
    order, out = np.arange(6), np.empty(50, np.int64)
    seen = np.bincount(draw_rows(rng, order, REPLACEMENT, out), minlength=5)
    for _ in range(400):
        seen += np.bincount(draw_rows(rng, order, REPLACEMENT, out), minlength=5)
    assert len(seen) == 5 and np.all(np.abs(seen - 401 * 10) < 5 * np.sqrt(4010))


def test_epochs_see_every_row_once(rng):
    order, out = np.arange(13), np.empty(4, np.int64)     # 12 rows, 3 batches
    epochs = [np.concatenate([draw_rows(rng, order, EPOCH, out).copy() for _ in range(3)]) for _ in range(3)]
    assert all(sorted(e.tolist()) == list(range(12)) for e in epochs)
    assert not np.array_equal(epochs[0], epochs[1])
    order, seen = np.arange(12), []                       # 11 rows: 2 batches, 3 rows left out, never one twice
    for _ in range(2):
        seen += draw_rows(rng, order, EPOCH, out).tolist()
    assert len(set(seen)) == 8


def test_batches_are_copies(rng):
    def spoil(x, idx):
        g = jac(x, idx)
        idx[:] = 0
        x[:] = np.nan
        return g

    np.testing.assert_array_equal(solve(FiniteSum(fun, spoil, 103)).x, solve(least_squares()).x)


# ---- runs ---------------------------------------------------------------------------------------------------------------

def test_rng_as_in_spec_7():
    a, b = solve(least_squares()), solve(least_squares(), rng=np.random.default_rng(7))
    np.testing.assert_array_equal(a.x, b.x)
    other, fresh = solve(least_squares(), rng=8), [solve(least_squares(), rng=None).x for _ in range(2)]
    assert not np.array_equal(a.x, other.x) and not np.array_equal(*fresh)
    with pytest.raises((TypeError, ValueError)):
        solve(least_squares(), rng="seven")


def test_counts_are_rows():
    seen = {"f": 0, "g": 0}

    def spy(name, function):
        def counted(x, idx):
            seen[name] += len(idx)
            return function(x, idx)
        return counted

    res = solve(FiniteSum(spy("f", fun), spy("g", jac), 103), history=True, check_every=20)
    assert (res.nfev, res.njev, res.nhev) == (seen["f"] / 103, seen["g"] / 103, 0.0)
    assert res.nsamples == seen["g"] == 60 * 10 + 4 * 103
    assert res.history.njev[-1] == res.njev and res.history.njev[1] == (103 + 10) / 103
    measured = np.isfinite(res.history.grad_norm)
    assert np.flatnonzero(measured).tolist() == [0, 20, 40, 60]
    assert res.fun == res.history.fun[measured].min() and np.isclose(res.fun, fun(res.x, np.arange(103)))
    np.testing.assert_allclose(res.jac, jac(res.x, np.arange(103)), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("method", ["SGM", "QuasiNewton"])
def test_methods_that_draw_no_samples_count_the_rows_of_whole_passes(method):
    res = solve(least_squares(), method=method, rng=None)
    assert res.nsamples == 103 * (res.njev + 2 * res.nhev) and res.njev > 1 and isinstance(res.nfev, int)
    assert "passes over the data" in res.explain()
    assert "nsamples" not in curvopt.minimize(least_squares().fun, np.zeros(3), jac=least_squares().jac, method="QuasiNewton")


def test_convergence_is_of_the_full_gradient():
    res = solve(least_squares(), method=SGD.replace(batch_size=103, gamma=0.5), maxiter=1000, gtol=1e-6)
    assert res.status == Status.CONVERGED and np.abs(jac(res.x, np.arange(103))).max() <= 1e-6
    assert solve(least_squares(), maxiter=300, gtol=1e-6).status == Status.MAXITER, "a small batch gradient is no proof"


def test_budget_in_passes_and_target():
    res = solve(least_squares(), maxiter=10_000, maxjev=20)
    assert res.status == Status.BUDGET and 20 <= res.njev < 21.2
    assert solve(least_squares(), maxiter=10_000, ftarget=0.1).status == Status.TARGET


@pytest.mark.parametrize("sampling", ["batch", "replacement", "epoch"])
def test_resumed_runs_are_uninterrupted_ones(sampling):
    method = SGD.replace(sampling=sampling, momentum=0.5)
    whole = solve(least_squares(), method, history=True)
    half = solve(least_squares(), method, maxiter=31, history=True)
    for state in (half.state, pickle.loads(pickle.dumps(half.state))):
        rest = solve(least_squares(), method, resume=state, rng=99, history=True)
        np.testing.assert_array_equal(rest.x, whole.x)
        assert (rest.nsamples, rest.nit) == (whole.nsamples, whole.nit)
    np.testing.assert_array_equal(np.concatenate([half.history.fun, rest.history.fun[1:]]), whole.history.fun)


def logistic():
    p = problems.logistic(A, B > 0, lam=0.01)
    return problems.finite_sum(p), p.x0, p.args


def same_run_compiled(method, **options):
    """Assert that compiled and interpreted runs have the same bits, in chunks of any size; return the result."""
    total, x0, args = logistic()
    runs = [curvopt.minimize(total, x0, args=args, method=method,
                             options={"rng": 7, "maxiter": 40, "history": True, **options, **kw})
            for kw in ({"compiled": True, "chunk": 7}, {"compiled": True, "chunk": 64}, {"compiled": False})]
    for res in runs[:-1]:
        assert res.compiled
        np.testing.assert_array_equal(res.x, runs[-1].x)
        assert res.nsamples == runs[-1].nsamples and res.message == runs[-1].message
        for name in res.history.columns:
            if name != "time":
                np.testing.assert_array_equal(res.history[name], runs[-1].history[name], err_msg=name)
    half = curvopt.minimize(total, x0, args=args, method=method, options={"rng": 7, "maxiter": 20, **options, "compiled": True})
    rest = curvopt.minimize(total, x0, args=args, method=method,
                            options={"maxiter": 40, **options, "resume": half.state, "compiled": True})
    np.testing.assert_array_equal(rest.x, runs[-1].x)
    return runs[0]


@pytest.mark.skipif(not ENABLED, reason="nothing is compiled in this run")
@pytest.mark.xdist_group("compiled-samples")
@pytest.mark.parametrize("method", [SGD, SGD.replace(sampling="epoch", momentum=0.5),
                                    SGD.replace(sampling="replacement", beta=1.0),
                                    curvopt.baselines.SPIDER.replace(batch_size=10, period=9),
                                    curvopt.IANSGD.replace(batch_size=8, gamma=0.5), curvopt.IANSGD.replace(batch_size=8),
                                    curvopt.SGMStochastic.replace(batch_size=8)], ids=repr)
def test_interpreted_and_compiled_runs_have_the_same_bits(method):
    assert same_run_compiled(method).fun < 0.69


# ---- streams ------------------------------------------------------------------------------------------------------------

def stream(sample, **kw):
    return curvopt.Expectation(lambda x, z: 0.5 * float(np.mean((x[0] - z) ** 2)), lambda x, z: np.array([np.mean(x[0] - z)]),
                               sample, **kw)


def test_a_stream_finds_its_mean():
    res = curvopt.minimize(stream(lambda rng, size: rng.normal(3.0, 1.0, size)), [0.0], method=SGD.replace(gamma=0.02),
                           options={"rng": 1, "maxiter": 2000})
    assert abs(res.x[0] - 3.0) < 0.1 and not res.compiled


def test_streams_that_return_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="returned 9 samples"):
        solve(stream(lambda rng, size: rng.normal(size=size if size > 100 else size - 1)), x0=[0.0])
    with pytest.raises(TypeError, match="full values"):
        curvopt.minimize(stream(lambda rng, size: rng.normal(size=size)), [0.0], method="lbfgs")


# ---- bad input -----------------------------------------------------------------------------------------------------------

def test_bad_sums_are_refused():
    with pytest.raises(ValueError, match="empty"):
        FiniteSum(fun, jac, 0)
    with pytest.raises(TypeError, match="jac must be callable"):
        FiniteSum(fun, None, 10)
    with pytest.raises(TypeError, match="n_samples"):
        FiniteSum(fun, jac, 10.5)
    with pytest.raises(ValueError, match=r"batch_size is 104.*103 rows"):
        solve(least_squares(), SGD.replace(batch_size=104))
    with pytest.raises(ValueError, match="batch_size"):
        SGD.replace(batch_size=0)
    with pytest.raises(ValueError, match="sampling"):
        SGD.replace(sampling="epochs")
    with pytest.raises(TypeError, match="draws samples"):
        curvopt.minimize(lambda x: float(x @ x), [1.0], jac=lambda x: 2 * x, method=SGD)


def test_gradients_of_the_wrong_shape_are_refused():
    """Of rows that were lost, the shape is what can be seen: one gradient a row instead of their mean."""
    each = FiniteSum(fun, lambda x, idx: A[idx] * (A[idx] @ x - B[idx])[:, None], 103)
    with pytest.raises(ValueError, match=r"shape|operands|size"):
        solve(each)


@pytest.mark.parametrize("name, wrong", [
    ("fun", lambda x, idx: fun(x, idx) * len(idx)), ("fun", lambda x, idx: fun(x, np.unique(idx))),
    ("jac", lambda x, idx: A[idx[:-1]].T @ (A[idx[:-1]] @ x - B[idx[:-1]]) / len(idx)),
    ("hessp", lambda x, p, idx: hessp(x, p, idx[:3])),
], ids=["a sum", "a row twice", "a row lost", "half of them"])
def test_rows_that_are_lost_are_found(name, wrong):
    given = {"fun": fun, "jac": jac, "hessp": hessp}
    FiniteSum(**given, n_samples=103).check([0.3, 0.1, -2.0], rng=0)
    with pytest.raises(ValueError, match=rf"{name}\(x, idx\) over the rows"):
        FiniteSum(**{**given, name: wrong}, n_samples=103).check([0.3, 0.1, -2.0], rng=0)


@pytest.mark.parametrize("method", [curvopt.IANSGD.replace(batch_size=8, normalizer_batch_size=104),
                                    curvopt.IANSGD.replace(batch_size=8, normalizer_batch_size=104, gamma=0.1),
                                    curvopt.SGMStochastic.replace(batch_size=104),
                                    curvopt.baselines.SPIDER.replace(batch_size=104)], ids=repr)
def test_batches_larger_than_the_data_are_refused(method):
    with pytest.raises(ValueError, match=r"batch_size is 104.*103 rows"):
        solve(least_squares(), method)


class Spoilt:
    """The gradient is NaN on every batch that has row 0 in it, from call `after` on, full passes excepted."""

    def __init__(self, every=False):
        self.every, self.calls = every, 0

    def __call__(self, x, idx):
        if len(idx) < 103 and (self.every or 0 in idx):
            self.calls += 1
            return np.full(3, np.nan)
        return jac(x, idx)


def test_batches_with_nan_are_skipped_counted_or_raised():
    spoilt = Spoilt()
    res = solve(FiniteSum(fun, spoilt, 103), maxiter=200)
    assert spoilt.calls > 3 and res.status == Status.MAXITER and res.fun < 0.06
    res = solve(FiniteSum(fun, Spoilt(), 103), maxiter=200, nonfinite="stop")
    assert res.status == Status.NONFINITE and "batch" in res.message and np.all(np.isfinite(res.x))
    with pytest.raises(FloatingPointError, match="batch"):
        solve(FiniteSum(fun, Spoilt(), 103), maxiter=200, nonfinite="raise")


def test_a_run_in_which_every_batch_is_nan_ends():
    res = solve(FiniteSum(fun, Spoilt(every=True), 103), maxiter=1000)
    assert (res.status, res.nit) == (Status.NONFINITE, 20)


def test_a_run_that_diverges_returns_its_best_point():
    with np.errstate(all="ignore"):
        res = solve(least_squares(), SGD.replace(gamma=50.0), maxiter=5000)
    assert res.status == Status.NONFINITE and np.isfinite(res.fun) and res.fun <= fun(np.zeros(3), np.arange(103))


# ---- problems --------------------------------------------------------------------------------------------------------------

def plain(function):
    return getattr(function, "py_func", function)


@pytest.mark.parametrize("make", [
    lambda: problems.logistic(A, B > 0, 0.1), lambda: problems.robust(A, B, 0.1),
    lambda: problems.poisson(A, np.round(B ** 2), 0.1),
    lambda: problems.phase_retrieval(A, B ** 2, 0.1), lambda: problems.softmax(A, RNG.integers(0, 3, 103), 0.1),
    lambda: problems.softmax(A, RNG.integers(0, 3, 103), 0.1, fixed_class=True),
], ids=["logistic", "robust", "poisson", "phase", "softmax", "softmax-fixed"])
def test_the_sum_of_a_problem_is_the_problem(make, rng):
    p = make()
    total, x, v, every = problems.finite_sum(p), rng.standard_normal(p.n), rng.standard_normal(p.n), np.arange(103)
    if p.name.startswith("softmax"):    # its text interpreted: five kernels more to compile would test nothing else
        from curvopt.problems import _rows
        fixed = int("fixed" in total.batch_fun.__name__)
        fun, jac, hessp = (lambda *a, f=f: plain(f)(*a, fixed)
                           for f in (_rows.entropy, _rows.entropy_gradient, _rows.entropy_product))
    else:
        fun, jac, hessp = map(plain, (total.batch_fun, total.batch_jac, total.batch_hessp))
    assert np.isclose(fun(x, every, *p.args), p.fun(x, *p.args), rtol=1e-13)
    np.testing.assert_allclose(jac(x, every, *p.args), p.jac(x, *p.args), rtol=1e-12)
    np.testing.assert_allclose(hessp(x, v, every, *p.args), p.hessp(x, v, *p.args), rtol=1e-12)
    some = np.array([5, 5, 100])
    parts = [fun(x, np.array([i]), *p.args) for i in some]
    assert np.isclose(fun(x, some, *p.args), np.mean(parts), rtol=1e-13)


def test_other_problems_are_no_sums():
    with pytest.raises(ValueError, match="no sum"):
        problems.finite_sum(problems.rosenbrock(2))


@pytest.mark.parametrize("make", [lambda: problems.worst_case(A, B, 0.3, x0=[0.5, -0.2, 0.7]),
                                  lambda: problems.perceptron(A, np.arange(103) % 3, hidden=4, lam=0.01)],
                         ids=["worst-case", "perceptron"])
def test_derivatives_of_sums(make, rng):
    p = make()
    functions = [plain(f) for f in (p.fun.batch_fun, p.fun.batch_jac, p.fun.batch_hessp)]
    idx, x, v = np.array([3, 50, 51, 99]), p.x0 + 0.1 * rng.standard_normal(p.n), rng.standard_normal(p.n)
    fun, jac, hessp = functions
    h = 1e-6
    slope = (fun(x + h * v, idx, *p.args) - fun(x - h * v, idx, *p.args)) / (2 * h)
    assert np.isclose(jac(x, idx, *p.args) @ v, slope, rtol=1e-7)
    curve = (jac(x + h * v, idx, *p.args) - jac(x - h * v, idx, *p.args)) / (2 * h)
    np.testing.assert_allclose(hessp(x, v, idx, *p.args), curve, rtol=1e-5, atol=1e-6 * np.abs(curve).max())


def test_the_worst_case_is_exact(rng):
    for lam in (0.01, 0.3, 30.0):       # few rows, some, all of them above the threshold
        p, x = problems.worst_case(A, B, lam), rng.standard_normal(3)
        psi, eta = problems.worst_case_value(x, *p.args)
        values = [p.fun(np.append(x, eta + t), *p.args) for t in np.linspace(-lam, lam, 9)]
        assert np.isclose(psi, values[4]) and min(values) >= psi - 1e-12 * abs(psi)
        assert abs(p.jac(np.append(x, eta), *p.args)[-1]) < 1e-10
