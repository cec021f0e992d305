"""The record of a training."""

from __future__ import annotations

from typing import Any

from addax.callbacks.callback import Callback


class History(Callback):
    """Keeps loss and metrics of each epoch; ``fit`` returns it.

    >>> History().history
    {}
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget the epochs of an earlier call."""
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the epoch's numbers."""
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
