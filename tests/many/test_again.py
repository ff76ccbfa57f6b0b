"""A method that begins anew in the arrays of the run before: the same bits as from new arrays."""
import numpy as np
import pytest

import curvopt
from curvopt import _catalogue
from curvopt._objective import Objective
from curvopt._status import RUNNING

METHODS = [curvopt.QuasiNewton.replace(m=4, dense_after=4)]
METHODS += [method for method in _catalogue.by_name().values() if method.again is not None]
START, OTHER = np.array([-1.2, 1.0, -1.2, 1.0, 0.5]), np.array([0.3, -0.7, 1.1, 0.2, -0.4])


def follow(method, oracle, state, steps):
    rows = []
    for _ in range(steps):
        if state.flag != RUNNING:
            break
        state = method.step(oracle, state, method.params)
        rows.append([state.f, state.alpha, *state.x, *state.g])
    return state, np.array(rows)


def fresh():
    p = curvopt.problems.rosenbrock(5)
    return Objective(p.fun, p.jac, None, p.hessp, (), (5,), True).oracle()


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_again_is_init(method):
    oracle = fresh()
    last, rows = follow(method, oracle, method.init(oracle, START, method.params), 45)
    assert len(rows) > 10
    _, second = follow(method, oracle, method.again(oracle, last, OTHER, method.params), 45)
    oracle = fresh()
    _, reference = follow(method, oracle, method.init(oracle, OTHER, method.params), 45)
    assert np.array_equal(second, reference)
