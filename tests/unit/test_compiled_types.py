"""Types that end in signatures are made by one thread at a time."""
import pathlib
import sys
import threading
from collections import namedtuple

import numpy as np
import pytest

import curvopt
from curvopt._jit import ENABLED

pytestmark = [pytest.mark.skipif(not ENABLED, reason="nothing is compiled"),
              pytest.mark.thread_unsafe(reason="it sets the interval of the interpreter")]


def in_threads(count, function):
    """Results of function(i) in threads that begin together."""
    begin, results = threading.Barrier(count), [None] * count

    def call(i):
        begin.wait(timeout=60.0)
        results[i] = function(i)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120.0)
    return results


def test_equal_types_made_at_once_are_one_object():
    from curvopt._compiled_types import type_of, types_for

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for i in range(100):
            record = namedtuple(f"Record{i}", "x n")(np.ones(2), 1)
            types = in_threads(4, lambda k, record=record: (type_of(record), *types_for(record))[k % 2])
            assert len({id(t) for t in types}) == 1 and types[0]._code == type_of(record)._code
    finally:
        sys.setswitchinterval(interval)


def test_nobody_else_asks():
    package = pathlib.Path(curvopt.__file__).parent
    assert [path.name for path in package.rglob("*.py") if "typeof" in path.read_text("utf-8")] == ["_compiled_types.py"]
