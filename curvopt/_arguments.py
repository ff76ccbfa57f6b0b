"""The arguments of the command line: what there is, and one clear line about what is wrong."""
import argparse
import pathlib

from . import _checks

COMMANDS = ("report", "methods", "compare", "check", "warmup")
DESCRIPTION = """\
Smooth unconstrained minimization. Without a command: compare every method, and SciPy's L-BFGS-B, CG and Newton-CG, on
three real data sets at equal oracle budget; print a table for each and write one picture of them."""
EPILOG = """\
examples:
  python -m curvopt                                          the report (needs: pip install "curvopt[demo]")
  python -m curvopt --budget 2000 --output all.png           longer runs
  python -m curvopt methods                                  the table of methods
  python -m curvopt compare rosenbrock:10                    every method on one problem
  python -m curvopt compare digits --methods SAUTO,LBFGS,L-BFGS-B --html page.html
  python -m curvopt check rosenbrock                         derivatives of a problem against differences
  python -m curvopt check --fun model:loss --jac model:grad --x0 0.5,1.0

oracle units: a value of the function 1, a gradient 1, a Hessian-vector product 2"""


class WrongArgument(Exception):
    """A wrong argument; the text is the one line the user sees."""


class Parser(argparse.ArgumentParser):
    """argparse that leaves the last word to `main`, and names the nearest command."""

    def error(self, message):
        raise WrongArgument(message)


def parser():
    top = Parser(prog="python -m curvopt", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                 formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=110))
    top.add_argument("--version", action="store_true", help="print the version and leave")
    run_options(top)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands (each has its own --help)")

    def add(name, text):
        # Defaults live at the top, so that an option means the same before and after the command.
        return commands.add_parser(name, help=text, description=text, allow_abbrev=False, argument_default=argparse.SUPPRESS)

    run_options(add("report", "what runs without a command"))
    add("methods", "table of the methods: needs, cost, memory, paper").add_argument(
        "--no-baselines", action="store_true", default=False, help="leave the baselines out")
    compare = add("compare", "methods on one problem")
    compare.add_argument("problem", nargs="?", default=None, help="such as rosenbrock, rosenbrock:100, eight:6, digits")
    compare.add_argument("--problem", dest="problem_option", metavar="NAME", default=None, help="the same as an option")
    run_options(compare)
    check_options(add("check", "derivatives against differences"))
    add("warmup", "compile the loops now and keep them on disk").add_argument(
        "--methods", metavar="A,B,...", type=names, help="only these (default: all)")
    return top


def run_options(parser):
    """Options of the commands that run methods. Only the top parser has defaults."""
    defaults = {"budget": 1000, "gtol": 1e-8, "methods": None, "html": None, "output": None, "quiet": False} \
        if parser.argument_default is None else {}

    def add(*flags, **keywords):
        name = flags[-1].lstrip("-")
        parser.add_argument(*flags, default=defaults.get(name, argparse.SUPPRESS), **keywords)

    add("--budget", metavar="UNITS", type=whole, help="oracle units for each run (default 1000)")
    add("--gtol", metavar="G", type=positive,
        help="stop when the largest entry of the gradient is at most this (default 1e-8)")
    add("--methods", metavar="A,B,...", type=names, help="only these, of curvopt and of SciPy (default: all)")
    add("-o", "--output", metavar="PNG", type=pathlib.Path,
        help="the picture (the report writes curvopt-report.png when not told otherwise)")
    add("--html", metavar="PATH", type=pathlib.Path, help="also write one page with tables and picture")
    add("--quiet", action="store_true", help="no progress bar")


def check_options(check):
    check.add_argument("problem", nargs="?", default=None, help="a problem of curvopt, such as rosenbrock:10")
    for name, call in (("fun", "fun(x)"), ("jac", "jac(x)"), ("hessp", "hessp(x, p)")):
        check.add_argument(f"--{name}", metavar="MODULE:NAME", default=None, help=f"your own {call}")
    check.add_argument("--x0", metavar="1,2,...", type=numbers, default=None,
                       help="point to check at (default: near the problem's start)")
    check.add_argument("--directions", metavar="K", type=whole, default=3, help="random directions (default 3)")
    check.add_argument("-o", "--output", metavar="PNG", type=pathlib.Path, help="also draw errors against steps")


def known_options(parser):
    """All option strings of the parser and of its commands."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(*map(known_options, action.choices.values()))
    return found


def whole(text):
    return _argument(lambda: _checks.count("it", int(text), 1), f"{text!r} is not a whole number of at least 1")


def positive(text):
    return _argument(lambda: _checks.positive("it", float(text)), f"{text!r} is not a positive number")


def names(text):
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names nothing")
    return found


def numbers(text):
    return _argument(lambda: [float(part) for part in text.split(",")], f"{text!r} is not a list of numbers such as 1,2.5")


def _argument(read, complaint):
    try:
        return read()
    except (ValueError, TypeError, ArithmeticError):
        raise argparse.ArgumentTypeError(complaint) from None


def parse(argv):
    """The options; argparse's own complaints about names come too late to be clear, so names are looked at first."""
    known = parser()
    if argv and not argv[0].startswith("-") and argv[0] not in COMMANDS:
        raise WrongArgument(f"unknown command {argv[0]!r}{_checks.nearest(argv[0], COMMANDS)}; "
                            f"there are {', '.join(COMMANDS)}")
    flags = known_options(known)
    for argument in argv:
        flag = argument.partition("=")[0]
        if flag.startswith("--") and flag not in flags:
            raise WrongArgument(f"unknown option {flag}{_checks.nearest(flag, flags)}; --help lists them")
    return known.parse_args(argv)
