"""Convolution layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from addax import activations, initializers
from addax.errors import InvalidArgumentError, ShapeError
from addax.layers.base import Layer
from addax.ops import neural, window
from addax.ops.emit import Tensor


class SlidingWindow2D(Layer):
    """What the convolutions over images have in common: the window, its steps, what comes after."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        data_format: str | None,
        dilation_rate: int | Sequence[int],
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.kernel_size = tuple(window.pair(kernel_size, "kernel_size", kind))
        self.strides = tuple(window.pair(strides, "strides", kind))
        self.padding = window.named_padding(padding, kind)
        self.data_format = window.image_layout(data_format, kind)
        self.dilation_rate = tuple(window.pair(dilation_rate, "dilation_rate", kind))
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)

    def _positive(self, argument: str, value: Any) -> int:
        if not isinstance(value, int | np.integer) or value < 1:
            raise InvalidArgumentError(
                f"{type(self).__name__}: {argument} must be a positive integer, got {value!r}"
            )
        return int(value)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else 3

    def _built_channels(self, input_shape: Any, groups: int = 1) -> int:
        """Return the number of channels that the weights are to be made for."""
        self._expect(input_shape, rank=4)
        channels = input_shape[self._channel_axis]
        if channels is None or channels % groups:
            raise ShapeError(
                f"layer '{self.name}' expected a number of input channels that {groups} "
                f"groups divide, got shape {tuple(input_shape)}"
            )
        return int(channels)

    def _add_bias(self, filters: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((filters,), self.bias_initializer, name="bias")

    def _images(self, inputs: Tensor, channels: int) -> Tensor:
        """Check the images, and put their channels last."""
        self._expect(inputs.shape, rank=4)
        if inputs.shape[self._channel_axis] != channels:
            raise ShapeError(
                f"layer '{self.name}' expected images of {channels} channels, got shape "
                f"{tuple(inputs.shape)}"
            )
        return inputs.transpose([0, 2, 3, 1]) if self._channel_axis == 1 else inputs

    def _slide(self, images: Tensor, kernel: Any) -> Tensor:
        height, width = images.shape[1:3]
        rows, columns = (
            (k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)
        )
        if self.padding == "valid" and (rows > height or columns > width):
            raise ShapeError(
                f"layer '{self.name}' slides a window of {rows}x{columns} pixels, which does not "
                f"fit into images of {height}x{width} pixels; padding='same' would"
            )
        return neural.conv(
            images, self._cast(kernel), self.strides, self.padding, dilation_rate=self.dilation_rate
        )

    def _finish(self, y: Any) -> Tensor:
        """Add the bias, apply the activation, and put the channels back where they were."""
        if self.bias is not None:
            y = y + self._cast(self.bias)
        activated: Tensor = self.activation(y)
        return activated.transpose([0, 3, 1, 2]) if self._channel_axis == 1 else activated


class Conv2D(SlidingWindow2D):
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
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            **kwargs,
        )
        self.filters = self._positive("filters", filters)
        self.groups = self._positive("groups", groups)
        if self.filters % self.groups:
            raise InvalidArgumentError(
                f"Conv2D: filters must be a positive multiple of groups={groups}, got {filters}"
            )
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        channels = self._built_channels(input_shape, self.groups)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            name="kernel",
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        images = self._images(inputs, self.kernel.shape[2] * self.groups)
        return self._finish(self._slide(images, self.kernel))
