"""Convolution layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import activations, initializers
from addax.errors import InvalidArgumentError, ShapeError
from addax.layers.base import Layer
from addax.ops import neural
from addax.ops.emit import Tensor


class Conv2D(Layer):
    """Slides ``filters`` kernels over images ``(batch, height, width, channels)``.

    >>> import numpy as np
    >>> Conv2D(8, 3, activation="relu")(np.ones((2, 28, 28, 1), np.float32)).shape
    (2, 26, 26, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1 or filters % groups:
            raise InvalidArgumentError(
                f"Conv2D: filters must be a positive multiple of groups={groups}, got {filters!r}"
            )
        self.filters = filters
        self.kernel_size = tuple(neural.pair(kernel_size, "kernel_size", "Conv2D"))
        self.strides = tuple(neural.pair(strides, "strides", "Conv2D"))
        self.padding = padding.lower()
        # Reports a misspelt padding now, not when the layer is first called.
        neural.explicit_padding(self.padding, [1, 1], [1, 1], [1, 1], [1, 1], "Conv2D")
        self.data_format = data_format or "channels_last"
        self.dilation_rate = tuple(neural.pair(dilation_rate, "dilation_rate", "Conv2D"))
        self.groups = groups
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else 3

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        self._expect(input_shape, rank=4)
        channels = input_shape[self._channel_axis]
        if channels is None or channels % self.groups:
            raise ShapeError(
                f"layer '{self.name}' expected a number of input channels that {self.groups} "
                f"groups divide, got shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, rank=4)
        channels = self.kernel.shape[2] * self.groups
        if inputs.shape[self._channel_axis] != channels:
            raise ShapeError(
                f"layer '{self.name}' expected images of {channels} channels, got shape "
                f"{tuple(inputs.shape)}"
            )
        self._check_window(inputs)
        first = self._channel_axis == 1
        x = inputs.transpose([0, 2, 3, 1]) if first else inputs
        y: Any = neural.conv(
            x, self.kernel, self.strides, self.padding, dilation_rate=self.dilation_rate
        )
        if self.bias is not None:
            y = y + self.bias
        activated: Tensor = self.activation(y)
        return activated.transpose([0, 3, 1, 2]) if first else activated

    def _check_window(self, inputs: Tensor) -> None:
        begin = 2 if self._channel_axis == 1 else 1
        extents = inputs.shape[begin : begin + 2]
        reach = [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]
        if self.padding == "valid" and any(r > n for r, n in zip(reach, extents, strict=True)):
            raise ShapeError(
                f"layer '{self.name}' slides a window of {reach[0]}x{reach[1]} pixels, which does "
                f"not fit into images of shape {tuple(inputs.shape)}; padding='same' would"
            )
