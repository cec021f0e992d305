"""Layers that prepare raw data."""

from __future__ import annotations

from typing import Any

from addax.layers.base import Layer
from addax.ops.emit import Tensor


class Rescaling(Layer):
    """``x * scale + offset``, for pixels of 0 to 255.

    >>> import numpy as np
    >>> Rescaling(1 / 2, offset=1.0)(np.array([[2.0, 4.0]])).tolist()
    [[2.0, 3.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        y = inputs.astype(self.dtype) * self.scale
        return y + self.offset if self.offset else y
