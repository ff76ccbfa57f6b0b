"""Metadata: said once, in setup.cfg, and true of the package that is being tested."""
import importlib.metadata
import pathlib
import tomllib

import curvopt

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_pyproject_holds_the_build_system_and_tool_tables_only():
    with open(ROOT / "pyproject.toml", "rb") as file:
        assert set(tomllib.load(file)) == {"build-system", "tool"}


def test_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {curvopt.__version__}\n" in citation
    try:
        installed = importlib.metadata.version("curvopt")
    except importlib.metadata.PackageNotFoundError:     # a checkout on PYTHONPATH
        return
    assert installed == curvopt.__version__


def test_every_folder_of_sources_is_a_package():
    """``find:`` leaves out folders without __init__.py, and the wheel would lack them."""
    package = ROOT / "curvopt"
    folders = {path.parent for path in package.rglob("*.py")}
    assert [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").exists()] == []


def test_the_distribution_contains_the_package_and_nothing_else():
    try:
        files = importlib.metadata.files("curvopt")
    except importlib.metadata.PackageNotFoundError:
        return
    top = {file.parts[0] for file in files or () if ".." not in file.parts}
    assert all(name == "curvopt" or name.startswith(("curvopt-", "__editable__")) for name in top), top
