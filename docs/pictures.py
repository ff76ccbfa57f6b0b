"""The pictures of the documentation and of README.md.

    python docs/pictures.py            draw docs/_static/front.png, which README.md shows
    python docs/pictures.py FOLDER     draw the pictures that the documentation makes when it is built
"""
import pathlib
import sys

import numpy as np

import curvopt

README_PICTURE = pathlib.Path(__file__).resolve().parent / "_static" / "front.png"
# Okabe and Ito's colours, which stay apart for colour-blind readers; grey and broken for what we compare with.
BLUE, ORANGE, GREEN, PURPLE, RED, SKY = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"
GREY = "#8a8a8a"
BUDGET = 20_000
RACE = (    # name, colour, line
    ("ArmijoGD", GREY, ":"), ("BarzilaiBorwein", GREY, "-."), ("SGM", SKY, "-"), ("MRCG", BLUE, "-"),
    ("SAUTO", GREEN, "-"), ("HDMBest", ORANGE, "-"), ("TruncatedNewton", PURPLE, "-"), ("QuasiNewton", RED, "-"),
)


def axes(plt, columns=1, size=(6.8, 4.2)):
    figure, ax = plt.subplots(1, columns, figsize=size, layout="constrained", squeeze=False)
    for one in ax[0]:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(color="#e6e6e6", linewidth=0.6)
        one.set_axisbelow(True)
    return figure, ax[0]


def catalogue():
    return {row["name"]: row["method"] for row in curvopt.methods()}


def run(problem, method, budget=BUDGET, gtol=1e-8, **options):
    """History of one run, cut where the oracle units (f = 1, g = 1, Hv = 2) reach the budget."""
    options = {"gtol": gtol, "history": True, "maxfev": budget, "maxiter": budget, **options}
    result = curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, hessp=problem.hessp,
                              method=method, options=options)
    units = result.history.units
    keep = units <= budget
    return units[keep], result.history.fun[keep], result.history.grad_norm[keep]


def scipy_run(problem, name, gtol=1e-8):
    """(units, best value so far) of one of SciPy's methods: every value and gradient it asks for is counted."""
    from scipy.optimize import minimize

    counts, rows = [0], []

    def fun(x):
        counts[0] += 1
        rows.append((counts[0], problem.fun(x, *problem.args)))
        return rows[-1][1]

    def jac(x):
        counts[0] += 1
        return problem.jac(x, *problem.args)

    minimize(fun, problem.x0, method=name, jac=jac, options={"gtol": gtol, "ftol": 0.0})
    units, values = np.array(rows).T
    return units, np.minimum.accumulate(values)


def front(path):
    """What the default solves, and what the methods do on one function."""
    import matplotlib.pyplot as plt

    figure, (left, right) = axes(plt, 2, (10.4, 4.2))
    count_solved(left)
    left.set_title("problems with up to 500 variables, gradient below 1e-6", fontsize=10, loc="left")
    race(right)
    save(plt, figure, path)


def race(ax):
    """f - f* of the methods on the Rosenbrock function in 10 variables."""
    problem, known = curvopt.problems.rosenbrock(10), catalogue()
    for name, colour, line in RACE:
        units, values, _ = run(problem, known[name])
        draw(ax, units, np.minimum.accumulate(values), name, colour, line)
    units, values = scipy_run(problem, "L-BFGS-B")
    draw(ax, units, values, "SciPy L-BFGS-B", "#333333", "--")
    ax.set(xscale="log", yscale="log", ylim=(1e-13, 3e3), xlim=(2, 1.1 * BUDGET),
           xlabel="oracle units (value 1, gradient 1, Hessian product 2)", ylabel="$f - f^*$, best so far")
    ax.legend(frameon=False, fontsize=8.5, loc="lower left")
    ax.set_title("Rosenbrock, 10 variables, from (-1.2, 1, ...)", fontsize=10, loc="left")


def draw(ax, units, values, name, colour, line, f_star=0.0):
    gap = np.maximum(values - f_star, 1e-300)
    ax.plot(units, gap, line, color=colour, linewidth=1.7, label=name)


def save(plt, figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)
    plt.close(figure)


