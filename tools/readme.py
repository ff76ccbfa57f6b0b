"""What of README.md is derived or executed, so that it cannot drift.

    python tools/readme.py command tests    print the command of a section ("main" or "tests"); .ci/run executes it
    python tools/readme.py table            write the table of methods from curvopt.methods()
    python tools/readme.py check            run the example against the output it claims; compare the table
"""
import contextlib
import io
import pathlib
import re
import sys

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
TABLE = re.compile(r"(?<=<!-- methods: python tools/readme\.py table -->\n).*?(?=<!-- end -->)", re.DOTALL)
HEADINGS = {"main": "## Run the main job", "tests": "## Run the tests"}


def command(section):
    """The first shell block under the heading of a section."""
    text = README.read_text(encoding="utf-8")
    after = text[text.index(HEADINGS[section]):]
    return re.search(r"```sh\n(.*?)\n```", after, re.DOTALL).group(1)


def needs(row):
    words = {"jac": "gradient", "hessp": "Hv", "samples": "samples", "lower bound": "a lower bound"}
    return ", ".join(words.get(need, need) for need in row["needs"])


def paper(row):
    text = row["paper"]
    return re.sub(r"(?:arXiv:)?(\d{4}\.\d{4,5})", r"[\1](https://arxiv.org/abs/\1)", text) if text else ""


def table():
    """The table of methods in Markdown."""
    import curvopt

    titles = ("method", "needs", "evaluations an iteration", "vectors", "paper")
    lines = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    for row in curvopt.methods():
        baseline = "" if row["name"] in curvopt.__all__ else "baselines."
        lines.append(f"| `{baseline}{row['name']}` | {needs(row)} | {row['cost']} | {row['memory']} | {paper(row)} |")
    return "\n".join(lines) + "\n"


def example():
    """(code, lines it says it prints) of the Python block."""
    code = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL).group(1)
    return code, re.findall(r"^print\(.*\)\s+# (.*)$", code, re.MULTILINE)


def problems():
    """What is wrong with README.md, one line each."""
    found = []
    if TABLE.search(README.read_text(encoding="utf-8")).group(0) != table():
        found.append("the table of methods is out of date: python tools/readme.py table")
    code, claimed = example()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    if printed.getvalue().splitlines() != claimed:
        found.append(f"the example prints {printed.getvalue().splitlines()}, but says {claimed}")
    return found


def main(arguments):
    if arguments[:1] == ["command"] and arguments[1:] and arguments[1] in HEADINGS:
        print(command(arguments[1]))
        return 0
    if arguments == ["table"]:
        README.write_text(TABLE.sub(lambda match: table(), README.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if arguments == ["check"]:
        found = problems()
        print("\n".join(found) or "README.md: the example and the table of methods are right")
        return 1 if found else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
