"""The figures of ``benchmarks/overhead.py``, and oracle units that must not creep up, for asv."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import overhead

import curvopt


class NumPyFunctions:
    """Ratio to a hand-written loop."""

    params = (10, 100, 1000)
    param_names = ("n",)
    unit = "ratio"

    def track_ratio_to_script(self, n):
        return overhead.numpy_ratio(n)


class CompiledFunctions:
    """Time of an iteration, and how many times faster than one of L-BFGS-B."""

    params = overhead.SIZES
    param_names = ("n",)

    def setup(self, n):
        overhead.ours_compiled(n, 10)
        overhead.scipy_lbfgsb(n, 3)

    def time_thousand_iterations(self, n):
        overhead.ours_compiled(n, 1000)

    def track_times_faster_than_lbfgsb(self, n):
        ours, theirs = overhead.compiled_times(n)
        return theirs / ours

    track_times_faster_than_lbfgsb.unit = "ratio"


class NewProcess:
    """CPU seconds."""

    timeout = 300
    unit = "s"

    def track_import(self):
        return overhead.import_seconds()

    def track_first_solve(self):
        return overhead.first_solve_seconds()


class Units:
    """Oracle units to a gradient of 1e-6 on Rosenbrock's function: the same on every machine up to rounding. Interpreted, which
    has the bits of the compiled run and spares each of these processes a compilation."""

    params = tuple(row["name"] for row in curvopt.methods(baselines=False) if set(row["needs"]) <= {"jac", "hessp"})
    param_names = ("method",)
    unit = "units"

    def track_rosenbrock_10(self, method):
        p = curvopt.problems.rosenbrock(10)
        res = curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method=method,
                               options={"gtol": 1e-6, "compiled": False})
        return res.nfev + res.njev + 2 * res.nhev if res.success else float("nan")
