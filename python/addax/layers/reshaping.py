"""Layers that only change the shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from addax.errors import ShapeError
from addax.layers.base import Layer
from addax.ops import window
from addax.ops.emit import Tensor


class Flatten(Layer):
    """Turns each sample into one row.

    >>> import numpy as np
    >>> Flatten()(np.ones((2, 3, 4), np.float32)).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = window.image_layout(data_format, "Flatten")

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, min_rank=1)
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = inputs.transpose([0, *range(2, inputs.ndim), 1])
        return inputs.reshape([inputs.shape[0], prod(inputs.shape[1:])])


class Reshape(Layer):
    """Gives each sample another shape; one extent may be -1.

    >>> import numpy as np
    >>> Reshape((2, -1))(np.ones((5, 6), np.float32)).shape
    (5, 2, 3)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        size, known = prod(inputs.shape[1:]), prod(n for n in self.target_shape if n != -1)
        free = self.target_shape.count(-1)
        if free > 1 or (size != known if free == 0 else known == 0 or size % known != 0):
            raise ShapeError(
                f"layer '{self.name}' cannot give samples of shape {tuple(inputs.shape[1:])} "
                f"({size} elements) the shape {self.target_shape}"
            )
        target = [size // known if n == -1 else n for n in self.target_shape]
        return inputs.reshape([inputs.shape[0], *target])
