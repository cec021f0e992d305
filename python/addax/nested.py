"""Nested tuples, lists and dicts of values, as functions and models take and return them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_SEQUENCES = (list, tuple)


def leaves(structure: Any) -> Iterator[Any]:
    """Yield what is neither a tuple, nor a list, nor a dict, from left to right.

    >>> list(leaves([1, (2, {"a": 3})]))
    [1, 2, 3]
    """
    if isinstance(structure, dict):
        for item in structure.values():
            yield from leaves(item)
    elif isinstance(structure, _SEQUENCES):
        for item in structure:
            yield from leaves(item)
    else:
        yield structure


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return the same structure with ``function`` applied to each leaf.

    >>> map_leaves(lambda x: x + 1, {"a": [1, 2]})
    {'a': [2, 3]}
    """
    if isinstance(structure, dict):
        return {key: map_leaves(function, item) for key, item in structure.items()}
    if isinstance(structure, list):
        return [map_leaves(function, item) for item in structure]
    if isinstance(structure, tuple):
        items = [map_leaves(function, item) for item in structure]
        # A named tuple is made from its fields, any other tuple from one sequence.
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return function(structure)


def pack(structure: Any, values: Iterator[Any]) -> Any:
    """Return the same structure with its leaves replaced by ``values`` in order."""
    return map_leaves(lambda _: next(values), structure)
