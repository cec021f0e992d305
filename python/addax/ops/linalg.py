"""Products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from addax import _core
from addax.ops.emit import Tensor, TensorLike, as_tensor, emit, resolve_axis


def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Matrix product over the last axis of ``x1`` and the last but one of ``x2``.

    A vector counts as a row on the left and as a column on the right; leading axes broadcast.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    >>> matmul([1.0, 2.0], [3.0, 4.0]).tolist()
    11.0
    """
    left, right = as_tensor(x1), as_tensor(x2)
    if left.ndim == 0 or right.ndim == 0:
        raise _core.ShapeError(
            f"[matmul] expected vectors or matrices, got shapes {left.shape} and {right.shape}; "
            "use multiply for scalars"
        )
    if left.ndim > 1 and right.ndim > 1:
        return emit("matmul", left, right)
    a = left.reshape([1, *left.shape]) if left.ndim == 1 else left
    b = right.reshape([*right.shape, 1]) if right.ndim == 1 else right
    product = emit("matmul", a, b)
    extents = list(product.shape)
    if right.ndim == 1:
        extents.pop()
    if left.ndim == 1:
        extents.pop(-1 if right.ndim == 1 else -2)
    return product.reshape(extents)


def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product over the last axis of ``x1`` and the last but one (or only) axis of ``x2``.

    >>> dot([1.0, 2.0], [3.0, 4.0]).tolist()
    11.0
    """
    left, right = as_tensor(x1), as_tensor(x2)
    if left.ndim == 0 or right.ndim == 0:
        return emit("multiply", left, right)
    return tensordot(left, right, axes=([-1], [max(right.ndim - 2, 0)]))


def tensordot(
    x1: TensorLike, x2: TensorLike, axes: int | Sequence[int | Sequence[int]] = 2
) -> Tensor:
    """Sum of products over pairs of axes: the last ``axes`` ones, or those named for each side.

    >>> tensordot([[1.0, 2.0]], [[3.0, 4.0]], axes=([1], [1])).tolist()
    [[11.0]]
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        sides = [[side] if isinstance(side, int) else list(side) for side in axes]
        left = [resolve_axis(axis, a.ndim, "tensordot") for axis in sides[0]]
        right = [resolve_axis(axis, b.ndim, "tensordot") for axis in sides[1]]
    summed_a, summed_b = [a.shape[axis] for axis in left], [b.shape[axis] for axis in right]
    if summed_a != summed_b:
        raise _core.ShapeError(
            f"[tensordot] axes {left} of shape {a.shape} and axes {right} of shape {b.shape} differ"
        )
    kept_a = [axis for axis in range(a.ndim) if axis not in left]
    kept_b = [axis for axis in range(b.ndim) if axis not in right]
    rows, columns = [a.shape[axis] for axis in kept_a], [b.shape[axis] for axis in kept_b]
    inner = prod(summed_a)
    matrix_a = emit("transpose", a, permutation=[*kept_a, *left]).reshape([prod(rows), inner])
    matrix_b = emit("transpose", b, permutation=[*right, *kept_b]).reshape([inner, prod(columns)])
    return emit("matmul", matrix_a, matrix_b).reshape([*rows, *columns])


def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product of each element of ``x1`` with each of ``x2``.

    >>> outer([1, 2], [3, 4]).tolist()
    [[3, 4], [6, 8]]
    """
    return emit("multiply", as_tensor(x1).reshape([-1, 1]), as_tensor(x2).reshape([1, -1]))
