"""Convolutions the other way round: from what a convolution makes to what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax import initializers
from addax.layers.conv import SlidingWindow2D
from addax.ops import neural, window
from addax.ops.emit import Tensor


class Conv2DTranspose(SlidingWindow2D):
    """Adds up ``filters`` kernels times each pixel of images, at steps of ``strides``.

    ``padding="same"`` enlarges images ``strides`` times. The kernel has the shape
    ``(height, width, filters, channels)``.

    >>> import numpy as np
    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(np.ones((2, 7, 7, 4), np.float32)).shape
    (2, 14, 14, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
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
        self.output_padding = window.extra_extents(output_padding, self.strides, "Conv2DTranspose")
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        channels = self._built_channels(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, self.filters, channels), self.kernel_initializer, name="kernel"
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        y = neural.conv_transpose(
            self._images(inputs, self.kernel.shape[3]),
            self._cast(self.kernel),
            self.strides,
            self.padding,
            self.output_padding,
            dilation_rate=self.dilation_rate,
        )
        return self._finish(y)
