"""Properties of the files: length, no path of somebody's machine, no debris."""
import ast
import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {".git", ".venv", "build", "dist", "_build", "generated", "auto_examples", "__pycache__", ".pytest_cache",
           ".ruff_cache", ".hypothesis", "htmlcov", ".asv"}
TEXT = {".py", ".md", ".rst", ".cfg", ".toml", ".yml", ".yaml", ".cff", ".sh", ".txt", ".csv", ".json", ""}

FILE_LINES, FUNCTION_LINES = 250, 40    # what fits a reader's head; lines of code for functions, all lines for files
TOLERANCE = 1.25                        # a file or function this much over is not worth an argument
# Longer ones, with the reason. {file: (lines, reason)}, {(file, function): (lines, reason)}
LONG_FILES = {}
LONG_FUNCTIONS = {}


def files():
    found = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [d for d in inner if d not in SKIPPED and not d.startswith(".venv") and not d.endswith(".egg-info")]
        found += [pathlib.Path(folder, name) for name in names if name not in SKIPPED]
    return sorted(found)


def label(path):
    return str(path.relative_to(ROOT))


FILES = files()
SOURCES = [path for path in FILES if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == "curvopt"]


def code_lines(node, text):
    """Lines of a function that hold code: no blank lines, comments or docstring."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    lines = text.splitlines()[first.lineno - 1:node.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    name = label(path)
    allowed = LONG_FILES.get(name, (FILE_LINES * TOLERANCE, ""))[0]
    lines = len(text.splitlines())
    assert lines <= allowed, f"{name} has {lines} lines; split it, or list it in LONG_FILES with a reason"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            allowed = LONG_FUNCTIONS.get((name, node.name), (FUNCTION_LINES * TOLERANCE, ""))[0]
            lines = code_lines(node, text)
            assert lines <= allowed, f"{name}: {node.name} has {lines} lines of code; split it, or list it in LONG_FUNCTIONS"


def test_no_path_of_one_machine():
    path_of_a_machine = re.compile("|".join(f"(?<![\\w.~-]){start}/" for start in ("/work", "/home", "/root", "/tmp", "/Users"))
                                   + r"|\b[A-Z]:\\\\?[A-Za-z]")
    wrong = []
    for path in FILES:
        if path.suffix in TEXT and path != pathlib.Path(__file__).resolve():
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            wrong += [f"{label(path)}:{i}: {line.strip()[:80]}" for i, line in enumerate(text.splitlines(), 1)
                      if path_of_a_machine.search(line)]
    assert not wrong, "\n".join(wrong)


def test_every_source_file_says_what_it_is_for():
    for path in SOURCES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{label(path)} has no docstring"


def test_no_unfinished_work():
    pattern = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "Not" + "ImplementedYet")))
    wrong = [f"{label(path)}:{i}" for path in SOURCES
             for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if pattern.search(line)]
    assert not wrong, wrong
