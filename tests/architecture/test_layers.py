"""Imports go downward only, as the syntax trees of the files say."""
import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "curvopt"

# The layers, lowest first. A module imports modules of its own layer or of a lower one, without cycles. A name that ends
# with "." stands for all modules below it. A module that is not listed is a face: it may import everything, and nothing
# that is listed may import it.
LAYERS = (
    ("_jit", "_compiled_whole", "_compiled_tuples", "_compiled_pointers", "_compiled_types", "_checks", "_notices",
     "_scipy_names", "_status", "_threads", "_blocks", "_compiled_blocks"),
    ("_vectors",),
    ("_oracle", "_derivatives", "_python_adapters", "_compiled_adapters", "_objective", "_sampling", "_finite_sum",
     "_sampled_objective"),
    ("problems.",),
    ("_stopping", "linesearch.", "stepsize.", "directions."),
    ("_method",),
    ("methods.",),
    ("_catalogue", "_compiled_loop", "_history", "_loop", "_plot"),
    ("_options", "_callback", "_interrupt", "_problem_checks", "_rate", "_bounds", "_explain", "_reports", "_result", "_run",
     "_second_order"),
    ("_minimize", "baselines"),
    ("_slices", "_many", "_compiled_many", "_compiled_shapes"),
)
# Imports that point upward, made inside a function when it runs: (importer, imported) -> why.
UPWARD = {
    ("_method", "_run"): "a method object is callable by SciPy's protocol; it hands the work to the one place that does it",
}
# Methods are islands. (importer, imported) -> why.
METHOD_BRIDGES = {
    ("methods.independent_normalization", "methods.independent_auto"): "one method: a constant step, and an automatic one",
    ("methods.lbfgs", "methods.quasi_newton"): "one method, the one whose memory never turns into a matrix",
    ("methods.truncated_newton", "methods.newton_steps"): "one method, its steps in a file of their own",
    **{(f"methods.{part}", "methods.quasi_newton"): "its bursts are the quasi-Newton method, bit for bit"
       for part in ("truncated_newton", "newton_steps")},
    ("methods.fuse", "methods.adam"): "FUSE is Adam and L-BFGS blended; nothing else is in it",
    **{("methods.fuse", f"methods.{half}"): "FUSE is Adam and L-BFGS blended; nothing else is in it"
       for half in ("lbfgs", "quasi_newton")},
    **{(f"methods.{fuse}", f"methods.{half}"): "FUSE-PV is Adam and quasi-Newton in turns; nothing else is in it"
       for fuse in ("fuse_pv", "fuse_auto") for half in ("adam", "quasi_newton")},
    ("methods.fuse_pv", "methods.lbfgs"): "one of its second halves, at the parameters it asks for",
    ("methods.adam", "methods.adam_batches"): "one method, its step on batches in a file of its own",
    ("methods.fuse_pv", "methods.fuse_auto"): "one method, its automatic switch in a file of its own",
    **{("methods.fuse_pv", f"methods.fuse_{part}"): "one method, its run on batches and its criteria in files of their own"
       for part in ("sums", "room", "criteria")},
    **{("methods.fuse_sums", f"methods.{part}"): "Adam on batches and quasi-Newton in turns; nothing else is in it"
       for part in ("adam_batches", "quasi_newton", "fuse_batches", "fuse_criteria", "fuse_room")},
    ("methods.fuse_batches", "methods.quasi_newton"): "quasi-Newton directions, from batches",
    **{(f"methods.fuse_{one}", f"methods.fuse_{other}"): "the second phases on batches, one of them in a file of its own"
       for one, other in (("batches", "svrg"), ("batches", "room"), ("svrg", "room"))},
}


def modules():
    """{dotted name below the package: path}, without the package files, which only hold lists of names."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1] != "__init__":
            found[".".join(parts)] = path
    return found


def imports(path, name):
    """(imported module of this package, whether the import is at the top of the file)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in ast.walk(tree)} - {
        id(inner) for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for inner in ast.walk(node)
    }
    package = name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            target = [*base, *(node.module or "").split(".")] if node.module else base
            if not node.level:
                if target[0] != "curvopt":
                    continue
                target = target[1:]
            # `from .directions import krylov` names modules; `from .._oracle import value` names one.
            for alias in node.names:
                longer = ".".join([*target, alias.name])
                yield (longer if longer in MODULES else ".".join(target)), id(node) in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "curvopt":
                    yield ".".join(alias.name.split(".")[1:]), id(node) in top


def layer(name):
    for number, names in enumerate(LAYERS):
        if any(name == n or (n.endswith(".") and (name + ".").startswith(n)) for n in names):
            return number
    return len(LAYERS)


MODULES = modules()
EDGES = sorted({(name, target, top) for name, path in MODULES.items() for target, top in imports(path, name) if target})


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_downward(name):
    wrong = [
        target for source, target, _ in EDGES
        if source == name and layer(target) > layer(name) and (source, target) not in UPWARD
    ]
    assert not wrong, (
        f"curvopt/{name.replace('.', '/')}.py (layer {layer(name)}) imports from above: {wrong}. Move the piece down, or "
        "list a new low module in LAYERS of tests/architecture/test_layers.py."
    )


def test_upward_exceptions_are_lazy_and_used():
    for pair in UPWARD:
        tops = {top for *edge, top in EDGES if tuple(edge) == pair}
        assert tops == {False}, f"{pair} must be imported inside a function, and is not (or not any more)"


def test_no_cycles_among_imports_at_the_top():
    below = {name: {t for s, t, top in EDGES if s == name and top} for name in MODULES}
    done, path = set(), []

    def visit(name):
        assert name not in path, f"import cycle: {' -> '.join([*path[path.index(name):], name])}"
        if name in done or name not in below:
            return
        path.append(name)
        for target in sorted(below[name]):
            visit(target)
        path.pop()
        done.add(name)

    for name in below:
        visit(name)


def test_methods_are_islands():
    wrong = [
        (s, t) for s, t, _ in EDGES
        if s.startswith("methods.") and t.startswith("methods.") and (s, t) not in METHOD_BRIDGES
    ]
    assert not wrong, f"a piece that two methods share belongs in linesearch/, directions/ or stepsize/: {wrong}"


def test_every_listed_module_is_spelled_right():
    # A misspelt entry would silently turn a low module into a face. Entries may wait for a module still to be written.
    awaited = {"_sampling", "_finite_sum"}
    listed = {name for names in LAYERS for name in names}
    missing = {n for n in listed if not any(m == n or (n.endswith(".") and (PACKAGE / n[:-1]).is_dir()) for m in MODULES)}
    assert missing <= awaited, missing
