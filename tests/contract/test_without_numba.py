"""Clause: with CURVOPT_JIT=0 everything runs interpreted, numba is never imported, and the bits are the same."""
import os
import subprocess
import sys

import numpy as np
import pytest

import curvopt
from curvopt._jit import ENABLED

SCRIPT = """
import math, sys
import numpy as np
import curvopt
from curvopt._catalogue import BASELINES, METHODS

def fun(x):
    return float(sum((0.5 + i) * (math.sqrt(1.0 + (t - 1.0) * (t - 1.0)) - 1.0) for i, t in enumerate(x.tolist())))

def jac(x):
    return np.array([(0.5 + i) * (t - 1.0) / math.sqrt(1.0 + (t - 1.0) * (t - 1.0)) for i, t in enumerate(x.tolist())])

def hessp(x, p):
    pairs = enumerate(zip(x.tolist(), p.tolist()))
    return np.array([(0.5 + i) * v / (1.0 + (t - 1.0) * (t - 1.0)) ** 1.5 for i, (t, v) in pairs])

for name, method in {**METHODS, **BASELINES}.items():
    if "samples" not in method.needs:
        res = curvopt.minimize(fun, [3.0, -2.0], method=method, jac=jac, hessp=hessp, options={"maxiter": 12, "history": True})
        assert not res.compiled
        print(name, res.nit, res.nfev, res.fun.hex(), *(t.hex() for t in res.x.tolist()))
print("numba imported:", "numba" in sys.modules)
"""


def run(**environment):
    done = subprocess.run([sys.executable, "-c", SCRIPT], env={**os.environ, **environment}, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_everything_runs_without_numba():
    plain = run(CURVOPT_JIT="0")
    assert plain[-1] == "numba imported: False"
    assert len(plain) > 10
    if ENABLED:
        assert plain[:-1] == run(CURVOPT_JIT="1")[:-1]


def test_insisting_says_why():
    if ENABLED:
        pytest.skip("numba is in use in this run")
    with pytest.raises(ValueError, match="cannot be compiled"):
        curvopt.minimize(lambda x: float(x @ x), np.ones(2), jac=lambda x: 2 * x, options={"compiled": True})
