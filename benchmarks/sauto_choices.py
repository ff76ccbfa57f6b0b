"""What SAUTO's choices cost or save, on problems kept apart from those they were made on.

    python benchmarks/sauto_choices.py            # the choices one by one, on the tuning problems
    python benchmarks/sauto_choices.py --held     # the finished method, on problems no choice was made on

Random quadratics with five kinds of spectra, logistic and robust regressions, phase retrievals and textbook functions,
drawn from their own names. A problem is for tuning unless crc32(name) is a multiple of 3. The choices are varied in a
plain NumPy transcription of the method, which the first row compares with the method itself.
"""
import argparse
import math
import zlib

import numpy as np
from eight_problems import GTOL, SOLVERS, geometric_mean, units

import curvopt
from curvopt import problems

BUDGET = 20_000


def spectrum(kind, kappa, n, rng):
    if kind == "log":
        return np.logspace(0.0, math.log10(kappa), n)
    if kind == "even":
        return np.linspace(1.0, kappa, n)
    if kind == "random":
        return np.concatenate([[1.0, kappa], kappa ** rng.random(n - 2)])
    if kind == "two-clusters":
        return np.concatenate([1.0 + 0.2 * rng.random(n // 2), kappa * (1.0 - 0.2 * rng.random(n - n // 2))])
    return 1.0 + (kappa - 1.0) * 0.5 * (1.0 - np.cos(np.pi * np.arange(n) / (n - 1)))     # dense at both ends


def make(kind, name, *sizes):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if kind == "logistic":
        scales = np.logspace(0.0, sizes[0], 40)
        A = rng.standard_normal((300, 40)) * scales
        return problems.logistic(A, np.sign(A @ (rng.standard_normal(40) / scales) + 0.5 * rng.standard_normal(300)))
    if kind == "robust":
        A = rng.standard_normal((300, 25)) * np.logspace(-0.5, 0.5, 25)
        return problems.robust(A, A @ rng.standard_normal(25) + rng.standard_cauchy(300))
    if kind == "phase":
        A, signal = rng.standard_normal((240, 24)), rng.standard_normal(24)
        return problems.phase_retrieval(A, (A @ signal) ** 2, x0=rng.standard_normal(24))
    return problems.quadratic(spectrum(kind, *sizes, rng), rng.standard_normal(sizes[1]))


def family():
    """{name: problem}."""
    found = {}
    for kind in ("log", "even", "random", "two-clusters", "both-ends"):
        for kappa in (1e2, 1e3, 1e4, 1e5):
            for n in (30, 300):
                name = f"quadratic-{kind}-{kappa:g}-{n}"
                found[name] = make(kind, name, kappa, n)
    for k in range(6):
        for decades in (0.5, 1.0, 1.5):
            found[f"logistic-{decades}-{k}"] = make("logistic", f"logistic-{decades}-{k}", decades)
        for kind in ("robust", "phase"):
            found[f"{kind}-{k}"] = make(kind, f"{kind}-{k}")
    textbook = (problems.wood(), problems.beale(), problems.powell_singular(), problems.biggs_exp6(),
                problems.brown_dennis(), problems.penalty1(10), problems.chebyquad(8), problems.two_neurons(),
                *(problems.trigonometric(n) for n in (5, 20, 50)), *(problems.rosenbrock(n) for n in (3, 5, 20, 50)),
                problems.convex_quartic(), problems.rosenbrock_quartic())
    return {**found, **{p.name: p for p in textbook}}


def held(name):
    return zlib.crc32(name.encode()) % 3 == 0


def short_step(kind, s_cg, s_mr, earlier, ratio):
    """The step where the ratio is small; `earlier` are the pairs before, the last one at the end."""
    if kind == "MR" or not earlier:
        return s_mr
    if kind.startswith("least"):    # of so many MR values: ABBmin
        return min([s_mr, *(mr for _, mr in earlier[1 - int(kind.split()[-1]):])])
    cg0, mr0 = earlier[-1]
    if abs(s_cg - cg0) <= 1e-8 * s_cg:
        return s_mr
    delta = min((s_mr / mr0 - 1.0) / (1.0 - cg0 / s_cg), 1e6)
    return s_mr if not delta > 0.0 else \
        2.0 * s_mr / (1.0 + delta + math.sqrt((1.0 + delta) ** 2 - 4.0 * delta * ratio))


def twin(threshold=0.5, short="2-D", window=10, cycle=50, adapt=1.0, long="CG", after_refusal=False):
    """SAUTO with its choices open, as a solver for `units`."""

    def solve(oracle, x, sigma=1e-6, rho=1e-4):
        f, g = oracle.fun(x), oracle.jac(x)
        recent, earlier, frozen, bar, alpha, step, change = [f], [], -1, threshold, 1.0, None, None
        while np.abs(g).max() > GTOL:
            gg, kind = g @ g, "positive"
            free = 0 <= frozen < cycle and not (after_refusal and alpha < 1.0)
            if free:
                ss, sy, yy = step @ step, step @ change, change @ change
                free = sy > sigma * ss
                earlier = earlier if free else []
            if not free:
                hg = oracle.hessp(x, g)
                ss, sy, yy = gg, g @ hg, hg @ hg
                kind = "positive" if sy > sigma * ss else "limited" if sy >= 0.0 else "negative"
            frozen = frozen + 1 if free else 0
            if kind == "positive":
                s_cg, s_mr = ss / sy, sy / yy
                ratio = s_mr / s_cg
                if ratio < bar:
                    s, bar = short_step(short, s_cg, s_mr, earlier, ratio), bar / adapt
                else:
                    s, bar = s_cg if long == "CG" else math.sqrt(s_cg * s_mr), min(bar * adapt, 0.95)
                if free:
                    earlier = [*earlier, (s_cg, s_mr)][-10:]
            else:
                s = 1.0 if kind == "negative" else 1.0 / sigma
            alpha, top = 1.0, max(recent)
            while True:
                value = oracle.fun(x - alpha * s * g)
                if math.isfinite(value) and value <= top - rho * alpha * s * gg + 10 * 2.0 ** -52 * abs(top):
                    break
                alpha *= 0.5
                if alpha < 1e-50:
                    return g
            while kind == "negative" and 1.0 <= alpha < 1e10:
                longer = oracle.fun(x - 2.0 * alpha * s * g)
                if not (math.isfinite(longer) and longer <= f - 2.0 * rho * alpha * s * gg):
                    break
                alpha, value = 2.0 * alpha, longer
            x_new = x - alpha * s * g
            g_new = oracle.jac(x_new)
            step, change = x_new - x, g_new - g
            x, g, f = x_new, g_new, value
            recent = [*recent, f][-window:]
        return g

    return solve


CHOICES = {
    "threshold 0.25": {"threshold": 0.25}, "threshold 0.35": {"threshold": 0.35}, "threshold 0.6": {"threshold": 0.6},
    "threshold 0.8": {"threshold": 0.8}, "threshold adapted by 1.02": {"adapt": 1.02},
    "threshold adapted by 1.1": {"adapt": 1.1},
    "short step s_MR": {"short": "MR"}, "short step least of 3 s_MR": {"short": "least 3"},
    "short step least of 5 s_MR": {"short": "least 5"}, "long step s_GM": {"long": "GM"},
    "cycle 4": {"cycle": 4}, "cycle 10": {"cycle": 10}, "cycle 20": {"cycle": 20}, "cycle 200": {"cycle": 200},
    "a product after a refused step": {"after_refusal": True},
    "window 1 (fun falls)": {"window": 1}, "window 5": {"window": 5}, "window 20": {"window": 20},
}


def starts(problem, name, how_many=2):
    rng = np.random.default_rng(zlib.crc32(f"start of {name}".encode()))
    return [problem.x0 + 1e-2 * rng.standard_normal(problem.n) for _ in range(how_many)]


def show_choices(chosen):
    def all_units(solve):
        return np.array([units(solve, p, x0, BUDGET) for n, p in chosen.items() for x0 in starts(p, n)], dtype=float)

    base = all_units(twin())
    kinds = np.array([n.split("-")[0] if n.split("-")[0] in ("quadratic", "logistic", "robust", "phase") else "textbook"
                      for n, p in chosen.items() for _ in starts(p, n)])
    print(f"{len(chosen)} problems, {base.size} runs. As chosen: geometric mean {geometric_mean(base):.0f} units, "
          f"{np.sum(base >= BUDGET)} unsolved at {BUDGET}; the method itself {geometric_mean(all_units(SOLVERS['SAUTO'])):.0f}")
    groups = list(dict.fromkeys(kinds))
    print(f"{'units / units as chosen':34s}{'all':>7s}{'+-':>7s}" + "".join(f"{k:>11s}" for k in groups) + "   unsolved")
    for name, choice in CHOICES.items():
        found = all_units(twin(**choice))
        ratio = np.log(found / base)
        cells = "".join(f"{np.exp(ratio[kinds == k].mean()):11.3f}" for k in groups)
        print(f"{name:34s}{np.exp(ratio.mean()):7.3f}{ratio.std() / math.sqrt(ratio.size):7.3f}{cells}"
              f"{np.sum(found >= BUDGET):11d}", flush=True)


def show_finished(chosen):
    names = ("MRCG", "Barzilai-Borwein", "first rule, 2 + 4", "SAUTO", "L-BFGS-B (SciPy)")
    table = {name: np.array([units(SOLVERS[name], p, p.x0, BUDGET) for p in chosen.values()], float) for name in names}
    print(f"{len(chosen)} problems, budget {BUDGET}")
    for name, row in table.items():
        ratio = row / table["MRCG"]
        print(f"{name:20s} geometric mean {geometric_mean(row):6.0f}   unsolved {np.sum(row >= BUDGET):2d}"
              f"   worst / MRCG {ratio.max():5.2f} ({list(chosen)[ratio.argmax()]})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--held", action="store_true", help="the finished method on the problems held out")
    options = parser.parse_args()
    chosen = {name: p for name, p in family().items() if held(name) == options.held}
    with np.errstate(all="ignore"):
        show_finished(chosen) if options.held else (show_finished(chosen), show_choices(chosen))


if __name__ == "__main__":
    assert curvopt.SAUTO.cycle == 50, "the rows are named after the defaults"
    main()
