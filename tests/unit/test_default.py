"""``method=None``: what it stands for, and that it is the same everywhere."""
import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod

import curvopt


@pytest.mark.parametrize(("given", "name"), [
    ({}, "FUSEPV"), ({"hessp": rosen_hess_prod}, "TruncatedNewton"), ({"hess": rosen_hess}, "TruncatedNewton"),
])
def test_the_default_depends_on_what_is_given(given, name):
    x0 = np.array([-1.2, 1.0, -1.2, 1.0])
    res = curvopt.minimize(rosen, x0, jac=rosen_der, **given)
    named = curvopt.minimize(rosen, x0, jac=rosen_der, method=name, **given)
    assert res.success and res.method.name == name and np.array_equal(res.x, named.x)
    *_, last = curvopt.iterate(rosen, x0, jac=rosen_der, **given)
    assert np.array_equal(last.x, res.x)


def test_minimize_many_has_the_same_default():
    starts = np.array([[-1.2, 1.0], [0.5, 0.5]])
    many = curvopt.minimize_many(rosen, starts, jac=rosen_der)
    assert many.method.name == "FUSEPV" and many.success.all()
    for i, x0 in enumerate(starts):
        assert np.array_equal(curvopt.minimize(rosen, x0, jac=rosen_der).x, many.x[i])
