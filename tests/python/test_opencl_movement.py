"""What OpenCL's device moves and does not compute: to the bit, in shapes around its groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_opencl import DEVICE, missing

import addax as ax
from addax import _core

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")


def moved(op: str, x: np.ndarray, **attrs: Any) -> np.ndarray:
    with ax.device(DEVICE):
        return np.asarray(_core.apply(op, [_core.tensor(x)], attrs))


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64])
@pytest.mark.parametrize(
    ("shape", "permutation"),
    [
        ((129, 33), (1, 0)),
        ((3, 1030), (1, 0)),
        ((1030, 3), (1, 0)),
        ((5, 40, 24), (0, 2, 1)),
        ((17, 3, 2, 5), (3, 1, 0, 2)),
        ((3, 5, 2, 4, 3, 2), (5, 0, 3, 1, 4, 2)),
        ((2, 3, 2, 2, 3, 2, 2, 3), (7, 5, 3, 1, 6, 4, 2, 0)),
    ],
)
def test_transpose(shape: tuple[int, ...], permutation: tuple[int, ...], dtype: Any) -> None:
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    np.testing.assert_array_equal(
        moved("transpose", x, permutation=permutation), x.transpose(permutation)
    )


@pytest.mark.parametrize(
    "cut",
    [
        np.s_[:, 1:6, 2:9, :],
        np.s_[1:4:2, ::3, 1::4, ::2],
        np.s_[:, :, :, 2:3],
        np.s_[2:3, 3:7, 5:6, 1:],
    ],
)
def test_slice(cut: tuple[slice, ...]) -> None:
    x = np.arange(5 * 7 * 11 * 3, dtype=np.float32).reshape(5, 7, 11, 3)
    begin, end, strides = zip(
        *(c.indices(n) for c, n in zip(cut, x.shape, strict=True)), strict=True
    )
    np.testing.assert_array_equal(moved("slice", x, begin=begin, end=end, strides=strides), x[cut])


@pytest.mark.parametrize("axes", [(0,), (2,), (0, 2), (0, 1, 2)])
def test_flip(axes: tuple[int, ...]) -> None:
    x = np.arange(6 * 9 * 130, dtype=np.float32).reshape(6, 9, 130)
    np.testing.assert_array_equal(moved("flip", x, axes=axes), np.flip(x, axes))
