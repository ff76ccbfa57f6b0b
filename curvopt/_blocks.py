"""Kernels on long vectors: blocks of a fixed length, which several threads may run.

``blocked``   a kernel whose text is that of one block. The vectors are cut, the text runs on every block, and what the blocks
              return is joined in their order.
``composed``  a kernel made of blocked ones and of arithmetic on numbers. Its text says in which order; called from Python with
              long vectors it runs as Python, so that each of its parts can be handed to threads. It follows the rules of
              a routine: no division that can be by zero, and nothing on arrays itself.

Where vectors are cut depends on their length alone, and in compiled code the same blocks run one after the other: the bits are
the same for every number of threads and in both executions. A vector of one block is not cut at all.
"""
import functools
import inspect

import numpy as np

from . import _threads
from ._jit import ENABLED, routine, unlocked

# Longer vectors are cut into blocks of at most this length, equal but for rounding to whole lines of the cache. A block takes
# 50 to 150 us; handing it over takes 3 us.
BLOCK = 2 ** 17
LINE = 64
# Vectors from this length on are shared among threads. Measured (docs/howto/large.md): an idle core is a gain from half of that
# on, a busy one a loss up to about this length.
SHARED = 4 * BLOCK


@routine
def block_length(n):
    """The length of all blocks of a vector but the last one, which may be shorter."""
    count = (n + BLOCK - 1) // BLOCK
    return ((n + count - 1) // count + LINE - 1) // LINE * LINE


# ---- how two results become one --------------------------------------------------------------------------------------

@routine
def add(a, b):
    return a + b


@routine
def add_triples(a, b):
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@routine
def either(a, b):
    return a or b


@routine
def both(a, b):
    return a and b


@routine
def larger(a, b):
    """The larger number; NaN if any is NaN."""
    return a if a > b or a != a else b


@routine
def nothing(a, b):
    return a


# ---- the two kinds ---------------------------------------------------------------------------------------------------

def blocked(vector, join=nothing):
    """Make a kernel one that works in blocks.

    Parameters
    ----------
    vector : str
        One of its vectors. All arrays among the arguments have the length of that one, and are cut.
    join : routine
        Joins what two neighbouring blocks, or runs of blocks, return.
    """
    def decorate(block):
        place = place_of(vector, block)
        free = unlocked(block)

        @functools.wraps(block)
        def call(*args):
            n = args[place].size
            if n <= BLOCK:
                return block(*args)
            if threads_take(n):
                return in_blocks(free, join, args, n, _threads.count())
            return in_blocks(block, join, args, n, 1)

        return compilable(call, block, join)

    return decorate


def composed(vector):
    """Make a kernel one that runs as Python where the vector of this name is long."""
    def decorate(whole):
        place, text = place_of(vector, whole), inspect.unwrap(getattr(whole, "py_func", whole))

        @functools.wraps(whole)
        def call(*args):
            if args[place].size < SHARED:
                return whole(*args)
            with np.errstate(all="ignore"):
                return plain(text(*args))

        return compilable(call, whole)

    return decorate


def threads_take(n):
    """Whether several threads share vectors of length n."""
    return ENABLED and n >= SHARED and _threads.count() > 1


def in_blocks(block, join, args, n, threads):
    """What `block` gives for these arguments, whose vectors have length n."""
    length = block_length(n)
    cut = [argument.__class__ is np.ndarray for argument in args]

    def run(begin):
        return block(*[a[begin:begin + length] if is_vector else a for a, is_vector in zip(args, cut)])

    begins = range(0, n, length)
    return functools.reduce(join, map(run, begins) if threads == 1 else _threads.each(run, begins, threads))


def copy_blocks(v, out):
    """out[:] = v, with threads where the vectors are long. An array of any numbers will do."""
    if out.size < SHARED:
        out[:] = v
    else:
        in_blocks(np.copyto, nothing, (out, v), out.size, _threads.count())


def plain(result):
    """Python's numbers in the place of NumPy's, which arithmetic on an entry of an array leaves behind."""
    if isinstance(result, tuple):
        return tuple(map(plain, result))
    return result.item() if isinstance(result, np.generic) else result


def place_of(vector, function):
    return list(inspect.signature(getattr(function, "py_func", function)).parameters).index(vector)


def compilable(call, function, join=None):
    """`call` with the type that stands for it in compiled text: `function`, in blocks if there is a join."""
    if ENABLED:
        from ._compiled_blocks import one_by_one

        call.py_func, call.dispatcher = function.py_func, function if join is None else one_by_one(function, join)
        call._numba_type_ = call.dispatcher._numba_type_    # which does not keep the dispatcher alive
    return call
