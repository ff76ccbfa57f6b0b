"""RavineQN on eight families of flat minima, and on problems that are not flat, against L-BFGS-B with 10 and with 100 pairs.

    python benchmarks/flat_minima.py [--seed 1001] [--scale 1.0] [--only families|ordinary|losses|time]

A count is the number of points at which value or gradient were asked for, up to the first value within 1e-14 of the least
one: rejected trials, long steps that were undone, and gradients for Hessian products by differences are all in it. The
figure of a family is the median over its seeds; the last columns are geometric means over the families of the ratios to
SciPy's L-BFGS-B with maxcor = 10 and 100 (ftol = gtol = 0). Seeds 0 to 9, 200 to 219 and 2001 to 2020 were used for choices.
"""
import argparse
import time

import numpy as np
from scipy import optimize

import curvopt
from curvopt import problems

FAMILIES = {  # name: (problem of a seed, instances)
    "rosenbrock": (lambda s: problems.rosenbrock_quartic(10.0, x0=0.5 * np.random.default_rng(s).standard_normal(2)), 20),
    "convex 20": (lambda s: problems.convex_quartic(20, seed=s), 20),
    "convex 60": (lambda s: problems.convex_quartic(60, low=0.03, seed=s), 8),
    "sensing 100": (lambda s: problems.quadratic_sensing(100, 2, 4, 1000, s), 4),
    "sensing 30": (lambda s: problems.quadratic_sensing(30, 2, 4, 300, s), 10),
    "neurons": (lambda s: problems.two_neurons(20, s), 20),
    "symmetric": (lambda s: problems.symmetric_factorisation(seed=s), 16),
    "convex 40 wide": (lambda s: problems.convex_quartic(40, low=0.01, high=10.0, seed=s), 8),
}
EIGHT = problems.eight()
ORDINARY = {  # not flat, and not ill-conditioned to speak of, but for the last four
    "Rosenbrock 2": lambda: problems.rosenbrock(2), "Rosenbrock 10": lambda: problems.rosenbrock(10),
    "Rosenbrock 100": lambda: problems.rosenbrock(100), "Beale": problems.beale, "Wood": problems.wood,
    "Brown-Dennis": problems.brown_dennis, "Biggs exp6": problems.biggs_exp6, "penalty 10": lambda: problems.penalty1(10),
    "Chebyquad 8": lambda: problems.chebyquad(8), "robust": lambda: EIGHT[6], "phase retrieval": lambda: EIGHT[7],
    "breast cancer": problems.breast_cancer, "diabetes": problems.diabetes, "quadratic 1e2": lambda: quadratic(1e2),
    "quadratic 1e3": lambda: quadratic(1e3), "quadratic 1e4": lambda: quadratic(1e4), "logistic": lambda: EIGHT[5],
    "digits": problems.digits,
}
LOSSES = {
    "Rosenbrock a=1000": lambda: problems.rosenbrock_quartic(1000.0, x0=(0.5, 0.3)),
    "order 6": lambda: problems.rosenbrock_quartic(5.0, p=6, x0=(0.5, 0.3)),
    "pure quartic 10": lambda: pure_quartic(10), "pure quartic 50": lambda: pure_quartic(50),
    "Powell singular": problems.powell_singular,
}
METHODS = {
    "full": curvopt.RavineQN.replace(preset="full"), "simple": curvopt.RavineQN,
    "full m=10": curvopt.RavineQN.replace(preset="full", m=10), "LBFGS m=100": curvopt.LBFGS.replace(m=100),
    "QuasiNewton": curvopt.QuasiNewton,
}


def quadratic(condition):
    return problems.quadratic(np.geomspace(1.0, condition, 100), np.random.default_rng(1).standard_normal(100))


def pure_quartic(d):
    """The convex quartic without its quadratic part."""
    problem = problems.convex_quartic(d)
    E, B = problem.args
    return type(problem)(f"pure-quartic-{d}", problem.fun, problem.jac, problem.hessp, problem.x0, (0.0 * E, B), f_star=0.0)


def ensemble(problem, count=7):
    """The problem from its start and from others 10 % away, with the least value found where none is known.

    The gap asked for is 1e-8 of the value at the start.
    """
    rng = np.random.default_rng(5)
    size = np.linalg.norm(problem.x0) or 1.0
    shifts = [0.0] + [0.1 * size / np.sqrt(problem.n) * rng.standard_normal(problem.n) for _ in range(count - 1)]
    for shift in shifts:
        x0, f_star = problem.x0 + shift, problem.f_star
        if f_star is None:
            f_star = curvopt.minimize(problem.fun, x0, args=problem.args, jac=problem.jac, method=curvopt.QuasiNewton,
                                      options={"gtol": 0.0, "maxiter": 2000}).fun
        case = type(problem)(problem.name, problem.fun, problem.jac, problem.hessp, x0, problem.args, f_star=f_star)
        yield case, 1e-8 * (problem.fun(x0, *problem.args) - f_star)


class Count:
    """Points asked for until the gap is closed; a value and a gradient at one point are one evaluation."""

    def __init__(self, problem, gap):
        self.problem, self.target = problem, problem.f_star + gap
        self.points, self.last, self.hit = 0, None, None

    def visit(self, x):
        if self.last is None or not np.array_equal(x, self.last):
            self.points, self.last = self.points + 1, x.copy()

    def fun(self, x):
        self.visit(x)
        f = self.problem.fun(x, *self.problem.args)
        if self.hit is None and f <= self.target:
            self.hit = self.points
        return f

    def jac(self, x):
        self.visit(x)
        return self.problem.jac(x, *self.problem.args)

    def hessp(self, x, p):
        return self.problem.hessp(x, p, *self.problem.args)


