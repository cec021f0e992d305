"""Every layer under mixed_bfloat16 against its results in float32.

Numbers of bfloat16 have 8 significant bits: rounding to one changes a number by at most its 2^-8th
part. A result that passed through k roundings is therefore off by at most (1 + 2^-8)^k - 1 of its
magnitude, the sum of the absolute values of what it was added up from.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import addax as ax
from addax import layers as L

ROUNDOFF = 2.0**-8
# Far above the rounding of any sum here in float32, far below one in bfloat16.
FLOAT32_SLACK = 1e-5


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def rounded(x):
    """The nearest numbers of bfloat16, which the layers take without another rounding."""
    return np.asarray(x).astype(ml_dtypes.bfloat16).astype(np.float32)


def as_float32(x):
    return np.asarray(x).astype(np.float32)


def assert_within(actual, expected, roundings, magnitude):
    relative = (1 + ROUNDOFF) ** roundings - 1 + FLOAT32_SLACK
    error = np.abs(as_float32(actual) - as_float32(expected))
    assert (error <= relative * as_float32(magnitude) + FLOAT32_SLACK).all(), error.max()


IMAGES = rounded(floats(2, 6, 6, 4))
ROWS = rounded(floats(5, 6))
PAIR = [rounded(floats(3, 4)), rounded(floats(3, 4, seed=1))]


def linear(layer, x, y):
    """The sum of the absolute values that each result is added up from."""
    absolute = type(layer).from_config(layer.get_config())
    absolute(x)
    absolute.set_weights([abs(weight) for weight in layer.get_weights()])
    return absolute(abs(x))


def result(layer, x, y):
    return abs(y.numpy())


def largest(layer, x, y):
    return np.max(abs(x))


# For each layer its input, the roundings between that and the result, and the magnitude.
# Convolutions and Dense round the weights, the sum, the sum with the bias, and the activation;
# a separable convolution rounds its first sum and second weights, too. Where one op computes the
# result, only that is rounded, though the op's own sums are in float32.
CASES = [
    (L.Activation("gelu"), ROWS, 1, result),
    (L.Activation("sigmoid"), ROWS, 1, result),
    (L.Add(), PAIR, 1, result),
    (L.Average(), PAIR, 2, result),
    (L.AveragePooling2D(), IMAGES, 1, result),
    (L.BatchNormalization(), IMAGES, 1, result),
    (L.Concatenate(), PAIR, 0, result),
    (L.Conv2D(5, 3, activation="relu", bias_initializer="he_normal"), IMAGES, 4, linear),
    (L.Conv2D(4, 3, padding="same", strides=2, groups=2), IMAGES, 3, linear),
    (L.Conv2DTranspose(3, 3, strides=2, bias_initializer="he_normal"), IMAGES, 3, linear),
    (L.Dense(5, activation="relu", bias_initializer="he_normal"), ROWS, 4, linear),
    (L.DepthwiseConv2D(3, depth_multiplier=2), IMAGES, 3, linear),
    (L.Dropout(0.3, seed=1), ROWS, 1, result),
    (L.Flatten(), IMAGES, 0, result),
    (L.GlobalAveragePooling2D(), IMAGES, 1, linear),
    (L.GlobalMaxPooling2D(), IMAGES, 0, result),
    (L.MaxPooling2D(), IMAGES, 0, result),
    (L.Maximum(), PAIR, 0, result),
    (L.Minimum(), PAIR, 0, result),
    (L.Multiply(), PAIR, 1, result),
    (L.Normalization(mean=[0.3] * 6, variance=[7.0] * 6), 100 + floats(5, 6), 1, result),
    (L.RandomCrop(4, 4, seed=1), IMAGES, 0, result),
    (L.RandomFlip(seed=1), IMAGES, 0, result),
    (L.RandomTranslation(0.3, 0.3, interpolation="nearest", seed=1), IMAGES, 0, result),
    # In each direction, the share of one neighbour, what is left for the other, and both products
    # and their sum are rounded.
    (L.RandomTranslation(0.3, 0.3, seed=1), IMAGES, 2 * 5, largest),
    (L.ReLU(negative_slope=0.1), ROWS, 1, result),
    (L.Rescaling(1 / 127.5, offset=-1), floats(5, 6), 1, result),
    (L.Reshape((3, -1)), ROWS, 0, result),
    (L.SeparableConv2D(5, 3, bias_initializer="he_normal"), IMAGES, 5, linear),
    (L.Softmax(), ROWS, 1, result),
    (L.Subtract(), PAIR, 1, result),
    (L.ZeroPadding2D(), IMAGES, 0, result),
]
# Layers that compute nothing of their own.
ELSEWHERE = {"Input", "InputLayer", "Layer"}


def with_dtype(layer, dtype):
    return type(layer).from_config({**layer.get_config(), "dtype": dtype})


def test_every_layer_has_its_case():
    tested = {type(layer) for layer, *_ in CASES}
    assert not {name for name in L.__all__ if getattr(L, name) not in tested} - ELSEWHERE


@pytest.mark.parametrize(("layer", "x", "roundings", "magnitude"), CASES)
@pytest.mark.parametrize("training", [False, True])
def test_layer_against_float32(layer, x, roundings, magnitude, training):
    exact, low = with_dtype(layer, "float32"), with_dtype(layer, "mixed_bfloat16")
    expected = exact(x, training=training)
    low(x, training=training)
    low.set_weights(exact.get_weights())
    if training:
        # Both have drawn random numbers, or followed the statistics, once.
        expected = exact(x, training=True)
    y = low(x, training=training)
    assert (expected.dtype, y.dtype) == ("float32", "bfloat16")
    assert {weight.dtype for weight in low.weights} <= {"float32"}
    assert_within(y, expected, roundings, magnitude(exact, x, expected))
    for weight, other in zip(low.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


# ---- Gradients of weights.


def weight_gradients(layer, x, factors):
    """Gradients of the results' sum, each weighed by a factor of bfloat16."""

    def loss():
        return (layer(x, training=True) * factors.astype(ml_dtypes.bfloat16)).sum()

    return ax.grad(loss, variables=layer.trainable_weights)()


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (L.Dense(3), ROWS),
        (L.Conv2D(3, 2), IMAGES),
        (L.Conv2DTranspose(3, 2), IMAGES),
        (L.DepthwiseConv2D(2), IMAGES),
    ],
)
def test_gradients_of_weights(layer, x):
    exact, low = with_dtype(layer, "float32"), with_dtype(layer, "mixed_bfloat16")
    factors = rounded(floats(*exact(x).shape, seed=3))
    low(x)
    # Sums of products of inputs and factors, rounded once, whatever the weights are.
    expected = weight_gradients(exact, x, factors)
    magnitudes = weight_gradients(exact, abs(x), abs(factors))
    gradients = weight_gradients(low, x, factors)
    assert {gradient.dtype for gradient in gradients} == {"float32"}
    for gradient, wanted, magnitude in zip(gradients, expected, magnitudes, strict=True):
        assert_within(gradient, wanted, 1, magnitude)


