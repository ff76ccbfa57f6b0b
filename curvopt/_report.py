"""The main job: every method on three real data sets, a table for each and one picture."""
import sys

from . import problems
from ._compare import compare

PROBLEMS = ("breast_cancer", "digits", "diabetes")


def run(methods, budget, gtol, progress):
    """Compare on each problem; print each table when it is there. After Ctrl-C the list is shorter, or its last
    comparison has not all its rows."""
    made = [getattr(problems, name)() for name in PROBLEMS]
    found = []
    for problem in made:
        comparison = compare(problem, methods, budget, gtol, progress=progress)
        print(comparison, end="\n\n", flush=True)
        found.append(comparison)
        if comparison.interrupted:
            break
    return found


def finish(comparisons, output, html):
    """Write the picture and the page; return the exit code."""
    drawn = [c for c in comparisons if c.rows]
    if drawn and output is not None:
        from ._compare_plot import plot_report

        plot_report(drawn).savefig(output, dpi=150)
        print(f"picture: {output}")
    if drawn and html is not None:
        from ._compare_plot import write_page

        write_page(drawn, html)
        print(f"page: {html}")
    if any(c.interrupted for c in comparisons):
        print("curvopt: interrupted; the tables hold what was finished", file=sys.stderr)
        return 130
    return 1 if any(c.errors for c in comparisons) else 0
