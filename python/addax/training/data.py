"""Arrays to learn from: checked once, then used where they lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from addax import _core, nested
from addax.errors import DTypeError, InvalidArgumentError, ShapeError, UnsupportedError

Array = NDArray[Any]

# Dtypes of NumPy that tensors don't have, and the smallest that holds the same numbers.
_WIDER = {
    "int16": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",
    "longdouble": "float64",
    "float128": "float64",
}


def as_array(x: Any, name: str) -> Array:
    """Return ``x`` as a contiguous array of numbers with a first axis to draw samples from."""
    if x is None or isinstance(x, str | bytes):
        raise DTypeError(f"{name} must be an array of numbers, got {type(x).__name__}")
    if hasattr(x, "__next__") or hasattr(x, "__anext__"):
        raise DTypeError(f"{name} must be an array or a list of numbers, got {type(x).__name__}")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ShapeError(f"{name} is no regular array: {error}") from None
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise DTypeError(
            f"{name} must hold numbers, got dtype {array.dtype}"
            + ("; rows of different lengths?" if array.dtype == object else "")
        )
    if array.ndim == 0:
        raise ShapeError(f"{name} must have samples along a first axis, got a single number")
    wider = _WIDER.get(array.dtype.name)
    if wider is not None or not array.dtype.isnative:
        array = array.astype(wider or array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array)


class Arrays:
    """Inputs, targets and weights of the same samples.

    ``x`` and ``y`` keep the structure in which they were given; ``leaves`` are the arrays in the
    order of the compiled programs' inputs.
    """

    def __init__(self, x: Any, y: Any = None, weights: Any = None) -> None:
        self.x = _structured(x, "x")
        self.y = None if y is None else _structured(y, "y")
        self.weights = None if weights is None else _weights(weights)
        self.x_leaves: list[Array] = [*nested.leaves(self.x)]
        self.y_leaves: list[Array] = [] if y is None else [*nested.leaves(self.y)]
        self.leaves = [*self.x_leaves, *self.y_leaves]
        if self.weights is not None:
            self.leaves.append(self.weights)
        self.size = self._checked_size()

    def _checked_size(self) -> int:
        sizes = {len(array) for array in self.leaves}
        if len(sizes) > 1:
            told = [f"x of shape {array.shape}" for array in self.x_leaves]
            told += [f"y of shape {array.shape}" for array in self.y_leaves]
            if self.weights is not None:
                told.append(f"sample_weight of shape {self.weights.shape}")
            raise ShapeError(f"the numbers of samples differ: {', '.join(told)}")
        if not self.leaves or sizes == {0}:
            raise InvalidArgumentError("there is no data: x has no samples")
        return sizes.pop()

    def signature(self) -> tuple[Any, ...]:
        """Return what a program is compiled for: structure, shapes and dtypes."""
        shapes = tuple((array.shape[1:], array.dtype.name) for array in self.leaves)
        return (_outline(self.x), _outline(self.y), self.weights is not None, shapes)

    def shared(self) -> list[_core.Tensor]:
        """Return tensors over the arrays' own memory where the device can read it."""
        return [_core.share(array) for array in self.leaves]

    def copies(self) -> list[Array]:
        """Return arrays of the same numbers that nobody else can change."""
        return [array.copy() for array in self.leaves]

    def part(self, begin: int, end: int) -> Arrays:
        """Return the samples from ``begin`` up to ``end`` without copying."""

        def cut(array: Array) -> Array:
            return array[begin:end]

        return Arrays(
            nested.map_leaves(cut, self.x),
            None if self.y is None else nested.map_leaves(cut, self.y),
            None if self.weights is None else cut(self.weights),
        )


def _structured(value: Any, name: str) -> Any:
    """Convert to arrays: a list of numbers is one array, a list or dict of arrays several."""
    if isinstance(value, Mapping):
        return {key: as_array(item, f"{name}['{key}']") for key, item in value.items()}
    if (
        isinstance(value, list | tuple)
        and value
        and all(hasattr(v, "shape") and v.shape for v in value)
    ):
        return type(value)(as_array(item, f"{name}[{index}]") for index, item in enumerate(value))
    return as_array(value, name)


def _weights(weights: Any) -> Array:
    if isinstance(weights, Mapping) or (
        isinstance(weights, list | tuple) and any(np.ndim(part) for part in weights)
    ):
        raise UnsupportedError(
            "sample_weight must be one array that weighs all outputs of a sample; weights of "
            "single outputs are not offered: loss_weights of compile() weighs outputs"
        )
    return as_array(weights, "sample_weight")


def _outline(structure: Any) -> Any:
    if isinstance(structure, dict):
        return ("dict", *structure)
    if isinstance(structure, list | tuple):
        return (type(structure).__name__, len(structure))
    return None


def split(data: Arrays, share: float) -> tuple[Arrays, Arrays]:
    """Cut off the last ``share`` of the samples for validation."""
    if not 0 < share < 1:
        raise InvalidArgumentError(f"validation_split must be between 0 and 1, got {share}")
    kept = int(data.size * (1 - share))
    if kept in (0, data.size):
        raise InvalidArgumentError(
            f"validation_split={share} of {data.size} samples leaves "
            f"{kept} to train on and {data.size - kept} to validate with"
        )
    return data.part(0, kept), data.part(kept, data.size)


def weigh_classes(data: Arrays, class_weight: Any) -> Arrays:
    """Return the samples weighted by their classes, which multiplies weights of their own."""
    if not isinstance(class_weight, Mapping):
        raise InvalidArgumentError(
            "class_weight must be a dict from class numbers to weights, such as {0: 1.0, 1: 5.0}, "
            f"got {class_weight!r}"
        )
    if len(data.y_leaves) != 1:
        raise InvalidArgumentError(
            f"class_weight needs a single target, got {len(data.y_leaves)}: give sample_weight"
        )
    (labels,) = data.y_leaves
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(-1)
    if labels.ndim != 1:
        raise InvalidArgumentError(
            f"class_weight needs one label per sample, got shape {labels.shape}"
        )
    weights = np.ones(len(labels), np.float32)
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    if data.weights is not None:
        own = data.weights
        weights = (own.T * weights).T.astype(np.float32)
    return Arrays(data.x, data.y, weights)


def check_epochs(validation_freq: Any) -> Callable[[int], bool]:
    """Return whether to validate after an epoch, counted from 1."""
    if isinstance(validation_freq, Collection) and not isinstance(validation_freq, str):
        return lambda epoch: epoch in validation_freq
    freq = check_positive(validation_freq, "validation_freq")
    return lambda epoch: epoch % freq == 0


def check_steps(steps: Any, name: str, data: Arrays, batch: int) -> int:
    """Return how many batches to take: all of the data's unless ``steps`` asks for less."""
    available = -(-data.size // batch)
    if steps is None:
        return available
    asked = check_positive(steps, name)
    if asked > available:
        warnings.warn(
            f"{name}={asked}, but {data.size} samples are no more than {available} batches of "
            f"{batch}, and those are taken",
            stacklevel=3,
        )
    return min(asked, available)


def check_batch_size(batch_size: Any, name: str = "batch_size", default: int = 32) -> int:
    """Return the batch size, or the default for None."""
    return default if batch_size is None else check_positive(batch_size, name)


def check_positive(value: Any, name: str) -> int:
    """Return a count; raises InvalidArgumentError unless it is a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidArgumentError(f"{name} must be a positive integer, got {value!r}")
    return int(value)
