"""Stacks of 3x3 convolutions (Simonyan and Zisserman, 2014)."""

from __future__ import annotations

from typing import Any

from addax.applications.classifier import application
from addax.layers import Conv2D, Dense, Flatten, MaxPooling2D


def _hidden(x: Any) -> Any:
    x = Flatten(name="flatten")(x)
    x = Dense(4096, activation="relu", name="fc1")(x)
    return Dense(4096, activation="relu", name="fc2")(x)


@application(top=_hidden, named_pooling=False)
def VGG16(image: Any) -> Any:
    """VGG with 16 layers.

    >>> VGG16(weights=None, include_top=False).output_shape
    (None, None, None, 512)
    """
    return _features(image, (2, 2, 3, 3, 3))


@application(top=_hidden, named_pooling=False)
def VGG19(image: Any) -> Any:
    """VGG with 19 layers.

    >>> VGG19(weights=None, include_top=False, input_shape=(64, 48, 3)).output_shape
    (None, 2, 1, 512)
    """
    return _features(image, (2, 2, 4, 4, 4))


def _features(x: Any, depths: tuple[int, ...]) -> Any:
    for block, (depth, filters) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), 1):
        for number in range(1, depth + 1):
            name = f"block{block}_conv{number}"
            x = Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = MaxPooling2D(name=f"block{block}_pool")(x)
    return x
