"""The hypergradient methods on nonconvex problems, beside gradient descent with Armijo's rule.

    python benchmarks/hypergradient_nonconvex.py                      Rosenbrock, Student-t regression, phase retrieval
    python benchmarks/hypergradient_nonconvex.py s2mpj [PART [MAX_N]]  S2MPJ's unconstrained problems with n <= MAX_N (10)

One unit is a value or a gradient of any method. A run has BUDGET units, the same for all; it is over where max|g| < 1e-5. A
method is *worse* than ArmijoGD on a problem where its final value is higher by more than 1e-6 of the decrease from the start
to the least value of all; where the values agree to that, where ArmijoGD gets to the tolerance with fewer units, or alone. The
table gives units, or in brackets the final gap relative to that at the start; a star marks what is worse. The last lines
tell the kinds apart: slower; not solved; higher at another stationary point ("elsewhere"); higher where the budget ended the
run ("unfinished"); and give the ratios of units to those of ArmijoGD where both ended at the same value. With ``--units C``
all of f is multiplied by C, and the tolerance with it: that changes no count of these methods, which are free of scale where C
is a power of two, but it does change what the unit step of ArmijoGD is worth. With ``--any-units`` a second summary compares
with ArmijoGD in units that nobody chose: the median of its runs on c f, c = 1/64, 1/8, 1, 8, 64, the fewest units first,
what is not solved last. Bit for bit that is its run on f with c as the first step. ``--decades`` takes c = 0.01, ..., 100: the
other five share all halved steps.
"""
import argparse
import contextlib
import io
import itertools
import warnings

import numpy as np

import curvopt

METHODS = ("HDM", "HDMRatio", "HDMBest", "HDMNesterov", "HDMSecant")
BUDGET, GTOL = 20_000, 1e-5
EQUAL = 1e-6        # of the decrease: values closer than this are the same
OCTAVES, DECADES = (1 / 64, 1 / 8, 1.0, 8.0, 64.0), (0.01, 0.1, 1.0, 10.0, 100.0)     # units of f, as first steps
SHORT = {"FBRAIN3LS": 400}      # 65 ms an evaluation


