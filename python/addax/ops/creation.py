"""Making tensors, and taking their numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from addax import _core
from addax.ops.emit import Tensor, TensorLike, as_tensor, dtype_name, emit


def convert_to_tensor(x: Any, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``x`` as a tensor; a tensor of the right dtype as it is.

    >>> convert_to_tensor([1, 2], dtype="float32").tolist()
    [1.0, 2.0]
    """
    return as_tensor(x, dtype)


def convert_to_numpy(x: TensorLike) -> NDArray[Any]:
    """Return the numbers as a NumPy array, on the CPU without a copy.

    >>> convert_to_numpy(convert_to_tensor([1, 2]))
    array([1, 2], dtype=int32)
    """
    return np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a tensor.

    >>> is_tensor([1, 2])
    False
    """
    return isinstance(x, Tensor)


def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """Convert to a dtype; fractions are cut off on the way to integers.

    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """
    return emit("cast", x, dtype=dtype_name(dtype))


def shape(x: Any) -> tuple[int, ...]:
    """Return the extents.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else as_tensor(x).shape


def ndim(x: Any) -> int:
    """Return the number of dimensions.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape(x))


def size(x: Any) -> int:
    """Return the number of elements.

    >>> size([[1, 2, 3]])
    3
    """
    count = 1
    for extent in shape(x):
        count *= extent
    return count


def full(
    shape: int | Sequence[int], fill_value: TensorLike, dtype: DTypeLike | None = None
) -> Tensor:
    """Return a tensor of one repeated value.

    >>> full((2, 2), 7.0).tolist()
    [[7.0, 7.0], [7.0, 7.0]]
    """
    extents = [shape] if isinstance(shape, int) else list(shape)
    return emit("broadcast_to", as_tensor(fill_value, dtype), shape=extents)


def zeros(shape: int | Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
    """Return zeros, float32 unless told otherwise.

    >>> zeros(3).tolist()
    [0.0, 0.0, 0.0]
    """
    return full(shape, 0, dtype or "float32")


def ones(shape: int | Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
    """Return ones, float32 unless told otherwise.

    >>> ones((1, 2)).tolist()
    [[1.0, 1.0]]
    """
    return full(shape, 1, dtype or "float32")


def full_like(x: TensorLike, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return one repeated value in the shape and dtype of ``x``.

    >>> full_like([1.0, 2.0], 7).tolist()
    [7.0, 7.0]
    """
    like = as_tensor(x)
    return full(like.shape, fill_value, dtype or like.dtype)


def zeros_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return zeros in the shape and dtype of ``x``.

    >>> zeros_like([1, 2]).tolist()
    [0, 0]
    """
    return full_like(x, 0, dtype)


def ones_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return ones in the shape and dtype of ``x``.

    >>> ones_like([1, 2]).tolist()
    [1, 1]
    """
    return full_like(x, 1, dtype)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: DTypeLike | None = None
) -> Tensor:
    """Return evenly spaced values from ``start`` up to but without ``stop``.

    >>> arange(2, 8, 2).tolist()
    [2, 4, 6]
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise _core.InvalidArgumentError("[arange] step must not be zero")
    whole = all(isinstance(value, int) for value in (start, stop, step))
    name = dtype_name(dtype) if dtype is not None else "int32" if whole else "float32"
    count = -int(-(stop - start) // step)
    # Values are counted in a type that holds them exactly and converted once at the end.
    numbers = emit("iota", shape=[max(count, 0)], dtype="int64" if whole else "float64")
    if (start, step) != (0, 1):
        numbers = numbers * step + start
    return numbers.astype(name)


def eye(n: int, m: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """Return ones on the ``k``-th diagonal of an n x m matrix and zeros elsewhere.

    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    extents = [n, n if m is None else m]
    rows = emit("iota", shape=extents, axis=0, dtype="int32")
    columns = emit("iota", shape=extents, axis=1, dtype="int32")
    return emit("equal", rows + k, columns).astype(dtype_name(dtype or "float32"))


def identity(n: int, dtype: DTypeLike | None = None) -> Tensor:
    """Return the n x n identity matrix.

    >>> identity(1).tolist()
    [[1.0]]
    """
    return eye(n, dtype=dtype)


def linspace(start: float, stop: float, num: int = 50, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``num`` evenly spaced values from ``start`` to ``stop``, both included.

    >>> linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    step = (stop - start) / max(num - 1, 1)
    numbers = emit("iota", shape=[num], dtype="float64") * step + start
    return numbers.astype(dtype_name(dtype or "float32"))
