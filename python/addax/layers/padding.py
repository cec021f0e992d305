"""Borders around images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addax.errors import InvalidArgumentError
from addax.layers.base import Layer
from addax.ops import window
from addax.ops.emit import Tensor
from addax.ops.manipulation import pad


class ZeroPadding2D(Layer):
    """Surrounds images by zeros.

    ``padding`` is one width for all sides, ``(height, width)``, or
    ``((top, bottom), (left, right))``.

    >>> import numpy as np
    >>> ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 4, 4, 3), np.float32)).shape
    (1, 5, 8, 3)
    """

    def __init__(
        self,
        padding: int | Sequence[int] | Sequence[Sequence[int]] = (1, 1),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.padding = _sides(padding)
        self.data_format = window.image_layout(data_format, "ZeroPadding2D")

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        self._expect(inputs.shape, rank=4)
        rows, columns = self.padding
        if self.data_format == "channels_first":
            return pad(inputs, [(0, 0), (0, 0), rows, columns])
        return pad(inputs, [(0, 0), rows, columns, (0, 0)])


def _pair(widths: Any) -> tuple[Any, ...]:
    return tuple(widths) if isinstance(widths, Sequence) else (widths, widths)


def _sides(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    sides = [_pair(widths) for widths in _pair(padding)]
    if len(sides) == 2 and all(len(side) == 2 for side in sides):
        widths = [width for side in sides for width in side]
        if all(isinstance(width, int) and width >= 0 for width in widths):
            rows, columns = sides
            return rows, columns
    raise InvalidArgumentError(
        "ZeroPadding2D: padding must be a width, (height, width) or ((top, bottom), "
        f"(left, right)) of integers not below 0, got {padding!r}"
    )