def main(arguments):
    import matplotlib

    matplotlib.use("Agg")
    if arguments:
        draw_all(pathlib.Path(arguments[0]))
    else:
        front(README_PICTURE)
    return 0


def paths(path):
    """The first steps of the scaled methods on a quadratic in the plane."""
    import matplotlib.pyplot as plt

    problem, known = curvopt.problems.quadratic([1.0, 12.0], x0=[1.0, 0.1]), catalogue()
    names = ("SCG", "SMR", "SGM", "MRCG")
    figure, ax = plt.subplots(2, 2, figsize=(8.6, 4.0), layout="constrained", sharex=True, sharey=True)
    across, up = np.meshgrid(np.linspace(-0.15, 1.1, 200), np.linspace(-0.24, 0.24, 100))
    level = 0.5 * (across * across + 12.0 * up * up)
    for one, name in zip(ax.flat, names):
        points = np.array([it.x for it in steps(problem, known[name], 12)])
        one.contour(across, up, level, levels=np.geomspace(2e-3, 1.2, 9), colors="#c9c9c9", linewidths=0.7)
        one.plot(*points.T, "o-", color=BLUE, markersize=3.2, linewidth=1.3)
        one.plot(0, 0, "+", color=RED, markersize=9)
        gap = problem.fun(points[-1], *problem.args)
        one.set_title(f"{name}: $f - f^*$ = {gap:.0e} after {len(points) - 1} steps", fontsize=9.5, loc="left")
        one.set_aspect("equal")
        one.tick_params(labelsize=8)
    save(plt, figure, path)


def steps(problem, method, count):
    for it in curvopt.iterate(problem.fun, problem.x0, args=problem.args, jac=problem.jac, hessp=problem.hessp,
                              method=method, options={"gtol": 1e-12}):
        yield it
        if it.nit == count:
            return


def logistic(m=400, n=60, seed=1, weight=1e-3):
    """l2-regularised logistic regression with columns scaled from 1 to 30, as NumPy functions."""
    rng = np.random.default_rng(seed)
    scales = np.logspace(0, 1.5, n)
    A = rng.standard_normal((m, n)) * scales
    y = np.sign(A @ (rng.standard_normal(n) / scales) + 0.5 * rng.standard_normal(m))
    B = A * y[:, None]

    def weights(x):
        return 0.5 * (1.0 - np.tanh(B @ x / 2.0))

    def fun(x):
        return np.mean(np.logaddexp(0.0, -(B @ x))) + 0.5 * weight * x @ x

    def jac(x):
        return -B.T @ weights(x) / m + weight * x

    def hessp(x, p):
        w = weights(x)
        return B.T @ (w * (1.0 - w) * (B @ p)) / m + weight * p

    return fun, jac, hessp, np.zeros(n)


def scaled(path):
    """f - f* of the scaled methods on a quadratic of condition 1e3 and on a logistic regression."""
    import types

    import matplotlib.pyplot as plt

    fun, jac, hessp, x0 = logistic()
    best = curvopt.minimize(fun, x0, jac=jac, hessp=hessp, method="mrcg", options={"gtol": 1e-9, "maxiter": 100_000})
    regression = types.SimpleNamespace(fun=fun, jac=jac, hessp=hessp, x0=x0, args=())
    quadratic = curvopt.problems.quadratic(np.logspace(0, 3, 100), x0=np.random.default_rng(0).standard_normal(100))
    known = catalogue()
    figure, ax = axes(plt, 2, (9.0, 3.7))
    for one, problem, f_star, title in ((ax[0], quadratic, 0.0, "quadratic, 100 variables, condition 1000"),
                                        (ax[1], regression, best.fun, "logistic regression, 400 x 60, unscaled columns")):
        for name, colour, line in (("SMR", GREY, ":"), ("SCG", GREY, "--"), ("SGM", SKY, "-"), ("MRCG", BLUE, "-"),
                                   ("SAUTO", GREEN, "-")):
            units, values, _ = run(problem, known[name], budget=4000)
            draw(one, units, np.minimum.accumulate(values), name, colour, line, f_star)
        one.set(yscale="log", xlabel="oracle units", title=title)
        one.title.set_fontsize(9.5)
    ax[0].set(ylabel="$f - f^*$", ylim=(1e-13, None))
    ax[1].set(ylim=(1e-9, None))
    ax[0].legend(frameon=False, fontsize=8.5)
    save(plt, figure, path)


