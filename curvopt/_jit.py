"""The two kinds of numerical function in this library, and the only place that configures numba.

``kernel``   arithmetic on arrays and scalars: explicit loops, never a callable, makes no array. Always machine code.
``routine``  algorithm text: may take callables. Plain Python until a compiled loop reaches it.

Neither uses ``fastmath``: with whole-array arithmetic confined to kernels, an interpreted and a compiled run give the
same bits. With the environment variable ``CURVOPT_JIT=0`` both are plain Python and numba is never imported; so too with
numba's own ``NUMBA_DISABLE_JIT=1``, under which nothing can be compiled.

A ``template`` is a kernel of the problems whose text is put into the kernels that call it before their types are known: one
text for a loop over a range and for one over an index, each as fast as if it had been written for itself. ``standalone``
makes a kernel of it.
"""
import hashlib
import os
import pathlib

import numpy as np

NO = ("0", "false", "off", "no", "")
ENABLED = (os.environ.get("CURVOPT_JIT", "1").strip().lower() not in NO[:-1]
           and os.environ.get("NUMBA_DISABLE_JIT", "0").strip().lower() in NO)


def _package_fingerprint():
    """Hash of the package's sources. Numba's own cache is blind to edits in *other* files (numba #1833)."""
    digest = hashlib.sha256()
    for path in sorted(pathlib.Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _registered_listener():
    from numba.core import event

    class Listener(event.TimingListener):
        def on_end(self, event):
            if self._depth > 0:     # a compilation of another thread may have begun before there was anyone to listen
                super().on_end(event)

    listener = Listener()
    event.register("numba:compiler_lock", listener)
    return listener


class CompileClock:
    """Context in which ``seconds`` adds up the time that numba spends compiling, or loading from its cache."""

    _listener = None    # one for the process, registered for good: registering takes longer than a small solve

    def __init__(self):
        self._before = self._after = None

    def __enter__(self):
        if ENABLED and CompileClock._listener is None:
            CompileClock._listener = _registered_listener()
        self._before, self._after = self._total(), None
        return self

    def __exit__(self, *exception):
        self._after = self._total()

    def _total(self):
        return self._listener.duration if self._listener is not None and self._listener.done else 0.0

    @property
    def seconds(self):
        if self._before is None:
            return 0.0
        return max((self._total() if self._after is None else self._after) - self._before, 0.0)


if ENABLED:
    from numba import njit
    from numba.core.caching import FunctionCache, IndexDataCacheFile
    from numba.core.dispatcher import Dispatcher
    from numba.extending import is_jitted, register_jitable

    from ._compiled_whole import DRAFT, KERNEL

    FINGERPRINT = _package_fingerprint()

    class _CacheFile(IndexDataCacheFile):
        """Names each data file after its key. Numba numbers them, so two processes that compile different signatures
        at the same time may write one file under two keys, and a third process then runs the wrong code."""

        def save(self, key, data):
            overloads = self._load_index()
            name = self._data_name_pattern.replace("{number:d}", hashlib.sha256(repr(key).encode()).hexdigest()[:16])
            self._save_data(name, data)
            if overloads.get(key) != name:
                overloads[key] = name
                self._save_index(overloads)

    class _PackageCache(FunctionCache):
        """A disk cache keyed by the whole package's sources instead of one file's time stamp."""

        def __init__(self, py_func, identity=""):
            super().__init__(py_func)
            self._identity = identity
            base = self._impl.filename_base
            if identity:
                base += "-" + hashlib.sha256(identity.encode()).hexdigest()[:16]
            self._cache_file = _CacheFile(self._cache_path, base, FINGERPRINT)

        def _index_key(self, sig, codegen):
            # A closure's cells are not hashed: their pickled bytes differ from process to process. `identity` names them.
            code = hashlib.sha256(self._py_func.__code__.co_code).hexdigest()
            return (sig, codegen.magic_tuple(), code, self._identity)

    def cached(dispatcher, identity=""):
        """Give a fresh dispatcher the package's cache; no writable cache folder means no cache, not an error.

        Code from outside the package gets none: the fingerprint does not know its files, nor those that they call.
        """
        if not dispatcher.py_func.__module__.startswith(__package__ + "."):
            return dispatcher
        try:
            dispatcher._cache = _PackageCache(dispatcher.py_func, identity)
        except (RuntimeError, OSError):
            pass
        return dispatcher

    def kernel(function):
        # Reference counts of views such as S[j] are atomic and take longer than the arithmetic on a few numbers. Kernels of
        # this package make no arrays and return none, so they need no counts; a kernel that makes one does not compile.
        # The problems do as users do. The choice is explicit, or numba would take that of the caller.
        inside = function.__module__.startswith(__package__ + ".") and ".problems." not in function.__module__
        return cached(njit(error_model="numpy", _nrt=not inside, **(KERNEL if inside else {}))(function))

    def unlocked(kernel):
        """The same kernel, which lets other threads of Python run meanwhile. That takes 30 ns a call."""
        return cached(njit(error_model="numpy", nogil=True, _nrt=False, **KERNEL)(kernel.py_func), "unlocked")

    def template(function):
        return njit(error_model="numpy", _nrt=True, inline="always")(function)

    def standalone(template):
        return kernel(template.py_func)

    routine = register_jitable(error_model="numpy", **DRAFT)

    def is_compiled(function):
        """True for a function the user decorated with ``numba.njit``."""
        return is_jitted(function) and isinstance(function, Dispatcher)

else:
    import functools

    FINGERPRINT = ""

    def cached(function, identity=""):
        return function

    def kernel(function):
        @functools.wraps(function)
        def quiet(*args):
            with np.errstate(all="ignore"):
                return function(*args)

        return quiet

    template = kernel

    def standalone(template):
        return template

    def unlocked(kernel):
        return kernel

    def routine(function):
        return function

    def is_compiled(function):
        return False
