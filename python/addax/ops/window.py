"""The windows that slide over images: their arguments, and the extents that they lead to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from addax.errors import InvalidArgumentError, ShapeError


def pair(value: int | Sequence[int], argument: str, op: str, least: int = 1) -> list[int]:
    """Return ``[height, width]`` from one number or two; raises InvalidArgumentError otherwise."""
    values = list(value) if isinstance(value, Sequence) else [value, value]
    if len(values) != 2 or any(not isinstance(v, int | np.integer) or v < least for v in values):
        kind = "a positive integer" if least else "an integer of at least 0"
        raise InvalidArgumentError(
            f"[{op}] {argument} must be {kind} or a pair of them, got {value!r}"
        )
    return [int(v) for v in values]


def named_padding(padding: str, op: str) -> str:
    """Return ``"valid"`` or ``"same"`` in small letters; raises InvalidArgumentError otherwise."""
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in ("valid", "same"):
        raise InvalidArgumentError(f"[{op}] padding must be 'valid' or 'same', got {padding!r}")
    return name


def image_layout(data_format: str | None, op: str) -> str:
    """Return where the channels of images are; raises InvalidArgumentError unless Keras names it.

    >>> image_layout(None, "conv")
    'channels_last'
    """
    if data_format not in (None, "channels_last", "channels_first"):
        raise InvalidArgumentError(
            f"[{op}] data_format must be 'channels_last' or 'channels_first', got {data_format!r}"
        )
    return data_format or "channels_last"


def explicit_padding(
    padding: str,
    extents: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    op: str,
) -> list[int]:
    """Return ``[top, bottom, left, right]`` for ``"valid"`` or ``"same"``.

    >>> explicit_padding("same", [5, 4], [3, 3], [2, 2], [1, 1], "conv")
    [1, 1, 0, 1]
    """
    if named_padding(padding, op) == "valid":
        return [0, 0, 0, 0]
    widths = []
    for extent, size, stride, dilation in zip(extents, kernel, strides, dilations, strict=True):
        reach = (size - 1) * dilation + 1
        total = max((-(-extent // stride) - 1) * stride + reach - extent, 0)
        widths += [total // 2, total - total // 2]
    return widths


def extra_extents(
    output_padding: int | Sequence[int] | None, strides: Sequence[int], op: str
) -> tuple[int, ...] | None:
    """Return the pair that ``output_padding`` stands for, each less than its stride; None is None.

    >>> extra_extents(1, [2, 2], "conv_transpose")
    (1, 1)
    """
    if output_padding is None:
        return None
    extra = tuple(pair(output_padding, "output_padding", op, least=0))
    if any(more >= stride for more, stride in zip(extra, strides, strict=True)):
        raise InvalidArgumentError(
            f"[{op}] output_padding must be less than strides {tuple(strides)}, got "
            f"{output_padding!r}"
        )
    return extra


def transposed_extents(
    padding: str,
    extents: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    output_padding: int | Sequence[int] | None,
    op: str,
) -> tuple[list[int], list[int]]:
    """Return ``[height, width]`` that ``conv_transpose`` makes, and how much it cuts off the edges.

    >>> transposed_extents("same", [5, 4], [3, 3], [2, 2], [1, 1], None, "conv_transpose")
    ([10, 8], [0, 1, 0, 1])
    """
    same = named_padding(padding, op) == "same"
    extra = extra_extents(output_padding, strides, op) or (None, None)
    found, edges = [], []
    for extent, size, stride, dilation, more in zip(
        extents, kernel, strides, dilations, extra, strict=True
    ):
        reach = (size - 1) * dilation + 1
        covered = (extent - 1) * stride + reach
        if more is not None:
            length = covered + more - (reach // 2 * 2 if same else 0)
        else:
            length = extent * stride if same else covered + max(stride - reach, 0)
        cut = max(covered - length, 0)
        found.append(length)
        edges += [cut // 2, cut - cut // 2]
    if min(found) < 1:
        raise ShapeError(
            f"[{op}] images of {extents[0]}x{extents[1]} pixels and a kernel of "
            f"{kernel[0]}x{kernel[1]} would give {found[0]}x{found[1]} pixels; give larger images "
            "or another output_padding"
        )
    return found, edges
