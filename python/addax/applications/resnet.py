"""Residual networks of bottleneck blocks (He et al., 2015)."""

from __future__ import annotations

from typing import Any

from addax.applications.classifier import application
from addax.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    ZeroPadding2D,
)

_EPSILON = 1.001e-5


@application()
def ResNet50(image: Any) -> Any:
    """ResNet with 50 layers.

    >>> ResNet50(weights=None, include_top=False).output_shape
    (None, None, None, 2048)
    """
    return _features(image, (3, 4, 6, 3))


@application()
def ResNet101(image: Any) -> Any:
    """ResNet with 101 layers.

    >>> ResNet101(weights=None, include_top=False, pooling="avg").output_shape
    (None, 2048)
    """
    return _features(image, (3, 4, 23, 3))


@application()
def ResNet152(image: Any) -> Any:
    """ResNet with 152 layers.

    >>> ResNet152(weights=None, input_shape=(64, 64, 3), classes=5).output_shape
    (None, 5)
    """
    return _features(image, (3, 8, 36, 3))


def _features(image: Any, depths: tuple[int, ...]) -> Any:
    x = ZeroPadding2D(3, name="conv1_pad")(image)
    x = _relu(_convolve(x, 64, 7, "conv1", strides=2), "conv1_relu")
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, depth in enumerate(depths):
        for block in range(depth):
            # The first block of each stage but the first halves the images.
            strides = 2 if stage and not block else 1
            name = f"conv{stage + 2}_block{block + 1}"
            x = _bottleneck(x, 64 << stage, strides, block == 0, name)
    return x


def _bottleneck(x: Any, filters: int, strides: int, project: bool, name: str) -> Any:
    shortcut = _convolve(x, 4 * filters, 1, f"{name}_0", strides) if project else x
    y = _relu(_convolve(x, filters, 1, f"{name}_1", strides), f"{name}_1_relu")
    y = _relu(_convolve(y, filters, 3, f"{name}_2", padding="same"), f"{name}_2_relu")
    y = _convolve(y, 4 * filters, 1, f"{name}_3")
    return _relu(Add(name=f"{name}_add")([shortcut, y]), f"{name}_out")


def _convolve(
    x: Any, filters: int, size: int, name: str, strides: int = 1, padding: str = "valid"
) -> Any:
    x = Conv2D(filters, size, strides, padding, name=f"{name}_conv")(x)
    return BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)


def _relu(x: Any, name: str) -> Any:
    return Activation("relu", name=name)(x)
