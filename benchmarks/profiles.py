"""Solvers on the collection: data profile, ratios of gradients, who loses what.

    python benchmarks/profiles.py --part tuning --solvers QuasiNewton L-BFGS-B BFGS --runs runs.jsonl --png profile.png

Runs are kept in the file as they come and are not repeated: with ``--minutes 5`` a long comparison is cut into jobs, with
``--table`` what is in the file is shown. A problem enters the tables once every solver has run it.

The ratio of two solvers is the geometric mean, over the problems both solve, of gradients needed by the first over
gradients needed by the second, with a 95 % interval by resampling problems; below 1 the first is better.
"""
import argparse
import pathlib
import sys
import tempfile
import time

import numpy as np

try:
    from .collection import collection
    from .runs import BUDGET, GTOL, SECONDS, SOLVERS, RunFile, run, to_values, warm
except ImportError:
    from collection import collection
    from runs import BUDGET, GTOL, SECONDS, SOLVERS, RunFile, run, to_values, warm

SIZES = ((1, 10), (11, 100), (101, 1000), (1001, 10 ** 9))
BUDGETS = (10, 20, 50, 100, 200, 500, 1000, 2000, 3000)


def pairs(r):
    return r.pairs


def with_products(r):
    """Cost where second derivatives are used: half for a value, one for a gradient, one for a product."""
    return 0.5 * r.values + r.gradients + r.products


def run_all(file, solvers, families, part, max_n, minutes):
    """Run every solver on every problem that the file does not have yet; False if the time was over before."""
    until = time.monotonic() + 60.0 * minutes
    have = {(r.solver, r.problem) for r in file.runs}
    done = set.intersection(*({p for s, p in have if s == name} for name in solvers))
    warm(solvers)
    for case in collection(max_n, part, families, done)[0]:
        for name, solver in solvers.items():
            if (name, case.name) in have:
                continue
            if time.monotonic() > until:
                return False
            file.add(run(name, solver, case, **file.limits))
            if sys.stderr.isatty():
                print(f"\r{name:20s} {case.name:30s}", end="", file=sys.stderr)
    return True


def run_by_all(runs, solvers, part=None, max_n=10 ** 9):
    """The runs of these solvers on the problems that all of them have run."""
    chosen = [r for r in runs if r.solver in solvers and r.n <= max_n and (part is None or r.tuning == (part == "tuning"))]
    common = set.intersection(*({r.problem for r in chosen if r.solver == name} for name in solvers))
    order = {name: k for k, name in enumerate(solvers)}
    return sorted((r for r in chosen if r.problem in common), key=lambda r: order[r.solver])


def by_solver(runs):
    """{solver: {problem: Run}}."""
    table = {}
    for r in runs:
        table.setdefault(r.solver, {})[r.problem] = r
    return table


def ratio(a, b, cost=pairs, chosen=lambda r: True):
    """(geometric mean of a's cost over b's, low, high, problems solved by both)."""
    both = [p for p in a if p in b and a[p].solved and b[p].solved and chosen(a[p])]
    if not both:
        return np.nan, np.nan, np.nan, 0
    logs = np.log([cost(a[p]) / cost(b[p]) for p in both])
    resampled = np.random.default_rng(0).choice(logs, (1000, logs.size)).mean(axis=1)
    low, high = np.exp(np.quantile(resampled, (0.025, 0.975)))
    return float(np.exp(logs.mean())), float(low), float(high), len(both)


def table(runs, reference, cost=pairs):
    """The comparison as text: one row a solver."""
    solvers = by_solver(runs)
    base = solvers[reference]
    lines = [f"{'solver':14s} {'solved':>10s} {'ratio to ' + reference:>24s} " + " ".join(
        f"{f'n {a}-{b}' if b < 10 ** 9 else f'n >= {a}':>15s}" for a, b in SIZES) + "  lost gained   CPU s"]
    for name, mine in solvers.items():
        r, low, high, _ = ratio(mine, base, cost)
        cells = []
        for a, b in SIZES:
            part = {p: q for p, q in mine.items() if a <= q.n <= b}
            rr, _, _, k = ratio(part, base, cost)
            cells.append(f"{sum(q.solved for q in part.values()):4d}: {rr:5.3f} {k:3d}" if k else "-")
        lost = [p for p in base if p in mine and base[p].solved and not mine[p].solved]
        gained = [p for p in base if p in mine and mine[p].solved and not base[p].solved]
        solved = sum(q.solved for q in mine.values())
        lines.append(f"{name:14s} {f'{solved} of {len(mine)}':>10s} {f'{r:.3f} [{low:.3f}, {high:.3f}]':>24s} "
                     + " ".join(f"{c:>15s}" for c in cells)
                     + f" {len(lost):5d} {len(gained):6d} {sum(q.cpu for q in mine.values()):7.1f}")
    return "\n".join(lines)


