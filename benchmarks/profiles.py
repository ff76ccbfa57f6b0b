"""Solvers on the collection: data profile, ratios of gradients, who loses what.

    python benchmarks/profiles.py --max-n 200 --part tuning --solvers QuasiNewton L-BFGS-B BFGS --png profile.png

The ratio of two solvers is the geometric mean, over the problems both solve, of gradients needed by the first over
gradients needed by the second, with a 95 % interval by resampling problems; below 1 the first is better.
"""
import argparse
import json
import pathlib
import sys

import numpy as np

try:
    from .collection import collection
    from .runs import SOLVERS, Run, as_dict, run
except ImportError:
    from collection import collection
    from runs import SOLVERS, Run, as_dict, run

SIZES = ((1, 10), (11, 100), (101, 500), (501, 10 ** 9))


def pairs(r):
    return r.pairs


def with_products(r):
    """Cost where second derivatives are used: half for a value, one for a gradient, one for a product."""
    return 0.5 * r.values + r.gradients + r.products


def run_all(solvers, cases, known=(), show=True, **limits):
    """[Run] of every solver on every case; runs in `known` (by solver and problem) are not repeated."""
    have = {(r.solver, r.problem): r for r in known}
    out = []
    for i, case in enumerate(cases):
        for name, solver in solvers.items():
            out.append(have.get((name, case.name)) or run(name, solver, case, **limits))
        if show and sys.stderr.isatty():
            print(f"\r{i + 1} of {len(cases)}  {case.name:30s}", end="", file=sys.stderr)
    return out


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solvers", nargs="+", default=["QuasiNewton", "LBFGS", "L-BFGS-B", "BFGS", "CG"], choices=SOLVERS)
    parser.add_argument("--reference", default="L-BFGS-B")
    parser.add_argument("--part", choices=("tuning", "validation"))
    parser.add_argument("--families", nargs="+", default=["s2mpj", "data", "scipy"])
    parser.add_argument("--max-n", type=int, default=200)
    parser.add_argument("--gradients", type=int, default=5000, help="cap of a run")
    parser.add_argument("--seconds", type=float, default=2.0, help="cap of a run, CPU")
    parser.add_argument("--products", action="store_true", help="cost 0.5 f + g + Hv instead of points")
    parser.add_argument("--known", type=pathlib.Path, help="runs saved before; those are not repeated")
    parser.add_argument("--save", type=pathlib.Path)
    parser.add_argument("--png", type=pathlib.Path)
    options = parser.parse_args()
    cases, skipped = collection(options.max_n, options.part, options.families)
    known = [Run(**r) for r in json.loads(options.known.read_text())] if options.known else ()
    chosen = {name: SOLVERS[name] for name in dict.fromkeys([*options.solvers, options.reference])}
    runs = run_all(chosen, cases, known, gradients=options.gradients, seconds=options.seconds)
    cost = with_products if options.products else pairs
    print(f"{len(cases)} problems; {len(skipped)} left out (python benchmarks/collection.py lists them)")
    print(table(runs, options.reference, cost))
    first = options.solvers[0]
    if first != options.reference:
        print(f"\n{first} against {options.reference}")
        print(differences(runs, first, options.reference, cost))
        gaps = behind(runs, first, [name for name in chosen if name != first], cost)
        print("behind at no budget" if not gaps else f"behind at {len(gaps)} budgets, at most by "
              f"{max(g for *_, g in gaps)} problems: {gaps[:8]}")
    if options.save:
        options.save.write_text(json.dumps([as_dict(r) for r in runs]))
    if options.png:
        figure(runs, options.png, cost, "0.5 f + g + Hv" if options.products else "values and gradients")


if __name__ == "__main__":
    main()
