"""Transposed convolutions by their definition: each pixel adds its multiple of the kernel."""

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


def length(extent, reach, stride, padding, extra):
    """How many pixels an axis gets, as Keras counts them."""
    if padding == "same":
        return extent * stride if extra is None else (extent - 1) * stride + reach % 2 + extra
    return (extent - 1) * stride + (max(reach, stride) if extra is None else reach + extra)


def pairs(*values):
    return [(v, v) if isinstance(v, int) or v is None else v for v in values]


def transpose(x, kernel, strides=1, padding="valid", output_padding=None, dilation=1):
    """By the definition, in float64: add everything up, then cut off what reaches too far."""
    steps, extra, holes = pairs(strides, output_padding, dilation)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], holes, strict=True)]
    whole = [(n - 1) * s + r for n, s, r in zip(x.shape[1:3], steps, reach, strict=True)]
    shape = [
        length(n, r, s, padding, e)
        for n, r, s, e in zip(x.shape[1:3], reach, steps, extra, strict=True)
    ]
    y = np.zeros((x.shape[0], *np.maximum(whole, shape), kernel.shape[2]))
    for row, column in np.ndindex(*x.shape[1:3]):
        for i, j in np.ndindex(*kernel.shape[:2]):
            place = row * steps[0] + i * holes[0], column * steps[1] + j * holes[1]
            y[:, place[0], place[1]] += x[:, row, column].astype(np.float64) @ kernel[i, j].T
    top, left = (max(w - n, 0) // 2 for w, n in zip(whole, shape, strict=True))
    return y[:, top : top + shape[0], left : left + shape[1]]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("strides", "output_padding", "dilation"),
    [
        (1, None, 1),
        (1, 0, 1),
        (2, None, 1),
        (2, 0, 1),
        (2, 1, 1),
        (3, None, 1),
        (3, 2, 1),
        (1, None, 2),
        (1, None, 3),
        (2, 1, 2),
        ((1, 2), (0, 1), (2, 1)),
    ],
)
def test_op_by_the_definition(strides, size, padding, output_padding, dilation):
    x, kernel = floats(2, 3, 4, 3), floats(size, max(size - 1, 1), 2, 3, seed=1)
    y = ax.ops.conv_transpose(x, kernel, strides, padding, output_padding, dilation_rate=dilation)
    assert_close(y, transpose(x, kernel, strides, padding, output_padding, dilation))


def test_it_is_the_gradient_of_conv_by_its_images():
    images, kernel, slope = (
        floats(2, 9, 7, 2),
        floats(3, 3, 2, 4, seed=1),
        floats(2, 5, 4, 4, seed=2),
    )

    def weighted(images):
        return ax.ops.sum(ax.ops.conv(images, kernel, 2, "same") * slope)

    y = ax.ops.conv_transpose(slope, kernel, 2, "same", output_padding=0)
    assert_close(y, np.asarray(ax.grad(weighted)(ax.tensor(images))))


@pytest.mark.parametrize(
    ("strides", "padding", "output_padding", "dilation"),
    [(1, "valid", None, 1), (2, "same", None, 1), (3, "valid", 1, 1), (1, "same", None, 2)],
)
def test_gradients_by_differences(strides, padding, output_padding, dilation):
    x, kernel = floats(1, 3, 2, 2).astype(np.float64), floats(3, 2, 2, 2, seed=1).astype(np.float64)

    def loss(x, kernel):
        y = ax.ops.conv_transpose(
            x, kernel, strides, padding, output_padding, dilation_rate=dilation
        )
        return ax.ops.sum(ax.ops.square(y))

    slopes = ax.grad(loss, argnums=(0, 1))(ax.tensor(x), ax.tensor(kernel))
    for which, slope in enumerate(slopes):
        point = (x, kernel)[which]
        differences = np.zeros_like(point)
        for index in np.ndindex(*point.shape):
            for sign in (1, -1):
                moved = [x.copy(), kernel.copy()]
                moved[which][index] += sign * 1e-4
                differences[index] += sign * loss(*map(ax.tensor, moved)).item() / 2e-4
        # The loss is quadratic: central differences have no error but rounding.
        assert_close(slope, differences, 1e-7)


