"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from addax import random
from addax.errors import InvalidArgumentError
from addax.layers.base import Layer
from addax.ops.emit import Tensor, emit


class Dropout(Layer):
    """Sets a share of the inputs to zero while training and scales the others up.

    ``noise_shape`` names extents of length one along which the same choice is shared.

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 3))).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, int | float | np.floating) or not 0 <= rate < 1:
            raise InvalidArgumentError(
                f"Dropout: rate must be at least 0 and below 1, got {rate!r}"
            )
        self.rate = float(rate)
        self.noise_shape = noise_shape
        self.seed = seed
        self._generator = None if seed is None else random.SeedGenerator(seed, f"{self.name}/seed")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Compute the outputs."""
        if not training or self.rate == 0:
            return inputs
        if self.noise_shape is None:
            return random.dropout(inputs, self.rate, self._generator)
        noise = [
            extent if wanted is None else wanted
            for extent, wanted in zip(inputs.shape, self.noise_shape, strict=True)
        ]
        ones = emit("broadcast_to", 1.0, shape=noise)
        return inputs * random.dropout(ones, self.rate, self._generator).astype(inputs.dtype)
