"""Layers that change images at random while training, each image in its own way.

All three read every pixel of the result from somewhere in the image. Where from, the layers draw
row by row and column by column of each image; `_gather` then collects the pixels in one op.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from addax import random
from addax.errors import DTypeError, InvalidArgumentError, ShapeError, UnsupportedError
from addax.layers.base import Layer
from addax.ops import manipulation
from addax.ops.emit import Tensor, emit

_FLIPS = {
    "horizontal": (False, True),
    "vertical": (True, False),
    "horizontal_and_vertical": (True, True),
}


class _ImageAugmentation(Layer):
    """Takes images ``(batch, height, width, channels)``; gives them in the layer's dtype."""

    def __init__(self, seed: int | None, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if data_format not in (None, "channels_last"):
            raise UnsupportedError(
                f"{type(self).__name__}: data_format must be 'channels_last', got {data_format!r}; "
                "transpose the images before"
            )
        self.seed = seed
        self.data_format = "channels_last"
        self._generator = None if seed is None else random.SeedGenerator(seed, f"{self.name}/seed")

    def call(self, inputs: Tensor, training: bool = True) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, rank=4)
        return self._changed(inputs) if training else self._unchanged(inputs)

    def _changed(self, images: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must override _changed()")

    def _unchanged(self, images: Tensor) -> Tensor:
        return images.astype(self.compute_dtype)

    def _draw(self, images: Tensor, minval: float = 0.0, maxval: float = 1.0) -> Tensor:
        """Draw a number for each image, as a column."""
        return random.uniform((images.shape[0], 1), minval, maxval, seed=self._generator)

    def _gather(self, images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the pixels in these rows and columns; each is (batch, extent) or (1, extent)."""
        batch, height, width, channels = images.shape
        first_rows = (_positions(batch) * height).reshape([batch, 1])
        places = ((first_rows + rows) * width).reshape([batch, -1, 1]) + columns.reshape(
            [columns.shape[0], 1, -1]
        )
        pixels = images.reshape([batch * height * width, channels])
        return emit("take", pixels, places, axis=0, dtype=self.compute_dtype)


class RandomFlip(_ImageAugmentation):
    """Mirrors half of the images while training, in each direction that ``mode`` names.

    ``mode`` is "horizontal" (left and right change places), "vertical" (top and bottom do) or
    "horizontal_and_vertical". A direct call counts as training unless told ``training=False``.

    >>> import numpy as np
    >>> images = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    >>> RandomFlip("horizontal", seed=0)(images)[0, :, :, 0].tolist()
    [[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        _require_choice("RandomFlip", "mode", mode, _FLIPS)
        self.mode = mode

    def _changed(self, images: Tensor) -> Tensor:
        rows, columns = (
            self._mirrored(images, extent) if flipped else _positions(extent).reshape([1, extent])
            for flipped, extent in zip(_FLIPS[self.mode], images.shape[1:3], strict=True)
        )
        return self._gather(images, rows, columns)

    def _mirrored(self, images: Tensor, extent: int) -> Tensor:
        ahead = _positions(extent)
        return emit("where", self._draw(images) < 0.5, extent - 1 - ahead, ahead)


class RandomCrop(_ImageAugmentation):
    """Cuts a window of ``height`` x ``width`` pixels out of each image, anywhere while training.

    Otherwise the window lies in the centre. A direct call counts as training unless told
    ``training=False``.

    >>> import numpy as np
    >>> RandomCrop(24, 24)(np.ones((2, 28, 28, 1), np.uint8)).shape
    (2, 24, 24, 1)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        for name, extent in (("height", height), ("width", width)):
            if isinstance(extent, bool) or not isinstance(extent, int | np.integer) or extent < 1:
                raise InvalidArgumentError(
                    f"RandomCrop: {name} must be an integer of at least 1, got {extent!r}"
                )
        self.height = int(height)
        self.width = int(width)

    def _changed(self, images: Tensor) -> Tensor:
        rows, columns = (
            emit("cast", self._draw(images, maxval=room + 1), dtype="int64") + _positions(extent)
            for room, extent in zip(self._room(images), (self.height, self.width), strict=True)
        )
        return self._gather(images, rows, columns)

    def _unchanged(self, images: Tensor) -> Tensor:
        top, left = (room // 2 for room in self._room(images))
        window = images[:, top : top + self.height, left : left + self.width]
        return super()._unchanged(window)

    def _room(self, images: Tensor) -> tuple[int, int]:
        """Return how far the window can move down and to the right."""
        height, width = images.shape[1:3]
        if height < self.height or width < self.width:
            raise ShapeError(
                f"layer '{self.name}' cuts out {self.height}x{self.width} pixels, which images of "
                f"shape {tuple(images.shape)} do not hold; give larger ones, or put "
                "ZeroPadding2D before it"
            )
        return height - self.height, width - self.width


class RandomTranslation(_ImageAugmentation):
    """Shifts each image while training: down and to the right by a share of its extents.

    A factor is a pair ``(lowest, highest)`` of shares within [-1, 1], or one number ``f`` for
    ``(-f, f)``. What comes into view is, by ``fill_mode``,

    - "reflect": ``d c b a | a b c d | d c b a``
    - "wrap": ``a b c d | a b c d | a b c d``
    - "nearest": ``a a a a | a b c d | d d d d``
    - "constant": ``fill_value``

    Shifts by parts of a pixel mix neighbours; with ``interpolation="nearest"`` they are rounded.
    A direct call counts as training unless told ``training=False``.

    >>> import numpy as np
    >>> images = np.arange(6, dtype=np.uint8).reshape(1, 3, 2, 1)
    >>> down = RandomTranslation((1 / 3, 1 / 3), 0, fill_mode="constant", interpolation="nearest")
    >>> down(images)[0, :, :, 0].tolist()
    [[0.0, 0.0], [0.0, 1.0], [2.0, 3.0]]
    """

    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        modes = ("constant", "nearest", "reflect", "wrap")
        _require_choice("RandomTranslation", "fill_mode", fill_mode, modes)
        interpolations = ("bilinear", "nearest")
        _require_choice("RandomTranslation", "interpolation", interpolation, interpolations)
        if interpolation == "bilinear" and "float" not in self.compute_dtype:
            raise DTypeError(
                "RandomTranslation: interpolation='bilinear' mixes pixels, which dtype "
                f"{self.compute_dtype!r} cannot hold; take interpolation='nearest' or a floating "
                "dtype"
            )
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._shares = (
            _range("height_factor", height_factor),
            _range("width_factor", width_factor),
        )
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = float(fill_value)

    def _changed(self, images: Tensor) -> Tensor:
        extents = images.shape[1:3]
        origins = [
            self._draw(images, -highest * extent, -lowest * extent)
            for (lowest, highest), extent in zip(self._shares, extents, strict=True)
        ]
        if self.interpolation == "nearest":
            return self._read(images, [emit("floor", origin + 0.5) for origin in origins], extents)
        begins = [emit("floor", origin) for origin in origins]
        # One row and one column more: each pixel of the result lies between two.
        y = self._read(images, begins, [extent + 1 for extent in extents])
        down, right = (
            (origin - begin).reshape([-1, 1, 1, 1]).astype(self.compute_dtype)
            for origin, begin in zip(origins, begins, strict=True)
        )
        y = y[:, :-1] * (1 - down) + y[:, 1:] * down
        return y[:, :, :-1] * (1 - right) + y[:, :, 1:] * right

    def _read(self, images: Tensor, begins: Sequence[Tensor], extents: Sequence[int]) -> Tensor:
        """Return a window of each image that begins at a whole pixel and may reach beyond."""
        frame = 0
        if self.fill_mode == "constant":
            # Within a frame of fill_value, what comes into view is the nearest pixel.
            frame = 1
            images = manipulation.pad(
                images.astype(self.compute_dtype),
                [(0, 0), (frame, frame), (frame, frame), (0, 0)],
                constant_values=self.fill_value,
            )
        rows, columns = (
            self._folded(emit("cast", begin + frame, dtype="int64") + _positions(extent), bound)
            for begin, extent, bound in zip(begins, extents, images.shape[1:3], strict=True)
        )
        return self._gather(images, rows, columns)

    def _folded(self, places: Tensor, extent: int) -> Tensor:
        """Bring places outside of the image back into it."""
        if self.fill_mode == "wrap":
            return emit("mod", places, extent)
        if self.fill_mode == "reflect":
            places = emit("mod", places, 2 * extent)
            return emit("minimum", places, 2 * extent - 1 - places)
        return emit("clip", places, x_min=0, x_max=extent - 1)


def _positions(extent: int) -> Tensor:
    return emit("iota", shape=[extent], dtype="int64")


def _require_choice(layer: str, argument: str, value: Any, choices: Any) -> None:
    if value not in choices:
        *others, last = (repr(choice) for choice in choices)
        raise InvalidArgumentError(
            f"{layer}: {argument} must be {', '.join(others)} or {last}, got {value!r}"
        )


def _range(argument: str, factor: float | Sequence[float]) -> tuple[float, float]:
    """Return the least and the greatest share that a factor allows."""
    bounds = tuple(factor) if isinstance(factor, Sequence) else (-abs(factor), abs(factor))
    if len(bounds) != 2 or not -1 <= bounds[0] <= bounds[1] <= 1:
        raise InvalidArgumentError(
            f"RandomTranslation: {argument} must be a number or a pair (lowest, highest) within "
            f"[-1, 1], got {factor!r}"
        )
    return float(bounds[0]), float(bounds[1])
