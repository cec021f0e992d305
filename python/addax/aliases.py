"""Strings that stand for objects (``"relu"``, ``"adam"``) and objects as configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from addax.errors import InvalidArgumentError
from addax.naming import did_you_mean

T = TypeVar("T")


def lookup(kind: str, name: str, table: Mapping[str, T]) -> T:
    """Return the entry of a table; raises InvalidArgumentError that suggests the nearest name.

    >>> lookup("activation", "one", {"one": 1})
    1
    """
    if name in table:
        return table[name]
    nearest = did_you_mean(name, table)
    known = "" if nearest else "; known are " + ", ".join(f"'{key}'" for key in sorted(table))
    raise InvalidArgumentError(f"unknown {kind} '{name}'{nearest}{known}")


def make(kind: str, identifier: Any, table: Mapping[str, Callable[..., Any]]) -> Any:
    """Turn an alias, a class, a configuration or an instance into an instance."""
    if isinstance(identifier, str):
        return lookup(kind, identifier, table)()
    if isinstance(identifier, dict):
        return lookup(kind, identifier["class_name"], table)(**identifier.get("config", {}))
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise InvalidArgumentError(
        f"{kind}: expected a name, an object or a function, got {identifier!r}"
    )


def configuration(value: Any) -> Any:
    """Return plain data for an argument: what ``from_config`` turns back into the same argument."""
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, list | tuple):
        return type(value)(configuration(item) for item in value)
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return value