def differences(runs, a, b, cost=pairs, most=15):
    """Which problems a loses and gains against b, and where it is best and worst, as text."""
    solvers = by_solver(runs)
    a, b = solvers[a], solvers[b]
    lost = [f"{p} ({a[p].ended})" for p in a if p in b and b[p].solved and not a[p].solved]
    gained = [p for p in a if p in b and a[p].solved and not b[p].solved]
    both = sorted((cost(a[p]) / cost(b[p]), p) for p in a if p in b and a[p].solved and b[p].solved)
    def show(rows):
        return ", ".join(f"{p} {cost(a[p]):g}/{cost(b[p]):g}" for _, p in rows)

    return (f"lost: {', '.join(lost) or 'none'}\ngained: {', '.join(gained) or 'none'}\n"
            f"best: {show(both[:most])}\nworst: {show(both[:-most - 1:-1])}")


def solved_within(solver, budgets, cost=pairs):
    """Share of the problems that are solved within each budget."""
    spent = np.sort([cost(r) for r in solver.values() if r.solved])
    return np.searchsorted(spent, budgets, side="right") / len(solver)


def profile(runs, budgets=BUDGETS, cost=pairs):
    """Problems solved within each budget, as text: one row a solver."""
    lines = [f"{'solved within':20s} " + " ".join(f"{b:5d}" for b in budgets)]
    for name, mine in by_solver(runs).items():
        counts = np.round(solved_within(mine, budgets, cost) * len(mine)).astype(int)
        lines.append(f"{name:20s} " + " ".join(f"{k:5d}" for k in counts))
    return "\n".join(lines)


def behind(runs, a, others, cost=pairs):
    """Budgets at which a has solved fewer problems than one of the others: [(budget, other, problems behind)]."""
    solvers = by_solver(runs)
    budgets = np.unique([cost(r) for r in runs if r.solved])
    mine = solved_within(solvers[a], budgets, cost)
    out = []
    for other in others:
        gap = np.round((solved_within(solvers[other], budgets, cost) - mine) * len(solvers[a])).astype(int)
        out += [(float(budgets[i]), other, int(gap[i])) for i in np.flatnonzero(gap > 0)]
    return out


def figure(runs, path, cost=pairs, label="gradients"):
    """Data profile: share of problems solved against the budget."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    solvers = by_solver(runs)
    top = max(cost(r) for r in runs if r.solved)
    budgets = np.unique(np.round(np.geomspace(1, top, 400)))
    fig, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for name, mine in solvers.items():
        ax.step(budgets, solved_within(mine, budgets, cost), where="post", label=name, lw=1.4)
    ax.set(xscale="log", xlabel=label, ylabel=f"share of {len(next(iter(solvers.values())))} problems solved", ylim=(0, 1))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    fig.savefig(path, dpi=150)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solvers", nargs="+", default=["QuasiNewton", "LBFGS", "L-BFGS-B", "BFGS", "CG"], choices=SOLVERS)
    parser.add_argument("--reference", default="L-BFGS-B", choices=SOLVERS)
    parser.add_argument("--part", choices=("tuning", "validation"))
    parser.add_argument("--families", nargs="+", default=["s2mpj", "data", "scipy"])
    parser.add_argument("--max-n", type=int, default=500)
    parser.add_argument("--budget", type=int, default=BUDGET, help="units of a run: points where f or g is taken")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="cap of a run, CPU")
    parser.add_argument("--products", action="store_true", help="cost 0.5 f + g + Hv instead of points")
    parser.add_argument("--value", type=float, metavar="SHARE",
                        help="solved is a run whose f - f_L is at most this share of what it was, f_L the least f of them all")
    parser.add_argument("--runs", type=pathlib.Path, help="file in which the runs are kept; they are not repeated")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many minutes; run again to go on")
    parser.add_argument("--table", action="store_true", help="run nothing, show what is in the file")
    parser.add_argument("--png", type=pathlib.Path)
    return parser.parse_args()


def main():
    options = arguments()
    chosen = {name: SOLVERS[name] for name in dict.fromkeys([*options.solvers, options.reference])}
    path = options.runs or pathlib.Path(tempfile.mkdtemp()) / "runs.jsonl"
    limits = {} if options.table else {"gtol": GTOL, "budget": options.budget, "seconds": options.seconds}
    file = RunFile(path, **limits)
    if not options.table and not run_all(file, chosen, options.families, options.part, options.max_n, options.minutes):
        print(f"{len(file.runs)} runs in {path}; not the last")
        return
    runs = run_by_all(file.runs, chosen, options.part, options.max_n)
    if not runs:
        raise SystemExit("no problem was run by all of them")
    if options.value:
        runs = to_values(runs, options.value)
    cost = with_products if options.products else pairs
    print(f"{len(runs) // len(chosen)} problems (python benchmarks/collection.py lists them, and those left out)")
    print(table(runs, options.reference, cost))
    print(profile(runs, cost=cost))
    first = options.solvers[0]
    if first != options.reference:
        print(f"\n{first} against {options.reference}")
        print(differences(runs, first, options.reference, cost))
        gaps = behind(runs, first, [name for name in chosen if name != first], cost)
        print("behind at no budget" if not gaps else f"behind at {len(gaps)} budgets, at most by "
              f"{max(g for *_, g in gaps)} problems: {gaps[:8]}")
    if options.png:
        figure(runs, options.png, cost, "0.5 f + g + Hv" if options.products else "values and gradients")


if __name__ == "__main__":
    main()
