"""The command line, called in process: exit codes, one clear line for what is wrong, files written."""
import subprocess
import sys

import pytest

from curvopt import _compare, _report, problems
from curvopt._cli import main
from curvopt._jit import is_compiled

pytest.importorskip("matplotlib")


def lines(captured):
    return captured.err.splitlines()


@pytest.mark.parametrize("arguments, words", [
    ("reprt", "did you mean 'report'"), ("--budgt 3", "did you mean '--budget'"), ("--budget x", "whole number"),
    ("--budget -5", "whole number"), ("--gtol 0", "positive"), ("--methods ,", "names nothing"),
    ("--methods SGMM", "did you mean 'SGM'"), ("-o picture.bmp", ".png"), ("-o no-such-folder/x.png", "does not exist"),
    ("--html .", "it is a folder"), ("compare", "takes one problem"), ("compare rosenbrok", "did you mean 'rosenbrock'"),
    ("compare rosenbrock:x", "whole number"), ("compare beale --problem wood", "takes one problem"),
    ("check", "takes the name of a problem"), ("check beale --fun a:b", "takes the name of a problem"),
    ("check --fun math:sin", "need --fun, --jac and --x0"), ("check --fun sin --jac a:b --x0 1", "module:name"),
    ("check --fun math:sine --jac a:b --x0 1", "has no attribute"), ("check --fun math:pi --jac a:b --x0 1", "no function"),
    ("check beale --x0 1,2,3", "2 variables"), ("check beale --x0 1;2", "list of numbers"), ("methods all", "unrecognized"),
])
def test_a_wrong_argument_gets_one_line_and_exit_code_2(arguments, words, capsys):
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert len(lines(captured)) == 1 and captured.err.startswith("curvopt: error: ")
    assert words.replace("no function", "is not a function") in captured.err and not captured.out


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("report", "methods", "compare", "check", "warmup", 'pip install "curvopt[demo]"'))
    assert max(map(len, text.splitlines())) <= 120
    for command in ("compare", "check"):
        assert main([command, "--help"]) == 0
        assert command in capsys.readouterr().out


def test_methods_lists_the_catalogue(capsys):
    assert main(["methods"]) == 0 and "MRCG" in (text := capsys.readouterr().out) and "HeavyBall" in text
    assert main(["methods", "--no-baselines"]) == 0 and "HeavyBall" not in capsys.readouterr().out


def test_compare_prints_the_table_and_writes_the_files(tmp_path, capsys):
    picture, page = tmp_path / "c.png", tmp_path / "c.html"
    code = main(["compare", "beale", "--methods", "MRCG,L-BFGS-B", "--budget", "80", "-o", str(picture), "--html", str(page)])
    captured = capsys.readouterr()
    assert code == 0 and "SciPy L-BFGS-B" in captured.out and "80 oracle units" in captured.out
    assert picture.read_bytes()[:4] == b"\x89PNG" and page.stat().st_size > 10_000
    assert "2/2" in captured.err or "1/2" in captured.err     # the bar


def test_options_mean_the_same_before_and_after_the_command(capsys):
    assert main(["--budget", "20", "--quiet", "--methods", "GD", "compare", "beale"]) == 0
    captured = capsys.readouterr()
    assert "20 oracle units" in captured.out and captured.out.count("BUDGET") == 1 and not captured.err


def test_check_of_a_problem_and_of_own_functions(tmp_path, monkeypatch, capsys):
    assert main(["check", "beale", "-o", str(tmp_path / "check.png")]) == 0
    assert "OK: jac and hessp agree" in capsys.readouterr().out and (tmp_path / "check.png").exists()
    (tmp_path / "model_of_mine.py").write_text("def f(x):\n    return float(x @ x)\ndef g(x):\n    return 2 * x\n"
                                               "def wrong(x):\n    return 3 * x\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, ""])
    own = ["check", "--fun", "model_of_mine:f", "--x0", "1,-2"]
    assert main([*own, "--jac", "model_of_mine:g"]) == 0
    assert main([*own, "--jac", "model_of_mine:wrong"]) == 1
    assert "WRONG: jac is not the gradient of fun" in capsys.readouterr().out


@pytest.fixture
def small_report(monkeypatch):
    """The report on problems that cost nothing."""
    monkeypatch.setattr(_report, "PROBLEMS", ("beale", "wood"))


def test_report(small_report, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--methods", "MRCG,CG", "--budget", "60", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert out.index("beale: n = 2") < out.index("wood: n = 4") < out.index("picture: curvopt-report.png")
    assert (tmp_path / "curvopt-report.png").stat().st_size > 20_000


def test_ctrl_c_leaves_a_partial_table_and_exit_code_130(small_report, tmp_path, monkeypatch, capsys):
    entry_of = _compare.entry_of

    def interrupting(method, problem):
        entry = entry_of(method, problem)
        if problem.name == "wood" and method == "CG":
            def run(oracle):
                raise KeyboardInterrupt
            entry.run = run
        return entry

    monkeypatch.setattr(_compare, "entry_of", interrupting)
    code = main(["--methods", "MRCG,CG,L-BFGS-B", "--budget", "60", "--quiet", "-o", str(tmp_path / "r.png")])
    captured = capsys.readouterr()
    assert code == 130 and "interrupted" in captured.err and (tmp_path / "r.png").exists()
    assert captured.out.count("SciPy L-BFGS-B") == 1 and captured.out.count("MRCG") == 2


def test_a_run_that_fails_shows_in_the_exit_code(small_report, tmp_path, monkeypatch):
    p = problems.beale()
    broken = problems.Problem("beale", lambda x: 1 / 0, p.jac, p.hessp, p.x0)
    monkeypatch.setattr(problems, "beale", lambda: broken)
    assert main(["--methods", "MRCG", "--budget", "20", "--quiet", "-o", str(tmp_path / "r.png")]) == 1


@pytest.mark.parametrize("missing", ["sklearn", "matplotlib"])
def test_missing_extras_are_named_in_one_line(missing, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["--quiet", "-o", str(tmp_path / "r.png")]) == 1
    captured = capsys.readouterr()
    assert len(lines(captured)) == 1 and 'pip install "curvopt[demo]"' in captured.err


def test_without_tqdm_there_is_no_bar_and_no_error(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(["compare", "beale", "--methods", "GD", "--budget", "20"]) == 0
    assert not capsys.readouterr().err


def test_warmup(capsys):
    code = main(["warmup", "--methods", "SGM"])
    captured = capsys.readouterr()
    if is_compiled(problems.beale().fun):
        assert code == 0 and captured.out.startswith("1 compiled in")
    else:
        assert code == 1 and len(lines(captured)) == 1


def test_as_a_module():
    done = subprocess.run([sys.executable, "-m", "curvopt", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("curvopt ") and not done.stderr
