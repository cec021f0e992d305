"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from addax import activations, initializers
from addax.errors import InvalidArgumentError
from addax.layers.base import Layer
from addax.ops.emit import Tensor
from addax.ops.linalg import matmul


class Dense(Layer):
    """``activation(x @ kernel + bias)`` over the last axis.

    >>> import numpy as np
    >>> layer = Dense(3, activation="relu")
    >>> layer(np.ones((2, 4), np.float32)).shape
    (2, 3)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(units, int | np.integer) or units < 1:
            raise InvalidArgumentError(f"Dense: units must be a positive integer, got {units!r}")
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        self._expect(input_shape, min_rank=2)
        self.kernel = self.add_weight(
            (input_shape[-1], self.units), self.kernel_initializer, name="kernel"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias")

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, min_rank=2, last=self.kernel.shape[0])
        y = matmul(inputs, self._cast(self.kernel))
        if self.bias is not None:
            y = y + self._cast(self.bias)
        activated: Tensor = self.activation(y)
        return activated
