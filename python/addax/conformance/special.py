"""Values that the op table's random numbers never are: NaN, infinities, ties, equal elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, nan
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import ArrayLike

from addax import _core


@dataclass(frozen=True)
class Special:
    """A call in any floating dtype, and its exact result."""

    op: str
    inputs: tuple[ArrayLike, ...]
    wanted: ArrayLike
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def attempt(self, dtype: str) -> str:
        """Return what is wrong with the device's result, or ''."""
        target = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
        tensors = [_core.tensor(np.array(x, np.float64).astype(target)) for x in self.inputs]
        result = np.asarray(_core.apply(self.op, tensors, dict(self.attrs)))
        got, wanted = result.astype(np.float64), np.asarray(self.wanted, np.float64)
        if np.array_equal(got, wanted, equal_nan=True):
            return ""
        inputs = " and ".join(map(str, self.inputs))
        return f"of {inputs} it is {got.tolist()} instead of {wanted.tolist()}"


def _pairs(op: str, wanted: ArrayLike) -> Special:
    return Special(op, ([nan, 1, inf, -inf, 2], [1, nan, 3, 3, 2]), wanted)


def _reduced(op: str, wanted: float) -> Special:
    return Special(op, ([1, nan, 3],), wanted, {"axes": [0]})


SPECIALS = [
    _pairs("maximum", [nan, nan, inf, 3, 2]),
    _pairs("minimum", [nan, nan, 3, -inf, 2]),
    _pairs("equal", [0, 0, 0, 0, 1]),
    _pairs("not_equal", [1, 1, 1, 1, 0]),
    _pairs("less", [0, 0, 0, 1, 0]),
    _pairs("less_equal", [0, 0, 0, 1, 1]),
    _pairs("greater", [0, 0, 1, 0, 0]),
    _pairs("greater_equal", [0, 0, 1, 0, 1]),
    _reduced("max", nan),
    _reduced("min", nan),
    _reduced("sum", nan),
    Special("argmax", ([1, nan, 3, nan],), 1, {"axis": 0}),
    Special("argmin", ([1, nan, 3, nan],), 1, {"axis": 0}),
    Special("argmax", ([1, 3, 2, 3],), 1, {"axis": 0}),
    Special("argmin", ([3, 1, 2, 1],), 1, {"axis": 0}),
    Special("isnan", ([nan, inf, -inf, 0],), [1, 0, 0, 0]),
    Special("isinf", ([nan, inf, -inf, 0],), [0, 1, 1, 0]),
    Special("isfinite", ([nan, inf, -inf, 0],), [0, 0, 0, 1]),
    Special("relu", ([nan, inf, -inf],), [nan, inf, 0]),
    Special("sign", ([nan, inf, -inf, 0],), [nan, 1, -1, 0]),
    Special("clip", ([nan, inf, -inf],), [nan, 1, -1], {"x_min": -1.0, "x_max": 1.0}),
    Special("round", ([0.5, 1.5, 2.5, -1.5],), [0, 2, 2, -2]),
    Special("floor", ([-0.5, 2, inf],), [-1, 2, inf]),
    Special("ceil", ([-1.5, 2, inf],), [-1, 2, inf]),
    Special("floor_divide", ([7, -7, 7, -7], [2, 2, -2, -2]), [3, -4, -4, 3]),
    Special("mod", ([7, -7, 7, -7], [2, 2, -2, -2]), [1, 1, -1, -1]),
    Special("divide", ([1, -1, 0, 1], [0, 0, 0, inf]), [inf, -inf, nan, 0]),
    Special("multiply", ([inf, inf], [-1, 0]), [-inf, nan]),
    Special("add", ([inf, inf], [1, -inf]), [inf, nan]),
    Special("exp", ([inf, -inf, nan, 0],), [inf, 0, nan, 1]),
    Special("log", ([0, -1, inf, 1],), [-inf, nan, inf, 0]),
    Special("sqrt", ([0, -1, inf, 4],), [0, nan, inf, 2]),
    Special("where", ([1, 0, nan], [1, 2, 3], [nan, inf, 5]), [1, inf, 3]),
    Special("cast", ([1.75, -1.75, 0.5, -2.5],), [1, -1, 0, -2], {"dtype": "int32"}),
    Special("cast", ([0, 0.5, nan, -inf],), [0, 1, 1, 1], {"dtype": "bool"}),
    Special("cast", ([nan, inf, -inf, 0.5],), [nan, inf, -inf, 0.5], {"dtype": "float32"}),
]
# To the nearest that can be had, of two the even one.
NARROWED = [
    Special("cast", ([1 + 2**-11, 1 + 3 * 2**-11, 65520.0],), [1, 1 + 2**-9, inf],
            {"dtype": "float16"}),
    Special("cast", ([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-16],), [1, 1 + 2**-6, 1 + 2**-7],
            {"dtype": "bfloat16"}),
]  # fmt: skip
