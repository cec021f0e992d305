"""Layers that prepare raw data.

They calculate in the dtype of the weights, and cast only the results to the one that other layers
compute in: raw data may need more digits than that has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from addax.errors import InvalidArgumentError, ShapeError
from addax.layers.base import Layer
from addax.ops import neural
from addax.ops.emit import Tensor, as_tensor, emit, resolve_axis


class Rescaling(Layer):
    """``x * scale + offset``, for pixels of 0 to 255.

    >>> import numpy as np
    >>> Rescaling(1 / 2, offset=1.0)(np.array([[2.0, 4.0]])).tolist()
    [[2.0, 3.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        y = inputs.astype(self.variable_dtype) * self.scale
        return self._cast(y + self.offset if self.offset else y)


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)`` for each index of an axis, by fixed statistics.

    They are given, or taken from data by ``adapt``; until then they are 0 and 1. ``invert`` turns
    normalised values back.

    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(np.array([[3.0, 10.0]])).tolist()
    [[1.0, -1.0]]
    """

    # Keeps the quotient finite where the data did not vary, as in Keras.
    _SMALLEST_DEVIATION = 1e-7

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        if (mean is None) != (variance is None):
            raise InvalidArgumentError(
                "Normalization: give both mean and variance, or neither and call adapt()"
            )
        self.axis = axis
        self.mean = mean
        self.variance = variance
        self.invert = invert

    def build(self, input_shape: Any) -> None:
        """Create mean, variance and the number of values behind them, unless they are given."""
        if self.mean is not None:
            return
        shape = [input_shape[axis] for axis in self._kept(len(input_shape))]
        self.adapted_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.adapted_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def _kept(self, rank: int) -> list[int]:
        axes = [] if self.axis is None else [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(resolve_axis(axis, rank, self.name) for axis in axes)

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data, whose first axis is that of the samples."""
        if self.mean is not None:
            raise InvalidArgumentError(
                f"layer '{self.name}' was given its mean and variance; it has none to adapt"
            )
        x = as_tensor(data, self.variable_dtype)
        self._ensure_built((x,), {})
        kept = self._kept(x.ndim)
        if [x.shape[axis] for axis in kept] != list(self.adapted_mean.shape):
            raise ShapeError(
                f"layer '{self.name}' has statistics of shape {tuple(self.adapted_mean.shape)}, "
                f"which data of shape {tuple(x.shape)} do not fit"
            )
        others = [axis for axis in range(x.ndim) if axis not in kept]
        mean, variance = neural.moments(x, others)
        self.adapted_mean.assign(mean)
        self.adapted_variance.assign(variance)
        self.count.assign(as_tensor(np.int32(np.prod([x.shape[axis] for axis in others]))))

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        x = inputs.astype(self.variable_dtype)
        kept = self._kept(x.ndim)
        shape = [extent if axis in kept else 1 for axis, extent in enumerate(x.shape)]
        mean, variance = (
            (self.adapted_mean, self.adapted_variance)
            if self.mean is None
            else [as_tensor(given, self.variable_dtype) for given in (self.mean, self.variance)]
        )
        if mean.ndim:
            mean, variance = mean.reshape(shape), variance.reshape(shape)
        deviation = emit("maximum", emit("sqrt", variance), self._SMALLEST_DEVIATION)
        return self._cast(x * deviation + mean if self.invert else (x - mean) / deviation)
