"""Saving the model while it trains."""

from __future__ import annotations

import os
from typing import Any

from addax.callbacks.monitor import MonitorCallback
from addax.errors import InvalidArgumentError, IoError, UnsupportedError
from addax.naming import did_you_mean


class ModelCheckpoint(MonitorCallback):
    """Saves the weights, and all that training goes on from, after each epoch.

    ``filepath`` may hold the number of the epoch and the logs: ``{epoch:02d}-{val_loss:.2f}``. With
    ``save_best_only`` a file is written when ``monitor`` is better than ever before (and better
    than ``initial_value_threshold``); ``save_freq=n`` saves after every n batches instead, which
    runs epochs step by step. Only weights are saved, which ``save_weights_only=True`` has to say.

    >>> callback = ModelCheckpoint("best.safetensors", save_best_only=True, save_weights_only=True)
    >>> callback.monitor
    'val_loss'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        if not save_weights_only:
            raise UnsupportedError(
                "ModelCheckpoint: models are not saved as a whole; pass save_weights_only=True, "
                "which keeps the optimizer's state, too, so that training can go on"
            )
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise InvalidArgumentError(
                "ModelCheckpoint: save_freq must be 'epoch' or a positive number of batches, got "
                f"{save_freq!r}"
            )
        if save_freq != "epoch" and save_best_only and monitor.startswith("val_"):
            raise InvalidArgumentError(
                f"ModelCheckpoint: monitor='{monitor}' is known after epochs only, not after "
                f"save_freq={save_freq} batches"
            )
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._batches = 0
        if save_freq != "epoch":
            # On the object alone: a callback whose class had the hook would cost every batch.
            self.__dict__["on_train_batch_end"] = self._count

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Take note of the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save unless that is done after batches."""
        if self.save_freq == "epoch":
            self._save({"epoch": epoch + 1, **(logs or {})}, logs or {})

    def _count(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self._batches == self.save_freq:
            self._batches = 0
            self._save({"epoch": self._epoch + 1, "batch": batch + 1, **(logs or {})}, logs or {})

    def _save(self, fields: dict[str, Any], logs: dict[str, float]) -> None:
        if self.save_best_only:
            value = self.value(logs)
            if value is None or not self.is_improvement(value, self.best):
                return
            self.best = value
        path = self._path(fields)
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        except OSError as error:
            raise IoError(f"cannot make the folder of '{path}': {error.strerror}") from error
        self.model.save_weights(path)
        if self.verbose:
            better = f", {self.monitor} is {self.best:.5g}" if self.save_best_only else ""
            print(f"ModelCheckpoint: epoch {fields['epoch']} is saved in {path}{better}")

    def _path(self, fields: dict[str, Any]) -> str:
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            name = str(error.args[0])
            raise InvalidArgumentError(
                f"ModelCheckpoint: filepath '{self.filepath}' names '{name}'"
                f"{did_you_mean(name, fields)}; available are {', '.join(sorted(fields))}"
            ) from None
        except (ValueError, IndexError, AttributeError) as error:
            raise InvalidArgumentError(
                f"ModelCheckpoint: filepath '{self.filepath}' cannot be filled in: {error}"
            ) from None