def string(n=1000, load=1e-4):
    """A string of n masses under a load, on springs that stiffen: (fun, jac, hessp, x0)."""
    def stretched(x):
        y = 2.0 * x
        y[1:] -= x[:-1]
        y[:-1] -= x[1:]
        return y

    def fun(x):
        return 0.5 * x @ stretched(x) + 1e-4 * np.sum(x ** 4) - load * x.sum()

    def jac(x):
        return stretched(x) + 4e-4 * x ** 3 - load

    return fun, jac, lambda x, v: stretched(v) + 1.2e-3 * x * x * v, np.full(n, 3.0)


def depth(path):
    """Products of each step of TruncatedNewton, and the gradient norm beside them: in a valley, and where Newton steps pay."""
    import matplotlib.pyplot as plt

    rosenbrock = curvopt.problems.rosenbrock(100)
    runs = (("Rosenbrock, 100 variables", (rosenbrock.fun, rosenbrock.jac, rosenbrock.hessp, rosenbrock.x0), 1e-9),
            ("a string under a load, 1000 variables", string(), 1e-8))
    figure, ax = axes(plt, 2, (9.6, 3.4))
    for one, (title, (fun, jac, hessp, x0), gtol) in zip(ax, runs):
        history = curvopt.minimize(fun, x0, jac=jac, hessp=hessp, method="truncatednewton",
                                   options={"gtol": gtol, "history": True, "compiled": False}).history
        one.bar(history.nit, history.depth, width=1.0, color=BLUE)
        one.set(xlabel="iteration", ylabel="products of the step")
        one.set_title(title, fontsize=10, loc="left")
        right = one.twinx()
        right.spines[["top", "left"]].set_visible(False)
        right.semilogy(history.nit, history.grad_norm, color=RED, linewidth=1.2)
        right.set_ylabel(r"$\|g\|_\infty$", color=RED)
        right.tick_params(axis="y", colors=RED)
    save(plt, figure, path)


def switches(path):
    """The iteration at which FUSE-PV leaves Adam when fun is multiplied by c: thresholds against the automatic switch."""
    import matplotlib.pyplot as plt

    problem, factors, limit = curvopt.problems.rosenbrock(2), 10.0 ** np.arange(-6, 6.5, 0.5), 2000
    rules = (
        (r"$\|g\|_2 \leq 0.5$", ORANGE, {"switch": ("grad", 0.5)}),
        ("$f < 2$", RED, {"switch": lambda k, x, f, g: f < 2.0}),
        (r"$f$ changes by at most $10^{-4}\,\max(1, |f|)$", PURPLE, {"switch": ("loss", 1e-4)}),
        ("automatic, Adam first", BLUE, {"first": "adam"}),
    )
    figure, (ax,) = axes(plt, 1, (7.2, 3.8))
    for label, colour, parameters in rules:
        method = curvopt.FUSEPV.replace(lr=0.1, **parameters)
        found = [curvopt.minimize(lambda x: c * problem.fun(x), problem.x0, jac=lambda x: c * problem.jac(x), method=method,
                                  options={"gtol": 0.0, "maxiter": limit}).switch_nit for c in factors]
        ax.plot(factors, [limit if k is None else k for k in found], "o-", color=colour, markersize=3.5, linewidth=1.5,
                label=label)
    ax.set(xscale="log", xlabel="$c$: the run minimizes $c f$", ylabel="iteration of the switch")
    ax.legend(frameon=False, fontsize=8.5)
    ax.set_title("Rosenbrock, 2 variables, Adam with lr = 0.1", fontsize=10, loc="left")
    save(plt, figure, path)


