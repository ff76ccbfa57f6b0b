"""The cache on disk: several processes at once, edits in another file, folders that cannot be written, no growth.

Each test runs new processes on a copy of the package, with a cache folder of its own. The reference is the same run without
machine code, which has the same bits.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

import pytest

import curvopt
from curvopt._jit import ENABLED

pytestmark = [pytest.mark.skipif(not ENABLED, reason="machine code is switched off"), pytest.mark.xdist_group("cache"),
              pytest.mark.thread_unsafe(reason="edits files and counts them")]

SOLVE = textwrap.dedent("""
    import sys
    import curvopt
    from curvopt._jit import ENABLED
    assert curvopt.__file__.startswith(sys.argv[1]), curvopt.__file__
    p = curvopt.problems.rosenbrock(3)
    res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.baselines.GD.replace(lr=1e-3), options={"maxiter": 200})
    assert res.compiled == ENABLED and res.nit == 200
    print(res.fun.hex(), *(v.hex() for v in res.x.tolist()))
""")
KERNEL, EDITED = "out[i] = x[i] + a * d[i]", "out[i] = x[i] + 0.5 * a * d[i]"


class Copy:
    """A copy of the package, and runs of it in new processes."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        shutil.copytree(pathlib.Path(curvopt.__file__).parent, self.folder / "curvopt",
                        ignore=shutil.ignore_patterns("__pycache__"))
        self.cache = self.folder / "cache"
        self.cache.mkdir()

    def begin(self, cache=None, **environment):
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SOLVE, str(self.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "NUMBA_CACHE_DIR": str(cache or self.cache), **environment})

    def end(self, process):
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return out

    def run(self, cache=None, **environment):
        return self.end(self.begin(cache, **environment))

    def files(self):
        return sorted(str(path.relative_to(self.cache)) for path in self.cache.rglob("*.nb?"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def reference(copy):
    return copy.run(CURVOPT_JIT="0")


def test_two_processes_on_an_empty_cache(copy, reference):
    assert not copy.files()
    both = [copy.begin(), copy.begin()]
    assert [copy.end(process) for process in both] == [reference, reference]
    assert copy.files()


def test_the_cache_does_not_grow(copy, reference):
    assert copy.run() == reference       # completes what two writers of one index may have lost of each other's
    files = copy.files()
    assert copy.run() == reference
    assert copy.files() == files


def test_a_folder_that_cannot_be_written(copy, reference):
    obstacle = copy.folder / "a file"
    obstacle.write_text("")
    assert copy.run(cache=obstacle / "cache") == reference


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_permission_to_write(copy, reference):
    folders = [copy.cache, *(path for path in copy.cache.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert copy.run() == reference
    finally:
        for folder in folders:
            folder.chmod(0o755)


OUTSIDE = textwrap.dedent("""
    import numpy as np
    import curvopt
    from curvopt._compiled_loop import identity_of
    from curvopt._jit import kernel

    @kernel
    def step_length(lr):
        return FACTOR * lr

    def step(oracle, state, params):
        return state

    assert identity_of((curvopt.SGM.step,)) is not None and identity_of((curvopt.SGM.step, step)) is None
    print(step_length(1.0))
""")


def test_code_from_outside_the_package_is_not_kept(copy):
    """Numba does not see a changed constant, nor an edit in another file: a method of the user's own would run as it was."""
    path, printed = copy.folder / "own_method.py", []
    for factor in ("0.25", "0.75"):
        path.write_text(OUTSIDE.replace("FACTOR", factor))
        done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, cwd=copy.folder, timeout=120,
                              env={**os.environ, "PYTHONPATH": str(copy.folder), "NUMBA_CACHE_DIR": str(copy.cache)})
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.strip())
    assert printed == ["0.25", "0.75"]


def test_an_edit_in_another_file_is_seen(copy, reference):
    """The last test: it changes the copy. The kernel is in another file than the loop, and than the method."""
    path = copy.folder / "curvopt" / "_vectors.py"
    text = path.read_text()
    assert text.count(KERNEL) == 1
    path.write_text(text.replace(KERNEL, EDITED))
    edited = copy.run(CURVOPT_JIT="0")
    assert edited != reference
    assert copy.run() == edited
