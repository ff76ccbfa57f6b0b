"""The examples of the documentation strings run and print what they say."""
import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import curvopt

MODULES = sorted(m.name for m in pkgutil.walk_packages(curvopt.__path__, "curvopt.") if not m.name.endswith("__main__"))


@pytest.mark.thread_unsafe(reason="doctest exchanges functions of the standard library while it runs")
@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    with np.printoptions(legacy=False):
        failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert failed == 0