def count(problem, method, gap=1e-14, budget=8000, products=False):
    counter = Count(problem, gap)
    extra = {"hessp": counter.hessp} if products else {}
    curvopt.minimize(counter.fun, problem.x0, jac=counter.jac, method=method, **extra,
                     options={"gtol": 0.0, "ftarget": counter.target, "maxjev": budget, "maxiter": budget})
    return counter.hit or budget


def count_scipy(problem, m, gap=1e-14, budget=8000):
    counter = Count(problem, gap)
    optimize.minimize(counter.fun, problem.x0, jac=counter.jac, method="L-BFGS-B",
                      options={"maxcor": m, "ftol": 0.0, "gtol": 0.0, "maxfun": budget, "maxiter": budget})
    return counter.hit or budget


def families(first, scale):
    sizes = {name: max(2, round(size * scale)) for name, (_, size) in FAMILIES.items()}
    instances = {name: [FAMILIES[name][0](first + k) for k in range(size)] for name, size in sizes.items()}

    def medians(counter):
        return {name: float(np.median([counter(p) for p in instances[name]])) for name in FAMILIES}

    small, large = medians(lambda p: count_scipy(p, 10)), medians(lambda p: count_scipy(p, 100))
    print(f"{'':22}" + "".join(f"{name:>16}" for name in FAMILIES) + f"{'/ m=10':>10}{'/ m=100':>10}")

    def show(title, row):
        ratios = [np.exp(np.mean([np.log(row[k] / base[k]) for k in row])) for base in (small, large)]
        cells = [f"{row[name]:16g}" for name in FAMILIES] + [f"{r:10.3f}" for r in ratios]
        print(f"{title:22}" + "".join(cells), flush=True)

    show("L-BFGS-B m=10", small)
    show("L-BFGS-B m=100", large)
    for title, method in METHODS.items():
        show(title, medians(lambda p, method=method: count(p, method)))
    show("full, hessp given", medians(lambda p: count(p, METHODS["full"], products=True)))


def single(title, cases, gap):
    print(f"\n{title}, to {gap:g}: {'':14}" + "".join(f"{name:>15}" for name in ("L-BFGS-B 10", "L-BFGS-B 100", *METHODS)))
    for name, make in cases.items():
        problem = make()
        row = [count_scipy(problem, m, gap) for m in (10, 100)] + [count(problem, m, gap) for m in METHODS.values()]
        print(f"{name:32}" + "".join(f"{c:15d}" for c in row), flush=True)


def ordinary():
    """Geometric means over seven starts of the evaluations, and their ratios to L-BFGS-B with 10 pairs."""
    print(f"\nordinary problems, to 1e-8 of the first gap, geometric means{'L-BFGS-B 10':>14}{'L-BFGS-B 100':>14}{'full':>14}"
          f"{'simple':>14}{'full/10':>10}{'simple/10':>10}")
    for name, make in ORDINARY.items():
        problem = make()
        rows = [[*(count_scipy(p, m, gap) for m in (10, 100)), *(count(p, METHODS[m], gap) for m in ("full", "simple"))]
                for p, gap in ensemble(problem, 7 if problem.n < 100 else 3)]
        mean = np.exp(np.mean(np.log(rows), axis=0))
        cells = [f"{c:14.1f}" for c in mean] + [f"{c:10.2f}" for c in mean[2:] / mean[0]]
        print(f"{name:60}" + "".join(cells), flush=True)


def price_of_a_step(n=400, m=100, steps=300):
    """Process time a gradient, with the same cheap compiled function: the method's own arithmetic, in one run."""
    eigenvalues = np.geomspace(1.0, 1e6, n)
    problem = problems.quadratic(eigenvalues, np.ones(n))

    def scipy_run():
        return optimize.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method="L-BFGS-B",
                                 options={"maxcor": m, "ftol": 0.0, "gtol": 0.0, "maxfun": steps}).nfev

    def own_run(method, compiled=True):
        return curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method,
                                options={"gtol": 0.0, "maxjev": steps, "compiled": compiled}).njev

    print(f"\nmicroseconds of process time a gradient, n = {n}, m = {m} (least of 5 runs)")
    runs = {"SciPy L-BFGS-B": scipy_run, "LBFGS": lambda: own_run(curvopt.LBFGS.replace(m=m)),
            "RavineQN simple": lambda: own_run(curvopt.RavineQN.replace(m=m)),
            "RavineQN full": lambda: own_run(curvopt.RavineQN.replace(m=m, preset="full")),
            "RavineQN, interpreted": lambda: own_run(curvopt.RavineQN.replace(m=m), False)}
    for name, run in runs.items():
        run()
        best = np.inf
        for _ in range(5):
            began = time.process_time()
            gradients = run()
            best = min(best, (time.process_time() - began) / gradients)
        print(f"  {name:24}{1e6 * best:8.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1001, help="first seed of each family")
    parser.add_argument("--scale", type=float, default=1.0, help="multiple of the number of instances")
    parser.add_argument("--only", choices=("families", "ordinary", "losses", "time"), help="one part")
    options = parser.parse_args()
    parts = {"families": lambda: families(options.seed, options.scale), "ordinary": ordinary,
             "losses": lambda: single("where it may lose", LOSSES, 1e-14), "time": price_of_a_step}
    for part in [options.only] if options.only else parts:
        parts[part]()


if __name__ == "__main__":
    main()
