"""Batch normalization behind a convolution, compiled as one program."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax.ops import batch_norm, batch_norm_train, conv2d, relu

EPSILON = 1e-3
SHAPES = [(4, 5, 6, 3), (13, 4, 4, 17), (1, 1, 1, 5), (2, 1, 1, 70), (16, 9, 9, 64)]


def floats(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def parameters(channels: int) -> tuple[np.ndarray, ...]:
    """gamma, beta, mean and variance."""
    return (
        floats(1, channels) + 1,
        floats(2, channels),
        floats(3, channels),
        np.abs(floats(4, channels)) + 0.5,
    )


def convolution(x: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """'same' with a 3x3 filter."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    return sum(
        padded[:, i : i + height, j : j + width] @ filters[i, j] for i in range(3) for j in range(3)
    )


@ax.function
def inference(x, filters, bias, gamma, beta, mean, variance, residual):
    y = conv2d(x, filters, padding=[1, 1, 1, 1]) + bias
    return relu(batch_norm(y, gamma, beta, mean, variance, epsilon=EPSILON) + residual)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("far", [0.0, 1e4])
def test_inference_with_a_residual(shape, dtype, far):
    # `far`: the mean is that much larger than the deviation.
    channels = shape[3]
    x, filters = floats(5, *shape), floats(6, 3, 3, channels, channels)
    bias, residual = floats(7, channels), floats(8, *shape)
    gamma, beta, mean, variance = parameters(channels)
    bias, mean = bias + far, mean + far
    args = [np.asarray(a, dtype) for a in (x, filters, bias, gamma, beta, mean, variance, residual)]
    x, filters, bias, gamma, beta, mean, variance, residual = (a.astype("float64") for a in args)
    scale = gamma / np.sqrt(variance + EPSILON)
    y = convolution(x, filters)
    expected = np.maximum((y + bias - mean) * scale + beta + residual, 0)
    # The sum of 9 * channels products, then a handful of roundings of terms of these sizes; a bias
    # and a mean that are both large cancel, and what they were rounded by stays.
    terms = convolution(np.abs(x), np.abs(filters)) * (2 + np.sqrt(9 * channels))
    size = (terms + np.abs(bias) + np.abs(mean)) * np.abs(scale) + np.abs(beta) + np.abs(residual)
    error = np.abs(inference(*args).numpy().astype("float64") - expected)
    assert (error <= 8 * np.finfo(dtype).eps * size).all()


def residual_block() -> ax.Model:
    layers = ax.layers
    inputs = ax.Input((8, 8, 16))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(x))
    x = layers.Activation("relu")(layers.Add()([inputs, x]))
    return ax.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def sweeps(profile, elements: int) -> int:
    """Fused loops with at least one operation for each of so many elements."""
    return sum(span["op"] == "fused" and span["flops"] >= elements for span in profile.spans)


def test_sweeps_over_images():
    images = floats(1, 32, 8, 8, 16).astype("float32")
    model = residual_block()
    model.compile("sgd", "mse")
    model.predict(images, batch_size=32, verbose=0)
    with ax.profile() as profile:
        model.predict(images, batch_size=32, verbose=0)
    assert sweeps(profile, images.size) == 0
    targets = floats(2, 32, 3).astype("float32")
    model.fit(images, targets, batch_size=32, verbose=0)
    with ax.profile() as profile:
        model.fit(images, targets, batch_size=32, verbose=0)
    # The result, and two for the gradient, of each of two normalizations: the convolutions before
    # them make the statistics.
    assert sweeps(profile, images.size) == 6
    assert sum(span["op"] == "conv2d_epilogue+batch_moments" for span in profile.spans) == 2


@ax.function
def training(x, filters, gamma, beta, weight):
    y = conv2d(x, filters, padding=[1, 1, 1, 1])
    normal, mean, variance = batch_norm_train(y, gamma, beta, epsilon=EPSILON)
    z = relu(normal)
    # Through a second convolution, whose gradient by its input takes the mask of the ReLU.
    return (conv2d(z, filters, padding=[1, 1, 1, 1]) * weight).sum(), mean, variance


