"""The experiments of arXiv:2410.14054 on phase retrieval and on a regression under the worst case, with our counts.

    python benchmarks/normalized_published.py phase [--seeds 10] [--methods IAN,Clip]
    python benchmarks/normalized_published.py worst-case --data life_expectancy.csv

Phase retrieval is drawn from the authors' seed. The regression needs the WHO Life Expectancy table (2938 rows, 22
columns, in the repository of the authors), prepared as they prepare it, index column and leaking target included: it is
for the comparison of counts, not a model of anything. Samples are rows on which gradients are taken; measurements of the
objective are not counted, nor is the deterministic start that all stochastic methods share. SPIDER is charged as in the
paper, with B rows a correction although two gradients are taken on them.

Columns: median number of samples (or gradients) to each target over the seeds that reach it, with the number of these
where it is not all of them; then the median of the last value, and how many seeds diverged.
"""
import csv
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import curvopt
from curvopt import baselines, problems

B = baselines
THIRD = 1.0 / 3.0


def phase_problem():
    """(problem, value to report, start of the stochastic methods)."""
    draw = np.random.RandomState(2024)
    truth, A = draw.normal(0.0, 0.5 ** 0.5, 100), draw.normal(0.0, 0.5 ** 0.5, (3000, 100))
    y = (A @ truth) ** 2 + draw.normal(0.0, 4.0, 3000)
    p = problems.phase_retrieval(A, y, x0=draw.normal(1.0, 6.0 ** 0.5, 100))
    g = p.jac(p.x0, *p.args)
    return problems.finite_sum(p), p.args, p.x0, p.x0 - 0.1 * g / np.linalg.norm(g) ** (2 * THIRD), \
        lambda x: 2.0 * p.fun(x, *p.args)


WINSORIZED = {"Life expectancy": (0.05, 0), "Adult Mortality": (0, 0.04), "Alcohol": (0, 0.01), "Hepatitis B": (0.2, 0),
              "Polio": (0.2, 0), "Total expenditure": (0, 0.02), "Diphtheria": (0.11, 0), "HIV/AIDS": (0, 0.21),
              "thinness  1-19 years": (0, 0.04), "thinness 5-9 years": (0, 0.04),
              "Income composition of resources": (0.05, 0), "Schooling": (0.03, 0.01)}
COUNTS_BELOW_1001 = ("infant deaths", "Measles", "under-five deaths")


def winsorize(v, low, high):
    """Replace that share of the smallest and largest entries by the nearest one left."""
    ordered, n = np.sort(v), v.size
    return np.clip(v, ordered[int(low * n)], ordered[n - int(high * n) - 1])


def life_expectancy(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    names, columns = [name.strip() for name in rows[0]], list(zip(*rows[1:]))
    table = {name: np.array([float(v) if v else np.nan for v in column])
             for name, column in zip(names, columns) if name not in ("Country", "Status")}
    by_year = np.concatenate([np.flatnonzero(table["Year"] == one) for one in dict.fromkeys(table["Year"])])
    table = {name: v[by_year] for name, v in table.items()}
    year = table["Year"]
    for v in table.values():
        for one in np.unique(year):
            inside = year == one
            v[inside & np.isnan(v)] = np.nanmedian(v[inside])
    keep = np.all([table[name] < 1001 for name in COUNTS_BELOW_1001], axis=0)
    data = {"index": by_year[keep].astype(float)}
    data.update({name: v[keep] for name, v in table.items() if name != "BMI"})
    for name in ("percentage expenditure", "Population", "GDP"):
        data["log " + name] = np.log(np.where(data[name] == 0.0, 1.0, data[name]))
    for name, (low, high) in WINSORIZED.items():
        data["winsorized " + name] = winsorize(data[name], low, high)
    target = data.pop("Life expectancy")
    A = np.column_stack(list(data.values()))
    standardize = lambda v: (v - v.mean(0)) / v.std(0)
    return standardize(A), standardize(target)


def worst_case_problem(path):
    A, target = life_expectancy(path)
    draw = np.random.RandomState(1)
    y = target + draw.normal(0.0, 1.0, target.size)
    x0 = np.random.RandomState(1).normal(0.0, 1.0, A.shape[1])
    p = problems.worst_case(A[:2313], y[:2313], 0.01, x0=x0)
    warm = curvopt.minimize(p.fun, p.x0, args=p.args, method=B.NormalizedGD.replace(gamma=0.2), options={"maxiter": 30})
    return p.fun, p.args, p.x0, warm.state.state.x, lambda z: problems.worst_case_value(z[:-1], *p.args)[0]


class Reached(Exception):
    pass


def count(total, args, x0, report, method, targets, seed, samples, charge=None, iterations=None):
    """Samples (or gradients) at the first iterate that meets each target (nan: none), and the last value."""
    found, place, last = np.full(len(targets), np.nan), 0, np.nan

    def watch(intermediate_result):
        nonlocal place, last
        it = intermediate_result
        last = report(it.x)
        while place < len(targets) and last <= targets[place]:
            spent = it.nit * charge if charge else round(it.njev * total.n_samples) - total.n_samples
            found[place] = spent if "samples" in method.needs else it.njev
            place += 1
        if not np.isfinite(last) or (place == len(targets) and iterations is None):
            raise StopIteration
        if iterations is None and (it.njev - 1) * total.n_samples >= samples and "samples" in method.needs:
            raise StopIteration

    with np.errstate(all="ignore"):
        curvopt.minimize(total, x0, args=args, method=method, callback=watch,
                         options={"rng": seed, "gtol": 0.0, "maxiter": iterations or 100_000})
    return found, last


def summary(title, rows, lasts):
    rows = np.array(rows)
    cells = []
    for column in rows.T:
        good = column[~np.isnan(column)]
        cells.append(f"{np.median(good):9.0f}{'' if good.size == column.size else f' ({good.size})':6}" if good.size
                     else f"{'-':>9}      ")
    lost = sum(not np.isfinite(v) for v in lasts)
    print(f"{title:28}" + " ".join(cells) + f"  last {np.nanmedian(lasts):.5g}" + (f", {lost} diverged" if lost else ""),
          flush=True)
    return rows
