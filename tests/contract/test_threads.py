"""Clause: any number of runs at once, in both executions, and in threads where no signal arrives."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from curvopt import minimize


def test_two_threads_at_once(method, compiled, jitted, same_run):
    def run(x0):
        return minimize(jitted.fun, x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                        options={"maxiter": 25, "history": True, "compiled": compiled})

    starts = [np.array([3.0, -2.0, 1.5]) + k for k in range(4)]
    with ThreadPoolExecutor(2) as pool:
        at_once = list(pool.map(run, starts))
    for res, x0 in zip(at_once, starts):
        same_run(res, run(x0))


def test_two_generators_in_turns(method, plain):
    """Two runs whose steps alternate share nothing."""
    from curvopt import iterate

    def start(x0):
        return iterate(plain.fun, x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 5})

    alone = [[it.x for it in start(x0)] for x0 in (plain.x0, -plain.x0)]
    turns = list(zip(start(plain.x0), start(-plain.x0)))
    for k in (0, 1):
        np.testing.assert_array_equal([pair[k].x for pair in turns], alone[k])
