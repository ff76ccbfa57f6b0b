"""Clause: what `fun` may return, and what is said when it returns something else."""
import decimal
import fractions

import numpy as np
import pytest

from curvopt import SGM

REAL = {
    "int": int, "numpy scalar": np.float64, "float32": np.float32, "int64": np.int64, "0-d": np.array, "bool": np.bool_,
    "one element": lambda f: np.array([f]), "matrix of one": lambda f: np.array([[f]]), "list of one": lambda f: [f],
    "Fraction": fractions.Fraction, "Decimal": decimal.Decimal,
}
OTHER = {
    "None": (None, "None.*return"), "complex": (1.0 + 0j, "complex"), "numpy complex": (np.complex128(1), "complex"),
    "array": (np.ones(2), r"shape \(2,\)"), "text": ("1.0", "str"), "tuple": ((1.0, np.ones(3)), "jac=True"),
    "empty": (np.array([]), r"shape \(0,\)"), "object": (object(), "object"),
}


def test_anything_that_is_one_real_number(method, solve, plain, same_run):
    options = {"maxiter": 4, "history": True}
    for convert in REAL.values():
        expected = solve(lambda x: float(convert(plain.fun(x)) if convert not in (REAL["one element"], REAL["matrix of one"],
                         REAL["list of one"]) else plain.fun(x)), plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                         options=options)
        res = solve(lambda x: convert(plain.fun(x)), plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
        same_run(res, expected)
        assert type(res.fun) is float


def test_anything_else_is_a_clear_error(method, solve, plain):
    for value, words in OTHER.values():
        with pytest.raises(TypeError, match=f"fun returned .*{words}"):
            solve(lambda x: value, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp)


@pytest.mark.parametrize("kw", [{"fun": 3}, {"fun": None}, {"hessp": 3}, {"hess": 3}], ids=str)
def test_things_that_cannot_be_called(kw, door, solve, plain):
    given = {"fun": plain.fun, "jac": plain.jac, **kw}
    with pytest.raises(TypeError, match=next(iter(kw))):
        solve(given.pop("fun"), plain.x0, method=SGM, **given)
