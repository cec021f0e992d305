"""Pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import WIDE, Arg, Bad, Sample, case

POOL_CALLS: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 6, 6, 3), {"pool_size": (2, 2), "strides": (2, 2)}),
    ((1, 7, 5, 4), {"pool_size": (3, 2), "strides": (2, 1), "padding": (1, 1, 0, 1)}),
    ((2, 5, 5, 1), {"pool_size": (3, 3), "strides": (1, 1), "padding": (1, 1, 1, 1)}),
    ((1, 2, 2, 17), {"pool_size": (2, 2), "strides": (2, 2)}),
)
for _name, _reference in (("max_pool2d", ref.max_pool2d), ("avg_pool2d", ref.avg_pool2d)):
    case(
        _name,
        _reference,
        [Sample((Arg(shape, distinct=True),), attrs) for shape, attrs in POOL_CALLS],
        dtypes=WIDE,
        ulps=8,
        bound=lambda x, **attrs: np.full(ref.max_pool2d(x, **attrs).shape, 2.0),
        bad=(
            Bad((Arg((6, 6, 3)),), POOL_CALLS[0][1], "ShapeError", rf"\[{_name}\].*\(6, 6, 3\)"),
            Bad((Arg((1, 1, 1, 3)),), POOL_CALLS[0][1], "ShapeError", rf"\[{_name}\]"),
        ),
        large=Sample((Arg((128, 26, 26, 32)),), POOL_CALLS[0][1]),
    )


def _pooled(shape: tuple[int, ...], attrs: Mapping[str, Any]) -> tuple[int, ...]:
    return ref.max_pool2d(np.zeros(shape), **attrs).shape


case(
    "max_pool2d_grad",
    ref.max_pool2d_grad,
    [
        Sample((Arg(shape, distinct=True), Arg(_pooled(shape, attrs))), attrs)
        for shape, attrs in POOL_CALLS
    ],
    dtypes=WIDE,
    ulps=8,
    bound=lambda x, dy, **attrs: ref.max_pool2d_grad(x, np.abs(dy), **attrs),
    gradient=False,
)
WIDE_WINDOW = {"pool_size": (1, 300), "strides": (1, 1)}
case(
    "max_pool2d_argmax",
    ref.max_pool2d_argmax,
    [Sample((Arg(shape, -2, 2),), attrs) for shape, attrs in POOL_CALLS],
    dtypes=WIDE,
    gradient=False,
    bad=(
        Bad(
            (Arg((1, 1, 300, 1)),),
            WIDE_WINDOW,
            "InvalidArgumentError",
            r"\[max_pool2d_argmax\].*0 to 255.*\(1, 300\)",
        ),
    ),
    large=Sample((Arg((128, 26, 26, 32)),), POOL_CALLS[0][1]),
)


def _positions(shape: tuple[int, ...], attrs: Mapping[str, Any]) -> np.ndarray:
    x = np.random.default_rng(0).random(shape)
    return np.asarray(ref.max_pool2d_argmax(x, **attrs)[1])


case(
    "max_pool2d_argmax_grad",
    ref.max_pool2d_argmax_grad,
    [
        Sample(
            (Arg(_pooled(shape, attrs)), Arg((), dtype="uint8", value=_positions(shape, attrs))),
            {"input_shape": shape, **attrs},
        )
        for shape, attrs in POOL_CALLS
    ],
    dtypes=WIDE,
    ulps=8,
    bound=lambda dy, argmax, **attrs: ref.max_pool2d_argmax_grad(np.abs(dy), argmax, **attrs),
    gradient=False,
)
case(
    "avg_pool2d_grad",
    ref.avg_pool2d_grad,
    [
        Sample((Arg(_pooled(shape, attrs)),), {"input_shape": shape, **attrs})
        for shape, attrs in POOL_CALLS
    ],
    dtypes=WIDE,
    ulps=8,
    bound=lambda dy, **attrs: ref.avg_pool2d_grad(np.abs(dy), **attrs),
)
