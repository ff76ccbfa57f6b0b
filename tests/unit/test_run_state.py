"""What `res.state` holds beside the state of the method: the evaluations that the next step may ask for again."""
import pickle

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt

X0 = np.tile([-1.2, 1.0], 500)


def stopped():
    return curvopt.minimize(rosen, X0, jac=rosen_der, hessp=rosen_hess_prod, method="sgm", options={"maxiter": 3})


def test_room_of_the_oracle_is_not_kept():
    """Eight vectors of room would be copied, and written where the state is pickled."""
    state = stopped().state
    vectors = sum(part.nbytes for part in state.state if isinstance(part, np.ndarray)) + 2 * X0.nbytes    # and the best point
    assert len(pickle.dumps(state)) < vectors + 4 * X0.nbytes


@pytest.mark.parametrize("jac, rows", [(rosen_der, 0), (True, 3)])
def test_evaluations_made_together_are_kept_and_the_run_goes_on_as_if_never_stopped(jac, rows):
    def fun(x):
        return (rosen(x), rosen_der(x)) if jac is True else rosen(x)

    whole = curvopt.minimize(fun, X0, jac=jac, method="lbfgs", options={"maxiter": 9})
    first = curvopt.minimize(fun, X0, jac=jac, method="lbfgs", options={"maxiter": 4})
    assert first.state.known.shape == (rows, X0.size)
    resume = pickle.loads(pickle.dumps(first.state))
    after = curvopt.minimize(fun, X0, jac=jac, method="lbfgs", options={"maxiter": 9, "resume": resume})
    assert after.x.tobytes() == whole.x.tobytes() and (after.nfev, after.njev) == (whole.nfev, whole.njev)
