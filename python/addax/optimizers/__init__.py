"""Optimizers: ``ax.optimizers.Adam(1e-3)`` or the alias ``"adam"``.

An update is one op over all weights at once; it belongs to the graph of a training step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addax import aliases
from addax.errors import InvalidArgumentError
from addax.optimizers import schedules
from addax.optimizers.adam import Adam, AdamW
from addax.optimizers.base import Optimizer
from addax.optimizers.rmsprop import RMSprop
from addax.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

_table: dict[str, Callable[..., Optimizer]] = {
    name: cls
    for cls in (Adam, AdamW, RMSprop, SGD)
    for name in (cls.__name__, cls.__name__.lower())
}


def get(identifier: Any) -> Optimizer:
    """Return the optimizer for an alias, a configuration, a class or an optimizer.

    >>> type(get("adam")).__name__
    'Adam'
    """
    if isinstance(identifier, Optimizer):
        return identifier
    made = aliases.make("optimizer", identifier, _table)
    if not isinstance(made, Optimizer):
        raise InvalidArgumentError(f"expected an optimizer, got {made!r}")
    return made
