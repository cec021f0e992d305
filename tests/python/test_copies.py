"""Copies and pickles of models: independent, and at the same point of their training."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax.errors import InvalidArgumentError, UnsupportedError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 4)).astype(np.float32)
Y = RNG.integers(0, 3, 40)


def sequential():
    return ax.Sequential(
        [L.Input((4,)), L.Dense(5, activation="relu"), L.BatchNormalization(), L.Dense(3)]
    )


def functional():
    """With a shared layer, an op, a model within and a slice."""
    x, shared = L.Input((4,)), L.Dense(4, activation="relu")
    return ax.Model(x, L.Dense(3)((sequential()(shared(shared(x))) * 2.0)[:, 1:]))


class Subclassed(ax.Model):
    def __init__(self):
        super().__init__()
        self.hidden = [L.Dense(5, activation="relu"), L.Dropout(0.2, seed=3)]
        self.out = L.Dense(3)

    def call(self, x, training=False):
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)


def trained(make):
    ax.random.set_seed(1)
    model = make()
    model.compile(
        "adam", ax.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    model.fit(X, Y, verbose=0)
    return model


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def course(model):
    """What two more epochs report, and the weights after them."""
    ax.random.set_seed(2)
    history = model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0).history
    return history, model.get_weights()


@pytest.mark.parametrize(
    ("make", "copied"),
    [
        (sequential, copy.deepcopy),
        (sequential, pickled),
        (functional, copy.deepcopy),
        (Subclassed, copy.deepcopy),
        (Subclassed, pickled),
    ],
)
def test_a_copy_goes_on_training_alike_and_alone(make, copied):
    model = trained(make)
    before = model.get_weights()
    other = copied(model)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    history, weights = course(other)
    for kept, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)
    expected, expected_weights = course(model)
    assert history == expected
    for ours, theirs in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_models_deeper_than_the_stack():
    x = y = L.Input((4,))
    for _ in range(1500):
        y = L.Activation("relu")(y)
    model = ax.Model(x, y)
    for other in (copy.deepcopy(model), pickled(model)):
        inner = ax.Model(other.inputs, other.layers[9].output)
        np.testing.assert_array_equal(inner.predict(X, verbose=0), np.maximum(X, 0))


def test_a_shallow_copy_shares_the_weights():
    model = trained(sequential)
    other = copy.copy(model)
    other.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_copy_lies_on_the_device_of_the_original():
    model = sequential()
    model.compile("sgd", "mse", device="cpu")
    assert {weight.device for weight in pickled(model).weights} == {"cpu:0"}


def test_a_drawn_model_has_no_configuration():
    with pytest.raises(UnsupportedError, match="was drawn from symbolic tensors"):
        functional().get_config()
    with pytest.raises(UnsupportedError, match="was drawn from symbolic tensors"):
        ax.Sequential([functional()]).get_config()


def test_a_sequential_model_calls_a_layer_twice():
    relu, dense = L.ReLU(), L.Dense(4)
    model = ax.Sequential([L.Input((4,)), dense, relu, dense, relu])
    kernel, bias = dense.get_weights()
    hidden = np.maximum(X @ kernel + bias, 0)
    expected = np.maximum(hidden @ kernel + bias, 0)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert len(model.layers) == 4 and len(model.weights) == 2
    model.pop()
    assert len(model.layers) == 3


def test_a_sequential_model_without_layers():
    with pytest.raises(InvalidArgumentError, match="has no layers: add"):
        ax.Sequential().predict(X, verbose=0)
