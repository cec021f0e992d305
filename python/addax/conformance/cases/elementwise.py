"""Elementwise ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from addax.conformance.cases.case import ALL, FLOATS, NUMBERS, Arg, Bad, Sample, calls, case

UNARY_SHAPES = ((3, 5), (), (1,), (0, 4), (2, 3, 4), (1031,))
BINARY_SHAPES = (
    ((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3)), ((0, 3), (3,)),
    ((2, 1, 3), (1, 4, 1)), ((1,), (1,)), ((2, 515), (515,)), ((5, 7, 1), (5, 7, 6)),
)  # fmt: skip


def unary(name: str, reference: Callable[..., Any], dtypes: tuple[str, ...] = FLOATS,
          low: float = -2.0, high: float = 2.0, **more: Any) -> None:  # fmt: skip
    attrs = more.pop("attrs", {})
    samples = [Sample((Arg(shape, low, high),), attrs) for shape in UNARY_SHAPES]
    large = Sample((Arg((4096, 1024), low, high),), attrs)
    case(name, reference, samples, dtypes=dtypes, large=large, **more)


def binary(name: str, reference: Callable[..., Any], dtypes: tuple[str, ...] = NUMBERS,
           low: float = -2.0, high: float = 2.0, **more: Any) -> None:  # fmt: skip
    samples = [calls(*shapes, low=low, high=high) for shapes in BINARY_SHAPES]
    bad = (Bad((Arg((2, 3)), Arg((4,))), {}, "ShapeError", rf"\[{name}\].*\(2, 3\).*\(4,\)"),)
    large = calls((4096, 1024), (4096, 1024), low=low, high=high)
    case(name, reference, samples, dtypes=dtypes, large=large, bad=bad, **more)


binary("add", np.add, bound=lambda a, b: np.abs(a) + np.abs(b))
binary("subtract", np.subtract, bound=lambda a, b: np.abs(a) + np.abs(b))
binary("multiply", np.multiply)
binary("divide", np.divide, FLOATS, 0.5, 2.0)
binary("floor_divide", np.floor_divide, low=1.0, high=9.0, gradient=False)
binary("mod", np.mod, low=1.0, high=9.0, gradient=False)
binary("power", np.power, FLOATS, 0.3, 2.0, ulps=16)
binary("maximum", np.maximum)
binary("minimum", np.minimum)
binary("arctan2", np.arctan2, FLOATS, 0.5, 2.0)
for _name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    binary(_name, getattr(np, _name), ALL, gradient=False)
for _name in ("logical_and", "logical_or", "logical_xor"):
    binary(_name, getattr(np, _name), ("bool",), gradient=False)

unary("negative", np.negative, (*FLOATS, "int8", "int32", "int64"))
unary("abs", np.abs, (*FLOATS, "int8", "int32", "int64"))
unary("sign", np.sign, (*FLOATS, "int8", "int32", "int64"))
unary("square", np.square, NUMBERS)
unary("reciprocal", lambda x: 1 / x, low=0.5)
unary("exp", np.exp)
unary("expm1", np.expm1)
unary("log", np.log, low=0.1, bound=lambda x: np.abs(np.log(x)) + 1)
unary("log1p", np.log1p, low=-0.5)
unary("sqrt", np.sqrt, low=0.1)
unary("rsqrt", lambda x: 1 / np.sqrt(x), low=0.1)
unary("sin", np.sin, bound=lambda x: np.ones_like(x))
unary("cos", np.cos, bound=lambda x: np.ones_like(x))
unary("tan", np.tan, low=-1.2, high=1.2, ulps=8)
unary("tanh", np.tanh)
unary("arctan", np.arctan)
unary("erf", np.vectorize(math.erf, otypes=[float]))
for _name, _reference in (("floor", np.floor), ("ceil", np.ceil), ("round", np.round)):
    unary(_name, _reference, gradient=False)
for _name in ("isnan", "isfinite", "isinf"):
    unary(_name, getattr(np, _name), gradient=False)
unary("logical_not", np.logical_not, ("bool",), gradient=False)
unary("stop_gradient", lambda x: x, ALL, gradient=False)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _phi(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def _gelu_tanh(x: np.ndarray, approximate: bool = True) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

unary("sigmoid", _sigmoid, ulps=8)
unary("relu", lambda x: np.maximum(x, 0), (*FLOATS, "int32"))
unary("relu6", lambda x: np.clip(x, 0, 6), low=-3, high=9)
unary("leaky_relu", lambda x, negative_slope: np.where(x >= 0, x, negative_slope * x),
      attrs={"negative_slope": 0.2})  # fmt: skip
unary("elu", _elu, ulps=8, attrs={"alpha": 1.0})
unary("selu", lambda x: SELU_SCALE * _elu(x, SELU_ALPHA), ulps=8)
unary("gelu", _gelu_tanh, bound=lambda x, approximate: np.abs(x) + 1, ulps=8,
      attrs={"approximate": True})  # fmt: skip
unary("softplus", lambda x: np.logaddexp(x, 0), ulps=8)
unary("silu", lambda x: x * _sigmoid(x), ulps=8)
unary("softsign", lambda x: x / (1 + np.abs(x)))
unary("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), low=-4, high=4, ulps=8,
      bound=lambda x: np.ones_like(x))  # fmt: skip
unary("clip", lambda x, x_min, x_max: np.clip(x, x_min, x_max), (*FLOATS, "int32"),
      attrs={"x_min": -1.0, "x_max": 1.0})  # fmt: skip
case(
    "where",
    lambda c, a, b: np.where(c, a, b),
    [
        Sample((Arg(c, 0, 2, "bool"), Arg(a), Arg(b)))
        for c, a, b in (((3, 4), (3, 4), (3, 4)), ((4,), (3, 1), ()), ((0,), (0,), (1,)))
    ],
    dtypes=ALL,
    bad=(Bad((Arg((2,), dtype="bool"), Arg((3,)), Arg((3,))), {}, "ShapeError", r"\[where\]"),),
)
case(
    "cast",
    lambda x, dtype: x,
    [Sample((Arg((3, 5)),), {"dtype": d}) for d in ("float32", "float64")],
    dtypes=FLOATS,
    bad=(Bad((Arg((2,)),), {"dtype": "complex64"}, "AddaxError", "complex64"),),
)
