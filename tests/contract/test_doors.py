"""Clause: curvopt.minimize, scipy.optimize.minimize and the method object itself give the same bits."""
import numpy as np
import scipy.optimize

import curvopt


def test_three_doors_one_run(method, plain, same_run):
    options = {"maxiter": 12, "history": True}
    kw = {"jac": plain.jac, "hessp": plain.hessp}
    expected = curvopt.minimize(plain.fun, plain.x0, method=method, options=options, **kw)
    same_run(scipy.optimize.minimize(plain.fun, plain.x0, method=method, options=options, **kw), expected)
    same_run(method(plain.fun, plain.x0, **kw, **options), expected)


def test_jac_true_through_both_doors(method, plain, same_run):
    options = {"maxiter": 12, "history": True}

    def both(x):
        return plain.fun(x), plain.jac(x)

    a = curvopt.minimize(both, plain.x0, method=method, jac=True, hessp=plain.hessp, options=options)
    b = scipy.optimize.minimize(both, plain.x0, method=method, jac=True, hessp=plain.hessp, options=options)
    same_run(a, b)
    separate = curvopt.minimize(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    np.testing.assert_array_equal(a.x, separate.x)


def test_differences_through_both_doors(method, plain, same_run):
    options = {"maxiter": 4, "history": True}
    a = curvopt.minimize(plain.fun, plain.x0, method=method, options=options)
    same_run(scipy.optimize.minimize(plain.fun, plain.x0, method=method, options=options), a)
    same_run(curvopt.minimize(plain.fun, plain.x0, method=method, jac="2-point", options=options), a)


def test_iterate_yields_the_same_run(method, compiled, jitted):
    kw = {"method": method, "jac": jitted.jac, "hessp": jitted.hessp}
    res = curvopt.minimize(jitted.fun, jitted.x0, options={"maxiter": 6, "return_all": True, "history": True}, **kw)
    seen = list(curvopt.iterate(jitted.fun, jitted.x0, options={"maxiter": 6, "compiled": compiled}, **kw))
    assert [it.nit for it in seen] == list(range(7))
    np.testing.assert_array_equal(np.array([it.x for it in seen]), np.array(res.allvecs))
    np.testing.assert_array_equal([it.fun for it in seen], res.history.fun)
    assert [it.status for it in seen] == [curvopt.Status.RUNNING] * 6 + [curvopt.Status.MAXITER]
