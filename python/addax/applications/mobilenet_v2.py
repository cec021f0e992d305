"""Inverted residual blocks with linear bottlenecks (Sandler et al., 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from addax.applications.classifier import Classifier, halving_padding
from addax.errors import InvalidArgumentError
from addax.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    ReLU,
    ZeroPadding2D,
)
from addax.models import Model

# Filters, strides of the first block, and number of blocks of each stage.
_STAGES = (
    (16, 1, 1),
    (24, 2, 2),
    (32, 2, 3),
    (64, 2, 4),
    (96, 1, 3),
    (160, 2, 3),
    (320, 1, 1),
)
_EXPANSION = 6
_LAST_FILTERS = 1280


def MobileNetV2(
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNet of the second version; ``alpha`` scales the number of filters of each layer.

    The other arguments, and the errors, are those of :func:`addax.applications.ResNet50`.

    >>> MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10).count_params()
    423018
    """
    if not alpha > 0:
        raise InvalidArgumentError(f"MobileNetV2: alpha must be positive, got {alpha!r}")
    classifier = Classifier(
        "MobileNetV2", partial(_features, alpha=alpha), _average, named_pooling=False
    )
    image = classifier.image(include_top, input_tensor, input_shape)
    return classifier.build(
        image,
        include_top,
        weights,
        pooling,
        classes,
        classifier_activation,
        name or f"mobilenetv2_{alpha:0.2f}_{image.shape[1]}",
    )


def _average(x: Any) -> Any:
    return GlobalAveragePooling2D()(x)


def _features(image: Any, alpha: float) -> Any:
    x = Conv2D(_scaled(32, alpha), 3, 2, "same", use_bias=False, name="Conv1")(image)
    x = _relu6(_normalize(x, "bn_Conv1"), "Conv1_relu")
    block = 0
    for filters, first_strides, depth in _STAGES:
        for number in range(depth):
            # The filters are cut to whole ones before they are made a multiple of eight.
            narrow = _multiple_of_eight(int(filters * alpha))
            x = _inverted_residual(x, narrow, 1 if number else first_strides, block)
            block += 1
    last = _scaled(_LAST_FILTERS, max(alpha, 1.0))
    x = _normalize(Conv2D(last, 1, use_bias=False, name="Conv_1")(x), "Conv_1_bn")
    return _relu6(x, "out_relu")


def _inverted_residual(x: Any, filters: int, strides: int, block: int) -> Any:
    name = f"block_{block}" if block else "expanded_conv"
    channels = x.shape[-1]
    y = x
    if block:
        y = Conv2D(_EXPANSION * channels, 1, use_bias=False, name=f"{name}_expand")(y)
        y = _relu6(_normalize(y, f"{name}_expand_BN"), f"{name}_expand_relu")
    if strides == 2:
        y = ZeroPadding2D(halving_padding(y, 3), name=f"{name}_pad")(y)
    padding = "same" if strides == 1 else "valid"
    y = DepthwiseConv2D(3, strides, padding, use_bias=False, name=f"{name}_depthwise")(y)
    y = _relu6(_normalize(y, f"{name}_depthwise_BN"), f"{name}_depthwise_relu")
    y = _normalize(
        Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(y), f"{name}_project_BN"
    )
    return Add(name=f"{name}_add")([x, y]) if strides == 1 and channels == filters else y


def _normalize(x: Any, name: str) -> Any:
    return BatchNormalization(momentum=0.999, epsilon=1e-3, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return ReLU(6.0, name=name)(x)


def _scaled(filters: int, alpha: float) -> int:
    return _multiple_of_eight(filters * alpha)


def _multiple_of_eight(filters: float) -> int:
    """The nearest multiple of eight that is not more than a tenth below."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest
