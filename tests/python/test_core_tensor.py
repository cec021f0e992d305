"""Tensors: from and to NumPy, operators, indexing, conversions."""

from __future__ import annotations

import copy
import operator
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from addax import _core
from addax.errors import (
    DTypeError,
    InvalidArgumentError,
    OutOfRangeError,
    ShapeError,
    UnsupportedError,
)

DTYPES = [np.bool_, np.uint8, np.int8, np.int32, np.int64, np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", [*DTYPES, ml_dtypes.bfloat16])
def test_numpy_round_trip(dtype: Any) -> None:
    array = np.arange(-3, 9).reshape(3, 4).astype(dtype)
    tensor = _core.tensor(array)
    assert tensor.dtype == np.dtype(dtype).name
    assert tensor.shape == (3, 4)
    assert (tensor.ndim, tensor.size, tensor.nbytes) == (2, 12, array.nbytes)
    np.testing.assert_array_equal(tensor.numpy(), array)
    assert tensor.numpy().dtype == array.dtype


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).T,
        np.arange(24.0).reshape(2, 3, 4)[:, ::-2, 1::2],
        np.broadcast_to(np.float32(3), (4, 5)),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros((3, 0, 2)),
        np.array(5.0),
    ],
)
def test_arrays_of_any_layout_are_copied_right(array: np.ndarray) -> None:
    for made in (_core.tensor(array), _core.share(array)):
        assert made.shape == array.shape
        np.testing.assert_array_equal(made.numpy(), array)


def test_tensor_copies_and_share_does_not() -> None:
    array = np.zeros(8, np.float32)
    copied, shared = _core.tensor(array), _core.share(array)
    array[:] = 1
    assert copied.numpy().sum() == 0
    assert shared.numpy().sum() == 8


def test_share_keeps_the_array_alive() -> None:
    array = np.full(1000, 7.0)
    references = sys.getrefcount(array)
    tensor = _core.share(array)
    assert sys.getrefcount(array) == references + 1
    del tensor
    for _ in range(1000):  # the interpreter drops it soon after
        if sys.getrefcount(array) == references:
            break
    assert sys.getrefcount(array) == references


def test_numpy_is_a_read_only_view() -> None:
    tensor = _core.tensor([1.0, 2.0])
    view = tensor.numpy()
    assert np.shares_memory(view, tensor.numpy())
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 5
    del tensor
    np.testing.assert_array_equal(view, [1, 2])  # outlives the tensor
    assert np.array(_core.tensor([1.0])).flags.writeable


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "int32"),
        (1.5, "float32"),
        (True, "bool"),
        (2**40, "int64"),
        ([1, 2], "int32"),
        ([1, 2**40], "int64"),
        ([[1.0], [2.0]], "float32"),
        ([True], "bool"),
        ([], "float32"),
        ((1, 2.5), "float32"),
        (np.float64(2), "float32"),  # a Python float
        (np.int64(2), "int64"),
        (np.float16(2), "float16"),
        (np.array([1.0]), "float64"),
    ],
)
def test_default_dtypes(data: Any, dtype: str) -> None:
    tensor = _core.tensor(data)
    assert tensor.dtype == dtype
    np.testing.assert_array_equal(tensor.numpy(), np.asarray(data))


@pytest.mark.parametrize("dtype", ["float16", np.float16, np.dtype("float16"), "f16"])
def test_dtype_argument(dtype: Any) -> None:
    assert _core.tensor([1, 2], dtype=dtype).dtype == "float16"
    assert _core.tensor([1.0]).astype(dtype).dtype == "float16"


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(2, np.complex64), ["complex64", "real"]),
        (np.zeros(2, np.uint16), ["uint16", "astype('int32')"]),
        (np.zeros(2, np.uint32), ["uint32", "astype('int64')"]),
        (np.zeros(2, np.uint64), ["uint64", "astype('int64')"]),
        (np.zeros(2, np.int16), ["int16", "astype('int32')"]),
        (np.zeros(2, np.longdouble), ["float128", "astype('float64')"]),
        (np.zeros(2, ">f4"), [">f4", "byte order", "astype('float32')"]),
        (np.zeros(2, ">i8"), [">i8", "byte order"]),
        (np.array(["cat"]), ["<U3", "numbers"]),
        (np.array([b"cat"]), ["|S3"]),
        (np.array([None]), ["object"]),
        (np.zeros(1, "M8[s]"), ["datetime64"]),
        (np.zeros(1, [("x", "f4")]), ["x"]),
    ],
)
def test_unsupported_dtypes_are_named(array: np.ndarray, words: list[str]) -> None:
    with pytest.raises(DTypeError) as caught:
        _core.tensor(array)
    assert isinstance(caught.value, TypeError)
    for word in words:
        assert word in str(caught.value)


def test_conversion_on_request() -> None:
    array = np.array([1, 2], np.uint16)
    assert _core.tensor(array, dtype="int32").tolist() == [1, 2]
    with pytest.raises(DTypeError, match="complex"):
        _core.tensor(np.zeros(1, complex), dtype="float32")


def test_bad_data() -> None:
    with pytest.raises(ShapeError, match="ragged"):
        _core.tensor([[1], [1, 2]])
    with pytest.raises(ShapeError, match="at most 8"):
        _core.tensor(np.zeros((1,) * 9))
    with pytest.raises(DTypeError, match="'float31' names no dtype"):
        _core.tensor([1], dtype="float31")
    with pytest.raises(InvalidArgumentError, match="cpu"):
        _core.tensor([1], device="cpuu")
    with pytest.raises(OutOfRangeError, match="64 bits"):
        _core.tensor(2**70)


BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
def test_operators_agree_with_numpy(function: Callable[[Any, Any], Any]) -> None:
    x = np.array([[1.5, 2.0, 3.25], [4.0, 5.5, 0.75]], np.float32)
    y = np.array([2.0, 3.0, 0.5], np.float32)
    want = function(x, y)
    for a, b in [(_core.tensor(x), _core.tensor(y)), (x, _core.tensor(y)), (_core.tensor(x), y)]:
        result = function(a, b)
        assert isinstance(result, _core.Tensor)
        assert result.dtype == want.dtype.name
        np.testing.assert_allclose(result.numpy(), want, rtol=1e-6)
    np.testing.assert_allclose(function(_core.tensor(x), 2).numpy(), function(x, 2), rtol=1e-6)
    np.testing.assert_allclose(function(2.5, _core.tensor(x)).numpy(), function(2.5, x), rtol=1e-6)


def test_unary_and_logical_operators() -> None:
    x = _core.tensor([-1.0, 2.0])
    assert (-x).tolist() == [1, -2]
    assert abs(x).tolist() == [1, 2]
    assert (+x).tolist() == [-1, 2]
    p, q = x > 0, _core.tensor([True, True])
    assert (p & q).tolist() == [False, True]
    assert (p | q).tolist() == [True, True]
    assert (p ^ True).tolist() == [True, False]
    assert (~p).tolist() == [True, False]
    with pytest.raises(DTypeError, match="bool"):
        _core.tensor([1]) & 1
    with pytest.raises(DTypeError, match="compare first"):
        ~_core.tensor([1])


@pytest.mark.parametrize(
    ("a", "b"), [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3,))]
)
def test_matmul_follows_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x = np.arange(np.prod(a), dtype=np.float32).reshape(a)
    y = np.arange(np.prod(b), dtype=np.float32).reshape(b)
    result = _core.tensor(x) @ _core.tensor(y)
    assert result.shape == (x @ y).shape
    np.testing.assert_allclose(result.numpy(), x @ y)
    np.testing.assert_allclose((x @ _core.tensor(y)).numpy(), x @ y)


def test_matmul_of_a_number_is_refused() -> None:
    with pytest.raises(ShapeError, match="matmul"):
        _core.tensor([1.0]) @ 2


@pytest.mark.parametrize(
    ("tensor", "number", "dtype"),
    [
        ("uint8", 1, "uint8"),
        ("int32", 1, "int32"),
        ("int64", 1.5, "float32"),
        ("bool", 1, "int32"),
        ("float16", 1.5, "float16"),
        ("bfloat16", 1, "bfloat16"),
        ("float64", 1.5, "float64"),
        ("float32", np.float64(1.5), "float32"),
        ("float32", [1.5], "float32"),
        ("float16", [1.5], "float16"),
        ("float32", np.ones(1, np.float64), "float64"),
    ],
)
def test_numbers_take_the_tensors_width(tensor: str, number: Any, dtype: str) -> None:
    x = _core.tensor([1], dtype=tensor)
    assert (x + number).dtype == dtype
    assert (number + x).dtype == dtype


def test_numbers_that_do_not_fit() -> None:
    with pytest.raises(OutOfRangeError, match="300 does not fit the dtype uint8"):
        _core.tensor([1], dtype="uint8") + 300


def test_unknown_operands_leave_the_other_side_a_try() -> None:
    class Other:
        def __radd__(self, left: object) -> str:
            return "other"

    assert _core.tensor([1.0]) + Other() == "other"
    with pytest.raises(TypeError):
        _core.tensor([1.0]) + object()
    with pytest.raises(TypeError, match=r"\[add\] expected a tensor"):
        _core.ops.add(_core.tensor([1.0]), object())


KEYS: list[Any] = [
    0,
    -1,
    np.int64(1),
    slice(None),
    slice(1, None),
    slice(None, None, -1),
    slice(-1, None, -2),
    slice(5, 1, -3),
    slice(3, 1),
    slice(0, 2**70),
    ...,
    None,
    (0, 1, 2),
    (slice(None), -1),
    (..., 0),
    (0, ...),
    (None, ..., None),
    (slice(None, None, 2), slice(None, None, -1), slice(1, 3)),
    [0, 1, 1],
    (slice(None), [2, 0]),
    (0, [2, -1]),
    ([0, 1], [2, 0]),
    (slice(None), [[0, 1], [2, 2]], 1),
    np.array([1, 0]),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indexing_agrees_with_numpy(key: Any) -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    want = array[key]
    result = _core.tensor(array)[key]
    assert result.shape == want.shape
    np.testing.assert_array_equal(result.numpy(), want)


def test_index_tensors() -> None:
    x = _core.tensor([10.0, 11.0, 12.0])
    assert x[_core.tensor([2, -3])].tolist() == [12, 10]
    assert x[_core.tensor(1)].shape == ()
    assert [10, 11, 12][_core.tensor(1)] == 11  # __index__


def test_bad_indices() -> None:
    x = _core.tensor(np.zeros((2, 3), np.float32))
    with pytest.raises(OutOfRangeError, match="axis 1 of extent 3") as caught:
        x[0, 3]
    assert isinstance(caught.value, IndexError)
    with pytest.raises(ShapeError, match="too many indices"):
        x[0, 0, 0]
    for mask in (x > 0, np.zeros((2, 3), bool), [True, False], True):
        with pytest.raises(DTypeError, match="where"):
            x[mask]
    with pytest.raises(DTypeError, match="integers"):
        x[[0.5]]
    with pytest.raises(TypeError):
        x["a"]
    with pytest.raises(OutOfRangeError, match="5"):
        x[[5]]
    with pytest.raises(UnsupportedError, match="two steps"):
        x[None, [0], None, [0]]


def test_iteration_and_length() -> None:
    x = _core.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    _, b = x
    assert b.tolist() == [3, 4]
    with pytest.raises(TypeError):
        len(_core.tensor(1.0))
    with pytest.raises(TypeError):
        iter(_core.tensor(1.0))


@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "max", "min", "std", "var", "argmax", "argmin"]
)
def test_reductions_agree_with_numpy(name: str) -> None:
    array = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    x = _core.tensor(array)
    for axis in (None, 0, -1):
        for keepdims in (False, True):
            want = getattr(array, name)(axis=axis, keepdims=keepdims)
            result = getattr(x, name)(axis=axis, keepdims=keepdims)
            assert result.shape == want.shape
            np.testing.assert_allclose(result.numpy(), want, rtol=1e-5, atol=1e-6)


def test_shapes_and_transposes() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    x = _core.tensor(array)
    for result, want in [
        (x.reshape(6, 4), array.reshape(6, 4)),
        (x.reshape((4, -1)), array.reshape(4, -1)),
        (x.reshape([-1]), array.reshape(-1)),
        (x.flatten(), array.flatten()),
        (x.T, array.T),
        (x.transpose(), array.transpose()),
        (x.transpose(1, 0, 2), array.transpose(1, 0, 2)),
        (x.transpose((0, -1, 1)), array.transpose(0, -1, 1)),
    ]:
        assert result.shape == want.shape
        np.testing.assert_array_equal(result.numpy(), want)
    with pytest.raises(ShapeError):
        x.reshape(5, 5)


def test_numbers_out() -> None:
    assert float(_core.tensor(1.5)) == 1.5
    assert int(_core.tensor([[7]])) == 7
    assert bool(_core.tensor([0.0])) is False
    assert _core.tensor(3).item() == 3 and isinstance(_core.tensor(3).item(), int)
    assert isinstance(_core.tensor(True).item(), bool)
    for dtype in ("float16", "bfloat16", "float64"):
        number = _core.tensor(1.5, dtype=dtype).item()
        assert number == 1.5 and isinstance(number, float)
    assert _core.tensor([1.5], dtype="bfloat16").tolist() == [1.5]
    for function in (float, int, bool):
        with pytest.raises(ValueError, match="one element"):
            function(_core.tensor([1.0, 2.0]))
    with pytest.raises(TypeError):
        operator.index(_core.tensor(1.0))


def test_array_protocol() -> None:
    x = _core.tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.array(x, copy=True).flags.writeable
    with pytest.raises(ValueError, match="copy"):
        np.array(x, dtype=np.float64, copy=False)
    np.testing.assert_allclose(np.exp(x), np.exp([1, 2]), rtol=1e-6)


def test_repr() -> None:
    assert repr(_core.tensor([0.0, 2.0])) == "Tensor([0., 2.], dtype=float32)"
    assert repr(_core.tensor(3)) == "Tensor(3, dtype=int32)"
    assert repr(_core.tensor([1.5], dtype="bfloat16")) == "Tensor([1.5], dtype=bfloat16)"


def test_copies_and_hashes() -> None:
    x = _core.tensor([[1.0, 2.0]])
    loaded = pickle.loads(pickle.dumps(x))
    np.testing.assert_array_equal(loaded.numpy(), x.numpy())
    assert copy.copy(x) is x and copy.deepcopy(x) is x
    assert {x: "x"}[x] == "x"
    assert x.to("cpu") is not None and x.device == "cpu:0"


def threads_after(statement: str) -> int:
    """How many threads a fresh process has after NumPy and `statement`."""
    code = f"import os, numpy\n{statement}\nprint(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(os.environ, OPENBLAS_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(done.stdout)


def test_importing_starts_no_thread() -> None:
    assert threads_after("from addax import _core") == threads_after("pass")