def test_gradients_of_batch_norm_are_not_rounded():
    factors = rounded(floats(*IMAGES.shape, seed=3))
    layers = [L.BatchNormalization(dtype=dtype) for dtype in ("float32", "mixed_bfloat16")]
    for layer in layers:
        layer(IMAGES)
    expected, gradients = (weight_gradients(layer, IMAGES, factors) for layer in layers)
    # They add up factors, as they are and times inputs within five standard deviations.
    magnitude = 5 * abs(factors).sum((0, 1, 2))
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert gradient.dtype == "float32"
        assert_within(gradient, wanted, 0, magnitude)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_depthwise_gradient_is_one_convolution(policy):
    # Devices without kernels for narrow groups of 16-bit numbers widen them, and go no further.
    model = ax.Sequential(
        [L.Input((8, 8, 6)), L.DepthwiseConv2D(3, dtype=policy), L.GlobalAveragePooling2D()]
    )
    model.compile("sgd", "mse")
    x, y = floats(4, 8, 8, 6), floats(4, 6)
    model.fit(x, y, batch_size=4, verbose=0)
    with ax.profile() as profile:
        model.fit(x, y, batch_size=4, verbose=0)
    ops = [span["op"] for span in profile.spans]
    assert "matmul" not in ops
    assert sum("conv2d_filter_grad" in op or "+gradients" in op for op in ops) == 1
