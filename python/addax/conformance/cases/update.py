"""Optimizers and fused loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import WIDE, Arg, Sample, case

SHAPES = ((3, 4), (5,), (), (1037,))


def _updates(slots: int, *scalars: Arg, **attrs: Any) -> Sample:
    groups = [Arg(shape, 0.01 if slot == 3 else -1, 1) for slot in range(slots) for shape in SHAPES]
    return Sample((*scalars, *groups), {"count": len(SHAPES), **attrs})


def _grouped(function: Callable[..., Any], scalars: int) -> Callable[..., Any]:
    def update(*args: np.ndarray, count: int, **attrs: Any) -> Any:
        rest = args[scalars:]
        groups = [rest[i : i + count] for i in range(0, len(rest), count)]
        return function(*(float(a) for a in args[:scalars]), *groups, **attrs)

    return update


RATE = Arg((), dtype="float32", value=np.array(0.01, np.float32))
STEP = Arg((), dtype="int64", value=np.array(3))
case(
    "sgd",
    _grouped(lambda lr, p, g, v=None, **a: ref.sgd(lr, p, g, v, **a), 1),
    [
        _updates(2, RATE),
        _updates(3, RATE, momentum=0.9),
        _updates(3, RATE, momentum=0.9, nesterov=True),
        _updates(2, RATE, weight_decay=0.5),
        _updates(3, RATE, momentum=0.9, nesterov=True, weight_decay=0.5),
    ],
    dtypes=WIDE,
    ulps=16,
    bound=lambda *args, **attrs: [2.0] * (len(SHAPES) * (2 if "momentum" in attrs else 1)),
    gradient=False,
)
case(
    "adam",
    _grouped(ref.adam, 2),
    [
        _updates(4, RATE, STEP),
        _updates(4, RATE, STEP, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
        _updates(4, RATE, STEP, weight_decay=0.5),
    ],
    dtypes=("float32",),
    ulps=16,
    bound=lambda *args, **attrs: [2.0] * (3 * len(SHAPES)),
    gradient=False,
    large=Sample((RATE, STEP, *(Arg((1024, 1024), 0.01, 1) for _ in range(4))), {"count": 1}),
)
FLOAT32_CODE = 7
case(
    "fused",
    lambda x, b, **attrs: [np.maximum(x + b, 0), np.maximum(x + b, 0).sum(-1)],
    [
        Sample(
            (Arg(shape), Arg(shape[-1:])),
            {
                "expr": "t = maximum(i0 + i1, 0); t, t", "shape": shape, "compute": "float32",
                "dtypes": (FLOAT32_CODE, FLOAT32_CODE), "reduce": "none,sum",
                "axes": (len(shape) - 1,),
            },
        )
        for shape in ((3, 5), (2, 3, 4), (7, 1031))
    ],
    dtypes=("float32",),
    ulps=32,
    bound=lambda x, b, **attrs: [np.abs(x) + np.abs(b), (np.abs(x) + np.abs(b)).sum(-1)],
    gradient=False,
)  # fmt: skip
