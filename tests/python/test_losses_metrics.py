"""Losses and metrics against their definitions in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import losses, metrics
from addax.errors import InvalidArgumentError, OutOfRangeError, ShapeError


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


LOGITS = floats(6, 4)
LABELS = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(4, dtype=np.float32)[LABELS]
CROSS_ENTROPY = -np.log(softmax(LOGITS))[np.arange(6), LABELS]


def close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=tolerance, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32"])
@pytest.mark.parametrize("column", [False, True])
def test_sparse_categorical_crossentropy(dtype, column):
    labels = LABELS.astype(dtype)[:, None] if column else LABELS.astype(dtype)
    close(losses.sparse_categorical_crossentropy(labels, LOGITS, from_logits=True), CROSS_ENTROPY)
    close(losses.sparse_categorical_crossentropy(labels, softmax(LOGITS)), CROSS_ENTROPY)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    close(loss(labels, LOGITS), CROSS_ENTROPY.mean())


def test_sparse_crossentropy_of_sequences():
    logits, labels = floats(2, 3, 4), np.array([[0, 1, 2], [3, 0, 1]])
    expected = -np.log(np.take_along_axis(softmax(logits), labels[..., None], -1))[..., 0]
    close(losses.sparse_categorical_crossentropy(labels, logits, from_logits=True), expected)


def test_categorical_crossentropy():
    close(losses.categorical_crossentropy(ONE_HOT, LOGITS, from_logits=True), CROSS_ENTROPY)
    close(losses.categorical_crossentropy(ONE_HOT, softmax(LOGITS)), CROSS_ENTROPY)
    smooth = ONE_HOT * 0.9 + 0.1 / 4
    expected = -(smooth * np.log(softmax(LOGITS))).sum(-1)
    loss = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    close(loss(ONE_HOT, LOGITS), expected.mean())


def test_confident_mistakes_stay_finite():
    p = np.array([[1.0, 0.0]], np.float32)
    close(losses.sparse_categorical_crossentropy([1], p), -np.log(1e-7), 1e-3)
    close(losses.binary_crossentropy([[1.0]], [[0.0]]), -np.log(1e-7), 1e-3)
    huge = np.array([[1e4, -1e4]], np.float32)
    close(losses.sparse_categorical_crossentropy([1], huge, from_logits=True), 2e4)
    close(losses.binary_crossentropy([[0.0]], [[1e4]], from_logits=True), 1e4)


def test_binary_crossentropy():
    z = floats(5, 3)
    t = (floats(5, 3, seed=1) > 0).astype(np.float32)
    p = 1 / (1 + np.exp(-z))
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(-1)
    close(losses.binary_crossentropy(t, z, from_logits=True), expected)
    close(losses.binary_crossentropy(t, p), expected, 1e-4)
    smooth = t * 0.8 + 0.1
    expected = -(smooth * np.log(p) + (1 - smooth) * np.log(1 - p)).mean()
    close(losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)(t, z), expected)


def test_regression_losses():
    t, p = floats(5, 3), floats(5, 3, seed=1)
    close(losses.mean_squared_error(t, p), ((t - p) ** 2).mean(-1))
    close(losses.mean_absolute_error(t, p), abs(t - p).mean(-1))
    close(losses.MeanSquaredError()(t.astype(np.float64), p), ((t - p) ** 2).mean())
    close(losses.get("mae")(t, p), abs(t - p).mean())


def test_targets_of_one_column_may_lack_it():
    t, p = floats(5), floats(5, 1, seed=1)
    close(losses.MeanSquaredError()(t, p), ((t - p[:, 0]) ** 2).mean())


def test_reductions_and_weights():
    weights = np.array([1, 2, 0, 1, 1, 3], np.float32)
    of = losses.SparseCategoricalCrossentropy
    weighted = CROSS_ENTROPY * weights
    close(of(True)(LABELS, LOGITS, weights), weighted.sum() / 6)
    close(of(True, reduction="sum")(LABELS, LOGITS, weights), weighted.sum())
    close(of(True, reduction=None)(LABELS, LOGITS, weights), weighted)
    mean = of(True, reduction="mean_with_sample_weight")(LABELS, LOGITS, weights)
    close(mean, weighted.sum() / weights.sum())
    close(of(True)(LABELS, LOGITS, weights[:, None]), weighted.sum() / 6)
    with pytest.raises(ShapeError, match=r"sample_weight of shape \(5,\)"):
        of(True)(LABELS, LOGITS, weights[:5])


def test_own_losses():
    class Largest(losses.Loss):
        def call(self, y_true, y_pred):
            return ax.ops.max(abs(y_true - y_pred), axis=-1)

    t, p = floats(5, 3), floats(5, 3, seed=1)
    close(Largest()(t, p), abs(t - p).max(-1).mean())
    made = losses.get(lambda y_true, y_pred: ax.ops.mean(y_true * y_pred, axis=-1))
    close(made(t, p), (t * p).mean())


def test_metrics_gather_over_batches():
    z, labels = floats(50, 4), np.random.default_rng(2).integers(0, 4, 50)
    hits = z.argmax(-1) == labels
    sparse, dense = metrics.SparseCategoricalAccuracy(), metrics.CategoricalAccuracy()
    for begin in (0, 20, 40):
        part = slice(begin, begin + 20)
        sparse.update_state(labels[part], z[part])
        dense.update_state(np.eye(4, dtype="f")[labels[part]], z[part])
    close(sparse.result(), hits.mean())
    close(dense.result(), hits.mean())
    sparse.reset_state()
    assert float(sparse.result()) == 0
    weights = np.random.default_rng(3).random(50).astype(np.float32)
    sparse.update_state(labels[:, None], z, sample_weight=weights)
    close(sparse.result(), (hits * weights).sum() / weights.sum())


def test_other_metrics():
    t, p = np.array([[1.0], [0.0], [1.0]], "f"), np.array([[0.9], [0.6], [0.2]], "f")
    binary = metrics.BinaryAccuracy()
    binary.update_state(t, p)
    close(binary.result(), 1 / 3)
    high = metrics.BinaryAccuracy(threshold=0.7)
    high.update_state(t, p)
    close(high.result(), 2 / 3)
    square = metrics.MeanSquaredError()
    square.update_state(t, p)
    close(square.result(), ((t - p) ** 2).mean())
    same = metrics.Accuracy()
    same.update_state([1, 2, 3], [1, 0, 3])
    close(same.result(), 2 / 3)
    mean = metrics.Mean()
    mean.update_state([1.0, 5.0], sample_weight=[3.0, 1.0])
    close(mean.result(), 2)


@pytest.mark.parametrize(
    ("target", "output", "expected"),
    [
        ((8,), (8, 10), "SparseCategoricalAccuracy"),
        ((8, 1), (8, 10), "SparseCategoricalAccuracy"),
        ((8, 10), (8, 10), "CategoricalAccuracy"),
        ((8, 1), (8, 1), "BinaryAccuracy"),
        ((8,), (8, 1), "BinaryAccuracy"),
    ],
)
def test_accuracy_goes_by_the_shapes(target, output, expected):
    metric = metrics.get_for("accuracy", target, output)
    assert type(metric).__name__ == expected and metric.name == "accuracy"
    assert metrics.get_for("acc", target, output).name == "acc"


def test_unknown_names():
    with pytest.raises(ValueError, match="unknown loss 'sparse_crossentropy'; did you mean"):
        losses.get("sparse_crossentropy")
    with pytest.raises(InvalidArgumentError, match="did you mean 'binary_accuracy'"):
        metrics.get("binary_acuracy")
    with pytest.raises(InvalidArgumentError, match="did you mean 'sum'"):
        losses.MeanSquaredError(reduction="sums")


def test_labels_out_of_range():
    with pytest.raises(OutOfRangeError, match="7"):
        losses.sparse_categorical_crossentropy([1, 7], floats(2, 4), from_logits=True).numpy()


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"labels of shape \(6, 4\).*one-hot labels want categ"):
        losses.sparse_categorical_crossentropy(ONE_HOT, LOGITS, from_logits=True)
    with pytest.raises(ShapeError, match=r"targets of shape \(6,\).*\(6, 4\)"):
        losses.categorical_crossentropy(LABELS, LOGITS, from_logits=True)
    with pytest.raises(ShapeError, match=r"targets of shape \(5, 2\).*\(5, 3\)"):
        losses.mean_squared_error(floats(5, 2), floats(5, 3))
