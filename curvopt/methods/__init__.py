"""One file a method, each with Params, State, init, kernels, step and the public class, in that order.

The package is also ``curvopt.methods()``, the table of methods: importing one of its files binds this very module to the
name ``curvopt.methods``, so a function of that name would vanish.
"""
import importlib
import sys
import types


class _CallablePackage(types.ModuleType):
    def __call__(self, baselines=True):
        """List the methods: what they need, evaluations an iteration, vectors of memory, paper."""
        return importlib.import_module("curvopt._catalogue").methods(baselines)


sys.modules[__name__].__class__ = _CallablePackage
