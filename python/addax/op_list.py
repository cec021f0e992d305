"""``python -m addax ops``: what the nodes are that devices are given, for those who make one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from addax import _core
from addax.errors import InvalidArgumentError
from addax.naming import did_you_mean


def listing(names: Sequence[str] = ()) -> str:
    """Return a line for each op, or all that there is to know of the named ones.

    >>> "matmul" in listing()
    True
    >>> print(listing(["check_range"]))
    check_range(x) -> y: primitive
      `x` itself; the step fails where an element is outside [low, high).
      low (Int): Least value allowed.
      high (Int): Least value too large.
      what (String): What the elements are, for the message.
    """
    records = {record["name"]: record for record in _core.op_records()}
    for name in names:
        if name not in records:
            raise InvalidArgumentError(
                f"[ops] there is no op '{name}'{did_you_mean(name, list(records))}"
            )
    if names:
        return "\n\n".join("\n".join(_details(records[name])) for name in names)
    return "\n".join(
        f"{_signature(record)}  {record['doc'].splitlines()[0]}" for record in records.values()
    )


def _signature(record: dict[str, Any]) -> str:
    inputs = ", ".join(record["inputs"]) + ("..." if record["variadic"] else "")
    kind = "decomposes" if record["decomposes"] else "primitive"
    return f"{record['name']}({inputs}) -> {', '.join(record['outputs']) or '...'}: {kind}"


def _details(record: dict[str, Any]) -> Iterator[str]:
    yield _signature(record)
    for line in record["doc"].splitlines():
        yield f"  {line}".rstrip()
    if record["expr"]:
        yield f"  each element: {record['expr']}"
    for attr in record["attrs"]:
        default = "" if attr["required"] else f" = {attr['default']!r}"
        yield f"  {attr['name']} ({attr['kind']}){default}: {attr['doc']}"
