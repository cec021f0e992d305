"""Pooling layers over images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from addax.errors import ShapeError
from addax.layers.base import Layer
from addax.ops import neural, window
from addax.ops.emit import Tensor, emit


class _Pooling2D(Layer):
    """One number for each window and channel."""

    _function: Callable[..., Tensor]

    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.pool_size = tuple(window.pair(pool_size, "pool_size", kind))
        self.strides = (
            self.pool_size if strides is None else tuple(window.pair(strides, "strides", kind))
        )
        self.padding = window.named_padding(padding, kind)
        self.data_format = window.image_layout(data_format, kind)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, rank=4)
        begin = 2 if self.data_format == "channels_first" else 1
        extents = inputs.shape[begin : begin + 2]
        if self.padding == "valid" and any(
            size > extent for size, extent in zip(self.pool_size, extents, strict=True)
        ):
            raise ShapeError(
                f"layer '{self.name}' pools over {self.pool_size[0]}x{self.pool_size[1]} pixels, "
                f"which do not fit into images of shape {tuple(inputs.shape)}"
            )
        return type(self)._function(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


class MaxPooling2D(_Pooling2D):
    """Largest value in each window.

    >>> import numpy as np
    >>> MaxPooling2D()(np.ones((1, 4, 4, 3), np.float32)).shape
    (1, 2, 2, 3)
    """

    _function = staticmethod(neural.max_pool)


class AveragePooling2D(_Pooling2D):
    """Mean of each window.

    >>> import numpy as np
    >>> AveragePooling2D()(np.ones((1, 4, 4, 3), np.float32)).shape
    (1, 2, 2, 3)
    """

    _function = staticmethod(neural.average_pool)


class _GlobalPooling2D(Layer):
    """One number for each channel."""

    _op: str

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = window.image_layout(data_format, type(self).__name__)
        self.keepdims = keepdims

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, rank=4)
        axes = [2, 3] if self.data_format == "channels_first" else [1, 2]
        return emit(self._op, inputs, axis=axes, keepdims=self.keepdims)


class GlobalMaxPooling2D(_GlobalPooling2D):
    """Largest value of each channel.

    >>> import numpy as np
    >>> GlobalMaxPooling2D()(np.ones((1, 4, 4, 3), np.float32)).shape
    (1, 3)
    """

    _op = "max"


class GlobalAveragePooling2D(_GlobalPooling2D):
    """Mean of each channel.

    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.ones((1, 4, 4, 3), np.float32)).shape
    (1, 3)
    """

    _op = "mean"


MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
