"""The command line: arguments in, exit code out. 0 done, 1 failed, 2 a wrong argument, 130 Ctrl-C."""
import importlib
import os
import pathlib
import sys

from ._arguments import WrongArgument, parse

DONE, FAILED, WRONG_ARGUMENT, INTERRUPTED = 0, 1, 2, 130


def main(argv=None):
    """Run the command line; return the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parse(argv)
        return HANDLERS[options.command or "report"](options)
    except SystemExit as leave:     # --help
        return leave.code or DONE
    except WrongArgument as error:
        return say(f"error: {error}", WRONG_ARGUMENT)
    except ImportError as error:
        return say(f"error: {error}", FAILED)
    except KeyboardInterrupt:
        return say("interrupted", INTERRUPTED)
    except BrokenPipeError:     # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def say(line, code):
    print("curvopt:", " ".join(line.split()), file=sys.stderr)
    return code


def writable(path):
    """Refuse a file that could not be written at the end, before the work begins."""
    if path is not None:
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise WrongArgument(f"cannot write {path}: {'it is a folder' if path.is_dir() else 'its folder does not exist'}")
        if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            raise WrongArgument(f"cannot write {path}: no permission")
    return path


def picture_needs(path):
    """matplotlib without a window, or an ImportError that names the extra."""
    if path is not None:
        try:
            import matplotlib
        except ImportError:
            raise ImportError('the picture needs matplotlib: pip install "curvopt[demo]"') from None
        if path.suffix.lower().lstrip(".") not in ("png", "pdf", "svg", "html"):
            raise WrongArgument(f"{path}: the picture can be a .png, .pdf or .svg file")
        matplotlib.use("Agg")


def asked(call, *args, **keywords):
    """Call with values the user typed: an error about them is a wrong argument."""
    try:
        return call(*args, **keywords)
    except (ValueError, TypeError) as error:
        raise WrongArgument(error) from None


def run_report(options):
    if options.version:
        from . import __version__

        print(f"curvopt {__version__}")
        return DONE
    from . import _report

    output = options.output or pathlib.Path("curvopt-report.png")
    for path in (output, options.html):
        writable(path)
        picture_needs(path)
    _known_methods(options.methods)
    comparisons = _report.run(options.methods, options.budget, options.gtol, progress=not options.quiet)
    return _report.finish(comparisons, output, options.html)


def run_compare(options):
    from . import _report
    from ._compare import compare
    from .problems import by_name

    for path in (options.output, options.html):
        writable(path)
        picture_needs(path)
    name = options.problem or options.problem_option
    if name is None or (options.problem and options.problem_option):
        raise WrongArgument("compare takes one problem, such as: compare rosenbrock:10")
    _known_methods(options.methods)
    found = compare(asked(by_name, name), options.methods, options.budget, options.gtol, progress=not options.quiet)
    print(found)
    return _report.finish([found], options.output, options.html)


def _known_methods(chosen):
    from ._entries import scipy_name
    from ._minimize import find_method

    for name in chosen or ():
        if scipy_name(name) is None:
            asked(find_method, name)


def run_methods(options):
    from ._catalogue import methods

    print(methods(baselines=not options.no_baselines))
    return DONE


def run_check(options):
    import numpy as np

    from ._check_derivatives import check_derivatives
    from .problems import by_name

    writable(options.output)
    picture_needs(options.output)
    own = [name for name in ("fun", "jac", "hessp") if getattr(options, name)]
    if bool(options.problem) == bool(own):
        raise WrongArgument("check takes the name of a problem, or --fun, --jac (and --hessp) as module:name")
    if options.problem:
        p = asked(by_name, options.problem)
        fun, jac, hessp, args = p.fun, p.jac, p.hessp, p.args
        # Not the start itself: at zero, say, an error may hide.
        x = p.x0 + 0.1 * np.random.default_rng(0).standard_normal(p.n) if options.x0 is None else options.x0
        if len(x) != p.n:
            raise WrongArgument(f"{p.name} has {p.n} variables, --x0 has {len(x)}")
    else:
        if not (options.fun and options.jac and options.x0 is not None):
            raise WrongArgument("your own functions need --fun, --jac and --x0")
        fun, jac, hessp = (find_function(getattr(options, name)) for name in ("fun", "jac", "hessp"))
        args, x = (), options.x0
    report = asked(check_derivatives, fun, x, jac, hessp, args=args, directions=options.directions)
    print(report)
    if options.output:
        report.plot().figure.savefig(options.output, dpi=150)
    return DONE if report.ok else FAILED


def find_function(path):
    """The function that "module:name" stands for; modules of the current folder count."""
    if path is None:
        return None
    module, _, name = path.partition(":")
    if not module or not name:
        raise WrongArgument(f"{path!r} is not of the form module:name")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise WrongArgument(f"{path}: {error}") from None
    if not callable(function):
        raise WrongArgument(f"{path} is not a function")
    return function


def run_warmup(options):
    from ._warmup import warmup

    _known_methods(options.methods)
    try:
        seconds = warmup(options.methods, progress=True)
    except RuntimeError as error:
        return say(f"error: {error}", FAILED)
    print(f"{len(seconds)} compiled in {sum(seconds.values()):.1f} s")
    return DONE


HANDLERS = {"report": run_report, "methods": run_methods, "compare": run_compare, "check": run_check, "warmup": run_warmup}
