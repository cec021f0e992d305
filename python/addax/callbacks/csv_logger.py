"""The logs as a table in a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import Any

from addax.callbacks.callback import Callback
from addax.errors import IoError


class CSVLogger(Callback):
    """Writes a line of comma-separated values after each epoch: its number, loss and metrics.

    ``append`` adds to the lines of an earlier training. The file is complete after each epoch.

    >>> CSVLogger("log.csv", separator=";").sep
    ';'
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._with_header = True

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin the file, or go on with it."""
        self.keys = None
        kept = self.append and os.path.exists(self.filename)
        self._with_header = not kept or os.path.getsize(self.filename) == 0
        self._write((), "a" if self.append else "w")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch's line."""
        logs = logs or {}
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = sorted(logs)
            # Epochs that are validated later need columns, too.
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            if self._with_header:
                rows.append(["epoch", *self.keys])
        rows.append([epoch, *(logs.get(key, "NA") for key in self.keys)])
        self._write(rows, "a")

    def _write(self, rows: Iterable[list[Any]], mode: str) -> None:
        try:
            with open(self.filename, mode, newline="") as file:
                csv.writer(file, delimiter=self.sep).writerows(rows)
        except OSError as error:
            raise IoError(f"CSVLogger: cannot write '{self.filename}': {error.strerror}") from error
