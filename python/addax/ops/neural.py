"""Convolutions, pooling, normalisation and cross-entropies under Keras's argument names."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import DTypeLike

from addax import _core
from addax.ops.emit import Tensor, TensorLike, as_tensor, dtype_name, emit, emit_all, resolve_axis
from addax.ops.manipulation import moveaxis
from addax.ops.window import explicit_padding, image_layout, pair, transposed_extents

# Keeps logarithms of probabilities finite, as in Keras.
_PROBABILITY_EPSILON = 1e-7


def _image(x: TensorLike, channels_first: bool, op: str) -> Tensor:
    x = as_tensor(x)
    if x.ndim != 4:
        raise _core.ShapeError(
            f"[{op}] expected images of rank 4 (batch, height, width, channels), got shape "
            f"{x.shape}"
        )
    return moveaxis(x, 1, -1) if channels_first else x


def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Slide a kernel ``(height, width, channels / groups, filters)`` over images.

    >>> conv(_core.tensor([[[[1.0], [2.0]]]]), _core.tensor([[[[3.0]]]])).tolist()
    [[[[3.0], [6.0]]]]
    """
    first = image_layout(data_format, "conv") == "channels_first"
    x, kernel = _image(inputs, first, "conv"), as_tensor(kernel)
    if kernel.ndim != 4 or x.shape[3] % max(kernel.shape[2], 1):
        raise _core.ShapeError(
            f"[conv] kernel of shape {kernel.shape} does not fit images of shape {x.shape}: "
            "expected (height, width, input channels / groups, filters)"
        )
    steps, holes = pair(strides, "strides", "conv"), pair(dilation_rate, "dilation_rate", "conv")
    edges = explicit_padding(padding, x.shape[1:3], kernel.shape[:2], steps, holes, "conv")
    groups = x.shape[3] // kernel.shape[2]
    y = emit("conv2d", x, kernel, strides=steps, padding=edges, dilations=holes, groups=groups)
    return moveaxis(y, -1, 1) if first else y


