"""For all tests: a numba cache of the session's own, one thread for BLAS, and randomness that says how to repeat it."""
import atexit
import os
import shutil
import signal
import tempfile
import zlib

# Before numpy, numba and matplotlib are imported. The workers of pytest-xdist inherit the folder and share what is
# compiled; a cache that came with the environment is used as it is.
if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="curvopt-numba-")
    atexit.register(shutil.rmtree, os.environ["NUMBA_CACHE_DIR"], ignore_errors=True)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# A shell starts what it runs in the background with Ctrl-C ignored; the tests of interrupts need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker of pytest-xdist runs")
    config.addinivalue_line("markers", "thread_unsafe(reason): run once, by itself, under pytest-run-parallel")
    # Tests that compile the same loop are marked as one group: compiled twice at the same time, it would cost twice.
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadgroup"


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item):
    if {"rng", "spied"}.intersection(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.thread_unsafe(reason="all threads would have one generator, or one counter of calls"))


@pytest.fixture
def rng(request):
    """A generator seeded by the name of the test; the seed is shown when the test fails."""
    seed = zlib.crc32(request.node.nodeid.encode())
    print(f"rng seed {seed}")
    return np.random.default_rng(seed)
