"""DLPack: memory shared with other libraries in both directions."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from addax import _core
from addax.errors import DeviceError, DTypeError, InvalidArgumentError


class Legacy:
    """An exporter from before version 1 of the protocol."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, stream: object = None) -> Any:
        return self.array.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


class Elsewhere(Legacy):
    """An exporter whose memory is on some GPU."""

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)


@pytest.mark.parametrize(
    "dtype", [np.bool_, np.uint8, np.int8, np.int32, np.int64, np.float16, np.float32, np.float64]
)
def test_both_ways_without_a_copy(dtype: Any) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    tensor = _core.from_dlpack(array)
    assert np.shares_memory(tensor.numpy(), array)
    back = np.from_dlpack(tensor)
    assert np.shares_memory(back, array)
    np.testing.assert_array_equal(back, array)
    assert not back.flags.writeable


@pytest.mark.parametrize("exporter", [Legacy, lambda a: a, lambda a: a.__dlpack__()])
def test_every_kind_of_capsule(exporter: Any) -> None:
    array = np.arange(4.0)
    tensor = _core.from_dlpack(exporter(array))
    assert np.shares_memory(tensor.numpy(), array)
    assert tensor.tolist() == [0, 1, 2, 3]


def test_exported_capsules() -> None:
    tensor = _core.tensor([1.0, 2.0])
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    assert name(tensor.__dlpack__()) == b"dltensor"
    assert name(tensor.__dlpack__(max_version=(1, 0))) == b"dltensor_versioned"
    assert name(tensor.__dlpack__(max_version=(0, 8))) == b"dltensor"
    assert tensor.__dlpack_device__() == (1, 0)


def test_copies_on_request() -> None:
    tensor = _core.tensor([1.0, 2.0])
    copied = np.from_dlpack(tensor, copy=True)
    assert not np.shares_memory(copied, tensor.numpy())
    assert copied.flags.writeable
    copied[0] = 5
    assert tensor.tolist() == [1, 2]


def test_a_write_to_a_variable_leaves_exports_alone() -> None:
    v = _core.Variable([1.0, 2.0])
    exported = np.from_dlpack(v.value)
    v.assign([3, 4])
    assert exported.tolist() == [1, 2]


def test_lifetimes() -> None:
    array = np.arange(1000.0)
    alive = weakref.ref(array)
    tensor = _core.from_dlpack(array)
    del array
    gc.collect()
    assert alive() is not None and tensor.sum().item() == 499500
    del tensor
    gc.collect()
    assert alive() is None

    tensor = _core.tensor(np.arange(1000.0))
    exported = np.from_dlpack(tensor)
    del tensor
    other = [_core.tensor(np.zeros(1000)) for _ in range(10)]
    assert exported.sum() == 499500 and len(other) == 10


def test_unused_capsules_free_their_tensor() -> None:
    tensor = _core.tensor(np.zeros(1 << 16))
    for version in (None, (1, 0)):
        capsule = tensor.__dlpack__(max_version=version, copy=True)
        before = _core.memory_info()["bytes_in_use"]
        del capsule
        assert _core.memory_info()["bytes_in_use"] < before


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).T,
        np.arange(24.0)[::-1],
        np.arange(24.0).reshape(4, 6)[1::2, ::3],
        np.zeros((0, 3)),
        np.array(3.0),
        np.broadcast_to(np.array([1.0, 2.0]), (3, 2)),
    ],
)
def test_any_layout(array: np.ndarray) -> None:
    tensor = _core.from_dlpack(Legacy(array) if array.flags.writeable else array)
    assert tensor.shape == array.shape
    np.testing.assert_array_equal(tensor.numpy(), array)


def test_bfloat16_by_array() -> None:
    array = np.array([1.5, 2.0], ml_dtypes.bfloat16)
    assert _core.tensor(array).dtype == "bfloat16"
    capsule = _core.tensor(array).__dlpack__(max_version=(1, 0))
    assert _core.from_dlpack(capsule).tolist() == [1.5, 2.0]


def test_refusals() -> None:
    with pytest.raises(DTypeError, match="code 5 with 128 bits"):
        _core.from_dlpack(np.zeros(2, complex))
    with pytest.raises(DTypeError, match="16 bits"):
        _core.from_dlpack(np.zeros(2, np.int16))
    with pytest.raises(DeviceError, match="type 2"):
        _core.from_dlpack(Elsewhere(np.zeros(2)))
    capsule = np.zeros(2).__dlpack__()
    _core.from_dlpack(capsule)
    with pytest.raises(InvalidArgumentError, match="not used yet"):
        _core.from_dlpack(capsule)
    with pytest.raises(AttributeError):
        _core.from_dlpack(3)


def test_ops_take_exporters() -> None:
    class Exporter(Legacy):
        pass

    assert _core.ops.add(Exporter(np.ones(2, np.float32)), 1).tolist() == [2, 2]
    assert _core.tensor(Exporter(np.ones(2)), dtype="float32").dtype == "float32"
