"""Directives that read the package, so that pages cannot drift from it.

``methods``      the front table, from ``curvopt.methods()``
``parameters``   parameters and defaults of method objects, side by side
``run``          code that is executed when the page is built, with what it prints

Pictures are drawn at build time by ``docs/pictures.py``.
"""
import contextlib
import importlib.util
import io
import pathlib
import re

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import curvopt

HERE = pathlib.Path(__file__).resolve().parent.parent
WORDS = {"jac": "gradient", "hessp": "Hv", "samples": "samples", "lower bound": "lower bound"}
logger = logging.getLogger(__name__)


def grid(titles, rows, widths):
    """A docutils table; cells are nodes."""
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=width) for width in widths]

    def line(cells):
        row = nodes.row()
        for cell in cells:
            entry = nodes.entry()
            paragraph = nodes.paragraph()
            paragraph += cell
            entry += paragraph
            row += entry
        return row

    head, body = nodes.thead(), nodes.tbody()
    head += line([[nodes.Text(title)] for title in titles])
    body += [line(cells) for cells in rows]
    group += [head, body]
    table = nodes.table(classes=["methods-table"])
    table += group
    return table


def page_of(method):
    """The page in docs/methods that describes a method: the one whose front matter lists its name."""
    for path in sorted((HERE / "methods").glob("*.md")):
        front = re.match(r"---\n(.*?)\n---\n", path.read_text(encoding="utf-8"), re.DOTALL)
        listed = re.search(r"^describes:\s*(.*)$", front.group(1), re.MULTILINE) if front else None
        if listed and method in listed.group(1).replace(",", " ").split():
            return path.stem
    return None


def link(text, document):
    reference = pending_xref("", refdomain="std", reftype="doc", reftarget=document, refexplicit=True, refwarn=True)
    reference += nodes.Text(text)
    return [reference]


def paper(text):
    """arXiv numbers as links, the rest as it is."""
    cells, last = [], 0
    for match in re.finditer(r"(?:arXiv:)?(\d{4}\.\d{4,5})", text):
        cells.append(nodes.Text(text[last: match.start()]))
        cells.append(nodes.reference("", match.group(1), refuri=f"https://arxiv.org/abs/{match.group(1)}"))
        last = match.end()
    return [*cells, nodes.Text(text[last:])]


class Methods(SphinxDirective):
    """The table of methods; ``:of: methods`` or ``:of: baselines`` restricts it."""

    option_spec = {"of": lambda text: directives.choice(text, ("methods", "baselines", "all"))}

    def run(self):
        which = self.options.get("of", "all")
        own = {row["name"] for row in curvopt.methods(baselines=False)}
        rows = []
        for row in curvopt.methods():
            if which != "all" and (row["name"] in own) != (which == "methods"):
                continue
            name = row["name"] if row["name"] in own else f"baselines.{row['name']}"
            document = page_of(row["name"])
            rows.append((
                link(name, f"/methods/{document}" if document else f"/generated/{class_path(row['method'])}"),
                [nodes.Text(", ".join(WORDS.get(need, need) for need in row["needs"]))],
                [nodes.Text(row["cost"])], [nodes.Text(row["memory"])], paper(row["paper"]),
            ))
        self.env.note_reread()
        return [grid(("method", "needs", "an iteration costs", "vectors", "paper"), rows, (22, 26, 24, 10, 18))]


class Parameters(SphinxDirective):
    """Defaults of the methods named in the argument, one column each."""

    required_arguments = 1
    optional_arguments = 50

    def run(self):
        names = [name.strip(",") for argument in self.arguments for name in argument.split()]
        found = {row["name"]: row["method"] for row in curvopt.methods()}
        methods = [found[name] for name in names]
        parameters = list(dict.fromkeys(p for method in methods for p in method.parameters))
        rows = []
        for parameter in parameters:
            cells = [[nodes.literal(parameter, parameter)]]
            for method in methods:
                shown = repr(getattr(method, parameter)) if parameter in method.parameters else ""
                cells.append([nodes.literal(shown, shown)] if shown else [nodes.Text("")])
            rows.append(cells)
        return [grid(("parameter", *names), rows, [20] * (1 + len(names)))]


