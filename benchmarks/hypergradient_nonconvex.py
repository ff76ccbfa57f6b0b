"""The hypergradient methods on nonconvex problems, beside gradient descent with Armijo's rule.

    python benchmarks/hypergradient_nonconvex.py                      Rosenbrock, Student-t regression, phase retrieval
    python benchmarks/hypergradient_nonconvex.py s2mpj [PART [MAX_N]]  S2MPJ's unconstrained problems with n <= MAX_N (10)

One unit is a value or a gradient of any method. A run has BUDGET units; it is over where max|g| < 1e-5. A method is *worse*
than ArmijoGD on a problem where ArmijoGD needs fewer units, or, if neither gets there, has the lower value at the end. The
table gives units, or in brackets the final gap relative to that at the start; a star marks what is worse.
"""
import argparse
import contextlib
import io
import warnings

import numpy as np

import curvopt

METHODS = ("HDM", "HDMRatio", "HDMBest", "HDMNesterov", "HDMSecant")
BUDGET, GTOL = 20_000, 1e-5
EQUAL = 1e-6        # of the first gap: values closer than this are the same where neither run gets there


def units(fun, jac, x0, args, method, budget):
    """(units, solved, least value, whether the run stayed finite)."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        # Gradients and values are about as many in all of these methods: half the budget each.
        result = curvopt.minimize(fun, x0, args=args, jac=jac, method=method,
                                  options={"gtol": GTOL, "maxfev": budget // 2, "maxjev": budget // 2, "maxiter": budget})
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


def compare(name, n, fun, jac, x0, args, worse, budget=BUDGET):
    every = {"ArmijoGD": curvopt.baselines.ArmijoGD, **{m: getattr(curvopt, m) for m in METHODS}}
    runs = {label: units(fun, jac, x0, args, method, budget) for label, method in every.items()}
    with np.errstate(all="ignore"):
        f0 = float(fun(x0, *args))
    least = min(run[2] for run in runs.values())
    gap = max(f0 - least, 1e-300)
    base = runs["ArmijoGD"]
    line = f"{name:22s} {n:4d}"
    for label, (count, solved, f, status) in runs.items():
        lost = (base[1] and (not solved or count > base[0])) if base[1] or solved else f > base[2] + EQUAL * gap
        diverged = not f <= f0
        if label != "ArmijoGD" and (lost or diverged):
            worse[label].append(f"{name} ({count / base[0]:.2f})" + (" DIVERGED" if diverged else ""))
        shown = str(count) if solved else f"({(f - least) / gap:.0e} {status[:4]})"
        line += f"{shown + ('*' if label != 'ArmijoGD' and lost else ''):>18s}"
    print(line, flush=True)


def s2mpj(part, max_n):
    from collection import collection

    for case in collection(max_n, part, ("s2mpj",))[0]:
        memory = {"x": None, "pair": None}

        def both(x, case=case, memory=memory):
            if memory["x"] is None or not np.array_equal(x, memory["x"]):
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        f, g = case.fun_grad(x)
                    f, g = (float(f), np.asarray(g, float)) if np.isreal(f) and np.all(np.isreal(g)) else (np.nan, g * np.nan)
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
    arguments = parser.parse_args()
    worse = {label: [] for label in METHODS}
    print(f"{'problem':22s}    n" + "".join(f"{label:>18s}" for label in ("ArmijoGD", *METHODS)))
    count = 0
    if arguments.what == "named":
        for p in named():
            compare(p.name, p.n, p.fun, p.jac, p.x0, p.args, worse, arguments.budget or BUDGET)
            count += 1
    else:
        low, _, high = arguments.only.partition(":")
        cases = list(s2mpj(arguments.part, arguments.max_n))[int(low or 0):int(high) if high else None]
        for case in cases:
            compare(*case, (), worse, arguments.budget or 4000)
            count += 1
    for label, names in worse.items():
        print(f"{label}: worse on {len(names)} of {count}: {', '.join(names)}")


if __name__ == "__main__":
    main()
