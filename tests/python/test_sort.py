"""Sorting beyond the op table: ties, NaN, long lines, threads, gradients, metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import addax as ax
from addax import _core

SPECIAL = np.array([np.nan, -0.0, np.inf, 0.0, -np.inf, 1e-40, -1.0, np.nan, -1e-40, 2.0])


def both(op: str, x: np.ndarray, **attrs: Any) -> list[np.ndarray]:
    """The results of the kernel and of the decomposition, which must be equal."""
    made = _core.apply(op, [_core.tensor(x)], dict(attrs))
    decomposed = _core.apply_decomposed(op, [_core.tensor(x)], dict(attrs))
    made, decomposed = (
        [np.asarray(r) for r in (result if isinstance(result, (list, tuple)) else [result])]
        for result in (made, decomposed)
    )
    for a, b in zip(made, decomposed, strict=True):
        np.testing.assert_array_equal(a, b)
    return made


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_special_values_are_ordered_as_numpy_orders_them(dtype: str) -> None:
    x = np.tile(SPECIAL, (3, 1)).astype(dtype)
    x[1:] = np.random.default_rng(0).permuted(x[1:], axis=1)
    order = np.asarray(ax.ops.argsort(x))
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))
    np.testing.assert_array_equal(np.asarray(ax.ops.sort(x)), np.sort(x, kind="stable"))


def test_the_decomposition_orders_as_the_kernel_does() -> None:
    x = np.array([[2, np.nan, -1, 2, np.inf, -0.0, 0.0, np.nan]], np.float32)
    both("argsort", x, axis=-1)
    both("argsort", x, axis=-1, descending=True)
    both("argsort", np.arange(24).reshape((1, 2, 1, 3, 1, 2, 1, 2)) % 5, axis=3)
    values, indices = both("top_k", x, k=5)
    np.testing.assert_array_equal(indices, [[1, 7, 4, 0, 3]])
    np.testing.assert_array_equal(values, [[np.nan, np.nan, np.inf, 2, 2]])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64", "float32"])
def test_equal_elements_keep_their_order(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 3, (4, 5000)).astype(dtype)
    np.testing.assert_array_equal(np.asarray(ax.ops.argsort(x)), np.argsort(x, kind="stable"))
    _, indices = ax.ops.top_k(x, 4000)
    expected = np.argsort(-x.astype(np.int64), kind="stable")[:, :4000]
    np.testing.assert_array_equal(np.asarray(indices), expected)


def test_extreme_integers() -> None:
    info = np.iinfo(np.int64)
    x = np.array([0, info.max, info.min, -1, info.max - 1, 2**53 + 1, 2**53])
    np.testing.assert_array_equal(np.asarray(ax.ops.sort(x)), np.sort(x))


def test_axis_none_flattens() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(np.asarray(ax.ops.sort(x, axis=None)), np.sort(x, axis=None))
    np.testing.assert_array_equal(
        np.asarray(ax.ops.argsort(x, axis=None)), np.argsort(x, axis=None)
    )


def test_top_k_takes_keras_arguments() -> None:
    values, indices = ax.ops.top_k(np.array([1, 5, 3]), 2, sorted=False)
    assert values.tolist() == [5, 3]
    assert indices.tolist() == [1, 2]
    assert indices.dtype == "int32"


def test_gradients_go_back_to_where_values_came_from() -> None:
    x = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0]])
    weights = np.array([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])
    gradient = ax.grad(lambda v: (ax.ops.sort(v) * weights).sum())(_core.tensor(x))
    assert gradient.tolist() == [[100, 1, 10], [20, 200, 2]]
    gradient = ax.grad(lambda v: (ax.ops.top_k(v, 2)[0] * weights[:, :2]).sum())(_core.tensor(x))
    assert gradient.tolist() == [[1, 0, 10], [2, 20, 0]]


def test_second_derivative_of_sorting() -> None:
    def slope(v: Any) -> Any:
        return (ax.grad(lambda u: (ax.ops.sort(u) ** 3).sum())(v) * np.array([1.0, 2.0, 4.0])).sum()

    gradient = ax.grad(slope)(_core.tensor(np.array([3.0, 1.0, 2.0])))
    assert gradient.tolist() == [18, 12, 48]


def test_in_top_k_counts_what_is_larger() -> None:
    scores = np.array([[1, 2, 2, 0], [np.nan, 1, 2, 3], [1, np.nan, 0, 0]], np.float32)
    for k, expected in ((1, [True, False, False]), (2, [True, False, False]),
                        (3, [True, True, False]), (4, [True, True, False])):  # fmt: skip
        assert ax.ops.in_top_k(np.array([1, 2, 1]), scores, k).tolist() == expected


@pytest.mark.parametrize("sparse", [True, False])
def test_top_k_metrics_are_shares_of_hits(sparse: bool) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(200, 20)).astype(np.float32)
    labels = rng.integers(0, 20, 200)
    kind = "SparseTopKCategoricalAccuracy" if sparse else "TopKCategoricalAccuracy"
    metric = ax.metrics.get(kind)
    assert metric.get_config()["k"] == 5
    y_true = labels if sparse else np.eye(20, dtype=np.float32)[labels]
    for part in (slice(0, 120), slice(120, 200)):
        metric.update_state(y_true[part], scores[part])
    hits = (scores > np.take_along_axis(scores, labels[:, None], 1)).sum(1) < 5
    assert metric.result().item() == pytest.approx(hits.mean(), rel=1e-6)
    again = type(metric).from_config({**metric.get_config(), "k": 20})
    again.update_state(y_true, scores)
    assert again.result().item() == 1


def test_sparse_top_k_takes_labels_in_columns() -> None:
    scores = np.array([[0.1, 0.5, 0.4], [0.6, 0.1, 0.3]], np.float32)
    labels = np.array([[2.0], [1.0]], np.float32)
    hits = ax.metrics.sparse_top_k_categorical_accuracy(labels, scores, k=2)
    assert hits.tolist() == [1, 0]


def test_top_k_metrics_train_and_refuse_too_few_classes() -> None:
    model = ax.Sequential([ax.layers.Input((4,)), ax.layers.Dense(3)])
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = np.ones((8, 4), np.float32), np.zeros(8, np.int32)
    model.compile("sgd", loss, metrics=[ax.metrics.SparseTopKCategoricalAccuracy(k=3)])
    history = model.fit(x, y, verbose=0).history
    assert history["sparse_top_k_categorical_accuracy"] == [1]
    model.compile("sgd", loss, metrics=["sparse_top_k_categorical_accuracy"])
    with pytest.raises(
        ax.errors.InvalidArgumentError, match=r"\[in_top_k\].*k must be in \[1, 3\]"
    ):
        model.fit(x, y, verbose=0)
