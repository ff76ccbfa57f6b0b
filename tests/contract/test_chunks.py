"""Clause: the compiled run is the interpreted one bit for bit, whatever the length of its chunks."""
import numpy as np

from curvopt import minimize


def test_compiled_is_interpreted_for_any_chunk(method, compiled, jitted, same_run):
    def run(**options):
        return minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                        options={"history": True, "maxiter": 40, "gtol": 1e-9, **options})

    expected = run(compiled=False)
    for chunk in (1, 7, 64, None):
        res = run(compiled=compiled, chunk=chunk)
        assert res.compiled == compiled
        same_run(res, expected)


def test_the_reason_for_stopping_does_not_depend_on_the_chunk(method, compiled, jitted, same_run):
    for option in ({"maxfev": 9}, {"maxjev": 9}, {"ftarget": 0.5}, {"gtol": 0.05}):
        runs = [minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                         options={"history": True, "maxiter": 500, "compiled": c, "chunk": chunk, **option})
                for c, chunk in ((False, None), (compiled, 3), (compiled, None))]
        same_run(runs[1], runs[0])
        same_run(runs[2], runs[0])


def test_in_ten_variables_and_on_a_ravine(method, compiled, same_run):
    """Rosenbrock's function: negative curvature, refused steps, whatever a method has for the bad days."""
    from curvopt import problems

    p = problems.rosenbrock(10)

    def run(**options):
        return minimize(p.fun, p.x0, method=method, jac=p.jac, hessp=p.hessp,
                        options={"history": True, "maxiter": 60, **options})

    a, b = run(compiled=compiled), run(compiled=False)
    same_run(a, b)
    assert np.all(np.isfinite(a.history.fun))
