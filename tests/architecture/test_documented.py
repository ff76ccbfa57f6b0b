"""Every public name is documented; functions and methods with an example that runs (tests/doctests runs them)."""
import inspect

import pytest

import curvopt
from curvopt import problems
from curvopt._catalogue import BASELINES, METHODS

NAMES = [name for name in curvopt.__all__ if name != "__version__"]
ALL_METHODS = {**METHODS, **BASELINES}


@pytest.mark.parametrize("name", NAMES)
def test_public_names_have_a_docstring(name):
    thing = getattr(curvopt, name)
    text = inspect.getdoc(thing if inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing)
                          else type(thing))
    assert text and len(text.split()) >= 4, f"curvopt.{name} has no docstring"


@pytest.mark.parametrize("name", [n for n in NAMES if inspect.isfunction(getattr(curvopt, n))])
def test_public_functions_document_parameters_and_show_an_example(name):
    function = getattr(curvopt, name)
    text = inspect.getdoc(function)
    section, _, example = text.partition("Examples\n--------")
    assert ">>>" in example, f"curvopt.{name} shows no example"
    for parameter in inspect.signature(function).parameters:
        assert parameter.strip("*") in section, f"curvopt.{name} does not document {parameter}"


@pytest.mark.parametrize("name", ALL_METHODS)
def test_methods_document_their_parameters_and_show_an_example(name):
    method = ALL_METHODS[name]
    text = inspect.getdoc(type(method))
    section, _, example = text.partition("Examples\n--------")
    assert ">>>" in example, f"{type(method).__name__} shows no example"
    for parameter in method.parameters:
        assert parameter in section, f"{type(method).__name__} does not document its parameter {parameter}"


@pytest.mark.parametrize("name", ALL_METHODS)
def test_methods_state_their_price(name):
    method = ALL_METHODS[name]
    assert method.cost and method.memory, f"{name} does not say what an iteration costs and how many vectors it holds"
    assert set(method.needs) <= {"jac", "hessp", "samples", "lower bound"}, method.needs
    assert not hasattr(method, "columns") or len(set(method.columns)) == len(method.columns)


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_public_under_their_own_name(name):
    assert name in curvopt.__all__, f"{name} is in the catalogue, but not in curvopt.__all__"
    assert getattr(curvopt, name) is METHODS[name]
    assert METHODS[name].name == name


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_are_public_under_their_own_name(name):
    assert getattr(curvopt.baselines, name) is BASELINES[name]
    assert BASELINES[name].name == name


@pytest.mark.parametrize("name", problems.__all__)
def test_problems_have_a_docstring(name):
    assert inspect.getdoc(getattr(problems, name)), f"problems.{name} has no docstring"


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="SGMM"):
        _ = curvopt.SGMM
    with pytest.raises(AttributeError, match="it has"):
        _ = curvopt.baselines.NoSuchBaseline
    assert set(dir(curvopt)) >= set(NAMES)
