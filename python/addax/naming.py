"""Automatic names: ``dense``, ``dense_1``; and the nearest known name to a misspelt one."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

_lock = threading.Lock()
_counts: dict[str, int] = {}


def snake_case(class_name: str) -> str:
    """Turn a class name into the prefix of its instances' names.

    >>> snake_case("MaxPooling2D")
    'max_pooling2d'
    """
    words = re.sub(r"\W+", "", class_name)
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", words)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def unique(prefix: str) -> str:
    """Return ``prefix`` the first time, then ``prefix_1``, ``prefix_2``, ..."""
    with _lock:
        count = _counts.get(prefix, 0)
        _counts[prefix] = count + 1
    return prefix if count == 0 else f"{prefix}_{count}"


def reset() -> None:
    """Begin again with names that carry no number."""
    with _lock:
        _counts.clear()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or an empty string.

    >>> did_you_mean("relo", ["relu", "tanh"])
    "; did you mean 'relu'?"
    """
    import difflib

    names, word = sorted(known), str(word)
    nearest = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if not nearest:
        spelling = {name.lower(): name for name in names}
        nearest = difflib.get_close_matches(word.lower(), spelling, n=1, cutoff=0.5)
        nearest = [spelling[name] for name in nearest]
    return f"; did you mean '{nearest[0]}'?" if nearest else ""