def test_layer():
    layer = L.Conv2DTranspose(5, (3, 2), 2, "same", 1, activation="relu", bias_initializer="ones")
    x = floats(2, 4, 3, 4)
    y = layer(x)
    assert layer.kernel.shape == (3, 2, 5, 4) and layer.bias.shape == (5,)
    expected = transpose(x, layer.kernel.numpy(), 2, "same", 1) + 1
    assert_close(y, np.maximum(expected, 0))
    assert L.Conv2DTranspose(2, 3, use_bias=False)(x).shape == (2, 6, 5, 2)
    assert L.Convolution2DTranspose is L.Conv2DTranspose


def test_computes_in_the_dtype_of_its_policy():
    layer = L.Conv2DTranspose(5, 3, 2, "same", dtype="mixed_bfloat16", bias_initializer="ones")
    x = floats(2, 4, 3, 4)
    y = layer(x)
    assert y.dtype == "bfloat16" and layer.kernel.dtype == "float32"
    expected = transpose(x, layer.kernel.numpy(), 2, "same") + 1
    # Both factors of at most 16 terms, their sum, and that plus the bias are rounded to 8 bits.
    assert_close(y.astype("float32"), expected, 2**-5)


def test_channels_first():
    layer = L.Conv2DTranspose(5, 3, 2, data_format="channels_first", bias_initializer="ones")
    x = floats(2, 4, 3, 6)
    y = np.asarray(layer(x))
    expected = transpose(x.transpose(0, 2, 3, 1), layer.kernel.numpy(), 2) + 1
    assert_close(y.transpose(0, 2, 3, 1), expected)
    first = ax.ops.conv_transpose(x, layer.kernel, 2, data_format="channels_first")
    assert_close(first, y - 1)


def test_shapes_without_values():
    layer = L.Conv2DTranspose(8, 3, 2, "same")
    assert layer.compute_output_shape((None, 7, 5, 4)) == (None, 14, 10, 8)
    assert layer.compute_output_shape((None, None, None, 4)) == (None, None, None, 8)
    assert layer(floats(0, 7, 5, 4)).shape == (0, 14, 10, 8)


def test_config_makes_an_equal_layer():
    layer = L.Conv2DTranspose(8, 3, (2, 3), "same", (1, 2), activation="swish")
    config = layer.get_config()
    assert config["output_padding"] == (1, 2) and config["strides"] == (2, 3)
    assert L.Conv2DTranspose.from_config(config).get_config() == config


def test_an_autoencoder_learns():
    ax.random.set_seed(0)
    x = floats(64, 8, 8, 1)
    x = np.repeat(np.repeat(x[:, ::2, ::2], 2, 1), 2, 2)
    model = ax.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(4, 2, 2),
            L.Conv2DTranspose(1, 2, 2),
        ]
    )
    model.compile(ax.optimizers.Adam(0.05), "mse")
    losses = model.fit(x, x, epochs=60, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 1e-3 < losses[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Conv2DTranspose(0, 3), "filters must be a positive integer, got 0"),
        (lambda: L.Conv2DTranspose(2, 3, 2, output_padding=2), "less than strides.*got 2"),
        (lambda: L.Conv2DTranspose(2, 3, output_padding=-1), "output_padding must be.* 0.*got -1"),
        (lambda: L.Conv2DTranspose(2, 3, padding="full"), "Conv2DTranspose.*'valid' or 'same'"),
        (lambda: L.Conv2DTranspose(2, 3, data_format="last"), "data_format.*got 'last'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(InvalidArgumentError, match=message):
        make()


def test_wrong_shapes_name_layer_expected_and_got():
    layer = L.Conv2DTranspose(2, 2, padding="same", output_padding=0, name="up")
    with pytest.raises(ShapeError, match=r"'up' expected an input of rank 4, got shape \(2, 8\)"):
        layer(floats(2, 8))
    with pytest.raises(ShapeError, match=r"1x3 pixels.* 2x2 would give 0x2 pixels(.|\n)*'up'"):
        layer(floats(1, 1, 3, 3))
    with pytest.raises(ShapeError, match="'up' expected images of 3 channels"):
        layer(floats(1, 4, 4, 2))
    with pytest.raises(ShapeError, match=r"\(2, 2, 4, 5\) does not fit images.*\(1, 4, 4, 2\)"):
        ax.ops.conv_transpose(floats(1, 4, 4, 2), floats(2, 2, 4, 5))
