"""Progress on the screen: a line per epoch, or a bar that is redrawn ten times a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from addax.errors import InvalidArgumentError

_WIDTH = 20


def resolve(verbose: Any) -> int:
    """Return 0 (silent), 1 (bar) or 2 (line); "auto" is a bar where somebody may be watching."""
    if verbose == "auto":
        return 1 if _in_notebook() or sys.stdout.isatty() else 2
    if verbose not in (0, 1, 2):
        raise InvalidArgumentError(f"verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
    return int(verbose)


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    active = shell.get_ipython() if shell is not None else None
    return active is not None and type(active).__name__ == "ZMQInteractiveShell"


def values(logs: Mapping[str, float]) -> str:
    """Return the numbers as Keras prints them.

    >>> values({"loss": 0.5, "tiny": 0.0001})
    ' - loss: 0.5000 - tiny: 1.0000e-04'
    """
    parts = []
    for name, value in logs.items():
        small = abs(value) <= 1e-3 and value != 0
        parts.append(f" - {name}: {value:.4e}" if small else f" - {name}: {value:.4f}")
    return "".join(parts)


def per_step(seconds: float) -> str:
    """Return the time of a step in a unit that suits it.

    >>> per_step(0.0012), per_step(0.00007), per_step(2.0)
    ('1ms/step', '70us/step', '2s/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


class Progress:
    """Shows one pass over the data at a time.

    The bar appears with the first report, a tenth of a second after the start: short passes show
    only their result. Until then nothing is imported or drawn.
    """

    interval = 0.1

    def __init__(self, verbose: int) -> None:
        self.verbose = verbose
        self._bar: Any = None
        self._task: Any = None
        self._steps = 0
        self._done = 0
        self._start = 0.0

    @property
    def wants_reports(self) -> bool:
        """Whether ``update`` does anything."""
        return self.verbose == 1

    def say(self, text: str) -> None:
        """Print a line unless silent."""
        if self.verbose:
            print(text, flush=True)

    def begin(self, steps: int) -> None:
        """Start a pass of so many steps."""
        self._steps, self._done, self._start = steps, 0, time.perf_counter()

    def update(self, done: int) -> None:
        """Draw the bar."""
        self._done = done
        if self.verbose != 1:
            return
        if _in_notebook() or not sys.stdout.isatty():
            if _in_notebook():
                sys.stdout.write("\r" + self._line(done, {}))
                sys.stdout.flush()
            return
        if self._bar is None:
            self._bar = _rich_bar()
            self._bar.start()
            self._task = self._bar.add_task("", total=self._steps, status="")
        elapsed = time.perf_counter() - self._start
        left = elapsed / max(done, 1) * (self._steps - done)
        status = f"{left:.0f}s {per_step(elapsed / max(done, 1))}"
        self._bar.update(self._task, completed=done, status=status)
        self._bar.refresh()

    def end(self, logs: Mapping[str, float]) -> None:
        """Replace the bar by the result."""
        self.close()
        if self.verbose == 1:
            start = "\r" if _in_notebook() else ""
            print(start + self._line(self._steps, logs), flush=True)
        elif self.verbose == 2:
            elapsed = time.perf_counter() - self._start
            count = f"{self._steps}/{self._steps}"
            rate = per_step(elapsed / max(self._steps, 1))
            print(f"{count} - {elapsed:.0f}s - {rate}{values(logs)}", flush=True)

    def close(self) -> None:
        """Take the bar away, also when training was interrupted."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _line(self, done: int, logs: Mapping[str, float]) -> str:
        elapsed = time.perf_counter() - self._start
        full = int(_WIDTH * done / max(self._steps, 1))
        bar = "━" * full + " " * (_WIDTH - full)
        rate = per_step(elapsed / max(done, 1))
        return f"{done}/{self._steps} {bar} {elapsed:.0f}s {rate}{values(logs)}"


def _rich_bar() -> Any:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        BarColumn(bar_width=_WIDTH),
        TextColumn("{task.fields[status]}"),
        auto_refresh=False,
        transient=True,
    )
