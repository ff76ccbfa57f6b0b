"""The record of a run: one NumPy array a column."""
import csv
import operator

import numpy as np

from . import _checks


class History:
    """Columns of a run as NumPy arrays, by name: ``history["fun"]`` or ``history.fun``; or rows, ``history[-1]``, as dicts.

    ``len`` is the number of rows, iterating goes through them, and ``pandas.DataFrame(history)`` makes a table of them.
    Columns are ``nit fun grad_norm step nfev njev nhev time`` and the method's own. ``time`` is in seconds; inside a
    compiled run it is interpolated between the moments (about 20 ms apart) at which the loop can look at the clock. For
    methods that draw samples ``nfev njev nhev`` are passes over the data, with a fraction, ``fun`` is the last value
    over all rows, and ``grad_norm`` infinite in iterations in which there was none.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(2)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method="sgm",
    ...                        options={"history": True, "maxiter": 5})
    >>> res.history.nit.tolist()
    [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, columns):
        self._columns = dict(columns)

    @classmethod
    def from_rows(cls, names, rows, times, passes=False):
        whole = {"nit"} if passes else {"nit", "nfev", "njev", "nhev"}
        columns = {name: rows[:, i].astype(np.int64) if name in whole else rows[:, i].copy()
                   for i, name in enumerate(names)}
        columns["time"] = times
        return cls(columns)

    @property
    def columns(self):
        return tuple(self._columns)

    def __len__(self):
        return len(self._columns["nit"])

    def __getitem__(self, name):
        if isinstance(name, str):
            try:
                return self._columns[name]
            except KeyError:
                raise KeyError(self._unknown(name)) from None
        row = operator.index(name)
        return {column: values[row].item() for column, values in self._columns.items()}

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, name):
        return name in self._columns

    def _unknown(self, name):
        return f"no column {name!r}{_checks.nearest(name, self._columns)}; there are {', '.join(self._columns)}"

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._columns[name]
        except KeyError:
            raise AttributeError(self._unknown(name)) from None

    def __dir__(self):
        return [*super().__dir__(), *self._columns]

    def __repr__(self):
        return f"<History of {len(self)} rows: {', '.join(self._columns)}>"

    @property
    def units(self):
        """Oracle units spent: a value of ``fun`` is 1, a gradient 1, a Hessian-vector product 2."""
        return self["nfev"] + self["njev"] + 2 * self["nhev"]

    def to_dict(self):
        """A plain dict of arrays, ready for ``pandas.DataFrame``."""
        return dict(self._columns)

    def to_csv(self, path):
        """Write the columns to `path`; floats keep every digit."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self._columns)
            writer.writerows(zip(*(column.tolist() for column in self._columns.values())))

    def plot(self, ax=None, *, f_star=None, x="units", label=None):
        """Plot the gradient norm, or with `f_star` the gap fun - f_star, on a logarithmic scale.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when omitted.
        f_star : float, optional
            Value to subtract from ``fun``.
        x : {"units", "nit", "time", "nfev", "njev"}
            Horizontal axis.
        label : str, optional
            Name in the legend.

        Returns
        -------
        matplotlib Axes
        """
        from ._plot import plot_history

        return plot_history(self, ax, f_star=f_star, x=x, label=label)
