"""The user's callback, in either of SciPy's two forms, and the table of ``disp``."""
import inspect


def adapt_callback(callback):
    """A function of the intermediate result, or None. The form is told apart as SciPy does: by the parameter's name."""
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")
    try:
        keyword = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        keyword = False
    if keyword:
        return lambda result: callback(intermediate_result=result)
    return lambda result: callback(result.x)


class Table:
    """Progress in lines: a header, every k-th iteration, and a summary."""

    def __init__(self, disp, method):
        self.every = disp if disp > 1 else 0
        self.disp, self.method = disp, method
        self.last = None

    def show(self, snapshot, counts):
        if not self.every or snapshot.nit == self.last:
            return
        if snapshot.nit % self.every and snapshot.status < 0:
            return
        if self.last is None:
            print(f"{self.method.name:>10}  {'fun':>17}  {'grad norm':>9}  {'step':>9}  {'nfev':>6}  {'njev':>6}  {'nhev':>6}")
        self.last = snapshot.nit
        state = snapshot.state
        print(f"{snapshot.nit:10d}  {state.f:17.10e}  {snapshot.gnorm:9.2e}  {state.alpha:9.2e}"
              f"  {counts[0]:6d}  {counts[1]:6d}  {counts[2]:6d}")

    def summary(self, result):
        if self.disp:
            print(f"{self.method.name}: {result.message}\n"
                  f"    fun {result.fun:.10e}, {result.nit} iterations, {result.nfev} values, {result.njev} gradients, "
                  f"{result.nhev} Hessian products, {result.time:.3g} s")