class Run(SphinxDirective):
    """Python that is executed at build time. ``:continue:`` keeps the names of the page's earlier blocks."""

    has_content = True
    option_spec = {"hide-code": directives.flag, "continue": directives.flag}

    def run(self):
        code = "\n".join(self.content)
        key = f"curvopt-run:{self.env.docname}"
        names = self.env.temp_data.get(key, {}) if "continue" in self.options else {}
        self.env.temp_data[key] = names
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"{self.env.docname}.md", "exec"), names)
        except Exception as error:
            logger.warning("code of the page failed: %s: %s", type(error).__name__, error, location=self.get_location())
        blocks = []
        if "hide-code" not in self.options:
            blocks.append(nodes.literal_block(code, code, language="python"))
        if printed.getvalue():
            output = printed.getvalue().rstrip("\n")
            blocks.append(nodes.literal_block(output, output, language="none", classes=["output"]))
        return blocks


PAGES = {   # pages of the reference: what they list; names that none claims come under "Around a run"
    "solve": ("Solve", ("minimize", "iterate", "minimize_many", "solver", "FiniteSum", "Expectation")),
    "results": ("Results", ("Result", "Rate", "Bound", "ManyResult", "Status", "History", "PerformanceHint")),
    "around": ("Around a run", ()),
}


def class_path(method):
    kind = type(method)
    return f"{kind.__module__}.{kind.__qualname__}"


def write_reference(folder):
    """docs/generated/*.rst: every public name and the class of every method, for autosummary to document."""
    listed = {row["name"] for row in curvopt.methods()}
    functions = [n for n in curvopt.__all__ if n not in listed | {"__version__", "problems", "baselines", "Method", "methods"}]
    claimed = {name for _, names in PAGES.values() for name in names}
    for page, (title, names) in PAGES.items():
        chosen = [n for n in names if n in functions] or [n for n in functions if n not in claimed]
        paths = [f"curvopt.{name}" for name in chosen] + (["~curvopt._catalogue.methods"] if page == "around" else [])
        write(folder / f"{page}.rst", page_of_names(title, paths))
    classes = {}
    for row in curvopt.methods():
        classes.setdefault(class_path(row["method"]), []).append(row["name"])
    table = [".. list-table::", "   :header-rows: 1", "", "   * - object", "     - class"]
    for path, names in classes.items():
        own = [f"``{'' if name in curvopt.__all__ else 'baselines.'}{name}``" for name in names]
        table += [f"   * - {', '.join(own)}", f"     - :class:`~{path}`"]
    text = ["A ready-made object carries the defaults; ``replace`` gives a changed copy.", "", *table, ""]
    paths = ["~curvopt._method.Method", *(f"~{path}" for path in classes)]
    write(folder / "methods.rst", page_of_names("Methods", paths, text))
    write(folder / "problems.rst", page_of_names("Problems", [f"~curvopt.problems.{n}" for n in curvopt.problems.__all__]))


def page_of_names(title, paths, text=()):
    lines = [title, "=" * len(title), "", *text, ".. autosummary::", "   :toctree: .", "", *(f"   {path}" for path in paths)]
    return "\n".join(lines) + "\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def bars(app, what, name, obj, options, lines):
    """Docstrings write norms as ||g||; to reStructuredText a bar begins a substitution. Literals and formulas keep theirs."""
    if not any(line.lstrip().startswith(".. [") for line in lines):     # it refers to the references of its class
        lines[:] = [re.sub(r"\[(\w+)\]_(?!\w)", r"[\1]", line) for line in lines]
    formula = None      # indentation of the `.. math::` whose block this is
    for i, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if formula is not None and line.strip() and indent <= formula:
            formula = None
        if line.lstrip().startswith(".. math::"):
            formula = indent
        if formula is None and not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(``.*?``|:math:`.*?`)", line)
            parts[::2] = [re.sub(r"(?<!\\)\|", r"\\|", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def draw_pictures(app):
    """Run docs/pictures.py into docs/generated/pictures; a picture newer than the sources is kept."""
    spec = importlib.util.spec_from_file_location("curvopt_pictures", HERE / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.draw_all(HERE / "generated" / "pictures")


def setup(app):
    write_reference(HERE / "generated")
    app.add_directive("methods", Methods)
    app.add_directive("parameters", Parameters)
    app.add_directive("run", Run)
    app.connect("autodoc-process-docstring", bars, priority=900)
    app.connect("builder-inited", draw_pictures)
    return {"version": curvopt.__version__, "parallel_read_safe": True, "parallel_write_safe": True}
