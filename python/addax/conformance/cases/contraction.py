"""Matrix products and convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import FLOATS, WIDE, Arg, Bad, Sample, calls, case


def _turn(x: np.ndarray, flag: bool) -> np.ndarray:
    return np.swapaxes(x, -1, -2) if flag else x


def _matmul(a, b, transpose_a=False, transpose_b=False):
    return _turn(a, transpose_a) @ _turn(b, transpose_b)


def _matmul_bound(a, b, transpose_a=False, transpose_b=False):
    return _matmul(np.abs(a), np.abs(b), transpose_a, transpose_b)


case(
    "matmul",
    _matmul,
    [
        calls((2, 3), (3, 4)),
        calls((3, 2), (3, 4), transpose_a=True),
        calls((2, 3), (4, 3), transpose_b=True),
        calls((3, 2), (4, 3), transpose_a=True, transpose_b=True),
        calls((5, 2, 3), (5, 3, 4)),
        calls((2, 1, 2, 3), (3, 3, 4)),
        calls((0, 3), (3, 4)),
        calls((2, 0), (0, 4)),
        calls((1, 1), (1, 1)),
        calls((32, 100), (100, 128)),
        calls((33, 67), (67, 129)),
    ],
    dtypes=(*FLOATS, "int32"),
    ulps=32,
    bound=_matmul_bound,
    bad=(
        Bad((Arg((2, 3)), Arg((4, 5))), {}, "ShapeError", r"\[matmul\].*\(2, 3\).*\(4, 5\)"),
        Bad((Arg((3,)), Arg((3, 5))), {}, "ShapeError", r"\[matmul\].*\(3,\)"),
    ),
    large=calls((1024, 1024), (1024, 1024)),
)
case(
    "matmul_epilogue",
    lambda a, b, bias, epilogue: np.maximum(a @ b + bias, 0),
    [
        Sample((Arg((5, 7)), Arg((7, 9)), Arg((9,))), {"epilogue": "maximum(i0 + i1, 0)"}),
        Sample((Arg((32, 84)), Arg((84, 128)), Arg((128,))), {"epilogue": "maximum(i0 + i1, 0)"}),
    ],
    dtypes=WIDE,
    ulps=32,
    bound=lambda a, b, bias, epilogue: np.abs(a) @ np.abs(b) + np.abs(bias),
    large=Sample(
        (Arg((32, 784)), Arg((784, 128)), Arg((128,))), {"epilogue": "maximum(i0 + i1, 0)"}
    ),
)

CONV_ATTRS: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 5, 6, 3), (3, 3, 3, 4), {}),
    ((1, 7, 7, 1), (3, 3, 1, 5), {"padding": (1, 1, 1, 1)}),
    ((2, 7, 6, 4), (3, 2, 4, 2), {"strides": (2, 2), "padding": (1, 0, 0, 1)}),
    ((1, 8, 8, 2), (3, 3, 2, 3), {"dilations": (2, 2)}),
    ((2, 5, 5, 4), (3, 3, 2, 6), {"groups": 2, "padding": (1, 1, 1, 1)}),
    ((3, 4, 4, 8), (1, 1, 8, 16), {}),
    ((2, 6, 6, 3), (3, 3, 1, 6), {"groups": 3}),
    ((2, 5, 6, 20), (3, 3, 4, 20), {"groups": 5, "padding": (1, 1, 1, 1)}),
    ((17, 4, 4, 16), (3, 3, 8, 16), {"groups": 2, "strides": (2, 1)}),
    ((1, 1, 1, 1), (1, 1, 1, 1), {}),
)


def _conv_output(x: tuple[int, ...], w: tuple[int, ...], attrs: Mapping[str, Any]):
    return ref.conv2d(np.zeros(x), np.zeros(w), **attrs).shape


case(
    "conv2d",
    ref.conv2d,
    [Sample((Arg(x), Arg(w)), attrs) for x, w, attrs in CONV_ATTRS],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda x, w, **attrs: ref.conv2d(np.abs(x), np.abs(w), **attrs),
    bad=(
        Bad((Arg((1, 5, 5, 3)), Arg((3, 3, 4, 2))), {}, "ShapeError", r"\[conv2d\].*3.*4"),
        Bad((Arg((1, 2, 2, 3)), Arg((3, 3, 3, 2))), {}, "ShapeError", r"\[conv2d\]"),
        Bad((Arg((5, 5, 3)), Arg((3, 3, 3, 2))), {}, "ShapeError", r"\[conv2d\].*\(5, 5, 3\)"),
        Bad((Arg((1, 5, 5, 3)), Arg((3, 3, 3, 2))), {"strides": (0, 1)}, "AddaxError", "conv2d"),
    ),
    large=calls((128, 13, 13, 32), (3, 3, 32, 64)),
)
case(
    "conv2d_input_grad",
    ref.conv2d_input_grad,
    [
        Sample((Arg(_conv_output(x, w, attrs)), Arg(w)), {"input_shape": x, **attrs})
        for x, w, attrs in CONV_ATTRS
    ],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda dy, w, **attrs: ref.conv2d_input_grad(np.abs(dy), np.abs(w), **attrs),
    large=Sample((Arg((128, 11, 11, 64)), Arg((3, 3, 32, 64))), {"input_shape": (128, 13, 13, 32)}),
)
case(
    "conv2d_filter_grad",
    ref.conv2d_filter_grad,
    [
        Sample((Arg(x), Arg(_conv_output(x, w, attrs))), {"filter_shape": w, **attrs})
        for x, w, attrs in CONV_ATTRS
    ],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda x, dy, **attrs: ref.conv2d_filter_grad(np.abs(x), np.abs(dy), **attrs),
    large=Sample(
        (Arg((128, 13, 13, 32)), Arg((128, 11, 11, 64))), {"filter_shape": (3, 3, 32, 64)}
    ),
)
case(
    "conv2d_input_grad_epilogue",
    lambda dy, w, residual, mask, epilogue, **attrs: np.where(
        mask > 0, ref.conv2d_input_grad(dy, w, **attrs) + residual, 0
    ),
    [
        Sample(
            (Arg(_conv_output(x, w, attrs)), Arg(w), Arg(x), Arg(x)),
            {"input_shape": x, "epilogue": "where(i2 > 0, i0 + i1, 0)", **attrs},
        )
        for x, w, attrs in CONV_ATTRS
    ],
    dtypes=WIDE,
    ulps=32,
    bound=lambda dy, w, residual, mask, epilogue, **attrs: (
        ref.conv2d_input_grad(np.abs(dy), np.abs(w), **attrs) + np.abs(residual)
    ),
    large=Sample(
        (Arg((128, 11, 11, 64)), Arg((3, 3, 32, 64)), *2 * [Arg((128, 13, 13, 32))]),
        {"input_shape": (128, 13, 13, 32), "epilogue": "where(i2 > 0, i0 + i1, 0)"},
    ),
)
case(
    "conv2d_epilogue",
    lambda x, w, bias, epilogue: np.maximum(ref.conv2d(x, w) + bias, 0),
    [
        Sample((Arg(x), Arg(w), Arg(w[-1:])), {"epilogue": "maximum(i0 + i1, 0)"})
        for x, w in (((2, 5, 6, 3), (3, 3, 3, 4)), ((4, 9, 9, 1), (3, 3, 1, 32)))
    ],
    dtypes=FLOATS,
    ulps=32,
    bound=lambda x, w, bias, epilogue: ref.conv2d(np.abs(x), np.abs(w)) + np.abs(bias),
    large=Sample(
        (Arg((128, 28, 28, 1)), Arg((3, 3, 1, 32)), Arg((32,))),
        {"epilogue": "maximum(i0 + i1, 0)"},
    ),
)
