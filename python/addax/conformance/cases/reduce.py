"""Reductions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import ALL, FLOATS, NUMBERS, Arg, Bad, Sample, case

REDUCE_CALLS = (
    ((3, 5), None, False), ((3, 5), (0,), False), ((3, 5), (-1,), True), ((2, 3, 4), (0, 2), False),
    ((2, 3, 4), (1,), True), ((), None, False), ((1,), (0,), False), ((257, 3), (0,), False),
    ((3, 1031), (1,), False), ((2, 3, 4, 5), (1, 2), False),
)  # fmt: skip


def reduction(name: str, reference: Callable[..., Any], dtypes: tuple[str, ...],
              low: float = -2.0, high: float = 2.0, **more: Any) -> None:  # fmt: skip
    distinct = more.pop("distinct", False)
    samples = [
        Sample((Arg(shape, low, high, distinct=distinct),), {"axes": axes, "keepdims": keep})
        for shape, axes, keep in REDUCE_CALLS
        if name != "prod" or math.prod(shape) < 100
    ]
    bad = (
        Bad((Arg((2, 3)),), {"axes": [2]}, "AddaxError", rf"\[{name}\].*2"),
        Bad((Arg((2, 3)),), {"axes": [0, -2]}, "AddaxError", rf"\[{name}\]"),
    )
    large = Sample((Arg((4096, 1024), low, high),), {"axes": [1], "keepdims": False})
    case(name, reference, samples, dtypes=dtypes, bad=bad, large=large, **more)


def _over(function: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    def reduce(x: np.ndarray, axes: Sequence[int] | None, keepdims: bool) -> Any:
        axis = None if axes is None else tuple(axes)
        return function(x, axis=axis, keepdims=keepdims, **more)

    return reduce


def _magnitude(x: np.ndarray, axes: Sequence[int] | None, keepdims: bool) -> Any:
    return np.abs(x).sum(axis=None if axes is None else tuple(axes), keepdims=keepdims)


reduction("sum", _over(np.sum), ALL, ulps=16, bound=_magnitude)
reduction("prod", _over(np.prod), (*FLOATS, "int32"), 0.5, 1.5, ulps=64)


def _prod_grad_call(shape: tuple[int, ...], axes: Sequence[int] | None, **x: Any) -> Sample:
    reduced = np.zeros(shape).sum(axis=None if axes is None else tuple(axes), keepdims=True).shape
    return Sample((Arg(shape, 0.5, 1.5, **x), Arg(reduced)), {"axes": axes})


case(
    "prod_grad",
    ref.prod_grad,
    [
        *(_prod_grad_call(s, axes) for s, axes, _ in REDUCE_CALLS if math.prod(s) < 100),
        _prod_grad_call((4, 3), (1,), value=np.array([[1, 2, 3], [0, 2, 3], [0, 0, 3], [0, 0, 0]])),
    ],
    dtypes=FLOATS,
    ulps=64,
    bad=(Bad((Arg((2, 3)), Arg((2, 3))), {"axes": [1]}, "ShapeError", r"\[prod_grad\].*\(2, 1\)"),),
)
reduction("max", _over(np.max), NUMBERS, distinct=True)
reduction("min", _over(np.min), NUMBERS, distinct=True)
reduction("any", _over(np.any), ("bool",), 0, 2, gradient=False)
reduction("all", _over(np.all), ("bool",), 0, 2, gradient=False)
reduction("mean", _over(np.mean), FLOATS, ulps=16, bound=_over(lambda x, **k: np.abs(x).mean(**k)))
reduction("var", _over(np.var), FLOATS, ulps=32, bound=lambda x, axes, keepdims: 4.0)
reduction("std", _over(np.std), FLOATS, ulps=32, bound=lambda x, axes, keepdims: 4.0,
          gradient=False)  # fmt: skip
reduction(
    "logsumexp",
    lambda x, axes, keepdims: ref.logsumexp(
        x, tuple(range(x.ndim)) if axes is None else tuple(axes), keepdims
    ),
    FLOATS, ulps=16, bound=lambda x, axes, keepdims: 8.0,
)  # fmt: skip
for _name, _reference in (("argmax", np.argmax), ("argmin", np.argmin)):
    case(
        _name,
        lambda x, axis, keepdims, f=_reference: f(x, axis=axis, keepdims=keepdims),
        [
            Sample((Arg(shape, 0, 4),), {"axis": axis, "keepdims": keep})
            for shape, axis, keep in (((3, 5), -1, False), ((3, 5), 0, True), ((2, 3, 4), 1, False),
                                      ((7,), 0, False), ((5, 1033), 1, False))
        ],
        dtypes=NUMBERS,
        gradient=False,
        bad=(Bad((Arg((0,)),), {"axis": 0}, "ShapeError", rf"\[{_name}\]"),),
        large=Sample((Arg((4096, 1024)),), {"axis": -1}),
    )  # fmt: skip
