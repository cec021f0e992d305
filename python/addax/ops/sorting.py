"""Sorting under Keras's arguments."""

from __future__ import annotations

from addax.ops.emit import Tensor, TensorLike, as_tensor, emit


def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Elements in ascending order along an axis, or of the flattened array; NaN comes last.

    >>> sort([[3, 1, 2], [0, 5, 4]]).tolist()
    [[1, 2, 3], [0, 4, 5]]
    """
    return _along("sort", x, axis)


def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Positions that sort along an axis, or the flattened array; equal elements keep their order.

    >>> argsort([[3, 1, 2], [0, 5, 4]]).tolist()
    [[1, 2, 0], [0, 2, 1]]
    """
    return _along("argsort", x, axis)


def _along(op: str, x: TensorLike, axis: int | None) -> Tensor:
    if axis is None:
        return emit(op, as_tensor(x).reshape([-1]), axis=0)
    return emit(op, x, axis=axis)
