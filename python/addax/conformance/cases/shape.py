"""Ops that move elements."""

from __future__ import annotations

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import ALL, WIDE, Arg, Bad, Sample, calls, case

exact = {"dtypes": ALL, "ulps": 0}


def _slice(x, begin, end, strides):
    return x[tuple(slice(*t) for t in zip(begin, end, strides, strict=True))]


case(
    "reshape",
    lambda x, shape: x.reshape(shape),
    [calls((2, 6), shape=s) for s in ((3, 4), (-1,), (2, 1, 6))] + [calls((), shape=(1, 1))],
    bad=(Bad((Arg((2, 3)),), {"shape": (4, 2)}, "ShapeError", r"\[reshape\].*\(2, 3\)"),),
    **exact,
)
case(
    "transpose",
    lambda x, permutation: x.transpose(permutation or None),
    [
        calls((3, 5), permutation=()),
        calls((2, 3, 4), permutation=(0, 2, 1)),
        calls((2, 3, 4, 5), permutation=(3, 0, 2, 1)),
        calls((33, 65), permutation=(1, 0)),
        calls((), permutation=()),
        calls((0, 3), permutation=(1, 0)),
    ],
    bad=(Bad((Arg((2, 3)),), {"permutation": (0, 0)}, "AddaxError", r"\[transpose\]"),),
    large=calls((4096, 1024), permutation=(1, 0)),
    **exact,
)
case(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    [calls((3,), shape=(2, 3)), calls((2, 1), shape=(4, 2, 5)), calls((), shape=(3,))],
    bad=(Bad((Arg((2, 3)),), {"shape": (2, 4)}, "ShapeError", r"\[broadcast_to\]"),),
    **exact,
)
case(
    "concatenate",
    lambda *xs, axis: np.concatenate(xs, axis),
    [calls((2, 3), (4, 3), axis=0), calls((2, 1), (2, 0), (2, 5), axis=-1), calls((3,), axis=0)],
    bad=(Bad((Arg((2, 3)), Arg((2, 4))), {"axis": 0}, "ShapeError", r"\[concatenate\]"),),
    **exact,
)
case(
    "slice",
    _slice,
    [
        calls((5, 6), begin=(1, 0), end=(4, 6), strides=(1, 2)),
        calls((7,), begin=(6,), end=(7,), strides=(1,)),
        calls((3, 4), begin=(0, 2), end=(3, 2), strides=(1, 1)),
    ],
    bad=(
        Bad((Arg((3,)),), {"begin": (0,), "end": (4,), "strides": (1,)}, "AddaxError", "slice"),
        Bad((Arg((3,)),), {"begin": (0,), "end": (3,), "strides": (0,)}, "AddaxError", "slice"),
    ),
    **exact,
)
case(
    "pad",
    ref.pad,
    [
        Sample((Arg((2, 3)), Arg(())), {"low": (1, 0), "high": (0, 2), "interior": (0, 1)}),
        Sample((Arg((5,)), Arg(())), {"low": (-1,), "high": (-2,), "interior": (0,)}),
        Sample((Arg((0, 2)), Arg(())), {"low": (1, 0), "high": (1, 0), "interior": (0, 0)}),
    ],
    bad=(
        Bad(
            (Arg((2,)), Arg(())), {"low": (-3,), "high": (0,), "interior": (0,)},
            "AddaxError", r"\[pad\]",
        ),
    ),
    **exact,
)  # fmt: skip
INDICES = np.array([[3, 0, 0], [2, 3, 1]])
case(
    "take",
    lambda x, indices, axis: np.take(x, indices, axis),
    [
        Sample((Arg((4, 3)), Arg((2, 3), dtype=d, value=INDICES)), {"axis": 0})
        for d in ("int32", "int64", "uint8")
    ]
    + [Sample((Arg((2, 4, 2)), Arg((2, 3), dtype="int64", value=INDICES)), {"axis": 1})],
    bad=(
        Bad(
            (Arg((3, 2)), Arg((2, 3), dtype="int64", value=INDICES)),
            {"axis": 0}, "OutOfRangeError", "3",
        ),
        Bad((Arg((3, 2)), Arg((2,))), {"axis": 0}, "DTypeError", r"\[take\]"),
    ),
    large=Sample(
        (Arg((60000, 784)), Arg((4096,), dtype="int64", value=np.arange(4096) * 7919 % 60000)),
        {"axis": 0},
    ),
    **exact,
)  # fmt: skip


def _scatter_add(indices, updates, shape, axis):
    y = np.moveaxis(np.zeros(shape, updates.dtype), axis, 0)
    moved = np.moveaxis(updates, range(axis, axis + indices.ndim), range(indices.ndim))
    np.add.at(y, indices, moved)
    return np.moveaxis(y, 0, axis)


case(
    "scatter_add",
    _scatter_add,
    [
        Sample(
            (Arg((2, 3), dtype="int64", value=INDICES), Arg((2, 3, 5))),
            {"shape": (4, 5), "axis": 0},
        ),
        Sample(
            (Arg((3,), dtype="int32", value=np.array([1, 1, 0])), Arg((2, 3))),
            {"shape": (2, 4), "axis": 1},
        ),
    ],
    dtypes=WIDE,
    ulps=8,
    bound=lambda indices, updates, **attrs: 8.0,
)
case(
    "flip",
    lambda x, axes: np.flip(x, axes),
    [calls((3, 4), axes=(0,)), calls((3, 4), axes=(0, -1)), calls((2, 3, 2), axes=None)],
    **exact,
)
case(
    "iota",
    lambda shape, axis, dtype: np.broadcast_to(
        np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape
    ),
    [Sample((), {"shape": s, "axis": a, "dtype": "int32"}) for s, a in (((5,), 0), ((2, 3), 1))],
    dtypes=("int32",),
    ulps=0,
    gradient=False,
)
case(
    "one_hot",
    lambda indices, num_classes, dtype: np.eye(num_classes)[indices.astype(int)],
    [Sample((Arg(s, 0, 4),), {"num_classes": 5, "dtype": "float32"}) for s in ((6,), (2, 3), ())],
    dtypes=("int32", "int64", "uint8"),
    ulps=0,
    gradient=False,
)
case("copy", lambda x: x, [calls((3, 4)), calls(()), calls((0,))], **exact)
