"""Losses: ``ax.losses.MeanSquaredError()`` or its alias ``"mse"``.

Functions return one loss for each sample (each position of it); the classes reduce them to one
number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addax import aliases, naming
from addax.errors import InvalidArgumentError, ShapeError
from addax.ops import neural
from addax.ops.emit import Tensor, TensorLike, as_tensor, emit


def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Minus the logarithm of the probability given to each label, labels being class numbers.

    >>> sparse_categorical_crossentropy([0], [[1.0, 0.0]]).numpy().round(4).tolist()
    [0.0]
    """
    return neural.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)


def categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross-entropy with one-hot labels, or with any rows of probabilities.

    >>> categorical_crossentropy([[1.0, 0.0]], [[1.0, 0.0]]).numpy().round(4).tolist()
    [0.0]
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    return neural.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross-entropy of independent yes-or-no predictions, averaged over the last axis.

    >>> print(binary_crossentropy([[1.0]], [[0.5]]).numpy().round(4))
    [0.6931]
    """
    y_true, y_pred = _matched("binary_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    return emit("mean", neural.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean of the squared differences over the last axis.

    >>> mean_squared_error([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [5.0]
    """
    y_true, y_pred = _matched("mean_squared_error", y_true, y_pred)
    return emit("mean", emit("square", y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean of the absolute differences over the last axis.

    >>> mean_absolute_error([[0.0, 0.0]], [[1.0, -3.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = _matched("mean_absolute_error", y_true, y_pred)
    return emit("mean", abs(y_true - y_pred), axis=-1)


def _matched(op: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Convert the targets to the predictions' dtype; add or drop a last axis of length one."""
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred.dtype)
    given = tuple(y_true.shape)
    if y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
        y_true = y_true.reshape([*given, 1])
    elif y_true.ndim == y_pred.ndim + 1 and given[-1] == 1:
        y_true = y_true.reshape(list(given[:-1]))
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ShapeError(
            f"[{op}] targets of shape {given} do not fit predictions of shape {tuple(y_pred.shape)}"
        )
    return y_true, y_pred


class Loss:
    """Base of losses. A subclass computes one loss for each sample in ``call(y_true, y_pred)``."""

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size"
    ) -> None:
        known = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")
        if reduction is not None and reduction not in known:
            nearest = naming.did_you_mean(str(reduction), known)
            raise InvalidArgumentError(f"unknown reduction '{reduction}'{nearest}")
        self.name = name or naming.snake_case(type(self).__name__)
        self.reduction = reduction or "none"

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one loss for each sample."""
        raise NotImplementedError(f"{type(self).__name__} must override call()")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> Tensor:
        """Return the loss over all samples, weighted if asked; float32 for narrower predictions."""
        losses = as_tensor(self.call(as_tensor(y_true), widened(as_tensor(y_pred))))
        weights: Tensor | None = None
        if sample_weight is not None:
            weights = fit_weights(as_tensor(sample_weight, losses.dtype), losses)
            losses = losses * weights
        if self.reduction == "none" or losses.ndim == 0:
            return losses
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            total = emit("sum", emit("broadcast_to", weights, shape=list(losses.shape)))
            return emit("sum", losses) / emit("where", total == 0, 1.0, total)
        return emit("sum" if self.reduction == "sum" else "mean", losses)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make a loss from the result of ``get_config``."""
        return cls(**config)


def widened(x: Tensor) -> Tensor:
    """Return numbers of 16 bits as float32, in which losses and metrics are computed."""
    return x.astype("float32") if x.dtype in ("bfloat16", "float16") else x


def fit_weights(weights: Tensor, values: Tensor) -> Tensor:
    """Give the weights of samples as many axes as the values that they weigh."""
    shape = tuple(weights.shape)
    if len(shape) == values.ndim + 1 and shape[-1] == 1:
        shape = shape[:-1]
    shape = shape + (1,) * (values.ndim - len(shape))
    if len(shape) != values.ndim or any(
        n not in (1, m) for n, m in zip(shape, values.shape, strict=True)
    ):
        raise ShapeError(
            f"sample_weight of shape {tuple(weights.shape)} does not fit values of shape "
            f"{tuple(values.shape)}"
        )
    return weights.reshape(list(shape))


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy with labels that are class numbers.

    >>> loss = SparseCategoricalCrossentropy(from_logits=True)
    >>> round(loss([1], [[0.0, 0.0]]).item(), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.axis = from_logits, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one loss for each label."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, self.axis)


class CategoricalCrossentropy(Loss):
    """Cross-entropy with one-hot labels.

    >>> loss = CategoricalCrossentropy(from_logits=True)
    >>> round(loss([[0.0, 1.0]], [[0.0, 0.0]]).item(), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one loss for each row."""
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class BinaryCrossentropy(Loss):
    """Cross-entropy of yes-or-no predictions.

    >>> round(BinaryCrossentropy()([[1.0]], [[0.5]]).item(), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one loss for each row."""
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class MeanSquaredError(Loss):
    """Mean of squared differences.

    >>> MeanSquaredError()([[0.0]], [[2.0]]).item()
    4.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one loss for each row."""
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """Mean of absolute differences.

    >>> MeanAbsoluteError()([[0.0]], [[-2.0]]).item()
    2.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one loss for each row."""
        return mean_absolute_error(y_true, y_pred)


class FunctionLoss(Loss):
    """A function of targets and predictions as a loss."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        super().__init__(name or getattr(function, "__name__", "loss"))
        self._function = function

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the function's result."""
        result = self._function(y_true, y_pred)
        if result is None:
            raise InvalidArgumentError(f"the function of loss '{self.name}' returned None")
        return as_tensor(result)


_classes: tuple[type[Loss], ...] = (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
_table: dict[str, Callable[..., Loss]] = {
    name: cls for cls in _classes for name in (cls.__name__, naming.snake_case(cls.__name__))
}
_table.update(
    mse=MeanSquaredError,
    MSE=MeanSquaredError,
    mae=MeanAbsoluteError,
    MAE=MeanAbsoluteError,
    bce=BinaryCrossentropy,
)


def get(identifier: Any) -> Loss | None:
    """Return the loss for an alias, a configuration, a function or a loss.

    >>> get("mse").name
    'mean_squared_error'
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    made = aliases.make("loss", identifier, _table)
    return made if isinstance(made, Loss) else FunctionLoss(made)
