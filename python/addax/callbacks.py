"""What is told about training while it runs.

A callback that overrides nothing about batches costs nothing per batch: the epoch runs in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_HOOKS = (
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


class Callback:
    """Base of callbacks: override the hooks that are of interest.

    Setting ``self.model.stop_training = True`` ends training after the epoch.
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
        """Take note of verbosity, epochs and steps."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before evaluating or validating."""

    def on_test_end(self, logs: Any = None) -> None:
        """After evaluating or validating."""

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

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of training; ``logs`` are loss and metrics of the epoch so far."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of evaluation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of prediction."""


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


class LambdaCallback(Callback):
    """Callback made of functions named after the hooks.

    >>> told = []
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: told.append(epoch))
    >>> callback.on_epoch_end(3, {})
    >>> told
    [3]
    """

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        super().__init__()
        for name, function in hooks.items():
            if name not in _HOOKS:
                from addax.naming import did_you_mean

                nearest = did_you_mean(name, _HOOKS)
                raise TypeError(f"LambdaCallback: unknown argument '{name}'{nearest}")
            if function is not None:
                setattr(self, name, function)


class CallbackList:
    """Tells several callbacks, and knows which hooks any of them has."""

    def __init__(self, callbacks: Iterable[Any], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)
        self._listeners = {
            hook: [
                getattr(callback, hook) for callback in self.callbacks if _overrides(callback, hook)
            ]
            for hook in _HOOKS
        }

    def wants_batches(self, mode: str) -> bool:
        """Whether some callback has to be told about each batch."""
        return bool(
            self._listeners[f"on_{mode}_batch_begin"] or self._listeners[f"on_{mode}_batch_end"]
        )

    def tell(self, hook: str, *args: Any) -> None:
        """Call one hook of all callbacks that have it."""
        for listener in self._listeners[hook]:
            listener(*args)


def _overrides(callback: Any, hook: str) -> bool:
    if hook in getattr(callback, "__dict__", {}):
        return True
    given = getattr(type(callback), hook, None)
    return given is not None and given is not getattr(Callback, hook)
