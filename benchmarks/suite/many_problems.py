"""The figures of ``benchmarks/many.py`` for asv."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import many


class ManyProblems:
    """Time of a call in one thread, and CPU time of a loop over SciPy with the same functions over that of ours."""

    params = (2000, 100_000)
    param_names = ("problems",)
    timeout = 600

    def setup(self, k):
        self.y = many.decays(k)
        many.ours(self.y[:4], many.METHOD, 1)
        many.scipy_loop(self.y[:2], "L-BFGS-B")

    def time_one_thread(self, k):
        many.ours(self.y, many.METHOD, 1)

    def time_two_threads(self, k):
        many.ours(self.y, many.METHOD, 2)

    def track_two_threads_over_one(self, k):
        (one, two), _ = many.alternate([lambda: many.ours(self.y, many.METHOD, 1), lambda: many.ours(self.y, many.METHOD, 2)])
        return one[0] / two[0]

    def track_times_faster_than_lbfgsb(self, k):
        return many.ratio(self.y, "L-BFGS-B")

    def track_times_faster_than_bfgs(self, k):
        return many.ratio(self.y, "BFGS")

    track_two_threads_over_one.unit = "ratio"
    track_times_faster_than_lbfgsb.unit = track_times_faster_than_bfgs.unit = "ratio"


class Evaluations:
    """Evaluations a problem: the same on every machine up to rounding."""

    unit = "evaluations"

    def track_evaluations(self):
        return float(many.ours(many.decays(2000), many.METHOD, 1).nfev.mean())


class Memory:
    """Largest resident set that 200,000 problems add, beyond what is returned."""

    unit = "MB"

    def track_growth(self):
        return many.growth(many.METHOD, 10_000, 200_000)
