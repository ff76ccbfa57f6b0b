"""The three scalings are one family: s_GM^2 = s_MR s_CG at every point of a run."""
import numpy as np
import pytest

import curvopt
from curvopt.methods.scaled_gradient import RULE_CG, RULE_GM, RULE_MR, scaling_of


@pytest.mark.parametrize("method", ["SCG", "SMR", "SGM", "MRCG"])
def test_the_geometric_mean_along_a_run(method):
    p = curvopt.problems.rosenbrock(10)
    compared = 0
    for it in curvopt.iterate(p.fun, p.x0, method=method, jac=p.jac, hessp=p.hessp, options={"maxiter": 60}):
        hg = p.hessp(it.x, it.jac)
        cg, mr, gm = (scaling_of(it.jac, hg, rule, 1e-6, 1.0, 1.0)[0] for rule in (RULE_CG, RULE_MR, RULE_GM))
        if it.jac @ hg > 1e-6 * (it.jac @ it.jac):
            np.testing.assert_allclose(gm * gm, mr * cg, rtol=1e-12)
            assert mr <= gm * (1 + 1e-12) and gm <= cg * (1 + 1e-12)
            compared += 1
    assert compared > 20
