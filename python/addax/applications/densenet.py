"""Blocks whose layers see the features of all layers before them (Huang et al., 2016)."""

from __future__ import annotations

from typing import Any

from addax.applications.classifier import application
from addax.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    MaxPooling2D,
    ZeroPadding2D,
)

_EPSILON = 1.001e-5
_GROWTH = 32
_DEPTHS = (6, 12, 24, 16)


@application()
def DenseNet121(image: Any) -> Any:
    """DenseNet with 121 layers.

    >>> DenseNet121(weights=None, include_top=False, pooling="avg").output_shape
    (None, 1024)
    """
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(ZeroPadding2D(3)(image))
    x = _activate(x, "conv1_bn", "conv1_relu")
    x = MaxPooling2D(3, strides=2, name="pool1")(ZeroPadding2D(1)(x))
    for number, depth in enumerate(_DEPTHS, 2):
        if number > 2:
            x = _transition(x, f"pool{number - 1}")
        for layer in range(1, depth + 1):
            x = _grow(x, f"conv{number}_block{layer}")
    return _activate(x, "bn", "relu")


def _grow(x: Any, name: str) -> Any:
    y = _activate(x, f"{name}_0_bn", f"{name}_0_relu")
    y = Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _activate(y, f"{name}_1_bn", f"{name}_1_relu")
    y = Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    """Halves the number of channels, then the images."""
    x = _activate(x, f"{name}_bn", f"{name}_relu")
    x = Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return AveragePooling2D(2, name=f"{name}_pool")(x)


def _activate(x: Any, normalization: str, activation: str) -> Any:
    x = BatchNormalization(epsilon=_EPSILON, name=normalization)(x)
    return Activation("relu", name=activation)(x)
