"""Callbacks that follow one number of the logs."""

from __future__ import annotations

import math
from collections.abc import Mapping

from addax.callbacks.callback import Callback
from addax.errors import InvalidArgumentError
from addax.naming import did_you_mean

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Base of callbacks that compare one loss or metric, ``monitor``, with its best value so far.

    ``mode`` is "min" if less is better and "max" if more is; "auto" knows losses and the metrics of
    ``ax.metrics``. NaN is never better.

    >>> MonitorCallback("loss").is_improvement(0.5, 0.7)
    True
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0.0,
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            raise InvalidArgumentError(
                f"{type(self).__name__}: unknown mode '{mode}'{did_you_mean(mode, _MODES)}; modes "
                "are 'auto', 'min' and 'max'"
            )
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)

    def value(self, logs: Mapping[str, float]) -> float | None:
        """Return the number to follow; None after an epoch that was not validated."""
        if self.monitor in logs:
            return logs[self.monitor]
        if self.monitor.startswith("val_"):
            if self.params.get("do_validation") and not any(key.startswith("val_") for key in logs):
                return None
            if self.monitor.removeprefix("val_") in logs:
                raise InvalidArgumentError(
                    f"{type(self).__name__}: monitor='{self.monitor}' needs validation: give fit() "
                    "validation_data or validation_split"
                )
        raise InvalidArgumentError(
            f"{type(self).__name__}: there is no monitor='{self.monitor}'"
            f"{did_you_mean(self.monitor, logs)}; available are {', '.join(sorted(logs))}"
        )

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than another by more than ``min_delta``."""
        if math.isnan(value):
            return False
        if reference is None:
            return True
        if self._more_is_better():
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def _more_is_better(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return False
        if self.model is not None and name in self.model.metrics_names:
            metric = self.model.metrics[self.model.metrics_names.index(name)]
            if metric.more_is_better is not None:
                return bool(metric.more_is_better)
        raise InvalidArgumentError(
            f"{type(self).__name__}: whether more or less of '{self.monitor}' is better is not "
            "known: pass mode='max' or mode='min'"
        )
