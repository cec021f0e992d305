"""Inverted residual blocks with squeeze and excitation (Tan and Le, 2019)."""

from __future__ import annotations

from typing import Any, NamedTuple

from addax.applications.classifier import application, average, halving_padding
from addax.initializers import VarianceScaling
from addax.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
)


class _Stage(NamedTuple):
    kernel_size: int
    blocks: int
    filters: int
    expansion: int
    strides: int  # of the first block


_B0 = (
    _Stage(3, 1, 16, 1, 1),
    _Stage(3, 2, 24, 6, 2),
    _Stage(5, 2, 40, 6, 2),
    _Stage(3, 3, 80, 6, 2),
    _Stage(5, 3, 112, 6, 1),
    _Stage(5, 4, 192, 6, 2),
    _Stage(3, 1, 320, 6, 1),
)
_SQUEEZE = 4
_DROP_RATE = 0.2
_KERNEL = VarianceScaling(2.0, "fan_out", "truncated_normal")


def _dropped(x: Any) -> Any:
    return Dropout(_DROP_RATE, name="top_dropout")(average(x))


@application(top=_dropped, kernel_initializer=VarianceScaling(1 / 3, "fan_out", "uniform"))
def EfficientNetB0(image: Any) -> Any:
    """The smallest EfficientNet. It takes pixels of 0 to 255 and scales them itself.

    Its layer ``normalization`` may be given the mean and variance of the images by ``adapt``.

    >>> EfficientNetB0(weights=None, include_top=False, pooling="max").output_shape
    (None, 1280)
    """
    x = Normalization(name="normalization")(Rescaling(1 / 255, name="rescaling")(image))
    x = ZeroPadding2D(halving_padding(x, 3), name="stem_conv_pad")(x)
    x = _convolve(x, 32, 3, "stem_conv", strides=2)
    x = _activate(x, "stem_")
    total = sum(stage.blocks for stage in _B0)
    done = 0
    for number, stage in enumerate(_B0, 1):
        for letter in "abcdefgh"[: stage.blocks]:
            # Deeper blocks are skipped more often.
            x = _block(
                x, stage, letter == "a", _DROP_RATE * done / total, f"block{number}{letter}_"
            )
            done += 1
    return _activate(_convolve(x, 1280, 1, "top_conv"), "top_")


def _block(x: Any, stage: _Stage, first: bool, drop_rate: float, name: str) -> Any:
    channels = x.shape[-1]
    strides = stage.strides if first else 1
    y = x
    if stage.expansion > 1:
        y = _convolve(y, stage.expansion * channels, 1, f"{name}expand_conv")
        y = _activate(y, f"{name}expand_")
    if strides == 2:
        y = ZeroPadding2D(halving_padding(y, stage.kernel_size), name=f"{name}dwconv_pad")(y)
    y = DepthwiseConv2D(
        stage.kernel_size,
        strides,
        "same" if strides == 1 else "valid",
        use_bias=False,
        depthwise_initializer=_KERNEL,
        name=f"{name}dwconv",
    )(y)
    y = _excite(_activate(y, name), max(1, channels // _SQUEEZE), name)
    y = _convolve(y, stage.filters, 1, f"{name}project_conv")
    y = BatchNormalization(name=f"{name}project_bn")(y)
    if strides > 1 or channels != stage.filters:
        return y
    if drop_rate > 0:
        y = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(y)
    return Add(name=f"{name}add")([y, x])


def _excite(x: Any, squeezed: int, name: str) -> Any:
    """Scales each channel by what all channels together say about it."""
    channels = x.shape[-1]
    y = GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = Reshape((1, 1, channels), name=f"{name}se_reshape")(y)
    for filters, activation, step in (
        (squeezed, "swish", "reduce"),
        (channels, "sigmoid", "expand"),
    ):
        y = Conv2D(
            filters,
            1,
            activation=activation,
            kernel_initializer=_KERNEL,
            name=f"{name}se_{step}",
        )(y)
    return Multiply(name=f"{name}se_excite")([x, y])


def _convolve(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    return Conv2D(filters, size, strides, use_bias=False, kernel_initializer=_KERNEL, name=name)(x)


def _activate(x: Any, name: str) -> Any:
    return Activation("swish", name=f"{name}activation")(BatchNormalization(name=f"{name}bn")(x))