def decay(path, side=256):
    """Rates of exponential decay, fitted at every pixel of a series of noisy images."""
    import math

    import matplotlib.pyplot as plt
    from numba import njit

    @njit
    def fun(x, y, t):
        """Half the sum of squares of x0 exp(-x1 t) - y, and its gradient."""
        f, g = 0.0, np.zeros(2)
        for i in range(t.size):
            e = math.exp(-x[1] * t[i])
            r = x[0] * e - y[i]
            f += 0.5 * r * r
            g[0] += r * e
            g[1] -= r * x[0] * t[i] * e
        return f, g

    rng = np.random.default_rng(0)
    u, v = np.meshgrid(np.linspace(-1.0, 1.0, side), np.linspace(-1.0, 1.0, side))
    rates = 0.6 + 1.2 * np.exp(-8.0 * ((u - 0.3) ** 2 + (v + 0.2) ** 2)) + 0.3 * (np.hypot(u + 0.4, v - 0.3) < 0.35)
    times = np.linspace(0.0, 3.0, 12)
    series = (1.5 + 0.5 * u)[..., None] * np.exp(-rates[..., None] * times) + 0.03 * rng.standard_normal((side, side, 12))
    pixels = series.reshape(-1, times.size)
    result = curvopt.minimize_many(fun, np.ones((len(pixels), 2)), args=(pixels,), shared=(times,), jac=True,
                                   method="quasinewton")
    figure, ax = axes(plt, 3, (9.4, 3.1))
    for one, image, title in ((ax[0], series[..., 4], "one image of twelve"),
                              (ax[1], result.x[:, 1].reshape(side, side), "fitted rate"),
                              (ax[2], rates, "true rate")):
        low, high = (None, None) if one is ax[0] else (rates.min(), rates.max())
        shown = one.imshow(image, cmap="viridis", vmin=low, vmax=high)
        one.set(xticks=[], yticks=[], title=title)
        one.title.set_fontsize(9.5)
        one.grid(False)
        figure.colorbar(shown, ax=one, shrink=0.8)
    save(plt, figure, path)


def ravine(path):
    """GDPolyak on a ravine: short steps fall onto it, long steps go along it, and the long ones grow exponentially."""
    import matplotlib.pyplot as plt

    problem, K = curvopt.problems.rosenbrock_quartic(10.0, x0=(0.95, 0.35)), 15
    method = curvopt.GDPolyak.replace(eta=0.0125, K=K)
    result = curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method,
                              options={"gtol": 0.0, "maxiter": 7 * (K + 1), "history": True, "return_all": True})
    points, kind = np.array(result.allvecs), result.history.long_step
    figure, ax = axes(plt, 2, (9.0, 3.8))
    across, up = np.meshgrid(np.linspace(-0.1, 1.05, 240), np.linspace(-0.2, 1.05, 240))
    ax[0].contour(across, up, across ** 4 + 10.0 * (up - across ** 2) ** 2, levels=np.geomspace(1e-4, 4.0, 10),
                  colors="#c9c9c9", linewidths=0.7)
    u = np.linspace(0.0, 1.0, 100)
    ax[0].plot(u, u * u, ":", color=GREEN, linewidth=1.4, label="the ravine, $y = x^2$")
    for i in range(1, len(points)):
        long = kind[i] == 1.0
        ax[0].plot(*points[i - 1:i + 1].T, "o-" if long else ".-", color=RED if long else BLUE, markersize=3.5,
                   linewidth=1.6 if long else 1.0, label={1: "short steps", K + 1: "long steps"}.get(i))
    ax[0].plot(0, 0, "+", color="black", markersize=9)
    ax[0].set(xlabel="x", ylabel="y")
    ax[0].legend(frameon=False, fontsize=8.5)
    method = method.replace(K=100)
    history = curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method,
                               options={"gtol": 0.0, "maxiter": 2500, "history": True}).history
    long = history.long_step == 1.0
    ax[1].semilogy(history.nit[long], history.step[long], "o", color=RED, markersize=3.5, label="long step")
    ax[1].semilogy(history.nit[~long], history.step[~long], ".", color=BLUE, markersize=1.5, label="short step")
    ax[1].semilogy(history.nit, history.fun, color=GREY, linewidth=1.0, label="$f - f^*$")
    ax[1].set(xlabel="iteration (K = 100)")
    ax[1].legend(frameon=False, fontsize=8.5)
    save(plt, figure, path)


