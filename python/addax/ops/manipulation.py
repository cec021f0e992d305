"""Rearranging elements: reshaping, joining, splitting, gathering."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from addax import _core
from addax.ops.emit import Axes, Tensor, TensorLike, as_tensor, emit, resolve_axis


def reshape(x: TensorLike, newshape: int | Sequence[int]) -> Tensor:
    """Return the same elements in another shape; one extent may be -1.

    >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
    [[1, 2], [3, 4]]
    """
    return as_tensor(x).reshape([newshape] if isinstance(newshape, int) else list(newshape))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Reorder the axes; reversed unless told otherwise.

    >>> transpose([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    if axes is None:
        return emit("transpose", x)
    x = as_tensor(x)
    order = [resolve_axis(axis, x.ndim, "transpose") for axis in axes]
    return emit("transpose", x, permutation=order)


def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes.

    >>> swapaxes([[1, 2], [3, 4]], 0, 1).tolist()
    [[1, 3], [2, 4]]
    """
    x = as_tensor(x)
    order = list(range(x.ndim))
    first, second = (resolve_axis(axis, x.ndim, "swapaxes") for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return emit("transpose", x, permutation=order)


def moveaxis(
    x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> Tensor:
    """Move axes to new positions; the others keep their order.

    >>> moveaxis([[1, 2], [3, 4]], 0, 1).tolist()
    [[1, 3], [2, 4]]
    """
    x = as_tensor(x)
    origins, targets = (
        [
            resolve_axis(axis, x.ndim, "moveaxis")
            for axis in ([axes] if isinstance(axes, int) else axes)
        ]
        for axes in (source, destination)
    )
    order = [axis for axis in range(x.ndim) if axis not in origins]
    for target, origin in sorted(zip(targets, origins, strict=True)):
        order.insert(target, origin)
    return emit("transpose", x, permutation=order)


def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """Insert axes of length one.

    >>> expand_dims([1, 2], -1).tolist()
    [[1], [2]]
    """
    x = as_tensor(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = x.ndim + len(axes)
    inserted = {resolve_axis(axis, rank, "expand_dims") for axis in axes}
    extents = iter(x.shape)
    return x.reshape([1 if axis in inserted else next(extents) for axis in range(rank)])


def squeeze(x: TensorLike, axis: Axes = None) -> Tensor:
    """Drop axes of length one: the given ones, or all.

    >>> squeeze([[[1], [2]]]).tolist()
    [1, 2]
    """
    x = as_tensor(x)
    if axis is None:
        dropped = {index for index, extent in enumerate(x.shape) if extent == 1}
    else:
        axes = [axis] if isinstance(axis, int) else axis
        dropped = {resolve_axis(index, x.ndim, "squeeze") for index in axes}
    for index in dropped:
        if x.shape[index] != 1:
            raise _core.ShapeError(
                f"[squeeze] axis {index} of shape {x.shape} has length {x.shape[index]}; only "
                "axes of length 1 can be dropped"
            )
    return x.reshape([extent for index, extent in enumerate(x.shape) if index not in dropped])


def ravel(x: TensorLike) -> Tensor:
    """Return the elements as one row.

    >>> ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return as_tensor(x).reshape([-1])


def broadcast_to(x: TensorLike, shape: Sequence[int]) -> Tensor:
    """Repeat along new axes and along axes of length one.

    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return emit("broadcast_to", x, shape=list(shape))


def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Join along an existing axis.

    >>> concatenate([[1], [2, 3]]).tolist()
    [1, 2, 3]
    """
    return emit("concatenate", *_several("concatenate", xs), axis=axis)


def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Join along a new axis.

    >>> stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return emit(
        "concatenate", *(expand_dims(item, axis) for item in _several("stack", x)), axis=axis
    )


def _several(op: str, xs: Sequence[TensorLike]) -> list[Tensor]:
    tensors = [as_tensor(x) for x in xs]
    if not tensors:
        raise _core.InvalidArgumentError(f"[{op}] expected at least one tensor, got none")
    return tensors


def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Cut along an axis, into equal parts or before the given indices.

    >>> [part.tolist() for part in split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """
    x = as_tensor(x)
    axis = resolve_axis(axis, x.ndim, "split")
    length = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if indices_or_sections < 1 or length % indices_or_sections:
            raise _core.ShapeError(
                f"[split] axis {axis} of shape {x.shape} cannot be cut into "
                f"{indices_or_sections} equal parts"
            )
        width = length // indices_or_sections
        cuts = list(range(width, length, width))
    else:
        cuts = [
            min(max(cut + length if cut < 0 else cut, 0), length) for cut in indices_or_sections
        ]
    edges = [0, *cuts, length]
    everything = (slice(None),) * axis
    parts = [(*everything, slice(lo, hi)) for lo, hi in pairwise(edges)]
    return [x[part] for part in parts]


def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the slices along an axis, without that axis.

    >>> [row.tolist() for row in unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = as_tensor(x)
    axis = resolve_axis(axis, x.ndim, "unstack")
    if num is not None and num != x.shape[axis]:
        raise _core.ShapeError(
            f"[unstack] axis {axis} of shape {x.shape} does not hold {num} slices"
        )
    everything = (slice(None),) * axis
    parts = [(*everything, index) for index in range(x.shape[axis])]
    return [x[part] for part in parts]


def repeat(x: TensorLike, repeats: int, axis: int | None = None) -> Tensor:
    """Repeat each element ``repeats`` times.

    >>> repeat([1, 2], 2).tolist()
    [1, 1, 2, 2]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape([-1]), 0
    axis = resolve_axis(axis, x.ndim, "repeat")
    extents = list(x.shape)
    wide = emit(
        "broadcast_to",
        expand_dims(x, axis + 1),
        shape=[*extents[: axis + 1], repeats, *extents[axis + 1 :]],
    )
    extents[axis] *= repeats
    return wide.reshape(extents)


def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """Lay copies side by side.

    >>> tile([1, 2], 2).tolist()
    [1, 2, 1, 2]
    """
    x = as_tensor(x)
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = max(x.ndim, len(counts))
    extents = [1] * (rank - x.ndim) + list(x.shape)
    counts = [1] * (rank - len(counts)) + counts
    apart = [extent for pair in zip([1] * rank, extents, strict=True) for extent in pair]
    wide = [extent for pair in zip(counts, extents, strict=True) for extent in pair]
    copies = emit("broadcast_to", x.reshape(apart), shape=wide)
    return copies.reshape([count * extent for count, extent in zip(counts, extents, strict=True)])


def pad(
    x: TensorLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: float = 0,
) -> Tensor:
    """Surround with a constant; ``pad_width`` is one number or ``(before, after)`` per axis.

    >>> pad([1, 2], 1).tolist()
    [0, 1, 2, 0]
    """
    if mode != "constant":
        raise _core.UnsupportedError(f"[pad] mode must be 'constant', got '{mode}'")
    x = as_tensor(x)
    if isinstance(pad_width, int):
        widths = [(pad_width, pad_width)] * x.ndim
    else:
        pairs = [(width, width) if isinstance(width, int) else tuple(width) for width in pad_width]
        if len(pairs) == 2 and all(isinstance(width, int) for width in pad_width):
            pairs = [(pairs[0][0], pairs[1][0])]
        widths = [(pair[0], pair[-1]) for pair in pairs]
        widths = widths * x.ndim if len(widths) == 1 else widths
    if len(widths) != x.ndim:
        raise _core.ShapeError(f"[pad] pad_width names {len(widths)} axes, the shape is {x.shape}")
    value = as_tensor(constant_values, x.dtype)
    return emit(
        "pad",
        x,
        value,
        low=[lo for lo, _ in widths],
        high=[hi for _, hi in widths],
        interior=[0] * x.ndim,
    )


def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Gather slices along an axis, or elements of the flattened array; -1 is the last one.

    >>> take([10, 20, 30], [2, 0, -1]).tolist()
    [30, 10, 30]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape([-1]), 0
    axis = resolve_axis(axis, x.ndim, "take")
    where = as_tensor(indices)
    if where.dtype == "bool" or where.dtype.startswith(("float", "bfloat")):
        raise _core.DTypeError(f"[take] indices must be integers, got {where.dtype}")
    if where.dtype not in ("uint8", "bool"):
        where = emit("where", where < 0, where + x.shape[axis], where)
    return emit("take", x, where, axis=axis)


def roll(x: TensorLike, shift: int, axis: int | None = None) -> Tensor:
    """Shift along an axis; what leaves at one end comes back at the other.

    >>> roll([1, 2, 3], 1).tolist()
    [3, 1, 2]
    """
    x = as_tensor(x)
    if axis is None:
        return roll(x.reshape([-1]), shift, 0).reshape(list(x.shape))
    axis = resolve_axis(axis, x.ndim, "roll")
    length = x.shape[axis]
    if length == 0 or shift % length == 0:
        return x
    head, tail = split(x, [length - shift % length], axis)
    return emit("concatenate", tail, head, axis=axis)
