"""``ax.profile``: where the time goes, op by op."""

from __future__ import annotations

from os import PathLike
from typing import Any

from addax import _core


class profile:
    """Records every op that runs within the body; printed, it is a table of time by op.

    >>> with profile() as p:
    ...     _ = _core.tensor([1.0]) + 1.0
    >>> "calls" in str(p)
    True
    """

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def __enter__(self) -> profile:
        _core.profiler_start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.spans = list(_core.profiler_stop())

    def __str__(self) -> str:
        return str(_core.profile_table(self.spans))

    def save(self, path: str | PathLike[str]) -> None:
        """Write a trace that chrome://tracing and Perfetto show."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(_core.chrome_trace(self.spans))
