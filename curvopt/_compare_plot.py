"""The pictures and the page of a comparison: one colour a family of methods, its best member drawn, the rest grey."""
import base64
import html
import io

import numpy as np

from ._plot import AXES, pyplot

# The first pattern that fits the beginning of a name decides; everything else belongs to the last family.
FAMILIES = (
    ("scaled", ("SCG", "SMR", "SGM", "MRCG", "SAUTO")), ("hypergradient", ("HDM",)), ("Polyak", ("GDPolyak", "PolyakGD")),
    ("ravine", ("RavineQN",)), ("normalised", ("ANGD",)), ("quasi-Newton", ("LBFGS", "QuasiNewton")),
    ("Newton", ("TruncatedNewton",)), ("Adam and L-BFGS", ("FUSE", "Adam")), ("baselines", ("",)),
)
# Paul Tol's "muted" scheme, which stays distinct under the common colour blindnesses, its sand darkened for thin lines;
# markers say it once more.
COLORS = ("#332288", "#CC6677", "#117733", "#AA4499", "#999933", "#88CCEE", "#882255", "#44AA99", "#B8860B")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
SCIPY_STYLES = {"SciPy L-BFGS-B": "-", "SciPy CG": (0, (5, 2)), "SciPy Newton-CG": (0, (1, 1.2)),
                "SciPy BFGS": (0, (5, 1, 1, 1))}
GREY = "0.80"
EPS = 2.0 ** -52


def family(name):
    for number, (_, beginnings) in enumerate(FAMILIES):
        if name.startswith(beginnings):
            return number
    return len(FAMILIES) - 1


def score(comparison, name):
    """Mean over the decades of the gap of the logarithm of the units a run needs to get there; small is good."""
    units, values = comparison.curves[name]["fun"]
    if len(values) == 0:
        return np.inf
    gap = values - comparison.f_star
    first = max(gap[0], np.finfo(float).tiny)
    needed = []
    for decade in range(1, 13):
        reached = np.flatnonzero(gap <= first * 10.0 ** -decade)
        needed.append(np.log(units[reached[0]] if reached.size else 3.0 * comparison.budget))
    return float(np.mean(needed))


def best_of_families(comparisons):
    """Names to draw in colour: of each family the member with the least mean score over the comparisons."""
    names = dict.fromkeys(row["method"] for c in comparisons for row in c.rows if not row["method"].startswith("SciPy"))
    best = {}
    for name in names:
        scores = [score(c, name) for c in comparisons if name in c.curves]
        mean = float(np.mean(scores))
        if mean < best.get(family(name), ("", np.inf))[1]:
            best[family(name)] = (name, mean)
    return [best[number][0] for number in sorted(best)]


def style(name, highlight):
    """Line properties of a method, or None when it belongs to the grey ones."""
    if name in SCIPY_STYLES:
        return {"color": "black", "linestyle": SCIPY_STYLES[name], "linewidth": 1.3, "zorder": 4}
    if name not in highlight:
        return None
    number = highlight.index(name) if len({family(h) for h in highlight}) < len(highlight) else family(name)
    return {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)], "markersize": 4.0,
            "markeredgecolor": "white", "markeredgewidth": 0.4, "linewidth": 1.6, "zorder": 5}


def curve(comparison, name, what):
    """(units, least so far) as a staircase to the end of the run; gaps are not drawn below the rounding of f*."""
    units, values = comparison.curves[name][what]
    if len(units) == 0:
        return units, values
    if what == "fun":
        values = np.maximum(values - comparison.f_star, floor(comparison))
    end = next(row["units"] for row in comparison.rows if row["method"] == name)
    return np.append(units, max(end, units[-1])), np.append(values, values[-1])


def floor(comparison):
    """Rounding error of f near f*; of 1e-4 where f* is smaller or unknown."""
    return EPS * np.fmax(abs(comparison.f_star), 1e-4)


