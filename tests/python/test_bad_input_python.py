"""Mistakes in calls of the Python package: a typed error that names what was wrong."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax.errors import (
    DTypeError,
    InvalidArgumentError,
    OutOfRangeError,
    ShapeError,
    UnsupportedError,
)

X, Y = np.ones((12, 4), np.float32), np.arange(12) % 3


def model(**kwargs):
    made = ax.Sequential([L.Input((4,)), L.Dense(3)], name="net")
    made.compile("adam", ax.losses.SparseCategoricalCrossentropy(from_logits=True), **kwargs)
    return made


def test_fit_without_compile():
    fresh = ax.Sequential([L.Input((4,)), L.Dense(3)], name="net")
    for call in (fresh.fit, fresh.evaluate, fresh.train_on_batch):
        with pytest.raises(InvalidArgumentError, match="'net' must be compiled before"):
            call(X, Y)


def test_lengths_differ():
    with pytest.raises(ShapeError, match=r"x of shape \(12, 4\), y of shape \(5,\)"):
        model().fit(X, Y[:5], verbose=0)
    with pytest.raises(ShapeError, match=r"sample_weight of shape \(5,\)"):
        model().fit(X, Y, sample_weight=np.ones(5), verbose=0)


def test_empty_data():
    for call in (model().fit, model().evaluate):
        with pytest.raises(InvalidArgumentError, match="x has no samples"):
            call(X[:0], Y[:0], verbose=0)
    with pytest.raises(InvalidArgumentError, match="x has no samples"):
        model().predict(X[:0], verbose=0)


def test_no_targets():
    with pytest.raises(InvalidArgumentError, match="needs targets: give y"):
        model().fit(X, verbose=0)


def test_data_that_is_no_numbers():
    for x in (np.array(["a"] * 12), [[1], [2, 3]], "images", np.array([None] * 12), X + 1j):
        with pytest.raises((DTypeError, ShapeError), match="x"):
            model().fit(x, Y, verbose=0)
    with pytest.raises(DTypeError, match="generator"):
        model().fit((i for i in range(3)), Y, verbose=0)


def test_wrong_input_shape_names_both():
    with pytest.raises(ShapeError, match=r"'net'.*expected shape \(None, 4\), got \(\d+, 5\)"):
        model().fit(np.ones((12, 5)), Y, verbose=0)
    with pytest.raises(
        ShapeError, match=r"labels of shape \(12, 2\).*predictions of shape \(12, 3\)"
    ):
        model().fit(X, np.zeros((12, 2), int), verbose=0)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("place", [0, 7, 11])
def test_labels_out_of_range_name_the_label_and_its_index(shuffle, place):
    labels = Y.copy()
    labels[place] = 7
    net = model()
    expected = rf"label 7 at y\[{place}\] is outside \[0, 3\)"
    for call in (
        lambda: net.fit(X, labels, batch_size=5, shuffle=shuffle, verbose=0),
        lambda: net.evaluate(X, labels, batch_size=5, verbose=0),
        lambda: net.train_on_batch(X, labels),
    ):
        with pytest.raises(OutOfRangeError, match=expected):
            call()
    net.fit(X, Y, verbose=0)


def test_negative_labels_in_validation_data():
    labels = Y.copy()
    labels[4] = -1
    with pytest.raises(IndexError, match=r"label -1 at y\[4\]"):
        model().fit(X, Y, validation_data=(X, labels), verbose=0)


def test_nan_in_the_data_is_named():
    x = X.copy()
    x[5, 2] = np.nan
    with pytest.raises(
        InvalidArgumentError, match=r"x is: the first sample that holds NaN is numb.* 5"
    ):
        model().fit(x, Y, verbose=0)


def test_divergence_is_no_error():
    net = ax.Sequential([L.Input((4,)), L.Dense(1)])
    net.compile(ax.optimizers.SGD(1e30), "mse")
    losses = net.fit(X, np.ones(12), epochs=20, batch_size=12, verbose=0).history["loss"]
    assert not np.isfinite(losses[-1])


@pytest.mark.parametrize("batch_size", [0, -3, 2.5, "32", True])
def test_batch_size(batch_size):
    with pytest.raises(InvalidArgumentError, match="batch_size must be a positive integer"):
        model().fit(X, Y, batch_size=batch_size, verbose=0)


def test_other_arguments_of_fit():
    for arguments, message in [
        ({"validation_split": 1.5}, "validation_split must be between 0 and 1"),
        ({"validation_split": 0.999}, "of 12 samples leaves"),
        ({"validation_data": X}, "validation_data must be a tuple"),
        ({"verbose": 5}, "verbose must be"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be a positive integer, got 0"),
        ({"steps_per_epoch": 12 / 5}, "steps_per_epoch must be a positive integer, got 2.4"),
        ({"validation_data": (X, Y), "validation_steps": 0}, "validation_steps must be a positive"),
        ({"validation_data": (X, Y), "validation_batch_size": 0}, "validation_batch_size must be"),
        ({"validation_freq": 0}, "validation_freq must be a positive integer, got 0"),
        ({"validation_freq": "all"}, "validation_freq must be a positive integer, got 'all'"),
        ({"class_weight": [1, 2]}, r"class_weight must be a dict .* got \[1, 2\]"),
        ({"class_weight": "balanced"}, "class_weight must be a dict .* got 'balanced'"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            model().fit(X, Y, **{"verbose": 0, **arguments})


@pytest.mark.parametrize("rate", [1.0, -0.1, "0.5", None])
def test_dropout_rate(rate):
    with pytest.raises(InvalidArgumentError, match="Dropout: rate must be at least 0 and below 1"):
        L.Dropout(rate)


def test_units():
    assert L.Dense(Y.max() + 1).get_config()["units"] == 3
    for units in (0, 2.5, "3"):
        with pytest.raises(InvalidArgumentError, match="Dense: units must be a positive integer"):
            L.Dense(units)


@pytest.mark.parametrize("steps", [0, -1, 1.5])
def test_steps_of_evaluate_and_predict(steps):
    with pytest.raises(InvalidArgumentError, match="steps must be a positive integer"):
        model().evaluate(X, Y, steps=steps, verbose=0)
    with pytest.raises(InvalidArgumentError, match="steps must be a positive integer"):
        model().predict(X, steps=steps, verbose=0)


def test_unknown_names_in_compile():
    net = model()
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        net.compile("adma", "mse")
    with pytest.raises(ValueError, match="did you mean 'mse'"):
        net.compile("adam", "mes")
    with pytest.raises(ValueError, match="did you mean 'sparse_categorical_accuracy'"):
        net.compile("adam", "mse", metrics=["sparse_categorical_acuracy"])
    with pytest.raises(TypeError, match="unknown argument 'metric'; did you mean 'metrics'"):
        net.compile("adam", "mse", metric=["accuracy"])
    with pytest.raises(ValueError, match="cpu"):
        net.compile("adam", "mse", device="cpuu")


def test_losses_for_outputs_that_are_not_there():
    a = L.Input((4,))
    net = ax.Model(a, [L.Dense(1, name="one")(a), L.Dense(1, name="two")(a)])
    net.compile("sgd", {"one": "mse", "tow": "mse"})
    with pytest.raises(
        InvalidArgumentError, match="loss names an output 'tow'; did you mean 'two'"
    ):
        net.fit(X, [Y, Y], verbose=0)
    net.compile("sgd", ["mse", "mse", "mse"])
    with pytest.raises(InvalidArgumentError, match="loss has 3 entries for 2 outputs"):
        net.fit(X, [Y, Y], verbose=0)
    net.compile("sgd", "mse")
    with pytest.raises(InvalidArgumentError, match="has 2 outputs, got 1 targets"):
        net.fit(X, Y, verbose=0)
    with pytest.raises(InvalidArgumentError, match=r"'tow', which is no output .* mean 'two'"):
        net.fit(X, {"one": Y, "two": Y, "tow": Y}, verbose=0)


@pytest.mark.parametrize("weights", [[np.ones(12), np.ones(12)], {"one": np.ones(12)}])
def test_weights_of_single_outputs(weights):
    a = L.Input((4,))
    net = ax.Model(a, [L.Dense(1, name="one")(a), L.Dense(1, name="two")(a)])
    net.compile("sgd", "mse")
    with pytest.raises(UnsupportedError, match="sample_weight must be one array"):
        net.fit(X, [Y, Y], sample_weight=weights, verbose=0)
    with pytest.raises(InvalidArgumentError, match="class_weight needs a single target, got 2"):
        net.fit(X, [Y, Y], class_weight={0: 1.0}, verbose=0)


def test_a_loss_that_returns_nothing():
    def forgetful(y_true, y_pred):
        y_pred.mean()

    net = model()
    net.compile("sgd", forgetful)
    with pytest.raises(InvalidArgumentError, match="loss 'forgetful' returned None"):
        net.fit(X, Y, verbose=0)


def test_a_failed_fit_leaves_the_model_usable():
    net = model()
    with pytest.raises(ShapeError):
        net.fit(np.ones((12, 5)), Y, verbose=0)
    net.fit(X, Y, verbose=0)
    assert net.predict(X, verbose=0).shape == (12, 3)


def test_unknown_attribute_of_the_package():
    with pytest.raises(AttributeError, match="did you mean 'Sequential'"):
        _ = ax.Sequental


def test_seeds():
    for seed in (1.5, "a", True):
        with pytest.raises(DTypeError, match="seed must be an integer"):
            ax.random.set_seed(seed)
