"""The base of callbacks: the hooks that there are."""

from __future__ import annotations

from typing import Any

HOOKS = (
    "on_train_begin",
    "on_train_end",
    "on_test_begin",
    "on_test_end",
    "on_predict_begin",
    "on_predict_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_predict_batch_begin",
    "on_predict_batch_end",
)

# Other names of hooks.
ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """Base of callbacks: override the hooks that are of interest.

    Setting ``self.model.stop_training = True`` ends training: after the epoch, or, in a hook of
    batches, after the batch.

    >>> class Announce(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, logs)
    >>> Announce().on_epoch_end(0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    def __init__(self) -> None:
        self._model: Any = None
        self.params: dict[str, Any] = {}

    @property
    def model(self) -> Any:
        """The model being trained."""
        return self._model

    def set_model(self, model: Any) -> None:
        """Take note of the model."""
        self._model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Take note of verbosity, epochs and steps, and of whether epochs are validated."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch, of which ``logs`` are loss and metrics."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before evaluating or validating."""

    def on_test_end(self, logs: Any = None) -> None:
        """After evaluating or validating; ``logs`` are loss and metrics."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before predicting."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After predicting."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch and its validation; ``logs`` are loss and metrics."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of training; ``logs`` are loss and metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Another name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Another name of ``on_train_batch_end``."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of evaluation; ``logs`` are loss and metrics so far."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of prediction; ``logs`` hold its ``outputs``."""


def overrides(callback: Any, hook: str) -> bool:
    """Whether a callback has something to do in a hook.

    >>> overrides(Callback(), "on_epoch_end")
    False
    """
    if hook in getattr(callback, "__dict__", {}):
        return True
    given = getattr(type(callback), hook, None)
    if given is not None and given is not getattr(Callback, hook):
        return True
    return hook in ALIASES and overrides(callback, ALIASES[hook])
