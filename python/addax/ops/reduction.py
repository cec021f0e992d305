"""Reductions that the registry does not have under Keras's arguments."""

from __future__ import annotations

from typing import Any

from addax.ops.emit import Axes, Tensor, TensorLike, as_tensor, emit


def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the largest element along an axis, or in the flattened array; the first on ties.

    >>> argmax([[1, 5, 2], [7, 3, 7]], axis=1).tolist()
    [1, 0]
    """
    return _arg("argmax", x, axis, keepdims)


def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the smallest element along an axis, or in the flattened array; the first on ties.

    >>> argmin([[1, 5, 2], [7, 3, 7]], axis=1).tolist()
    [0, 1]
    """
    return _arg("argmin", x, axis, keepdims)


def _arg(op: str, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    if axis is not None:
        return emit(op, x, axis=axis, keepdims=keepdims)
    x = as_tensor(x)
    index = emit(op, x.reshape([-1]), axis=0)
    return index.reshape((1,) * x.ndim) if keepdims else index


def norm(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Euclidean norm over the given axes, or of all elements.

    >>> norm([3.0, 4.0]).tolist()
    5.0
    """
    return emit("sqrt", emit("sum", emit("square", x), axis=axis, keepdims=keepdims))
