"""Kernels are arithmetic, routines are algorithm text, and only the house configures numba."""
import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "curvopt"
FILES = sorted(PACKAGE.rglob("*.py"))
METHOD_FILES = sorted((PACKAGE / "methods").glob("[!_]*.py"))

# `_jit.py` configures numba, and what is in `_compiled_*.py` builds machine code around the user's functions.
# Other files that import numba, and why.
NUMBA_FILES = {}
# Loops without a bound in the text of a step: (file, function) -> why.
WHILE_LOOPS = {}


def label(path):
    return str(path.relative_to(PACKAGE))


def decorated(path, decorator):
    """Functions of the file decorated with `decorator`, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id == decorator for d in node.decorator_list)
    ]


def parameters(function):
    return {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}


@pytest.mark.parametrize("path", FILES, ids=label)
def test_kernels_take_no_callables(path):
    for function in decorated(path, "kernel") + decorated(path, "template"):
        given = parameters(function)
        called = {
            node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
            and node.func.attr in ("fun", "jac", "hessp", "step", "init") else getattr(node.func, "id", None)
            for node in ast.walk(function) if isinstance(node, ast.Call)
        }
        assert not called & given, f"kernel {function.name} calls its arguments {called & given}; make it a routine"
        assert not given & {"oracle", "fun", "jac", "hessp"}, f"kernel {function.name} takes an oracle; make it a routine"
        assert function.args.vararg is None and function.args.kwarg is None, f"kernel {function.name}: star arguments"
        assert not function.args.defaults and not function.args.kw_defaults, f"kernel {function.name}: default arguments"


@pytest.mark.parametrize("path", [path for path in FILES if "problems" not in path.parts], ids=label)
def test_kernels_return_no_array_they_were_given(path):
    """They are compiled without reference counts: the caller would release an array that it was lent."""
    for function in decorated(path, "kernel"):
        arrays = {node.value.id for node in ast.walk(function) if isinstance(node, ast.Subscript)
                  and isinstance(node.value, ast.Name)} & parameters(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                names = {part.id for part in parts if isinstance(part, ast.Name)}
                assert not names & arrays, f"kernel {function.name} returns {names & arrays}"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_only_the_house_knows_numba(path):
    if path.name == "_jit.py" or path.name.startswith("_compiled_") or label(path) in NUMBA_FILES:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = [a.name for a in node.names] if isinstance(node, ast.Import) else \
            [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not [n for n in named if n.split(".")[0] == "numba"], f"{label(path)}:{node.lineno} imports numba"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_no_fast_math_and_no_parallel_reduction(path):
    """Both would make the compiled run differ from the interpreted one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            assert isinstance(node.value, ast.Constant) and node.value.value is False, f"{label(path)}: fastmath"


def array_arithmetic(function):
    """Whole-array NumPy calls and the matrix product: their bits depend on who carries them out."""
    reductions = {"sum", "dot", "mean", "prod", "max", "min", "norm", "vdot", "inner", "outer", "abs", "sqrt", "exp", "log",
                  "multiply", "add", "subtract", "maximum", "minimum", "clip", "where"}
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield node.lineno, "@"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) \
                and node.func.value.id in ("np", "numpy") and node.func.attr in reductions:
            yield node.lineno, f"np.{node.func.attr}"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_routines_leave_arithmetic_on_arrays_to_kernels(path):
    for function in decorated(path, "routine"):
        found = list(array_arithmetic(function))
        assert not found, f"{label(path)}: routine {function.name} does array arithmetic at {found}; call a kernel"


@pytest.mark.parametrize("path", METHOD_FILES, ids=label)
def test_a_method_file_holds_no_loop_clock_print_or_tolerance(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{label(path)}:{node.lineno} prints"
        named = [a.name for a in node.names] if isinstance(node, ast.Import) else \
            [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not set(named) & {"time", "datetime", "warnings", "logging", "sys", "os"}, f"{label(path)}:{node.lineno}"
        if isinstance(node, ast.Name):
            assert node.id not in ("gtol", "ftarget", "maxiter", "maxfev", "maxtime"), \
                f"{label(path)}:{node.lineno}: {node.id} is the loop's business"
    for function in decorated(path, "routine"):
        loops = [node.lineno for node in ast.walk(function) if isinstance(node, ast.While)]
        assert not loops or (path.name, function.name) in WHILE_LOOPS, \
            f"{label(path)}: `while` in {function.name} at lines {loops}; the only iteration loop is in _loop.py"


@pytest.mark.parametrize("path", METHOD_FILES, ids=label)
def test_a_method_file_has_the_parts_of_a_method(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert ast.get_docstring(tree), f"{label(path)} has no module docstring"
    for name, node in classes.items():
        if name == "State" or name.endswith("State"):
            first = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)][:5]
            assert first == ["x", "f", "g", "alpha", "flag"], f"{label(path)}: {name} begins with {first}"


@pytest.mark.parametrize("path", METHOD_FILES, ids=label)
def test_steps_evaluate_only_through_the_counting_routines(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            assert not (node.func.value.id == "oracle" and node.func.attr in ("fun", "jac", "hessp")), \
                f"{label(path)}:{node.lineno} calls oracle.{node.func.attr} directly"
