"""Names of a model's variables that an equal model in another process has, too.

A layer's own name counts the layers made before it. Here layers are counted among their siblings:
an automatic ``dense_7`` that is the model's first ``Dense`` is ``dense``. Given names stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from addax import _core
from addax.layers.base import Layer
from addax.naming import snake_case
from addax.random import SeedGenerator

T = TypeVar("T")


def weight_names(model: Layer) -> dict[str, _core.Variable]:
    """Return all variables by their paths of layer names.

    >>> from addax import Sequential, layers
    >>> model = Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2, name="head")])
    >>> list(weight_names(model))
    ['dense/kernel', 'dense/bias', 'head/kernel', 'head/bias']
    """
    own = {id(layer): variables for layer, variables in model._walk()}
    names: dict[str, _core.Variable] = {}
    seen: set[int] = set()
    for path, layer in _paths(model):
        new = [variable for variable in own[id(layer)] if id(variable) not in seen]
        for name, variable in _numbered((x.name.rpartition("/")[2], x) for x in new):
            seen.add(id(variable))
            names[path + name] = variable
    return names


def generator_names(model: Layer) -> dict[str, _core.Variable]:
    """Return the states of the random generators that layers have of their own.

    >>> from addax import Sequential, layers
    >>> model = Sequential([layers.Input((4,)), layers.Dropout(0.5, seed=1)])
    >>> list(generator_names(model))
    ['dropout/generator']
    """
    return {
        path + attribute.lstrip("_"): value.state
        for path, layer in _paths(model)
        for attribute, value in vars(layer).items()
        if isinstance(value, SeedGenerator)
    }


def _paths(model: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield every layer once, with the names that lead to it, each followed by a slash."""
    seen: set[int] = set()

    def walk(path: str, layer: Layer) -> Iterator[tuple[str, Layer]]:
        seen.add(id(layer))
        yield path, layer
        inner = [(_base_name(x), x) for x in layer._sublayers() if id(x) not in seen]
        for name, sublayer in _numbered(inner):
            if id(sublayer) not in seen:
                yield from walk(f"{path}{name}/", sublayer)

    return walk("", model)


def _base_name(layer: Layer) -> str:
    """Return a given name, or the part of an automatic one that does not count."""
    automatic = {snake_case(type(layer).__name__), "functional"}
    base = re.sub(r"_\d+$", "", layer.name)
    return base if base in automatic else layer.name


def _numbered(named: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Make names differ: ``a``, ``a_1``, ..."""
    taken: set[str] = set()
    for base, value in named:
        name, count = base, 0
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        yield name, value
