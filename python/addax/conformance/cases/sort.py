"""Sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from addax.conformance.cases.case import ALL, INTS, Arg, Bad, Sample, case

EXTENTS = (
    ((3, 5), -1), ((3, 5), 0), ((2, 3, 4), 1), ((7,), 0), ((1,), 0), ((0, 3), -1), ((3, 0), 1),
    ((3, 1033), 1), ((1033, 2), 0),
)  # fmt: skip


def _samples(**more: Any) -> list[Sample]:
    return [Sample((Arg(shape, -4, 4, **more),), {"axis": axis}) for shape, axis in EXTENTS]


def _argsort(x: np.ndarray, axis: int = -1, descending: bool = False) -> Any:
    if not descending:
        return np.argsort(x, axis, kind="stable")
    order = np.argsort(np.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(order, axis)


def _top_k(x: np.ndarray, k: int, sorted: bool = True) -> Any:
    indices = _argsort(x, -1, True)[..., :k]
    return [np.take_along_axis(x, indices, -1), indices]


def _in_top_k(targets: np.ndarray, predictions: np.ndarray, k: int) -> Any:
    target = np.take_along_axis(predictions, targets[..., None], -1)
    return (predictions > target).sum(-1) < k


def _bad_axis(op: str) -> tuple[Bad, ...]:
    return (
        Bad((Arg((2, 3)),), {"axis": 2}, "InvalidArgumentError", rf"\[{op}\].*axis.*2"),
        Bad((Arg(()),), {"axis": -1}, "InvalidArgumentError", rf"\[{op}\].*axis"),
    )


case(
    "argsort",
    _argsort,
    _samples() + [Sample(s.args, {**s.attrs, "descending": True}) for s in _samples()],
    dtypes=ALL,
    ulps=0,
    gradient=False,
    bad=_bad_axis("argsort"),
    large=Sample((Arg((512, 1000)),), {"axis": -1}),
)
case(
    "sort",
    lambda x, axis: np.sort(x, axis),
    _samples(distinct=True),
    dtypes=ALL,
    ulps=0,
    bad=_bad_axis("sort"),
    large=Sample((Arg((512, 1000)),), {"axis": -1}),
)
case(
    "top_k",
    _top_k,
    [
        Sample((Arg(shape, distinct=True),), {"k": k, "sorted": True})
        for shape, k in (((3, 5), 2), ((3, 5), 5), ((2, 3, 4), 1), ((7,), 3), ((0, 3), 2),
                         ((3, 1033), 7))
    ],
    dtypes=ALL,
    ulps=0,
    bad=(
        Bad((Arg((2, 3)),), {"k": 4}, "InvalidArgumentError", r"\[top_k\].*\[1, 3\].*\(2, 3\).*4"),
        Bad((Arg((2, 3)),), {"k": 0}, "InvalidArgumentError", r"\[top_k\].*0"),
        Bad((Arg(()),), {"k": 1}, "ShapeError", r"\[top_k\]"),
    ),
    large=Sample((Arg((512, 1000)),), {"k": 5}),
)  # fmt: skip


def _scored(dtype: str, shape: tuple[int, ...], k: int) -> Sample:
    return Sample((Arg(shape[:-1], 0, shape[-1], dtype=dtype), Arg(shape, -4, 4)), {"k": k})


case(
    "in_top_k",
    _in_top_k,
    [
        _scored(dtype, shape, k)
        for dtype in INTS
        for shape, k in (((6, 5), 1), ((6, 5), 3), ((2, 3, 4), 2), ((5,), 5), ((0, 3), 2))
    ],
    dtypes=ALL,
    ulps=0,
    gradient=False,
    bad=(
        Bad(
            (Arg((2,), dtype="int32", value=np.array([0, 3])), Arg((2, 3))),
            {"k": 1}, "OutOfRangeError", "in_top_k.*3",
        ),
        Bad((Arg((2,), dtype="int32"), Arg((2, 3))), {"k": 4}, "InvalidArgumentError", "in_top_k"),
        Bad((Arg((3,), dtype="int32"), Arg((2, 3))), {"k": 1}, "ShapeError", "in_top_k"),
        Bad((Arg((2,), dtype="float32"), Arg((2, 3))), {"k": 1}, "DTypeError", "in_top_k"),
    ),
)  # fmt: skip
