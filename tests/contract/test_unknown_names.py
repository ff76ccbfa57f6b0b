"""Clause: an unknown option, parameter or method is an error that names the nearest known one."""
import inspect

import pytest
import scipy.optimize

import curvopt
from curvopt import _catalogue, _scipy_names, minimize
from curvopt._minimize import find_method

# A parameter that bears the name of an argument of `minimize` (HDM's bounds) is set by `replace` alone.
ARGUMENTS = set(inspect.signature(minimize).parameters)


def test_unknown_option(method, solve, plain):
    with pytest.raises(TypeError, match=r"unknown option 'maxitr'.*did you mean 'maxiter'.*known options:.*gtol"):
        solve(plain.fun, plain.x0, method=method, jac=plain.jac, options={"maxitr": 3})


def test_misspelt_parameters_of_the_method(method, solve, plain):
    for name in method.parameters:
        wrong = name + name[-1] * 2     # gammaaa, ccc
        with pytest.raises(TypeError, match=f"unknown option '{wrong}'.*did you mean '{name}'"):
            solve(plain.fun, plain.x0, method=method, jac=plain.jac, options={wrong: 1.0})
        with pytest.raises(TypeError, match=f"has no parameter '{wrong}'.*did you mean '{name}'"):
            method.replace(**{wrong: 1.0})


def test_parameters_are_options_for_one_call(method, solve, plain, same_run):
    """The same values through `replace` and through `options`; a parameter set for one call stays out of the method."""
    values = {name: getattr(method, name) for name in method.parameters if name not in ARGUMENTS}
    shown = repr(method)
    options = {"maxiter": 4, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                options={**options, **values})
    same_run(res, expected)
    assert repr(method) == shown and all(f"{name}=" in shown for name in method.parameters)


def test_names_in_any_case(method_name, method, plain, same_run):
    parameters = {name: getattr(method, name) for name in method.parameters if name not in ARGUMENTS}
    options = {"maxiter": 3, "history": True, **parameters}
    expected = minimize(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    for spelling in (method_name, method_name.lower(), method_name.upper()):
        same_run(minimize(plain.fun, plain.x0, method=spelling, jac=plain.jac, hessp=plain.hessp, options=options), expected)


def test_methods_cannot_be_changed(method):
    for name in (*method.parameters, "params"):
        with pytest.raises(AttributeError):
            setattr(method, name, 1.0)


@pytest.mark.parametrize(("name", "words"), [
    ("sgn", "did you mean 'SGM'"), ("BFGS", "a method of scipy.optimize.minimize; the nearest here is 'QuasiNewton'"),
    ("SLSQP", r"a method of scipy.optimize.minimize\);"), ("", "known methods"),
    ("Gradient Descent", "'Gradient Descent'; known"),
])
def test_unknown_method(name, words, plain):
    with pytest.raises(ValueError, match=words):
        minimize(plain.fun, plain.x0, method=name, jac=plain.jac)


def test_the_methods_named_for_scipys_exist_and_the_others_are_scipys(plain):
    for name, near in _scipy_names.METHODS.items():
        assert near is None or near in _catalogue.METHODS
        scipy.optimize.show_options("minimize", name, disp=False)      # raises where SciPy has no such method


@pytest.mark.parametrize("name", ["truncated newton", "Truncated-Newton", "truncated_newton"])
def test_words_of_a_name_may_be_apart(name):
    assert find_method(name) is curvopt.TruncatedNewton
    assert find_method("baselines.GD") is curvopt.baselines.GD


@pytest.mark.parametrize(("name", "words"), [("maxfun", "maxfev"), ("maxcor", "LBFGS"), ("ftol", "gtol"), ("iprint", "disp"),
                                             ("eps", "differences"), ("seed", "rng")])
def test_options_of_scipys_methods(name, words, door, solve, plain):
    with pytest.raises(TypeError, match=rf"unknown option '{name}' for LBFGS \(SciPy's; .*{words}.*\); known options"):
        solve(plain.fun, plain.x0, method=curvopt.LBFGS, jac=plain.jac, options={name: 1})


def test_tol_is_gtol_in_the_generator_too(plain):
    kw = {"method": "LBFGS", "jac": plain.jac}
    by_tol, by_option = (list(curvopt.iterate(plain.fun, plain.x0, **kw, **how)) for how in
                         ({"tol": 1e-2}, {"options": {"gtol": 1e-2}}))
    assert [it.fun for it in by_tol] == [it.fun for it in by_option]


@pytest.mark.parametrize("options", [3, "gtol", [1, 2]], ids=repr)
def test_options_that_are_no_dict(options, plain):
    for call in (minimize, curvopt.iterate):
        with pytest.raises(TypeError, match="options must be a dict"):
            call(plain.fun, plain.x0, method=curvopt.LBFGS, jac=plain.jac, options=options)


@pytest.mark.parametrize("method", [3, len, type(curvopt.SGM)], ids=repr)
def test_things_that_are_no_method(method, plain):
    with pytest.raises(TypeError, match="method must be"):
        minimize(plain.fun, plain.x0, method=method, jac=plain.jac)


def test_no_method_means_the_default(plain):
    assert minimize(plain.fun, plain.x0, jac=plain.jac, hessp=plain.hessp).success


@pytest.mark.parametrize("options", [{"fun": 1}, {"x0": 1}, {"jac": 1}, {"callback": 1}, {"method": 1}], ids=str)
def test_options_that_are_arguments(options, door, solve, plain):
    with pytest.raises(TypeError, match=next(iter(options))):
        solve(plain.fun, plain.x0, method=curvopt.SGM, jac=plain.jac, options=options)
    for call in (minimize, curvopt.iterate):
        with pytest.raises(TypeError, match=f"'{next(iter(options))}' is an argument of its own"):
            call(plain.fun, plain.x0, method=curvopt.SGM, jac=plain.jac, options=options)


def test_the_options_of_the_user_stay_as_they_are(door, solve, plain):
    options = {"maxiter": 3, "sigma": 0.0}
    solve(plain.fun, plain.x0, method=curvopt.SGM, jac=plain.jac, hessp=plain.hessp, tol=1e-3, options=options)
    assert options == {"maxiter": 3, "sigma": 0.0}


@pytest.mark.parametrize("method", [curvopt.ANGD, curvopt.IANSGD], ids=repr)
def test_step_is_another_name_of_gamma_and_auto_a_word_for_none(method):
    constant = method.replace(gamma=0.5)
    for automatic in (method.replace(step="auto"), method.replace(gamma="auto"), constant.replace(step="auto")):
        assert automatic == method and automatic.gamma is None
    assert method.replace(step=0.5) == constant
    with pytest.raises(TypeError, match="gamma is given twice"):
        method.replace(step="auto", gamma=0.5)
    with pytest.raises(TypeError, match="gamma"):
        method.replace(step="large")


def test_other_names_are_options_too():
    p = curvopt.problems.rosenbrock(2)
    res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method="angd", options={"step": "auto", "maxiter": 3, "compiled": False})
    assert res.method == curvopt.ANGD and res.nit == 3
