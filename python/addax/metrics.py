"""Metrics: numbers gathered over batches, such as ``ax.metrics.SparseCategoricalAccuracy()``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from addax import _core, aliases, losses, naming, nested, placement, tracing
from addax.ops import reduction
from addax.ops.emit import Tensor, TensorLike, Variable, as_tensor, emit


class Metric:
    """Base of metrics. A subclass adds variables, updates them by batches and returns a result.

    >>> class Largest(Metric):
    ...     def __init__(self):
    ...         super().__init__("largest")
    ...         self.value = self.add_variable((), name="value")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.value.assign(emit("maximum", self.value, emit("max", y_pred)))
    ...
    ...     def result(self):
    ...         return self.value.value
    >>> metric = Largest()
    >>> metric.update_state([1.0], [3.0])
    >>> metric.result().item()
    3.0
    """

    # Whether training is to raise or to lower the result; None where that is not known.
    more_is_better: bool | None = None

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        self.name = name or naming.snake_case(type(self).__name__)
        self.dtype = dtype or "float32"
        self.variables: list[_core.Variable] = []

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: str | None = None,
        name: str | None = None,
    ) -> _core.Variable:
        """Create a variable that ``reset_state`` sets to zero."""
        del initializer  # as in Keras an argument, though every metric starts from zero
        with tracing.suspended():
            zeros = np.zeros(tuple(shape), "float32")
            variable = _core.Variable(
                _core.tensor(zeros, dtype=dtype or self.dtype),
                name=f"{self.name}/{name or 'variable'}",
                trainable=False,
            )
        self.variables.append(variable)
        return variable

    add_weight = add_variable

    def move(self, move: placement.Move) -> None:
        """Keep all variables on another device."""
        own = {id(variable) for variable in self.variables}
        for key, value in list(vars(self).items()):
            if isinstance(value, Variable | list | tuple | dict):
                vars(self)[key] = nested.map_leaves(lambda x: move(x) if id(x) in own else x, value)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in one batch."""
        raise NotImplementedError(f"{type(self).__name__} must override update_state()")

    def result(self) -> Tensor:
        """Return the value over the batches taken in since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must override result()")

    def reset_state(self) -> None:
        """Forget all batches."""
        for variable in self.variables:
            variable.assign(np.zeros(tuple(variable.shape), variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Take in one batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from the result of ``get_config``."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class Mean(Metric):
    """Weighted mean of values.

    >>> metric = Mean()
    >>> metric.update_state([1.0, 3.0])
    >>> metric.result().item()
    2.0
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values: Any, sample_weight: TensorLike | None = None) -> None:
        """Take in values, each with its weight."""
        values = as_tensor(values)
        values = values if values.dtype == self.dtype else values.astype(self.dtype)
        if sample_weight is None:
            self._gather(emit("sum", values), float(np.prod(values.shape)))
            return
        weights = losses.fit_weights(as_tensor(sample_weight, self.dtype), values)
        weights = emit("broadcast_to", weights, shape=list(values.shape))
        self._gather(emit("sum", values * weights), emit("sum", weights))

    def _gather(self, total: Any, count: Any) -> None:
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> Tensor:
        """Return the mean; zero when nothing was taken in."""
        total, count = self.total.value, self.count.value
        return emit("where", count != 0, total / emit("where", count != 0, count, 1.0), 0.0)


class MeanMetricWrapper(Mean):
    """Mean of a function of targets and predictions."""

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", "metric"), dtype)
        self._fn = fn
        self._fn_arguments = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Take in one batch."""
        y_true, y_pred = as_tensor(y_true), losses.widened(as_tensor(y_pred))
        super().update_state(self._fn(y_true, y_pred, **self._fn_arguments), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), **self._fn_arguments}


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Whether targets and predictions are equal, element by element.

    >>> accuracy([1, 2], [1, 3]).tolist()
    [1.0, 0.0]
    """
    y_pred = as_tensor(y_pred)
    return (as_tensor(y_true, y_pred.dtype) == y_pred).astype("float32")


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """Whether predictions lie on the targets' side of the threshold.

    >>> binary_accuracy([[1.0]], [[0.7]]).tolist()
    [[1.0]]
    """
    y_true, y_pred = losses._matched("binary_accuracy", y_true, y_pred)
    return ((y_pred > threshold) == (y_true > 0.5)).astype("float32")


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Whether the largest prediction is where the largest target is.

    >>> categorical_accuracy([[0.0, 1.0]], [[0.2, 0.8]]).tolist()
    [1.0]
    """
    hits = reduction.argmax(y_true, -1) == reduction.argmax(y_pred, -1)
    return hits.astype("float32")


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Whether the largest prediction is that of the label.

    >>> sparse_categorical_accuracy([1], [[0.2, 0.8]]).tolist()
    [1.0]
    """
    y_true, y_pred = _labels_and_scores(y_true, y_pred)
    # Class numbers are exact in float32, and comparing them there is one loop with the sum.
    hits = y_true.astype("float32") == reduction.argmax(y_pred, -1).astype("float32")
    return hits.astype("float32")


def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """Whether fewer than ``k`` predictions exceed the one where the largest target is.

    >>> top_k_categorical_accuracy([[0.0, 1.0, 0.0]], [[0.5, 0.3, 0.2]], k=2).tolist()
    [1.0]
    """
    return emit("in_top_k", reduction.argmax(y_true, -1), y_pred, k=k).astype("float32")


