"""A learning rate that a function sets before each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from numbers import Real
from typing import Any

from addax.callbacks.callback import Callback
from addax.errors import DTypeError, InvalidArgumentError


class LearningRateScheduler(Callback):
    """Sets the learning rate to ``schedule(epoch, learning_rate)`` before each epoch.

    ``schedule`` may also take the epoch alone. The logs of each epoch get the ``learning_rate``. A
    rate that changes with every step is a schedule of ``ax.optimizers.schedules``.

    >>> callback = LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise InvalidArgumentError(
                "LearningRateScheduler: schedule must be a function of the epoch and the learning "
                f"rate, got {type(schedule).__name__}"
            )
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        arguments: tuple[Any, ...] = (epoch, float(optimizer.learning_rate))
        try:
            inspect.signature(self.schedule).bind(*arguments)
        except TypeError:
            arguments = (epoch,)
        rate: Any = self.schedule(*arguments)
        if not isinstance(rate, Real) or isinstance(rate, bool):
            raise DTypeError(
                f"LearningRateScheduler: schedule must return a number, got {type(rate).__name__}"
            )
        optimizer.learning_rate = float(rate)
        if self.verbose:
            told = f"the learning rate of epoch {epoch + 1} is {float(rate):.6g}"
            print(f"LearningRateScheduler: {told}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log the rate."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