def bend(path):
    """The long step of RavineQN: straight on it leaves the ravine by t^2, with the bend it follows."""
    import matplotlib.pyplot as plt

    from curvopt.directions.arc import bending, follow

    problem = curvopt.problems.rosenbrock_quartic(10.0)
    x = np.array([0.9, 0.81])
    g = problem.jac(x, *problem.args)
    d = np.linalg.solve(np.array([problem.hessp(x, e, *problem.args) for e in np.eye(2)]), -g)
    g_new = problem.jac(x + d, *problem.args)
    q = np.linalg.solve(np.array([problem.hessp(x, e, *problem.args) for e in np.eye(2)]), g_new)
    bending(g, g_new, d, g @ d, q)
    t = np.linspace(0.0, 3.0, 60)
    line, curve = x + t[:, None] * d, np.array([x] * t.size)
    for step, out in zip(t, curve):
        follow(step, d, q, x, out)
    figure, ax = axes(plt, 2, (9.0, 3.8))
    across, up = np.meshgrid(np.linspace(-0.25, 1.05, 240), np.linspace(-1.0, 1.05, 240))
    ax[0].contour(across, up, across ** 4 + 10.0 * (up - across ** 2) ** 2, levels=np.geomspace(1e-3, 12.0, 10),
                  colors="#c9c9c9", linewidths=0.7)
    along = np.linspace(-0.2, 1.0, 100)
    ax[0].plot(along, along ** 2, ":", color=GREEN, linewidth=1.4, label="the ravine, $y = x^2$")
    for points, colour, label in ((line, GREY, "straight, $x + t\\,d$"), (curve, RED, "with the bend, $x + t\\,d + t^2 q$")):
        ax[0].plot(*points.T, color=colour, linewidth=1.6, label=label)
        ax[1].semilogy(t, [problem.fun(point, *problem.args) for point in points], color=colour, linewidth=1.6)
    ax[0].plot(*x, "o", color="black", markersize=4)
    ax[0].plot(*(x + d), "o", color=BLUE, markersize=5, label="one Newton step, $t = 1$")
    ax[0].plot(0, 0, "+", color="black", markersize=9)
    ax[0].set(xlabel="x", ylabel="y")
    ax[0].legend(frameon=False, fontsize=8.5)
    ax[1].axvline(1.0, color=BLUE, linewidth=0.8)
    ax[1].set(xlabel="t", ylabel="$f$ along the path", ylim=(1e-6, 20.0))
    save(plt, figure, path)


def smallest_gradient(solve, shift, eigenvalues):
    """The least ||g||_inf that a run evaluates on a quadratic plus a constant."""
    norms = []

    def jac(x):
        norms.append(np.abs(eigenvalues * x).max())
        return eigenvalues * x

    solve(lambda x: 0.5 * float(eigenvalues @ (x * x)) + shift, jac, np.ones(eigenvalues.size))
    return min(norms)


