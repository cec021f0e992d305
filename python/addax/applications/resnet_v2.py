"""Residual networks that normalise before each convolution (He et al., 2016)."""

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
_DEPTHS = (3, 4, 6, 3)


@application()
def ResNet50V2(image: Any) -> Any:
    """ResNet with 50 layers, normalised before each convolution.

    >>> ResNet50V2(weights=None, include_top=False).output_shape
    (None, None, None, 2048)
    """
    x = ZeroPadding2D(3, name="conv1_pad")(image)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, depth in enumerate(_DEPTHS):
        for block in range(depth):
            # The last block of each stage but the last halves the images.
            strides = 2 if block == depth - 1 and stage < len(_DEPTHS) - 1 else 1
            name = f"conv{stage + 2}_block{block + 1}"
            x = _bottleneck(x, 64 << stage, strides, block == 0, name)
    return _activate(x, "post")


def _bottleneck(x: Any, filters: int, strides: int, project: bool, name: str) -> Any:
    y = _activate(x, f"{name}_preact")
    if project:
        shortcut = Conv2D(4 * filters, 1, strides, name=f"{name}_0_conv")(y)
    else:
        shortcut = MaxPooling2D(1, strides)(x) if strides > 1 else x
    y = Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = ZeroPadding2D(1, name=f"{name}_2_pad")(_activate(y, f"{name}_1"))
    y = Conv2D(filters, 3, strides, use_bias=False, name=f"{name}_2_conv")(y)
    y = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(_activate(y, f"{name}_2"))
    return Add(name=f"{name}_out")([shortcut, y])


def _activate(x: Any, name: str) -> Any:
    x = BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return Activation("relu", name=f"{name}_relu")(x)
