"""The logs as a table in a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from addax.callbacks.callback import Callback
from addax.errors import InvalidArgumentError, IoError


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

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin the file, or go on with its columns."""
        self.keys = None
        with self._open("a+" if self.append else "w") as file:
            if self.append:
                file.seek(0)
                header = next(csv.reader(file, delimiter=self.sep), None)
                self.keys = None if header is None else header[1:]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch's line."""
        logs = logs or {}
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = sorted(logs)
            # Epochs that are validated later need columns, too.
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            rows.append(["epoch", *self.keys])
        for key in logs:
            if key not in self.keys:
                raise InvalidArgumentError(
                    f"CSVLogger: '{self.filename}' has no column for '{key}'; its columns are "
                    f"epoch, {', '.join(self.keys)}"
                )
        rows.append([epoch, *(logs.get(key, "NA") for key in self.keys)])
        with self._open("a") as file:
            csv.writer(file, delimiter=self.sep).writerows(rows)

    @contextmanager
    def _open(self, mode: str) -> Iterator[IO[str]]:
        try:
            with open(self.filename, mode, newline="") as file:
                yield file
        except OSError as error:
            raise IoError(f"CSVLogger: cannot write '{self.filename}': {error.strerror}") from error
