"""Clause: bounds and constraints are refused by name, unless they bound and constrain nothing."""
import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint

BOUNDS = ([(0, 1)] * 3, [(None, 1)] * 3, Bounds(0, np.inf), Bounds([-np.inf] * 3, [1, np.inf, np.inf]))
CONSTRAINTS = (
    {"type": "eq", "fun": lambda x: x[0]}, [{"type": "ineq", "fun": lambda x: x[0]}], LinearConstraint(np.eye(3), 0, 1))
EMPTY = (
    {"bounds": None}, {"bounds": [(None, None)] * 3}, {"bounds": [(-np.inf, np.inf)] * 3}, {"bounds": Bounds()},
    {"constraints": ()}, {"constraints": []}, {"constraints": {}})


def test_bounds_are_refused(method, solve, plain):
    for bounds in BOUNDS:
        with pytest.raises(ValueError, match=rf"{method.name} .*bounds.*L-BFGS-B"):
            solve(plain.fun, plain.x0, method=method, jac=plain.jac, bounds=bounds)


def test_constraints_are_refused(method, solve, plain):
    for constraints in CONSTRAINTS:
        with pytest.raises(ValueError, match=rf"{method.name} .*constraints.*SLSQP"):
            solve(plain.fun, plain.x0, method=method, jac=plain.jac, constraints=constraints)


def test_empty_ones_are_taken(method, solve, plain):
    for kw in EMPTY:
        res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 1}, **kw)
        assert res.nit == 1


def test_bounds_that_are_none(door, solve, plain):
    from curvopt import SGM

    with pytest.raises((TypeError, ValueError), match="bounds"):
        solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, bounds=3.0)
