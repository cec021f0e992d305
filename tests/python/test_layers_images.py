"""Depthwise and separable convolutions, padding and normalisation of images, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax.errors import InvalidArgumentError, ShapeError


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=tolerance, atol=tolerance)


def depthwise(x, kernel, strides=1, padding="valid", dilation=1):
    """Each channel with each of its kernels by the definition, in float64."""
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    kh, kw, channels, multiplier = kernel.shape
    reach = [(kh - 1) * dilation + 1, (kw - 1) * dilation + 1]
    if padding == "same":
        pads = []
        for extent, r in zip(x.shape[1:3], reach, strict=True):
            total = max((-(-extent // strides) - 1) * strides + r - extent, 0)
            pads.append((total // 2, total - total // 2))
        x = np.pad(x, [(0, 0), *pads, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, (1, 2))
    windows = windows[:, ::strides, ::strides, :, ::dilation, ::dilation]
    y = np.einsum("nrschw,hwcm->nrscm", windows, kernel)
    return y.reshape(*y.shape[:3], channels * multiplier)


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize(
    ("strides", "padding", "dilation"),
    [(1, "valid", 1), (2, "same", 1), (1, "same", 2), (3, "valid", 1)],
)
def test_depthwise_conv2d(multiplier, strides, padding, dilation):
    layer = L.DepthwiseConv2D(
        (3, 2),
        strides,
        padding,
        multiplier,
        dilation_rate=dilation,
        activation="relu",
        bias_initializer="ones",
    )
    x = floats(2, 9, 8, 4)
    y = layer(x)
    assert layer.kernel.shape == (3, 2, 4, multiplier) and layer.bias.shape == (4 * multiplier,)
    expected = depthwise(x, layer.kernel.numpy(), strides, padding, dilation) + 1
    assert_close(y, np.maximum(expected, 0))


@pytest.mark.parametrize("layer", [L.DepthwiseConv2D(3), L.SeparableConv2D(5, 3)])
def test_channels_first(layer):
    x = floats(2, 4, 7, 6)
    layer.data_format = "channels_first"
    first = np.asarray(layer(x))
    layer.data_format = "channels_last"
    assert_close(first, np.asarray(layer(x.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2))


def test_separable_conv2d():
    layer = L.SeparableConv2D(5, 3, 2, "same", depth_multiplier=2, bias_initializer="ones")
    x = floats(2, 7, 7, 3)
    y = layer(x)
    assert [tuple(w.shape) for w in layer.weights] == [(3, 3, 3, 2), (1, 1, 6, 5), (5,)]
    between = depthwise(x, layer.depthwise_kernel.numpy(), 2, "same")
    assert_close(y, between @ layer.pointwise_kernel.numpy()[0, 0] + 1)


def test_gradient_of_depthwise_conv2d():
    layer = L.DepthwiseConv2D(2, padding="same", use_bias=False)
    x = floats(1, 3, 3, 2)
    layer(x)
    kernel = layer.kernel.numpy()

    def loss(w):
        layer.kernel.assign(w)
        return float(np.square(np.asarray(layer(x), dtype=np.float64)).sum())

    def traced(w, x):
        filters = w.reshape([2, 2, 1, 2])
        return ax.ops.sum(ax.ops.square(ax.ops.conv(x, filters, padding="same")))

    slope = np.asarray(ax.grad(traced)(ax.tensor(kernel), ax.tensor(x)))
    for index in np.ndindex(*kernel.shape):
        step = np.zeros_like(kernel)
        step[index] = 1e-2
        assert_close(slope[index], (loss(kernel + step) - loss(kernel - step)) / 2e-2, 1e-2)


@pytest.mark.parametrize(
    ("padding", "widths"),
    [
        (2, ((2, 2), (2, 2))),
        ((1, 0), ((1, 1), (0, 0))),
        (((1, 2), (3, 0)), ((1, 2), (3, 0))),
        ([[0, 1], 2], ((0, 1), (2, 2))),
    ],
)
def test_zero_padding(padding, widths):
    x = floats(2, 3, 4, 5)
    assert_close(L.ZeroPadding2D(padding)(x), np.pad(x, [(0, 0), *widths, (0, 0)]))
    first = L.ZeroPadding2D(padding, "channels_first")(x)
    assert_close(first, np.pad(x, [(0, 0), (0, 0), *widths]))


def test_zero_padding_keeps_the_dtype_of_pixels():
    x = np.full((1, 2, 2, 1), 255, np.uint8)
    y = L.ZeroPadding2D()(x)
    assert y.dtype == "uint8" and int(np.asarray(y).sum()) == 4 * 255


@pytest.mark.parametrize("padding", [-1, (1, 2, 3), ((1, 2, 3), 1), ((1, -1), 0), 1.5, (0.5, 1)])
def test_zero_padding_refuses_other_widths(padding):
    with pytest.raises(InvalidArgumentError, match="ZeroPadding2D: padding must be"):
        L.ZeroPadding2D(padding)


@pytest.mark.parametrize(("axis", "others"), [(-1, (0, 1, 2)), ((1, 3), (0, 2)), (None, None)])
def test_normalization_adapts_to_data(axis, others):
    x = floats(6, 3, 4, 2) * 5 + 3
    layer = L.Normalization(axis)
    assert_close(layer(x), x)
    layer.adapt(x)
    mean, variance = x.mean(others, keepdims=True), x.var(others, keepdims=True)
    assert_close(layer(x), (x - mean) / np.sqrt(variance), 1e-4)
    assert layer.trainable_weights == [] and len(layer.weights) == 3
    assert int(layer.count.numpy()) == x.size // mean.size


def test_normalization_by_given_numbers_and_back():
    x = floats(5, 2)
    layer = L.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0])
    y = layer(x)
    assert_close(y, (x - [1, 2]) / [2, 3])
    assert layer.weights == []
    back = L.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0], invert=True)
    assert_close(back(np.asarray(y)), x)
    with pytest.raises(InvalidArgumentError, match="none to adapt"):
        layer.adapt(x)


def test_normalization_of_what_does_not_vary_is_finite():
    layer = L.Normalization()
    layer.adapt(np.ones((4, 1), np.float32))
    assert_close(layer(np.ones((2, 1), np.float32)), np.zeros((2, 1)))


def test_shapes_without_values():
    assert L.DepthwiseConv2D(3, 2, "same").compute_output_shape((None, 9, 9, 4)) == (None, 5, 5, 4)
    assert L.SeparableConv2D(8, 3).compute_output_shape((None, None, None, 4)) == (
        None,
        None,
        None,
        8,
    )
    assert L.ZeroPadding2D(1).compute_output_shape((None, 5, 6, 3)) == (None, 7, 8, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier.*got 0"),
        (lambda: L.DepthwiseConv2D((3, 3, 3)), "kernel_size"),
        (lambda: L.DepthwiseConv2D(3, padding="full"), r"DepthwiseConv2D.*'valid' or 'same'"),
        (lambda: L.SeparableConv2D(0, 3), "filters must be a positive integer, got 0"),
        (lambda: L.SeparableConv2D(2, 3, strides=0), "strides"),
        (lambda: L.Normalization(mean=1.0), "both mean and variance"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(InvalidArgumentError, match=message):
        make()


def test_wrong_shapes_name_layer_expected_and_got():
    layer = L.DepthwiseConv2D(3, name="taps")
    with pytest.raises(ShapeError, match=r"'taps' expected an input of rank 4, got shape \(2, 8\)"):
        layer(floats(2, 8))
    with pytest.raises(ShapeError, match=r"'taps' slides a window of 3x3.*images of 2x2"):
        layer(floats(1, 2, 2, 3))
    layer(floats(1, 4, 4, 3))
    with pytest.raises(ShapeError, match=r"'taps' expected images of 3 channels"):
        layer(floats(1, 4, 4, 2))
    with pytest.raises(ShapeError, match=r"rank 4, got shape \(2, 3\)"):
        L.ZeroPadding2D()(floats(2, 3))
    normal = L.Normalization()
    normal(floats(2, 3))
    with pytest.raises(ShapeError, match=r"shape \(3,\).*\(2, 4\)"):
        normal.adapt(floats(2, 4))


CONFIGURED = [
    L.DepthwiseConv2D(3, 2, "same", depth_multiplier=2, depthwise_initializer="he_normal"),
    L.SeparableConv2D(4, 3, activation="swish"),
    L.ZeroPadding2D(((1, 0), (2, 3))),
    L.Normalization(axis=(1, -1)),
]


@pytest.mark.parametrize("layer", CONFIGURED, ids=lambda layer: type(layer).__name__)
def test_config_makes_an_equal_layer(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config and again.name == layer.name
