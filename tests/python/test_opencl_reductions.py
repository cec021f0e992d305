"""Reductions, gathers and optimizers of the OpenCL device at sizes that its work is cut at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import addax as ax
from addax import _core

DEVICE = "opencl:0"

pytestmark = pytest.mark.skipif(
    not any(device.name == DEVICE for device in ax.devices()),
    reason="NO OPENCL DEVICE, NOTHING OF IT IS TESTED",
)

# One result and many, an odd extent and one of whole vectors, less than a work-group and several
# splits of the reduced axis, along rows and along columns.
REDUCTIONS: list[tuple[tuple[int, ...], list[int]]] = [
    ((1,), [0]),
    ((127,), [0]),
    ((100_003,), [0]),
    ((262_144,), [0]),
    ((2, 50_000), [1]),
    ((3001, 10), [1]),
    ((1009, 25), [1]),
    ((5, 0), [0]),
    ((0, 5), [0]),
    ((32, 128), [0]),
    ((20_000, 16), [0]),
    ((10_007, 3), [0]),
    ((7, 4001), [0]),
    ((3, 997, 24), [1]),
    ((64, 33, 40), [0, 2]),
    ((17, 9, 5, 8), [0, 1, 2]),
    ((17, 9, 5, 8), [1, 3]),
]


def on_device(op: str, arrays: list[Any], attrs: dict[str, Any]) -> Any:
    """The op's first result."""
    with ax.device(DEVICE):
        result = _core.apply(op, [_core.tensor(array) for array in arrays], attrs)
        return np.asarray(result[0] if isinstance(result, (list, tuple)) else result)


@pytest.mark.parametrize(("shape", "axes"), REDUCTIONS)
def test_sums_and_maxima(shape: tuple[int, ...], axes: list[int]) -> None:
    """Integers in float32 add up exactly, in whatever order."""
    x = np.random.default_rng(1).integers(-9, 10, shape).astype(np.float32)
    axis = tuple(axes)
    np.testing.assert_array_equal(on_device("sum", [x], {"axes": axes}), x.sum(axis))
    if 0 not in [shape[a] for a in axes]:
        np.testing.assert_array_equal(on_device("max", [x], {"axes": axes}), x.max(axis))


def test_a_sum_is_the_same_every_time() -> None:
    x = np.random.default_rng(2).standard_normal(200_000).astype(np.float32)
    first = on_device("sum", [x], {"axes": [0]})
    for _ in range(3):
        assert on_device("sum", [x], {"axes": [0]}).tobytes() == first.tobytes()


def test_a_mean_and_a_variance_of_each_channel() -> None:
    """Folded together with what they are made of: broadcast inputs, several outputs."""
    x = np.random.default_rng(3).standard_normal((4001, 6)).astype(np.float32)
    with ax.device(DEVICE):

        @ax.function
        def spread(values: Any) -> Any:
            mean = ax.ops.mean(values, axis=0)
            return mean, ax.ops.mean(ax.ops.square(values - mean), axis=0)

        mean, variance = spread(_core.tensor(x))
    wide = x.astype(np.float64)
    np.testing.assert_allclose(np.asarray(mean), wide.mean(0), atol=1e-6)
    np.testing.assert_allclose(np.asarray(variance), wide.var(0), rtol=1e-5)


@pytest.mark.parametrize(
    ("count", "rows", "inner"),
    [(0, 5, 3), (1, 1, 1), (3, 1000, 7), (2048, 5, 16), (4099, 257, 1), (10, 4_200_000, 1)],
)
def test_scatter_add_keeps_the_order_of_the_indices(count: int, rows: int, inner: int) -> None:
    """To the bit what adding them one by one gives."""
    rng = np.random.default_rng(4)
    indices = rng.integers(0, rows, count)
    x = rng.standard_normal((count, inner)).astype(np.float32)
    expected = np.zeros((rows, inner), np.float32)
    np.add.at(expected, indices, x)
    got = on_device("scatter_add", [indices, x], {"axis": 0, "shape": [rows, inner]})
    np.testing.assert_array_equal(got, expected)


SIZES = (1, 7, 8, 129, 2048, 5003)


@pytest.mark.parametrize("count", [len(SIZES), 1])
def test_adam_steps_parameters_of_any_size(count: int) -> None:
    rng = np.random.default_rng(5)
    shapes = SIZES[-count:]
    p, g, m = ([rng.standard_normal(n).astype(np.float32) for n in shapes] for _ in range(3))
    v = [rng.random(n).astype(np.float32) for n in shapes]
    attrs = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "weight_decay": 0.01, "count": count}
    arrays = [np.float32(1e-2), np.int64(4), *p, *g, *m, *v]
    results = []
    for device in ("cpu", DEVICE):
        with ax.device(device):
            tensors = _core.apply("adam", [_core.tensor(a) for a in arrays], attrs)
            results.append([np.asarray(tensor) for tensor in tensors])
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-7)
