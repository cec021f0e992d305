"""Normalization, softmax and losses."""

from __future__ import annotations

import math

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import FLOATS, WIDE, Arg, Bad, Sample, case

NORM_SHAPES = ((6, 3), (2, 4, 4, 5), (64, 1), (33, 17))
case(
    "batch_moments",
    ref.batch_moments,
    [Sample((Arg(s),)) for s in (*NORM_SHAPES, (7,), (1, 1), (3, 0), (700, 70))],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda x: 4.0,
    bad=(
        Bad((Arg(()),), {}, "ShapeError", "[batch_moments] "),
        Bad((Arg((2, 3), dtype="int32"),), {}, "DTypeError", "[batch_moments] "),
    ),
    large=Sample((Arg((64, 32, 32, 64)),)),
)
case(
    "batch_norm_train",
    ref.batch_norm_train,
    [Sample((Arg(s), Arg(s[-1:], 0.5, 2), Arg(s[-1:])), {"epsilon": 1e-3}) for s in NORM_SHAPES],
    dtypes=WIDE,
    ulps=64,
    bound=lambda *args, epsilon: 8.0,
    large=Sample((Arg((64, 32, 32, 64)), Arg((64,)), Arg((64,))), {"epsilon": 1e-3}),
)
case(
    "batch_norm",
    ref.batch_norm,
    [
        Sample(
            (Arg(s), Arg(s[-1:], 0.5, 2), Arg(s[-1:]), Arg(s[-1:]), Arg(s[-1:], 0.5, 2)),
            {"epsilon": 1e-3},
        )
        for s in NORM_SHAPES
    ],
    dtypes=WIDE,
    ulps=32,
    bound=lambda *args, epsilon: 16.0,
)
for _name, _reference in (("softmax", ref.softmax), ("log_softmax", ref.log_softmax)):
    case(
        _name,
        _reference,
        [
            Sample((Arg(shape, -5, 5),), {"axis": axis})
            for shape, axis in (((3, 5), -1), ((3, 5), 0), ((2, 3, 4), 1), ((7,), 0), ((5, 1), -1),
                                ((0, 4), -1), ((4, 1029), -1))
        ],
        dtypes=FLOATS,
        ulps=32,
        bound=(lambda x, axis: 1.0) if _name == "softmax" else (lambda x, axis: 12.0),
        large=Sample((Arg((4096, 1000), -5, 5),), {"axis": -1}),
    )  # fmt: skip


def _logits(shape: tuple[int, ...], *more: Arg) -> Sample:
    labels = np.arange(math.prod(shape[:-1])).reshape(shape[:-1]) * 7 % shape[-1]
    return Sample((Arg(shape, -5, 5), Arg(labels.shape, dtype="int64", value=labels), *more))


LOGITS = ((4, 10), (2, 3, 5), (1, 1), (33, 7))
case(
    "sparse_softmax_cross_entropy",
    ref.sparse_softmax_cross_entropy,
    [_logits(shape) for shape in LOGITS],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda logits, labels: 12.0,
    bad=(
        Bad((Arg((4, 3)), Arg((5,), 0, 3, "int64")), {}, "ShapeError", r"\(5,\).*\(4, 3\)"),
        Bad((Arg((4, 3)), Arg((4,))), {}, "DTypeError", "integer"),
        Bad(
            (Arg((4, 3)), Arg((4,), dtype="int64", value=np.array([0, 1, 3, 2]))),
            {}, "OutOfRangeError", r"label 3 at index 2",
        ),
        Bad(
            (Arg((2, 3)), Arg((2,), dtype="int32", value=np.array([0, -1]))),
            {}, "OutOfRangeError", r"label -1 at index 1",
        ),
    ),
    large=_logits((4096, 1000)),
)  # fmt: skip
case(
    "sparse_softmax_cross_entropy_grad",
    ref.sparse_softmax_cross_entropy_grad,
    [_logits(shape, Arg(shape[:-1])) for shape in LOGITS],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda logits, labels, dloss: 2.0,
    gradient=False,
)
case(
    "softmax_cross_entropy",
    lambda logits, targets: -(targets * ref.log_softmax(logits)).sum(-1),
    [Sample((Arg(s, -5, 5), Arg(s, 0, 1))) for s in LOGITS],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda logits, targets: 12.0 * np.abs(targets).sum(-1),
)
case(
    "check_range",
    lambda x, **attrs: x,
    [Sample((Arg((5,), 0, 4),), {"low": 0, "high": 4, "what": "label"})],
    dtypes=("int32", "int64", "uint8"),
    gradient=False,
    bad=(
        Bad(
            (Arg((3,), dtype="int64", value=np.array([0, 9, 1])),),
            {"low": 0, "high": 4, "what": "label"}, "OutOfRangeError", "label 9 at index 1",
        ),
    ),
)  # fmt: skip
