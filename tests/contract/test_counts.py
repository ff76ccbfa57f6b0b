"""Clause: nfev, njev and nhev are the numbers of calls that the user's functions saw."""
import numpy as np


def test_counts_are_those_of_a_spy(method, solve, spied):
    res = solve(spied.fun, spied.x0, method=method, jac=spied.jac, hessp=spied.hessp, options={"maxiter": 12})
    assert (res.nfev, res.njev, res.nhev) == (len(spied.fun), len(spied.jac), len(spied.hessp))
    assert res.nit > 0 and res.nfev > 0 and res.njev > 0


def test_counts_without_hessp_charge_the_gradient(method, solve, spied):
    res = solve(spied.fun, spied.x0, method=method, jac=spied.jac, options={"maxiter": 12})
    assert (res.nfev, res.njev, res.nhev) == (len(spied.fun), len(spied.jac), 0)


def test_counts_without_jac_charge_fun(method, solve, spied):
    res = solve(spied.fun, spied.x0, method=method, options={"maxiter": 12})
    assert (res.nfev, res.njev, res.nhev) == (len(spied.fun), 0, 0)


def test_counts_of_a_shared_evaluation(method, solve, spied, plain):
    calls = []

    def both(x):
        calls.append(x.copy())
        return plain.fun(x), plain.jac(x)

    res = solve(both, plain.x0, method=method, jac=True, hessp=spied.hessp, options={"maxiter": 12})
    assert (res.nfev, res.nhev) == (len(calls), len(spied.hessp))
    assert len({c.tobytes() for c in calls}) >= len(calls) - 1, "value and gradient at one point are one call"


def test_counts_with_hess_are_calls_of_hess(method, solve, spied, plain):
    matrices = []

    def hess(x):
        matrices.append(x)
        return np.diag(plain.hessp(x, np.ones(x.size)))

    res = solve(spied.fun, spied.x0, method=method, jac=spied.jac, hess=hess, options={"maxiter": 12})
    assert (res.nfev, res.njev, res.nhev) == (len(spied.fun), len(spied.jac), len(matrices))
    if "hessp" not in method.needs:
        assert not matrices


def test_compiled_counts_are_the_interpreted_ones(method, compiled, jitted, same_run):
    from curvopt import minimize

    def run(**options):
        return minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                        options={"maxiter": 12, **options})

    same_run(run(compiled=compiled), run(compiled=False))


def test_the_history_holds_the_counts_of_each_iteration(method, spied):
    from curvopt import iterate, minimize

    res = minimize(spied.fun, spied.x0, method=method, jac=spied.jac, hessp=spied.hessp,
                   options={"maxiter": 8, "history": True})
    seen = [(it.nfev, it.njev, it.nhev) for it in iterate(
        spied.fun, spied.x0, method=method, jac=spied.jac, hessp=spied.hessp, options={"maxiter": 8})]
    h = res.history
    assert list(zip(h.nfev.tolist(), h.njev.tolist(), h.nhev.tolist())) == seen
    assert seen[-1] == (res.nfev, res.njev, res.nhev)
