#!/usr/bin/env bash
# Lines of the package that tests execute with everything interpreted: compiled lines are invisible to coverage.
#     bash tools/coverage.sh
# Every small test, and the contract suite through one door; what needs the compiler is left out. REQUIRED is the least
# share that passes; the aim is 95.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export NUMBA_DISABLE_JIT=1 COVERAGE_FILE=.coverage.interpreted COVERAGE_CORE=ctrace
trap 'rm -f .coverage.interpreted*' EXIT
# Interpreted kernels hand NumPy's scalars to the routines, and their overflow warns where machine code gives inf.
python -m pytest -q -n 2 -p no:cacheprovider -W ignore::RuntimeWarning --cov=curvopt --cov-report= \
    tests/contract tests/unit tests/equivalence tests/theory/test_hessian_scaling.py tests/theory/test_unit_steps.py \
    -k "not scipy and not compiled and not certified and not test_report and not processes" \
    --deselect "tests/unit/test_gd_polyak.py::test_a_bound_above_a_later_value_is_an_error_with_the_point_in_a_note[True]"
python -m coverage report --skip-covered --sort=cover --fail-under="${REQUIRED:-85}"
