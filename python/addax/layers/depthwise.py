"""Convolutions that do not mix channels, and those that mix them pixel by pixel afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import initializers
from addax.layers.conv import SlidingWindow2D
from addax.ops import neural
from addax.ops.emit import Tensor


class _Depthwise(SlidingWindow2D):
    """Slides ``depth_multiplier`` kernels over each channel on its own."""

    def __init__(
        self, depth_multiplier: int, depthwise_initializer: Any, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.depth_multiplier = self._positive("depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)

    def _add_depthwise(self, channels: int, name: str) -> Any:
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        return self.add_weight(shape, self.depthwise_initializer, name=name)

    def _slide_depthwise(self, inputs: Tensor, kernel: Any) -> Tensor:
        height, width, channels, multiplier = kernel.shape
        images = self._images(inputs, channels)
        return self._slide(images, kernel.reshape([height, width, 1, channels * multiplier]))


class DepthwiseConv2D(_Depthwise):
    """Convolves each channel of images with ``depth_multiplier`` kernels of its own.

    >>> import numpy as np
    >>> DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 8, 8, 3), np.float32)).shape
    (2, 6, 6, 6)
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            depth_multiplier,
            depthwise_initializer,
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

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        channels = self._built_channels(input_shape)
        self.kernel = self._add_depthwise(channels, "kernel")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        return self._finish(self._slide_depthwise(inputs, self.kernel))


class SeparableConv2D(_Depthwise):
    """Convolves each channel on its own, then mixes the channels of each pixel into ``filters``.

    >>> import numpy as np
    >>> SeparableConv2D(4, 3)(np.ones((2, 8, 8, 3), np.float32)).shape
    (2, 6, 6, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            depth_multiplier,
            depthwise_initializer,
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
        self.pointwise_initializer = initializers.get(pointwise_initializer)

    def build(self, input_shape: Any) -> None:
        """Create both kernels and the bias."""
        channels = self._built_channels(input_shape)
        self.depthwise_kernel = self._add_depthwise(channels, "depthwise_kernel")
        self.pointwise_kernel = self.add_weight(
            (1, 1, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            name="pointwise_kernel",
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        y = self._slide_depthwise(inputs, self.depthwise_kernel)
        return self._finish(neural.conv(y, self._cast(self.pointwise_kernel)))
