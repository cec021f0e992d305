"""What a model is compiled to minimise and to report: losses and metrics of one or more outputs."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, NamedTuple

from addax import _core, losses, metrics, nested, placement
from addax.errors import InvalidArgumentError
from addax.naming import did_you_mean
from addax.ops.emit import Tensor


class _Measured(NamedTuple):
    """A metric of an output, and what the report calls it."""

    output: int
    metric: metrics.Metric
    weighted: bool
    name: str


class Objective:
    """Losses and metrics, matched to the outputs once those are known.

    With one output ``loss`` and ``metrics`` are what Keras's ``compile`` takes; with several they
    are lists in their order or dicts by their names.
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any,
        metric_names: Any,
        weighted_metric_names: Any,
        output_names: Sequence[str] | None,
    ) -> None:
        self._loss = loss
        self._loss_weights = loss_weights
        self._requested = (metric_names, weighted_metric_names)
        self._names = output_names
        self.tracker = metrics.Mean("loss")
        self._losses: list[losses.Loss | None] = []
        self._factors: list[float] = []
        # For each output: its own loss, reported where several have one.
        self._trackers: list[metrics.Mean | None] = []
        self._measured: list[_Measured] = []
        self._built = False
        # Report a misspelt name now, not when training starts.
        for name in nested.leaves(loss):
            losses.get(name)
        for name in nested.leaves([metric_names, weighted_metric_names]):
            if name is not None and str(name).lower() not in (
                "accuracy",
                "acc",
                "crossentropy",
                "ce",
            ):
                metrics.get(name)

    @property
    def has_loss(self) -> bool:
        """Whether there is anything to minimise."""
        return any(loss is not None for loss in nested.leaves(self._loss))

    def reported(self) -> dict[str, metrics.Metric]:
        """Return all that is reported: the loss, the losses of several outputs, the metrics."""
        means = [self.tracker, *(tracker for tracker in self._trackers if tracker is not None)]
        return {mean.name: mean for mean in means} | {
            measured.name: measured.metric for measured in self._measured
        }

    def build(self, targets: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Match losses and metrics to the outputs."""
        if self._built:
            return
        count = len(outputs)
        names = self._names or [f"output_{index}" for index in range(count)]
        for name in names if count > 1 else ():
            if names.count(name) > 1:
                names = [f"{name}_{index}" for index, name in enumerate(names)]
                break
        self._losses = [losses.get(loss) for loss in _spread(self._loss, names, "loss")]
        weights = _spread(self._loss_weights, names, "loss_weights")
        self._factors = [1.0 if weight is None else float(weight) for weight in weights]
        self._trackers, self._measured = [], []  # an attempt before may have failed halfway
        several = sum(loss is not None for loss in self._losses) > 1
        self._trackers = [
            metrics.Mean(f"{name}_loss") if several and loss is not None else None
            for name, loss in zip(names, self._losses, strict=True)
        ]
        for requested, weighted in zip(self._requested, (False, True), strict=True):
            for index, wanted in enumerate(_spread_metrics(requested, names)):
                for identifier in wanted:
                    metric = metrics.get_for(
                        identifier, tuple(targets[index].shape), tuple(outputs[index].shape)
                    )
                    self._measure(index, metric, weighted, f"{names[index]}_" * (count > 1))
        self.move(placement.Move(_core.current_device()))
        self._built = True

    def _measure(self, output: int, metric: metrics.Metric, weighted: bool, prefix: str) -> None:
        """Report a metric, under a name of its own."""
        taken = self.reported()
        if any(metric is other for other in taken.values()):
            raise InvalidArgumentError(
                f"metric '{metric.name}' is given twice, or to several outputs: one object can "
                "measure one output only, so make another one or give its name instead"
            )
        name = prefix + metric.name
        if weighted and name in taken:
            name = f"{prefix}weighted_{metric.name}"
        self._measured.append(_Measured(output, metric, weighted, _unused(name, taken)))

    def move(self, move: placement.Move) -> None:
        """Keep what the report is made of on another device."""
        for metric in self.reported().values():
            metric.move(move)

    def loss(self, targets: Sequence[Tensor], outputs: Sequence[Tensor], weights: Any) -> Tensor:
        """Return the one number to minimise; takes it into the report."""
        total: Any = None
        batch = float(outputs[0].shape[0])
        for index, loss in enumerate(self._losses):
            if loss is None:
                continue
            value = loss(targets[index], outputs[index], weights)
            if value.ndim:
                value = value.mean()
            tracker = self._trackers[index]
            if tracker is not None:
                tracker.update_state(value, batch)
            value = value if self._factors[index] == 1 else value * self._factors[index]
            total = value if total is None else total + value
        if total is None:
            raise InvalidArgumentError("there is no loss: give one to compile(loss=...)")
        self._take_in(total, batch)
        return total  # type: ignore[no-any-return]

    def _take_in(self, total: Tensor, batch: float) -> None:
        self.tracker._gather(total.astype("float32") * batch, batch)

    def measure(self, targets: Sequence[Tensor], outputs: Sequence[Tensor], weights: Any) -> None:
        """Take a batch into the metrics."""
        for index, metric, weighted, _ in self._measured:
            metric.update_state(targets[index], outputs[index], weights if weighted else None)

    def reset(self) -> None:
        """Begin the report again."""
        for metric in self.reported().values():
            metric.reset_state()

    def report(self) -> dict[str, float]:
        """Return the values since the last reset, the loss first."""
        values = {}
        for name, metric in self.reported().items():
            result = metric.result()
            if isinstance(result, dict):
                values.update({key: float(value) for key, value in result.items()})
            else:
                values[name] = float(result)
        return values


def _spread(value: Any, names: Sequence[str], what: str) -> list[Any]:
    """Return one entry for each output."""
    count = len(names)
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise InvalidArgumentError(
                f"{what} names an output '{unknown[0]}'{did_you_mean(unknown[0], names)}"
            )
        return [value.get(name) for name in names]
    if isinstance(value, list | tuple):
        if len(value) != count:
            raise InvalidArgumentError(f"{what} has {len(value)} entries for {count} outputs")
        return list(value)
    return [value] * count


def _spread_metrics(value: Any, names: Sequence[str]) -> list[list[Any]]:
    """Return the list of metrics of each output; a flat list belongs to all of them."""
    listed = isinstance(value, list | tuple)
    nested_list = listed and any(isinstance(v, list | tuple) for v in value)
    if isinstance(value, dict) or nested_list or (listed and 1 < len(value) == len(names)):
        return [_listed(wanted) for wanted in _spread(value, names, "metrics")]
    return [_listed(value) for _ in names]


def _listed(value: Any) -> list[Any]:
    values = value if isinstance(value, list | tuple) else [value]
    return [metric for metric in values if metric is not None]


def _unused(name: str, taken: Container[str]) -> str:
    candidate, count = name, 0
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate
