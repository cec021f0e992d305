"""Ops that the Python package composes, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax.errors import DTypeError, InvalidArgumentError, OutOfRangeError, ShapeError

ops = ax.ops


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def same(actual, expected):
    actual = np.asarray(actual)
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


X = floats(3, 4, 5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("expand_dims", (X, 1)),
        ("expand_dims", (X, (0, -1))),
        ("squeeze", (X[:1, :, :1],)),
        ("squeeze", (X[:1], 0)),
        ("swapaxes", (X, 0, -1)),
        ("moveaxis", (X, 0, -1)),
        ("moveaxis", (X, (0, 1), (-1, 0))),
        ("transpose", (X,)),
        ("transpose", (X, (1, -1, 0))),
        ("reshape", (X, (5, -1))),
        ("ravel", (X,)),
        ("broadcast_to", (X[:1], (3, 4, 5))),
        ("concatenate", ([X, X[:1]], 0)),
        ("concatenate", ([X, X[..., :2]], -1)),
        ("stack", ([X, X + 1], 1)),
        ("stack", ([X, X + 1], -1)),
        ("flip", (X, (0, 2))),
        ("flip", (X,)),
        ("repeat", (X, 3, 1)),
        ("repeat", (X, 2)),
        ("tile", (X, 2)),
        ("tile", (X, (2, 1, 3))),
        ("tile", (X, (2, 1, 1, 1))),
        ("pad", (X, 1)),
        ("pad", (X, ((1, 0), (2, 3), (0, 0)))),
        ("roll", (X, 2, 1)),
        ("roll", (X, -7)),
        ("where", (X > 0, X, -X)),
        ("take", (X, [3, 0, -1], 1)),
        ("take", (X, [[7, -60]])),
        ("matmul", (X, floats(5, 2))),
        ("matmul", (X[0, 0], floats(5, 2))),
        ("matmul", (X, floats(5))),
        ("matmul", (floats(5), floats(5))),
        ("dot", (X, floats(2, 5, 3))),
        ("dot", (X[0], floats(5))),
        ("dot", (np.float32(2), X)),
        ("tensordot", (X, floats(5, 4, 2), ([1, 2], [1, 0]))),
        ("tensordot", (X, floats(4, 5, 2), 2)),
        ("outer", (X[0, 0], X[0, 1])),
        ("mean", (X, (0, 1))),
        ("argmax", (X, 1)),
        ("argmin", (X,)),
        ("zeros", ((2, 3),)),
        ("ones", (4,)),
        ("full", ((2, 3), 7.0)),
        ("zeros_like", (X,)),
        ("ones_like", (X,)),
        ("full_like", (X, 3)),
        ("arange", (5,)),
        ("arange", (2, 11, 3)),
        ("arange", (11, 2, -2)),
        ("arange", (0.5, 3.0, 0.5)),
        ("eye", (3,)),
        ("eye", (3, 4, 1)),
        ("eye", (4, 3, -1)),
        ("identity", (3,)),
        ("linspace", (1.0, 2.0, 5)),
    ],
)
def test_as_in_numpy(name, arguments):
    same(getattr(ops, name)(*arguments), getattr(np, name)(*arguments))


def test_splitting():
    for parts, expected in [
        (ops.split(X, 2, 1), np.split(X, 2, 1)),
        (ops.split(X, [1, 3], -1), np.split(X, [1, 3], -1)),
        (ops.unstack(X, axis=1), [X[:, i] for i in range(4)]),
    ]:
        assert len(parts) == len(expected)
        for part, wanted in zip(parts, expected, strict=True):
            same(part, wanted)


def test_dtypes_of_what_is_made():
    assert ops.zeros((2,)).dtype == "float32"
    assert ops.arange(3).dtype == "int32" and ops.arange(3.0).dtype == "float32"
    assert ops.ones((2,), "int64").dtype == "int64"
    assert ops.full((2,), 1).dtype == "int32"
    assert ops.cast([1.5], np.float64).dtype == "float64"
    assert ops.convert_to_tensor([1, 2], "float32").dtype == "float32"
    assert ops.argmax(X).dtype == "int32"


def test_shapes():
    assert ops.shape(X) == (3, 4, 5) and ops.ndim(X) == 3 and ops.size([[1, 2]]) == 2
    assert ops.is_tensor(ax.tensor(1)) and not ops.is_tensor(X)
    assert isinstance(ops.convert_to_numpy(ax.tensor(X)), np.ndarray)


def test_norm_and_moments():
    same(ops.norm(X), np.linalg.norm(X))
    same(ops.norm(X, axis=1, keepdims=True), np.linalg.norm(X, axis=1, keepdims=True))
    mean, variance = ops.moments(X, (0, 1))
    same(mean, X.mean((0, 1)))
    same(variance, X.var((0, 1)))


def test_one_hot_along_another_axis():
    same(ops.one_hot([[0, 2], [1, 1]], 3, axis=1), np.eye(3)[[[0, 2], [1, 1]]].transpose(0, 2, 1))


def test_gradients_pass_through():
    def f(x):
        return (ops.stack([ops.pad(x, 1)[1:], ops.roll(ops.tile(x, 2), 1)[:4]]) ** 2).sum()

    x = floats(3)
    same(ax.grad(f)(x), 2 * x + 2 * x * np.array([1, 1, 2], "f"))


def test_mistakes():
    for call, error, message in [
        (lambda: ops.expand_dims(X, 7), InvalidArgumentError, r"axis 7 .*-4 <= axis < 4"),
        (lambda: ops.squeeze(X, 1), ShapeError, r"axis 1 of shape \(3, 4, 5\) has length 4"),
        (lambda: ops.split(X, 3, 1), ShapeError, "3 equal parts"),
        (lambda: ops.concatenate([]), InvalidArgumentError, "at least one tensor"),
        (lambda: ops.take(X, [0.5], 0), DTypeError, "indices must be integers, got float32"),
        (lambda: ops.take(X, [3], 0).numpy(), OutOfRangeError, "3"),
        (lambda: ops.take(X, [-4], 0).numpy(), OutOfRangeError, "-1|-4"),
        (lambda: ops.matmul(2.0, X), ShapeError, "use multiply for scalars"),
        (lambda: ops.tensordot(X, X, ([0], [1])), ShapeError, "differ"),
        (lambda: ops.pad(X, ((1, 1), (1, 1))), ShapeError, "pad_width names 2 axes"),
        (lambda: ops.unstack(X, 3, axis=1), ShapeError, "does not hold 3"),
        (lambda: ops.arange(0, 1, 0), InvalidArgumentError, "must not be zero"),
        (lambda: ops.conv(X, X), ShapeError, "rank 4"),
        (
            lambda: ops.max_pool(X[None], 2, padding="sam"),
            InvalidArgumentError,
            "'valid' or 'same'",
        ),
    ]:
        with pytest.raises(error, match=message):
            call()