def draw(ax, comparison, what, highlight):
    for row in comparison.rows:
        units, values = curve(comparison, row["method"], what)
        if len(units) == 0:
            continue
        look = style(row["method"], highlight)
        options = look or {"color": GREY, "linewidth": 0.8, "zorder": 2}
        if "marker" in options:     # about eight markers a curve, at different places for different curves
            shift = 0.12 * family(row["method"]) / len(FAMILIES)
            options = {**options, "markevery": (shift, 0.12)}
        ax.plot(units, values, drawstyle="steps-post", label=row["method"] if look else "_grey", **options)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(1.0, comparison.budget * 1.05)
    ax.set_xlabel(AXES["units"])
    ax.grid(True, which="major", color="0.93", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def draw_pair(axes, comparison, highlight):
    left, right = axes
    draw(left, comparison, "fun", highlight)
    draw(right, comparison, "grad_norm", highlight)
    low = floor(comparison)
    left.axhline(low, color="0.6", linewidth=0.7, linestyle=":", zorder=1)
    left.annotate("rounding of $f$", (1.1, low), xytext=(0, 2), textcoords="offset points", fontsize=7, color="0.45")
    left.set_ylim(low / 3.0, None)
    right.set_ylim(comparison.gtol / 30.0 if comparison.gtol else None, None)
    if comparison.gtol:
        right.axhline(comparison.gtol, color="0.6", linewidth=0.7, linestyle=":", zorder=1)
        right.annotate("gtol", (1.1, comparison.gtol), xytext=(0, 2), textcoords="offset points", fontsize=7, color="0.45")
    star = r"f^\star" if comparison.f_star_known else r"f_{\mathrm{least\ seen}}"
    left.set_ylabel(rf"least $f - {star}$ so far")
    right.set_ylabel(r"least $\|g\|_\infty$ so far")
    left.set_title(f"{comparison.problem.notes or comparison.problem.name}, n = {comparison.problem.n}", loc="left",
                   fontsize=10)


def plot_comparison(comparison, axes=None, highlight=None):
    own = axes is None
    if own:
        figure, axes = pyplot().subplots(1, 2, figsize=(11.0, 4.4), layout="constrained")
    highlight = best_of_families([comparison]) if highlight is None else list(highlight)
    draw_pair(axes, comparison, highlight)
    if own:
        add_legend(figure, [axes], [comparison], highlight)
    return axes


def add_legend(figure, rows, comparisons, highlight):
    """One legend for all panels, and the names of the grey curves below."""
    found = {}
    for axes in rows:
        for handle, label in zip(*axes[0].get_legend_handles_labels()):
            found.setdefault(label, handle)
    order = [name for name in highlight if name in found] + [name for name in SCIPY_STYLES if name in found]
    figure.legend([found[name] for name in order], order, loc="outside right upper", fontsize=8.5, frameon=False,
                  handlelength=2.6, title="best of each family, and SciPy", title_fontsize=8.5, alignment="left")
    names = dict.fromkeys(row["method"] for c in comparisons for row in c.rows)
    grey = [name for name in names if name not in order]
    if grey:
        figure.supxlabel("grey: " + ", ".join(sorted(grey, key=str.lower)), fontsize=7.5, color="0.4", wrap=True)


def plot_report(comparisons):
    """A figure with two panels for each comparison."""
    plt = pyplot()
    figure, rows = plt.subplots(len(comparisons), 2, figsize=(12.0, 0.6 + 3.3 * len(comparisons)), layout="constrained",
                                squeeze=False)
    highlight = best_of_families(comparisons)
    for axes, comparison in zip(rows, comparisons):
        draw_pair(axes, comparison, highlight)
    for axes in rows[:-1]:
        for ax in axes:
            ax.set_xlabel("")
    add_legend(figure, rows, comparisons, highlight)
    return figure


STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.15rem .7rem;text-align:right}
th{border-bottom:1px solid #999}td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}tr:nth-child(even){background:#f6f6f6}
p.note{color:#666;font-size:13px}img{max-width:100%}"""


def write_page(comparisons, path):
    """One HTML file with the pictures inside."""
    from ._compare import COLUMNS

    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>curvopt</title><style>{STYLE}</style><body>",
             "<h1>curvopt: methods at equal oracle budget</h1>"]
    picture = _picture(comparisons)
    parts.append(f'<img alt="gap and gradient norm against oracle units" src="data:image/png;base64,{picture}">')
    for c in comparisons:
        known = "" if c.f_star_known else " (least value seen)"
        parts += [f"<h2>{html.escape(c.problem.name)}</h2>",
                  f"<p>n = {c.problem.n}, at most {c.budget} oracle units, gtol = {c.gtol:g}, f* = {c.f_star:.15g}{known}</p>",
                  "<table><tr>" + "".join(f"<th>{html.escape(t)}</th>" for t in COLUMNS) + "</tr>"]
        parts += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in c.cells(row)) + "</tr>" for row in c.rows]
        parts.append("</table>")
        parts += [f"<p class=note>{html.escape(line)}</p>" for line in c.notes() if line]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*parts, "</body></html>\n"]))


def _picture(comparisons):
    figure, buffer = plot_report(comparisons), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    pyplot().close(figure)
    return base64.b64encode(buffer.getvalue()).decode()