def units(fun, jac, x0, args, method, budget, gtol):
    """(units, solved, least value, whether the run stayed finite)."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        # Gradients and values are about as many in all of these methods: half the budget each.
        result = curvopt.minimize(fun, x0, args=args, jac=jac, method=method,
                                  options={"gtol": gtol, "maxfev": budget // 2, "maxjev": budget // 2, "maxiter": budget})
    return result.nfev + result.njev, bool(result.success), float(result.fun), str(result.status.name)


def students(seed, n=10, rows=60):
    random = np.random.default_rng(seed)
    A = random.standard_normal((rows, n)) * np.geomspace(0.1, 3.0, n)
    b = A @ random.standard_normal(n) + random.standard_t(1.5, rows)
    return curvopt.problems.robust(A, b, x0=np.zeros(n), name=f"student-t {seed}")


def phases(seed, n=10, rows=60):
    random = np.random.default_rng(seed)
    A, signal = random.standard_normal((rows, n)), random.standard_normal(n)
    b = (A @ signal) ** 2
    return curvopt.problems.phase_retrieval(A, b, x0=random.standard_normal(n), name=f"phase {seed}")


def named():
    for n in (2, 10, 100):
        yield curvopt.problems.rosenbrock(n)
    for seed in range(5):
        yield students(seed)
    for seed in range(5):
        yield phases(seed)


def compared(run, base, gap):
    """(how `run` is worse than `base`, None where it is not; ratio of units, nan where one is not solved or elsewhere)."""
    count, solved, f, _ = run
    if not abs(f - base[2]) <= EQUAL * gap:
        return (None if f < base[2] else "elsewhere" if solved else "unfinished"), np.nan
    if not base[1]:
        return None, np.nan
    return ("slower" if count > base[0] else None, count / base[0]) if solved else ("not solved", np.nan)


def in_the_middle(runs):
    """The median of runs: fewest units first, those that are not solved last and by their values."""
    return sorted(runs, key=lambda run: (not run[1], run[0] if run[1] else run[2]))[len(runs) // 2]


def compare(name, n, fun, jac, x0, args, table, factors=(), budget=BUDGET, gtol=GTOL):
    """One line of the table; what the summary needs goes into `table`: (label, against) -> [(how, ratio, name)]."""
    every = {"ArmijoGD": curvopt.baselines.ArmijoGD, **{m: getattr(curvopt, m) for m in METHODS}}
    budget = SHORT.get(name, budget)
    runs = {label: units(fun, jac, x0, args, method, budget, gtol) for label, method in every.items()}
    bases = {"ArmijoGD": runs["ArmijoGD"]}
    if factors:
        first = [curvopt.baselines.ArmijoGD.replace(step0=c) for c in factors if c != 1.0]
        bases["any units"] = in_the_middle([runs["ArmijoGD"], *(units(fun, jac, x0, args, m, budget, gtol) for m in first)])
    with np.errstate(all="ignore"):
        f0 = float(fun(x0, *args))
    least = min(run[2] for run in (*runs.values(), *bases.values()))
    gap = max(f0 - least, 1e-300)
    line = f"{name:22s} {n:4d}"
    for label, run in runs.items():
        for against, base in bases.items() if label != "ArmijoGD" else ():
            how, ratio = compared(run, base, gap)
            table.setdefault((label, against), []).append(("DIVERGED" if not run[2] <= f0 else how, ratio, name))
        star = "*" if label != "ArmijoGD" and table[label, "ArmijoGD"][-1][0] else ""
        shown = str(run[0]) if run[1] else f"({(run[2] - least) / gap:.0e} {run[3][:4]})"
        line += f"{shown + star:>18s}"
    if factors:
        line += f"   any units {bases['any units'][0] if bases['any units'][1] else '-'}"
    print(line, flush=True)


def summary(table):
    for (label, against), rows in table.items():
        lost = {}
        for how, ratio, name in rows:
            if how:
                lost.setdefault(how, []).append(name + (f" ({ratio:.2f})" if ratio > 1.0 else ""))
        ratios = np.array([ratio for _, ratio, _ in rows if ratio > 0.0] or [np.nan])
        print(f"{label} against {against}, {len(rows)} problems: " + "; ".join(
            f"{how} {len(names)}: {', '.join(names)}" for how, names in lost.items())
            + f"; ratio of units: median {np.median(ratios):.2f}, largest {ratios.max():.2f}, at most 1.1 in "
              f"{np.count_nonzero(ratios <= 1.1)} of {ratios.size}")


def s2mpj(part, max_n, c):
    from collection import collection

    for case in collection(max_n, part, ("s2mpj",))[0]:
        memory = {"x": None, "pair": None}

        def both(x, case=case, memory=memory):
            if memory["x"] is None or not np.array_equal(x, memory["x"]):
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        f, g = case.fun_grad(x)
                    real = np.isreal(f) and np.all(np.isreal(g))
                    f, g = (c * float(f), c * np.asarray(g, float)) if real else (np.nan, g * np.nan)
                except (OverflowError, ValueError, FloatingPointError, ZeroDivisionError):
                    f, g = np.nan, np.full(x.size, np.nan)
                memory["x"], memory["pair"] = x.copy(), (f, g)
            return memory["pair"]

        yield case.name, case.n, lambda x, both=both: both(x)[0], lambda x, both=both: both(x)[1], case.x0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["named", "s2mpj"], default="named")
    parser.add_argument("part", nargs="?", choices=["tuning", "validation"], default="tuning")
    parser.add_argument("max_n", nargs="?", type=int, default=10)
    parser.add_argument("--budget", type=int, default=None)
    parser.add_argument("--only", default="", help="a slice of the problems, like 0:40")
    parser.add_argument("--units", type=float, default=1.0, help="a factor of f, for the S2MPJ set")
    parser.add_argument("--any-units", action="store_true", help="compare with the median of ArmijoGD over units of f, too")
    parser.add_argument("--decades", action="store_true", help="the same over c = 0.01, 0.1, 1, 10, 100")
    arguments = parser.parse_args()
    factors = DECADES if arguments.decades else OCTAVES if arguments.any_units else ()
    table = {}
    print(f"{'problem':22s}    n" + "".join(f"{label:>18s}" for label in ("ArmijoGD", *METHODS)))
    if arguments.what == "named":
        for p in named():
            compare(p.name, p.n, p.fun, p.jac, p.x0, p.args, table, factors, arguments.budget or BUDGET)
    else:
        low, _, high = arguments.only.partition(":")
        for case in itertools.islice(s2mpj(arguments.part, arguments.max_n, arguments.units), int(low or 0),
                                     int(high) if high else None):
            compare(*case, (), table, factors, arguments.budget or 4000, arguments.units * GTOL)
    summary(table)


if __name__ == "__main__":
    main()
