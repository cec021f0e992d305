"""Ending a training that gets no better."""

from __future__ import annotations

from typing import Any

from addax.callbacks.monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Ends training when ``monitor`` has not improved for ``patience`` epochs.

    An improvement is one by more than ``min_delta``. With ``baseline`` the wait begins anew only
    when that value is beaten, too. The first ``start_from_epoch`` epochs are not looked at.
    ``restore_best_weights`` gives the model the weights of its best epoch at the end.

    >>> EarlyStopping("val_accuracy", patience=3, restore_best_weights=True).patience
    3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget an earlier training."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare with the best epoch so far."""
        value = self.value(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        improved = self.is_improvement(value, self.best)
        if self.restore_best_weights and (improved or self.best_weights is None):
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if improved:
            self.best, self.best_epoch = value, epoch
            if self.baseline is None or self.is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Give the model its best weights."""
        if self.stopped_epoch > 0 and self.verbose:
            print(f"EarlyStopping: no better {self.monitor} by epoch {self.stopped_epoch + 1}")
        if self.best_weights is not None:
            if self.verbose:
                print(f"EarlyStopping: the weights are those of epoch {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)
