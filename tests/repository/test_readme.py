"""README.md: its commands, its example, its links, its table of methods."""
import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


@pytest.fixture(scope="module")
def readme():
    spec = importlib.util.spec_from_file_location("readme_tool", ROOT / "tools" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.thread_unsafe(reason="what the example prints is captured")
def test_example_prints_what_it_says_and_the_table_is_current(readme):
    assert readme.problems() == []


@pytest.mark.parametrize(("section", "last"), [("main", "-m curvopt"), ("tests", "-P -m pytest -n 2")])
def test_commands_bring_their_own_environment(readme, section, last):
    command = readme.command(section)
    assert "\n" not in command
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert command.endswith(f".venv/bin/python {last}")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_relative_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    missing = [target for target in targets if target and not (ROOT / target).exists()]
    assert missing == []