def floor(path):
    """The gradient norm that is reached when a constant is added to fun, whose values then agree in more and more digits."""
    import warnings

    import matplotlib.pyplot as plt
    from scipy.optimize import minimize

    eigenvalues, shifts, gtol = np.logspace(0, 3, 20), 10.0 ** np.arange(0, 15), 1e-9

    def ours(name):
        return lambda fun, jac, x0: curvopt.minimize(fun, x0, jac=jac, method=name, options={"gtol": gtol})

    def scipys(name, **options):
        options = {"gtol": gtol, "maxiter": 5000, **options}
        return lambda fun, jac, x0: minimize(fun, x0, jac=jac, method=name, options=options)

    runs = (("QuasiNewton", RED, "-", ours("quasinewton")), ("LBFGS", ORANGE, "-", ours("lbfgs")),
            ("SciPy L-BFGS-B", GREY, "--", scipys("L-BFGS-B", ftol=0.0, maxfun=50_000)),
            ("SciPy BFGS", GREY, ":", scipys("BFGS")), ("SciPy CG", GREY, "-.", scipys("CG")))
    figure, (ax,) = axes(plt, 1, (7.2, 3.8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # SciPy's line searches say that they gave up
        for name, colour, line, solve in runs:
            reached = [smallest_gradient(solve, shift, eigenvalues) for shift in shifts]
            ax.loglog(shifts, np.maximum(reached, 1e-10), line, color=colour, linewidth=1.7, label=name)
    ax.axhline(gtol, color="#c9c9c9", linewidth=0.8)
    ax.set(xlabel="$c$: the run minimizes $f + c$", ylabel=r"least $\|g\|_\infty$ evaluated")
    ax.legend(frameon=False, fontsize=8.5)
    ax.set_title("quadratic, 20 variables, condition 1000; asked for: $10^{-9}$", fontsize=10, loc="left")
    save(plt, figure, path)


def rates(path):
    """Three runs, the law fitted to each, and the promise of theory."""
    import matplotlib.pyplot as plt

    p, q = curvopt.problems.quadratic(np.geomspace(1.0, 100.0, 20)), curvopt.problems.rosenbrock(10)
    runs = (("gradient descent, quadratic", p, curvopt.baselines.GD.replace(lr=1 / p.L)),
            ("heavy ball, quadratic", p, curvopt.baselines.HeavyBall.from_curvature(p.L, p.mu)),
            ("TruncatedNewton, Rosenbrock", q, curvopt.TruncatedNewton))
    figure, ax = axes(plt, 3, (9.6, 3.2))
    for one, (title, problem, method) in zip(ax, runs):
        result = curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, hessp=problem.hessp,
                                  method=method, options={"history": True, "gtol": 1e-10})
        result.rate(f_star=0.0, L=problem.L, mu=problem.mu).plot(one)
        one.set_title(title, fontsize=10)
    save(plt, figure, path)


def iterates(total, x0, method, count):
    kept = []
    curvopt.minimize(total, x0, method=method, options={"rng": 0, "maxiter": count, "gtol": 0.0},
                     callback=lambda intermediate_result: kept.append(intermediate_result.x[0]))
    return np.array(kept)


def bias(path, count=12_000):
    """Running means of the iterates on the mean of lognormal numbers, one row at a time: the same row in both places or not."""
    import matplotlib.pyplot as plt

    data = np.random.default_rng(1).lognormal(size=1000)
    total = curvopt.FiniteSum(lambda x, idx: 0.5 * float(np.mean((x[0] - data[idx]) ** 2)),
                              lambda x, idx: np.array([x[0] - data[idx].mean()]), 1000)
    grid = np.linspace(0.5, 2.0, 1501)
    figure, (ax,) = axes(plt, 1, (7.2, 3.8))
    ax.axhline(data.mean(), color="#9a9a9a", linewidth=0.9)
    ax.annotate("minimizer of the sum", (count, data.mean()), (0, 4), textcoords="offset points", ha="right", fontsize=8.5,
                color="#6a6a6a")
    ian = curvopt.IANSGD.replace(normalizer_batch_size=1, A=1.0, delta=0.0)
    alone = {"batch_size": 1, "sampling": "replacement", "check_every": 10 ** 9, "gamma": 0.01}
    for beta, colour, label in ((1.0, RED, r"$\beta = 1$"), (2.0 / 3.0, ORANGE, r"$\beta = 2/3$")):
        predicted = grid[np.argmin(np.mean(np.abs(grid[:, None] - data) ** (2.0 - beta), axis=1))]
        ax.axhline(predicted, color=colour, linewidth=0.9, linestyle=":")
        for name, line, method in (
                ("the same row", "--", curvopt.baselines.NormalizedSGD), ("independent rows", "-", ian)):
            w = iterates(total, [1.3], method.replace(beta=beta, **alone), count)
            ax.plot(np.arange(1, count + 1), np.cumsum(w) / np.arange(1, count + 1), line, color=colour, linewidth=1.5,
                    label=f"{label}, {name}")
    ax.set(xscale="log", xlim=(30, count), xlabel="iteration", ylabel="mean of the iterates so far")
    ax.legend(frameon=False, fontsize=8.5)
    ax.set_title("least squares of 1000 lognormal numbers, one row a batch", fontsize=10, loc="left")
    save(plt, figure, path)


def learned(path):
    """P learned over time on a quadratic whose coordinates are nearly apart, and at the end against 1/curvature."""
    import matplotlib.pyplot as plt

    curvature = np.geomspace(1.0, 1000.0, 7)
    rng = np.random.default_rng(3)
    coupling = np.eye(7) + 0.1 * rng.uniform(-1.0, 1.0, (7, 7))
    root = np.sqrt(curvature)
    A = root[:, None] * (0.5 * (coupling + coupling.T)) * root

    def trace(method, steps):
        """P after each of so many steps, each resumed from the last."""
        options, rows = {"gtol": 0.0, "maxiter": 1, "compiled": False}, []
        for k in range(steps):
            result = curvopt.minimize(lambda x: 0.5 * x @ A @ x, np.ones(7), jac=lambda x: A @ x, method=method,
                                      options={**options, "maxiter": k + 1})
            options["resume"] = result.state
            rows.append(result.state.state.p.copy())
        return np.array(rows)

    figure, ax = axes(plt, 2, (9.0, 3.8))
    ends = {}
    for name, colour, steps in (("HDM", BLUE, 50), ("HDMBest", ORANGE, 50), ("HDMSecant", GREEN, 40)):
        rows = trace(getattr(curvopt, name), steps)
        ends[name] = (rows[-1], colour)
        if name == "HDM":
            for i in range(7):
                ax[0].semilogy(rows[:, i], color=plt.get_cmap("viridis")(i / 7), linewidth=1.5)
                ax[0].axhline(1.0 / A[i, i], color=plt.get_cmap("viridis")(i / 7), linewidth=0.8, linestyle=":")
    ax[0].set(xlabel="iteration of HDM", ylabel="entries of P; dotted: 1/curvature of the coordinate", ylim=(2e-4, 5.0))
    ax[0].yaxis.label.set_fontsize(9)
    for (name, (p, colour)), size in zip(ends.items(), (9, 6, 4)):      # what coincides is seen around the next
        ax[1].loglog(1.0 / np.diag(A), p, "o", color=colour, markersize=size, label=name)
    ax[1].loglog(1.0 / np.diag(A), 1.0 / np.diag(A), ":", color=GREY, label="P = 1/curvature")
    ax[1].set(xlabel="1/curvature of the coordinate", ylabel="entry of P at the end")
    ax[1].legend(frameon=False, fontsize=8.5)
    save(plt, figure, path)


# Problems of the tuning part (290) solved within so many calls; benchmarks/profiles.py, as told in
# docs/methods/quasi_newton.md, which takes half an hour.
SOLVED_WITHIN = np.unique(np.round(np.geomspace(5, 3000, 40)).astype(int))
SOLVED = {  # colour, line, problems
    "default": (RED, "-", (
        3, 3, 5, 7, 12, 19, 27, 34, 50, 60, 76, 87, 109, 118, 127, 139, 149, 166, 183, 197, 206, 217, 225, 233, 239, 241, 242,
        245, 249, 253, 257, 260, 260, 263, 264, 265, 266, 266, 268, 269)),
    "SciPy L-BFGS-B": (GREY, "--", (
        3, 3, 5, 7, 10, 11, 22, 33, 38, 47, 62, 75, 88, 94, 113, 123, 133, 141, 152, 159, 160, 165, 168, 174, 176, 183, 191,
        194, 198, 202, 210, 220, 223, 224, 225, 229, 229, 229, 231, 232)),
    "SciPy BFGS": (GREY, ":", (
        1, 3, 3, 4, 10, 16, 19, 23, 27, 30, 40, 45, 54, 67, 79, 101, 107, 118, 129, 137, 148, 157, 167, 177, 188, 194, 201,
        204, 206, 213, 218, 221, 222, 222, 225, 225, 226, 226, 227, 227)),
    "SciPy CG": (GREY, "-.", (
        0, 0, 1, 2, 2, 3, 5, 17, 20, 22, 31, 34, 47, 53, 59, 66, 75, 88, 97, 100, 112, 123, 130, 133, 138, 148, 155, 157, 162,
        165, 168, 172, 180, 184, 187, 189, 193, 195, 198, 201)),
}


def profile(path):
    """Problems of the collection solved against calls: the default and SciPy's."""
    import matplotlib.pyplot as plt

    figure, (ax,) = axes(plt, 1, (7.2, 3.8))
    count_solved(ax)
    save(plt, figure, path)


def count_solved(ax):
    for name, (colour, line, solved) in SOLVED.items():
        ax.step(SOLVED_WITHIN, solved, line, where="post", color=colour, linewidth=1.7, label=name)
    ax.set(xscale="log", xlabel="calls (a value with its gradient)", ylabel="problems solved, of 290", ylim=(0, 290))
    ax.legend(frameon=False, fontsize=8.5)


def theory(path):
    """Gaps beside the slopes that theory promises: a quadratic from its worst start, and flat minima."""
    import matplotlib.pyplot as plt

    figure, (left, right) = axes(plt, 2, (9.6, 3.9))
    p = curvopt.problems.quadratic(np.geomspace(1.0, 100.0, 20))
    x0 = np.zeros(20)
    x0[[0, -1]] = 1.0, 0.01
    for name, colour, method in (("GD, 1/L", GREY, curvopt.baselines.GD.replace(lr=1 / p.L)), ("SCG", RED, curvopt.SCG),
                                 ("SMR", ORANGE, curvopt.SMR),
                                 ("heavy ball", BLUE, curvopt.baselines.HeavyBall.from_curvature(p.L, p.mu))):
        result = curvopt.minimize(p.fun, x0, args=p.args, jac=p.jac, hessp=p.hessp, method=method,
                                  options={"history": True, "gtol": 1e-9, "maxiter": 500})
        k, gap = result.history.nit, result.history.fun
        promised = result.rate(f_star=0.0, L=p.L, mu=p.mu).bounds[0].constant
        left.semilogy(k, gap, color=colour, linewidth=2.2, label=name, alpha=0.75)
        left.semilogy([0, 500], [gap[0], gap[0] * promised ** 500], "k:", linewidth=1.0)
    left.set(xlabel="iteration", ylabel="$f - f^*$", ylim=(1e-16, 3.0), xlim=(0, 500))
    left.set_title("condition 100, worst start of SCG; dotted: promised", fontsize=10, loc="left")
    for order, colour in ((3, BLUE), (4, GREEN), (6, PURPLE)):
        result = curvopt.minimize(
            lambda x: float(np.sum(np.abs(x) ** order)), [1.0, 0.5], method=curvopt.baselines.GD.replace(lr=0.01),
            jac=lambda x: order * np.sign(x) * np.abs(x) ** (order - 1),
            options={"history": True, "gtol": 0.0, "maxiter": 10_000})
        k, gap = result.history.nit[1:], result.history.fun[1:]
        right.loglog(k, gap, color=colour, linewidth=2.2, alpha=0.75, label=f"$p = {order}$")
        right.loglog(k, gap[-1] * (k / k[-1]) ** (-order / (order - 2)), "k:", linewidth=1.0)
    right.set(xlabel="iteration", ylim=(1e-11, 3.0))
    right.set_title(r"GD on $\sum |x_i|^p$; dotted: $k^{-p/(p-2)}$", fontsize=10, loc="left")
    for ax in (left, right):
        ax.legend(frameon=False, fontsize=8.5)
    save(plt, figure, path)


PICTURES = {
    "rates.png": rates, "theory.png": theory, "learned.png": learned,
    "profile.png": profile,
    "paths.png": paths, "scaled.png": scaled, "depth.png": depth, "switches.png": switches, "decay.png": decay,
    "ravine.png": ravine, "bend.png": bend, "floor.png": floor, "bias.png": bias,
}


def draw_all(folder):
    """Draw the pictures that are missing or older than this file or the package."""
    import matplotlib

    matplotlib.use("Agg")
    sources = [pathlib.Path(__file__), *pathlib.Path(curvopt.__file__).parent.rglob("*.py")]
    newest = max(source.stat().st_mtime for source in sources)
    for name, draw_one in PICTURES.items():
        path = folder / name
        if not path.exists() or path.stat().st_mtime < newest:
            draw_one(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