def sparse_top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """Whether fewer than ``k`` predictions exceed that of the label.

    >>> sparse_top_k_categorical_accuracy([1], [[0.5, 0.3, 0.2]], k=2).tolist()
    [1.0]
    """
    y_true, y_pred = _labels_and_scores(y_true, y_pred)
    if y_true.dtype.startswith(("float", "bfloat")):
        y_true = y_true.astype("int32")
    return emit("in_top_k", y_true, y_pred, k=k).astype("float32")


def _labels_and_scores(y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Labels with one axis less than the predictions, though they may come in columns."""
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true.reshape(list(y_true.shape[:-1]))
    return y_true, y_pred


class Accuracy(MeanMetricWrapper):
    """Share of predictions that equal their targets.

    >>> metric = Accuracy()
    >>> metric.update_state([1, 2], [1, 3])
    >>> metric.result().item()
    0.5
    """

    more_is_better = True

    def __init__(self, name: str = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """Share of yes-or-no predictions that are right.

    >>> metric = BinaryAccuracy()
    >>> metric.update_state([[1.0], [0.0]], [[0.7], [0.7]])
    >>> metric.result().item()
    0.5
    """

    more_is_better = True

    def __init__(
        self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """Share of one-hot labels that got the largest prediction.

    >>> metric = CategoricalAccuracy()
    >>> metric.update_state([[0.0, 1.0]], [[0.2, 0.8]])
    >>> metric.result().item()
    1.0
    """

    more_is_better = True

    def __init__(self, name: str = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of labels, given as class numbers, that got the largest prediction.

    >>> metric = SparseCategoricalAccuracy()
    >>> metric.update_state([1], [[0.2, 0.8]])
    >>> metric.result().item()
    1.0
    """

    more_is_better = True

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of one-hot labels that are among the ``k`` largest predictions.

    >>> metric = TopKCategoricalAccuracy(k=2)
    >>> metric.update_state([[0.0, 1.0, 0.0]], [[0.5, 0.3, 0.2]])
    >>> metric.result().item()
    1.0
    """

    more_is_better = True

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of labels, given as class numbers, that are among the ``k`` largest predictions.

    >>> metric = SparseTopKCategoricalAccuracy(k=2)
    >>> metric.update_state([1], [[0.5, 0.3, 0.2]])
    >>> metric.result().item()
    1.0
    """

    more_is_better = True

    def __init__(
        self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of squared differences.

    >>> metric = MeanSquaredError()
    >>> metric.update_state([[0.0]], [[2.0]])
    >>> metric.result().item()
    4.0
    """

    more_is_better = False

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of absolute differences.

    >>> metric = MeanAbsoluteError()
    >>> metric.update_state([[0.0]], [[-2.0]])
    >>> metric.result().item()
    2.0
    """

    more_is_better = False

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy with labels that are class numbers.

    >>> metric = SparseCategoricalCrossentropy(from_logits=True)
    >>> metric.update_state([1], [[0.0, 0.0]])
    >>> round(metric.result().item(), 4)
    0.6931
    """

    more_is_better = False

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy with one-hot labels.

    >>> metric = CategoricalCrossentropy(from_logits=True)
    >>> metric.update_state([[0.0, 1.0]], [[0.0, 0.0]])
    >>> round(metric.result().item(), 4)
    0.6931
    """

    more_is_better = False

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(losses.categorical_crossentropy, name, dtype, from_logits=from_logits)


_classes: tuple[type[Metric], ...] = (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Mean,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
_table: dict[str, Callable[..., Metric]] = {
    name: cls for cls in _classes for name in (cls.__name__, naming.snake_case(cls.__name__))
}
_table.update(
    mse=MeanSquaredError, MSE=MeanSquaredError, mae=MeanAbsoluteError, MAE=MeanAbsoluteError
)


def get(identifier: Any) -> Metric:
    """Return the metric for an alias, a configuration, a function or a metric.

    >>> get("mse").name
    'mean_squared_error'
    """
    if isinstance(identifier, Metric):
        return identifier
    made = aliases.make("metric", identifier, _table)
    return made if isinstance(made, Metric) else MeanMetricWrapper(made)


def get_for(identifier: Any, target: tuple[int, ...], output: tuple[int, ...]) -> Metric:
    """Return the metric for an identifier; "accuracy" and "crossentropy" go by the shapes.

    >>> type(get_for("accuracy", (8,), (8, 10))).__name__
    'SparseCategoricalAccuracy'
    """
    kind = str(identifier).lower() if isinstance(identifier, str) else ""
    families: dict[str, tuple[type[Metric], ...]] = {
        "accuracy": (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy),
        "crossentropy": (MeanMetricWrapper, SparseCategoricalCrossentropy, CategoricalCrossentropy),
    }
    family = families.get("accuracy" if kind == "acc" else "crossentropy" if kind == "ce" else kind)
    if family is None:
        metric = get(identifier)
    else:
        binary = bool(output) and output[-1] == 1
        sparse = len(target) < len(output) or (target[-1:] == (1,) and output[-1] > 1)
        cls = family[0] if binary else family[1] if sparse else family[2]
        if cls is MeanMetricWrapper:
            metric = MeanMetricWrapper(losses.binary_crossentropy)
            metric.more_is_better = False
        else:
            metric = cls()
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
