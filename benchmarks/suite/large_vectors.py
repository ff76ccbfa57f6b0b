"""Own work of an iteration of SGM against copies (`benchmarks/large_n.py`), with one thread and with all, for asv."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import large_n

from curvopt import _threads


class OwnWork:
    params = (large_n.SIZES, ("one", "all"))
    param_names = ("n", "threads")
    timeout = 120
    unit = "ratio"

    def track_share_of_copy_bandwidth(self, n, threads):
        own, copy = self._seconds(n, threads)
        return (large_n.VECTORS / own) / (2.0 / copy)

    def track_milliseconds(self, n, threads):
        return 1e3 * self._seconds(n, threads)[0]

    track_milliseconds.unit = "ms"

    def _seconds(self, n, threads):
        count = 1 if threads == "one" else _threads.count()
        large_n.use(count)
        try:
            parts, (x, _, _, out) = large_n.make_own(n)
            copy, = large_n.least([large_n.copies([(out, x)], count)])
            return large_n.sum_of_parts(parts).sum(), copy
        finally:
            os.environ.pop(_threads.VARIABLE, None)
