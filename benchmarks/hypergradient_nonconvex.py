"""The hypergradient methods on nonconvex problems, beside gradient descent with Armijo's rule.

    python benchmarks/hypergradient_nonconvex.py                      Rosenbrock, Student-t regression, phase retrieval
    python benchmarks/hypergradient_nonconvex.py s2mpj [PART [MAX_N]]  S2MPJ's unconstrained problems with n <= MAX_N (10)

One unit is a value or a gradient of any method. A run has BUDGET units, the same for all; it is over where max|g| < 1e-5. A
method is *worse* than ArmijoGD on a problem where its final value is higher by more than 1e-6 of the decrease from the start
to the least value of all; where the values agree to that, where ArmijoGD gets to the tolerance with fewer units, or alone. The
table gives units, or in brackets the final gap relative to that at the start; a star marks what is worse. The last lines
give for every method the largest ratio of its units to those of ArmijoGD where both ended at the same value. With ``--units C``
all of f is multiplied by C, and the tolerance with it: that changes no count of these methods, which are free of scale where C
is a power of two, but it does change what the unit step of ArmijoGD is worth.
"""
import argparse
import contextlib
import io
import warnings

import numpy as np

import curvopt

METHODS = ("HDM", "HDMRatio", "HDMBest", "HDMNesterov", "HDMSecant")
BUDGET, GTOL = 20_000, 1e-5
EQUAL = 1e-6        # of the decrease: values closer than this are the same
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
    """(whether `run` is worse than `base`, ratio of units or nan where one is not solved or they ended elsewhere)."""
    count, solved, f, _ = run
    if not abs(f - base[2]) <= EQUAL * gap:
        return not f < base[2], np.nan
    if not base[1]:
        return False, np.nan
    return (count > base[0], count / base[0]) if solved else (True, np.nan)


def compare(name, n, fun, jac, x0, args, losses, ratios, budget=BUDGET, gtol=GTOL):
    every = {"ArmijoGD": curvopt.baselines.ArmijoGD, **{m: getattr(curvopt, m) for m in METHODS}}
    budget = SHORT.get(name, budget)
    runs = {label: units(fun, jac, x0, args, method, budget, gtol) for label, method in every.items()}
    with np.errstate(all="ignore"):
        f0 = float(fun(x0, *args))
    least = min(run[2] for run in runs.values())
    gap = max(f0 - least, 1e-300)
    line = f"{name:22s} {n:4d}"
    for label, run in runs.items():
        count, solved, f, status = run
        lost, ratio = compared(run, runs["ArmijoGD"], gap)
        if label != "ArmijoGD":
            ratios[label].append((ratio, name))
            if lost:
                losses[label].append(name + (f" ({ratio:.2f})" if ratio > 1.0 else "") + ("" if f <= f0 else " DIVERGED"))
        shown = str(count) if solved else f"({(f - least) / gap:.0e} {status[:4]})"
        line += f"{shown + ('*' if lost else ''):>18s}"
    print(line, flush=True)


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
    arguments = parser.parse_args()
    losses, ratios = ({label: [] for label in METHODS} for _ in range(2))
    print(f"{'problem':22s}    n" + "".join(f"{label:>18s}" for label in ("ArmijoGD", *METHODS)))
    count = 0
    if arguments.what == "named":
        for p in named():
            compare(p.name, p.n, p.fun, p.jac, p.x0, p.args, losses, ratios, arguments.budget or BUDGET)
            count += 1
    else:
        low, _, high = arguments.only.partition(":")
        cases = list(s2mpj(arguments.part, arguments.max_n, arguments.units))[int(low or 0):int(high) if high else None]
        for case in cases:
            compare(*case, (), losses, ratios, arguments.budget or 4000, arguments.units * GTOL)
            count += 1
    for label, names in losses.items():
        print(f"{label}: worse on {len(names)} of {count}: {', '.join(names)}")
    worst = {label: max((r for r in rows if r[0] > 0.0), default=(np.nan, "none")) for label, rows in ratios.items()}
    print("worst ratio of units to ArmijoGD: " + ", ".join(f"{label} {r:.2f} ({name})" for label, (r, name) in worst.items()))


if __name__ == "__main__":
    main()