def loss_of(x, filters, gamma, beta, weight):
    y = convolution(x, filters)
    mean, variance = y.mean((0, 1, 2)), y.var((0, 1, 2))
    z = np.maximum((y - mean) / np.sqrt(variance + EPSILON) * gamma + beta, 0)
    return (convolution(z, filters) * weight).sum()


@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (13, 2, 2, 5), (2, 1, 1, 7)])
def test_gradients_by_differences(shape):
    channels = shape[3]
    gamma, beta, _, _ = parameters(channels)
    args = [floats(5, *shape), floats(6, 3, 3, channels, channels), gamma, beta, floats(7, *shape)]
    gradient = ax.function(
        ax.grad(lambda *tensors: training(*tensors)[0], argnums=tuple(range(len(args))))
    )
    for k, analytic in enumerate(gradient(*args)):
        direction = floats(20 + k, *args[k].shape)
        step = 1e-6
        sides = []
        for sign in (1, -1):
            moved = list(args)
            moved[k] = args[k] + sign * step * direction
            sides.append(loss_of(*moved))
        difference = (sides[0] - sides[1]) / (2 * step)
        # Third derivatives leave step ** 2, the rounding of the loss eps / step.
        assert np.vdot(analytic.numpy(), direction) == pytest.approx(difference, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("far", [0.0, 1e3])
def test_statistics_of_what_lies_far_from_zero(dtype, far):
    x = (floats(1, 32, 7, 7, 19) + far).astype(dtype)
    one = np.ones(19, dtype)
    _, mean, variance = batch_norm_train(x, one, one, epsilon=EPSILON)
    exact = x.astype("longdouble")
    eps = np.finfo(dtype).eps
    # Sums run over 64 rows at a time, which makes some 8 roundings; the variance is off by them and
    # by the square of what the mean is off by.
    np.testing.assert_allclose(mean.numpy(), exact.mean((0, 1, 2)), rtol=16 * eps, atol=16 * eps)
    np.testing.assert_allclose(
        variance.numpy(), exact.var((0, 1, 2)), rtol=32 * eps, atol=(16 * eps * far) ** 2
    )


@pytest.mark.parametrize("images", [1, 3, 64, 65, 200])
@pytest.mark.parametrize("where", [0, -1])
def test_statistics_with_one_outlier(images, where):
    # All of the variance lies in one element, which the first images may or may not hold.
    x = np.zeros((images, 5, 5, 2), "float32")
    x[where, 2, 2, 0] = 1000
    x[..., 1] = 0.1
    one = np.ones(2, "float32")
    _, mean, variance = batch_norm_train(x, one, one, epsilon=EPSILON)
    exact = x.astype("float64")
    eps = np.finfo("float32").eps
    np.testing.assert_allclose(mean.numpy(), exact.mean((0, 1, 2)), rtol=16 * eps)
    # A variance that is the difference of numbers up to 65 times as large.
    expected = exact[..., 0].var()
    np.testing.assert_allclose(variance.numpy()[0], expected, rtol=8 * 65 * eps)
    assert 0 <= variance.numpy()[1] < (16 * eps * 0.1) ** 2


def test_same_bits_for_any_number_of_threads():
    def trained(threads: int) -> list[bytes]:
        ax.set_num_threads(threads)
        ax.random.set_seed(5)
        model = residual_block()
        model.compile("sgd", "mse")
        images = floats(1, 64, 8, 8, 16).astype("float32")
        model.fit(images, floats(2, 64, 3).astype("float32"), epochs=2, verbose=0)
        return [w.tobytes() for w in model.get_weights()] + [model.predict(images).tobytes()]

    before = ax.num_threads()
    try:
        assert trained(1) == trained(2) == trained(3)
    finally:
        ax.set_num_threads(before)