def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Add up a kernel ``(height, width, filters, channels)`` times each pixel, at steps of strides.

    It is the gradient of ``conv`` by its images. ``padding="same"`` makes images of
    ``strides`` times the extents; ``output_padding``, which is less than ``strides``, chooses
    among the extents that ``conv`` would turn into those of ``inputs``.

    >>> conv_transpose(_core.tensor([[[[1.0], [2.0]]]]), _core.tensor([[[[3.0]]]]), 2).tolist()
    [[[[3.0], [0.0], [6.0], [0.0]], [[0.0], [0.0], [0.0], [0.0]]]]
    """
    op = "conv_transpose"
    first = image_layout(data_format, op) == "channels_first"
    x, kernel = _image(inputs, first, op), as_tensor(kernel)
    if kernel.ndim != 4 or x.shape[3] != kernel.shape[3]:
        raise _core.ShapeError(
            f"[{op}] kernel of shape {kernel.shape} does not fit images of shape {x.shape}: "
            "expected (height, width, filters, input channels)"
        )
    steps, holes = pair(strides, "strides", op), pair(dilation_rate, "dilation_rate", op)
    extents, edges = transposed_extents(
        padding, x.shape[1:3], kernel.shape[:2], steps, holes, output_padding, op
    )
    shape = [x.shape[0], *extents, kernel.shape[2]]
    slides = {"strides": steps, "padding": edges, "dilations": holes}
    y = emit("conv2d_input_grad", x, kernel, input_shape=shape, **slides)
    return moveaxis(y, -1, 1) if first else y


def _pool(
    op: str,
    name: str,
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
) -> Tensor:
    first = image_layout(data_format, name) == "channels_first"
    x, size = _image(inputs, first, name), pair(pool_size, "pool_size", name)
    steps = size if strides is None else pair(strides, "strides", name)
    edges = explicit_padding(padding, x.shape[1:3], size, steps, [1, 1], name)
    y = emit(op, x, pool_size=size, strides=steps, padding=edges)
    return moveaxis(y, -1, 1) if first else y


def max_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Largest value in each window of the images; windows don't overlap unless told otherwise.

    >>> max_pool(_core.tensor([[[[1.0], [2.0]], [[3.0], [4.0]]]]), 2).tolist()
    [[[[4.0]]]]
    """
    return _pool("max_pool2d", "max_pool", inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Mean of each window of the images; padding does not count.

    >>> average_pool(_core.tensor([[[[1.0], [2.0]], [[3.0], [4.0]]]]), 2).tolist()
    [[[[2.5]]]]
    """
    return _pool("avg_pool2d", "average_pool", inputs, pool_size, strides, padding, data_format)


def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: DTypeLike | None = None
) -> Tensor:
    """Return rows with a one at each index; of zeros for an index outside the classes.

    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    rows = emit("one_hot", x, num_classes=num_classes, dtype=dtype_name(dtype or "float32"))
    return rows if axis in (-1, rows.ndim - 1) else moveaxis(rows, -1, axis)


def moments(
    x: TensorLike, axes: int | Sequence[int], keepdims: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance over the given axes.

    >>> [m.tolist() for m in moments([1.0, 3.0], 0)]
    [2.0, 1.0]
    """
    return (
        emit("mean", x, axis=axes, keepdims=keepdims),
        emit("var", x, axis=axes, keepdims=keepdims),
    )


def batch_norm_train(
    x: TensorLike, gamma: TensorLike, beta: TensorLike, epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each channel of the last axis; returns also the batch's means and variances.

    >>> y, mean, variance = batch_norm_train([[1.0], [3.0]], [1.0], [0.0])
    >>> mean.tolist(), variance.tolist()
    ([2.0], [1.0])
    """
    y, mean, variance = emit_all("batch_norm_train", x, gamma, beta, epsilon=epsilon)
    return y, mean, variance


def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Minus the logarithm of the probability given to each label; labels are class numbers.

    >>> loss = sparse_categorical_crossentropy([1], [[0.0, 0.0]], from_logits=True)
    >>> round(loss.item(), 4)
    0.6931
    """
    target, output = as_tensor(target), _classes_last(output, axis)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target.reshape(list(target.shape[:-1]))
    if tuple(target.shape) != tuple(output.shape[:-1]):
        raise _core.ShapeError(
            "[sparse_categorical_crossentropy] labels of shape "
            f"{target.shape} do not fit predictions of shape {output.shape}: expected labels of "
            f"shape {tuple(output.shape[:-1])}; one-hot labels want categorical_crossentropy"
        )
    if target.dtype.startswith(("float", "bfloat", "bool")):
        target = target.astype("int32")
    logits = output if from_logits else _log_probabilities(output)
    return emit("sparse_softmax_cross_entropy", logits, target)


def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Cross-entropy between rows of target probabilities (one-hot labels) and predictions.

    >>> loss = categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(loss.item(), 4)
    0.6931
    """
    output = _classes_last(output, axis)
    target = as_tensor(target, output.dtype)
    _same_shape("categorical_crossentropy", target, output)
    logits = output if from_logits else _log_probabilities(output)
    return emit("softmax_cross_entropy", logits, _classes_last(target, axis))


def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """Cross-entropy between target and predicted probabilities, element by element.

    >>> round(binary_crossentropy([1.0], [0.5]).item(), 4)
    0.6931
    """
    output = as_tensor(output)
    target = as_tensor(target, output.dtype)
    _same_shape("binary_crossentropy", target, output)
    if from_logits:
        # max(z, 0) - z t + log(1 + exp(-|z|)) neither overflows nor loses small values.
        tail = emit("log1p", emit("exp", -abs(output)))
        return emit("maximum", output, 0.0) - output * target + tail
    p = emit("clip", output, x_min=_PROBABILITY_EPSILON, x_max=1 - _PROBABILITY_EPSILON)
    return -(target * emit("log", p) + (1 - target) * emit("log", 1 - p))


def _same_shape(op: str, target: Tensor, output: Tensor) -> None:
    if tuple(target.shape) != tuple(output.shape):
        raise _core.ShapeError(
            f"[{op}] targets of shape {target.shape} do not fit predictions of shape {output.shape}"
        )


def _classes_last(x: TensorLike, axis: int) -> Tensor:
    x = as_tensor(x)
    return x if resolve_axis(axis, x.ndim, "crossentropy") == x.ndim - 1 else moveaxis(x, axis, -1)


def _log_probabilities(p: Tensor) -> Tensor:
    p = p / emit("sum", p, axis=-1, keepdims=True)
    return emit("log", emit("clip", p, x_min=_PROBABILITY_EPSILON, x_max=1 - _PROBABILITY_EPSILON))
