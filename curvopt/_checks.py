"""Argument checks. They raise where a value is set, never inside a solve, and name the argument and the remedy."""
import difflib
import math
import operator


def real(name, value):
    if isinstance(value, (bool, str)) or value is None:
        raise TypeError(f"{name} must be a real number, got {value!r}")
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a real number, got {value!r}") from None
    if math.isnan(value):
        raise ValueError(f"{name} must not be NaN")
    return value


def finite(name, value):
    value = real(name, value)
    if math.isinf(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return value


def positive(name, value):
    value = finite(name, value)
    if not value > 0.0:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return value


def non_negative(name, value):
    value = finite(name, value)
    if value < 0.0:
        raise ValueError(f"{name} must be non-negative, got {value!r}")
    return value


def in_open_interval(name, value, low, high):
    value = real(name, value)
    if not low < value < high:
        raise ValueError(f"{name} must lie in the open interval ({low:g}, {high:g}), got {value!r}")
    return value


def in_interval(name, value, low, high):
    value = real(name, value)
    if not low <= value <= high:
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")
    return value


def interval(name, value):
    """A pair (low, high) of real numbers, low < high; infinite ends are allowed."""
    try:
        low, high = value
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a pair (low, high), got {value!r}") from None
    low, high = real(f"{name}[0]", low), real(f"{name}[1]", high)
    if not low < high:
        raise ValueError(f"{name} must have low < high, got {value!r}")
    return low, high


def count(name, value, low=0):
    """A whole number of at least `low`; 3.0 is taken for 3."""
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)
    except (TypeError, AttributeError):
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if whole < low:
        raise ValueError(f"{name} must be at least {low}, got {value!r}")
    return whole


def choice(name, value, table):
    """`table[value]`; an unknown value is answered with the nearest known one."""
    try:
        return table[value]
    except (KeyError, TypeError):
        pass
    known = ", ".join(map(repr, table))
    raise ValueError(f"{name} must be one of {known}; got {value!r}{nearest(value, table)}")


def nearest(name, known):
    """' (did you mean ...?)', or nothing when no known name resembles `name`."""
    # Of a long name half of the letters are found in any other.
    match = difflib.get_close_matches(str(name).lower(), [str(k).lower() for k in known], n=1,
                                      cutoff=0.5 if len(str(name)) <= 4 else 0.6)
    if not match:
        return ""
    alike = [k for k in known if str(k).lower() == match[0]]    # c and C are two parameters of one method
    return f" (did you mean {max(alike, key=lambda k: difflib.SequenceMatcher(None, str(name), str(k)).ratio())!r}?)"
