"""Random flips, crops and translations: values for known random numbers, statistics, mistakes."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax import random
from addax.errors import DTypeError, InvalidArgumentError, ShapeError, UnsupportedError

LAYERS = [
    L.RandomFlip("horizontal"),
    L.RandomFlip("vertical"),
    L.RandomFlip(),
    L.RandomCrop(5, 6),
    L.RandomTranslation(0.3, 0.2),
    L.RandomTranslation((-0.5, 0.1), 0.4, "constant", "nearest", fill_value=7.0),
    L.RandomTranslation(0.9, 1.0, "wrap"),
]


def named(layer):
    return type(layer).__name__ + getattr(layer, "mode", getattr(layer, "fill_mode", ""))


def images(n=40, height=7, width=9, channels=3, dtype=np.float32):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, channels)).astype(dtype)


def draws(seed, *ranges, n=40):
    """The numbers that a layer with this seed draws first: one for each image, for each range."""
    generator = random.SeedGenerator(seed)
    return [random.uniform((n, 1), *bounds, seed=generator).numpy()[:, 0] for bounds in ranges]


# ---- Values.


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_flip(dtype):
    x = images(dtype=dtype)
    (up_down,), (left_right,) = draws(5, (0, 1)), draws(6, (0, 1))
    y = L.RandomFlip("vertical", seed=5)(x)
    assert y.dtype == "float32"
    np.testing.assert_array_equal(y, np.where(up_down[:, None, None, None] < 0.5, x[:, ::-1], x))
    expected = np.where(left_right[:, None, None, None] < 0.5, x[:, :, ::-1], x)
    np.testing.assert_array_equal(L.RandomFlip("horizontal", seed=6)(x), expected)


def test_flip_both_ways():
    x = images()
    rows, columns = draws(5, (0, 1), (0, 1))
    expected = [
        image[:: -1 if up_down else 1, :: -1 if left_right else 1]
        for image, up_down, left_right in zip(x, rows < 0.5, columns < 0.5, strict=True)
    ]
    np.testing.assert_array_equal(L.RandomFlip(seed=5)(x), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_crop(dtype):
    x = images(dtype=dtype)
    rows, columns = draws(5, (0, 3), (0, 4))
    expected = [
        image[top : top + 5, left : left + 6]
        for image, top, left in zip(x, rows.astype(int), columns.astype(int), strict=True)
    ]
    np.testing.assert_array_equal(L.RandomCrop(5, 6, seed=5)(x), expected)


def translate(image, down, right, fill_mode):
    """A translation by its definition, in float64."""
    modes = {"reflect": "symmetric", "wrap": "wrap", "nearest": "edge", "constant": "constant"}
    values = {"constant_values": 9.0} if fill_mode == "constant" else {}
    margin = 16
    wide = np.pad(
        image.astype(np.float64), [(margin,) * 2] * 2 + [(0, 0)], modes[fill_mode], **values
    )

    def shifted(x, shift, axis):
        whole = int(np.floor(shift))
        part = shift - whole
        return (1 - part) * np.roll(x, whole, axis) + part * np.roll(x, whole + 1, axis)

    height, width, _ = image.shape
    moved = shifted(shifted(wide, down, 0), right, 1)
    return moved[margin : margin + height, margin : margin + width]


@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "nearest", "constant"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_translation(fill_mode, interpolation, dtype):
    x = images(dtype=dtype)
    layer = L.RandomTranslation((-0.25, 1.0), 0.5, fill_mode, interpolation, seed=5, fill_value=9.0)
    # The layer draws where the window begins, which moves against the image.
    tops, lefts = draws(5, (-7, 0.25 * 7), (-4.5, 4.5))
    if interpolation == "nearest":
        tops, lefts = np.floor(tops + 0.5), np.floor(lefts + 0.5)
    expected = [
        translate(image, -top, -left, fill_mode)
        for image, top, left in zip(x, tops, lefts, strict=True)
    ]
    # Float32 keeps a position of up to 9 pixels within 5e-7, neighbours differ by up to 255.
    np.testing.assert_allclose(layer(x), expected, atol=4e-4)


def test_translation_by_whole_pixels_is_exact():
    x = images(2, 4, 4, 1)
    x[0, 0, 0] = np.nan
    moved = L.RandomTranslation((0.25, 0.25), (-0.5, -0.5), "constant", "nearest")(x).numpy()
    np.testing.assert_array_equal(moved[:, 1:, :2], x[:, :3, 2:])
    assert not moved[:, 0].any() and not moved[:, :, 2:].any()


@pytest.mark.parametrize("dtype", ["uint8", "float64", "float16", "bfloat16"])
def test_dtype_of_the_layer_is_that_of_the_result(dtype):
    x = images(dtype=np.uint8)
    for layer in (
        L.RandomFlip(dtype=dtype),
        L.RandomCrop(4, 4, dtype=dtype),
        L.RandomTranslation(0.1, 0.1, "constant", "nearest", dtype=dtype),
    ):
        assert layer(x, training=True).dtype == dtype
        assert layer(x, training=False).dtype == dtype
    if dtype != "uint8":
        assert L.RandomTranslation(0.1, 0.1, dtype=dtype)(x).dtype == dtype


# ---- Statistics. Bounds are five standard deviations.


def test_each_image_is_flipped_half_of_the_time():
    ax.random.set_seed(1)
    n = 4000
    x = np.broadcast_to(np.arange(4.0, dtype=np.float32).reshape(1, 2, 2, 1), (n, 2, 2, 1))
    corners = L.RandomFlip()(x).numpy()[:, 0, 0, 0]
    shares = np.bincount(corners.astype(int), minlength=4) / n
    assert abs(shares - 0.25).max() < 5 * (0.25 * 0.75 / n) ** 0.5


def test_crops_begin_everywhere_equally_often():
    ax.random.set_seed(2)
    n = 6000
    x = np.broadcast_to(np.arange(12.0, dtype=np.float32).reshape(1, 3, 4, 1), (n, 3, 4, 1))
    corners = L.RandomCrop(2, 2)(x).numpy()[:, 0, 0, 0]
    counts = np.bincount(corners.astype(int), minlength=12).reshape(3, 4)
    assert not counts[2].any() and not counts[:, 3].any()
    assert abs(counts[:2, :3] / n - 1 / 6).max() < 5 * (1 / 6 * 5 / 6 / n) ** 0.5


def test_translations_fill_their_range():
    ax.random.set_seed(3)
    n = 4000
    ramp = np.arange(101.0, dtype=np.float32).reshape(1, 101, 1, 1)
    y = L.RandomTranslation((-0.2, 0.4), 0.0)(np.broadcast_to(ramp, (n, 101, 1, 1))).numpy()
    down = 50 - y[:, 50, 0, 0]
    assert -20.2 <= down.min() < -19.5 and 39.8 < down.max() <= 40.4
    assert abs(down.mean() - 10.1) < 5 * (60.6 / 12**0.5) / n**0.5


# ---- Inference, seeds, threads.


@pytest.mark.parametrize("layer", LAYERS, ids=named)
def test_inference_changes_nothing_but_the_dtype(layer):
    x = images(dtype=np.uint8)
    y = layer(x, training=False)
    assert y.dtype == "float32"
    # The window of 5x6 pixels in the centre of 7x9.
    expected = x[:, 1:6, 1:7] if isinstance(layer, L.RandomCrop) else x
    np.testing.assert_array_equal(y, expected)


def test_predict_and_evaluate_infer_and_a_direct_call_trains():
    x = images()
    model = ax.Sequential(
        [ax.Input((7, 9, 3)), L.RandomFlip(seed=1), L.RandomTranslation(0.2, 0.2)]
    )
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    assert (model(x).numpy() != x).any()
    np.testing.assert_array_equal(model(x, training=False), x)


@pytest.mark.parametrize("layer", LAYERS, ids=named)
def test_a_seed_repeats_and_batches_differ(layer):
    x = images()

    def draw():
        again = type(layer).from_config({**layer.get_config(), "seed": 4})
        return again(x).numpy(), again(x).numpy()

    first, second = draw()
    assert (first != second).any()
    for a, b in zip(draw(), (first, second), strict=True):
        np.testing.assert_array_equal(a, b)
    ax.random.set_seed(8)
    first = layer(x).numpy()
    ax.random.set_seed(8)
    np.testing.assert_array_equal(layer(x), first)


def test_any_number_of_threads_gives_the_same_bits():
    code = (
        "import hashlib, numpy as np, addax as ax\n"
        "L = ax.layers\n"
        "x = np.arange(64 * 32 * 32 * 3, dtype=np.float32).reshape(64, 32, 32, 3)\n"
        "m = ax.Sequential([L.RandomFlip(seed=1), L.RandomCrop(28, 28, seed=2),"
        " L.RandomTranslation(0.1, 0.1, 'constant', seed=3)])\n"
        "print(hashlib.sha256(m(x).numpy().tobytes()).hexdigest())\n"
    )
    digests = {
        subprocess.check_output(
            [sys.executable, "-c", code],
            text=True,
            env={**os.environ, "ADDAX_NUM_THREADS": threads},
        )
        for threads in ("1", "2", "5")
    }
    assert len(digests) == 1


# ---- In models.


def test_training_through_them():
    ax.random.set_seed(0)
    generator = np.random.default_rng(1)
    y = generator.integers(0, 2, 256)
    x = generator.integers(0, 100, (256, 12, 12, 3), dtype=np.uint8)
    x[y == 1] += 100
    model = ax.Sequential(
        [
            L.RandomFlip("horizontal"),
            L.RandomTranslation(0.1, 0.1),
            L.RandomCrop(8, 8),
            L.Rescaling(1 / 255),
            L.Conv2D(4, 3, activation="relu"),
            L.Flatten(),
            L.Dense(2),
        ]
    )
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=12, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert model.evaluate(x, y, verbose=0)[1] > 0.95


def test_training_draws_anew_in_every_step_and_epoch():
    """Without weights, the losses of the epochs differ only by what the layer draws."""
    x = np.arange(64, dtype=np.float32).reshape(1, 1, 64, 1).repeat(4, 0)
    model = ax.Sequential([L.RandomCrop(1, 1, seed=3), L.Flatten()])
    model.compile(ax.optimizers.SGD(0.0), "mse")
    losses = model.fit(x, np.zeros((4, 1)), batch_size=4, epochs=8, verbose=0).history["loss"]
    assert len(set(losses)) == 8


def test_gradients_reach_layers_before():
    x = images(4)
    scale = ax.Variable(np.ones((), np.float32))
    for layer in LAYERS:
        gradient = ax.grad(lambda s, layer=layer: (layer(x * s)).sum())(scale)
        assert np.isfinite(np.asarray(gradient)).all()
    flipped = L.RandomFlip()
    gradient = ax.grad(lambda s: flipped(x * s).sum())(scale)
    np.testing.assert_allclose(np.asarray(gradient), x.sum(), rtol=1e-5)


def test_shapes_in_functional_models():
    inputs = ax.Input((None, None, 3))
    assert L.RandomCrop(5, 6)(inputs).shape == (None, 5, 6, 3)
    assert L.RandomFlip()(inputs).shape == (None, None, None, 3)
    assert L.RandomTranslation(0.1, 0.1)(inputs).shape == (None, None, None, 3)


@pytest.mark.parametrize("layer", LAYERS, ids=named)
def test_config_makes_an_equal_layer(layer):
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


# ---- Mistakes.


def test_bad_arguments():
    for make, message in (
        (lambda: L.RandomFlip("sideways"), "mode must be 'horizontal', 'vertical' or"),
        (lambda: L.RandomCrop(0, 3), "height must be an integer of at least 1, got 0"),
        (lambda: L.RandomCrop(3, 2.5), "width must be an integer"),
        (lambda: L.RandomTranslation(1.5, 0), r"height_factor .* \[-1, 1\], got 1.5"),
        (lambda: L.RandomTranslation(0, (0.2, 0.1)), "width_factor"),
        (lambda: L.RandomTranslation(0, (0.2,)), "width_factor"),
        (lambda: L.RandomTranslation(0, 0, "mirror"), "fill_mode must be 'constant', 'nearest'"),
        (lambda: L.RandomTranslation(0, 0, interpolation="cubic"), "'bilinear' or 'nearest'"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            make()
    with pytest.raises(UnsupportedError, match="RandomFlip: data_format must be 'channels_last'"):
        L.RandomFlip(data_format="channels_first")
    with pytest.raises(DTypeError, match="mixes pixels, which dtype 'uint8' cannot hold"):
        L.RandomTranslation(0.1, 0.1, dtype="uint8")


def test_bad_shapes():
    with pytest.raises(ShapeError, match=r"'grey' expected an input of rank 4.*\(32, 28, 28\)"):
        L.RandomFlip(name="grey")(np.zeros((32, 28, 28), np.float32))
    for training in (False, True):
        with pytest.raises(ShapeError, match=r"'cut' cuts out 8x4 pixels.*\(40, 7, 9, 3\)"):
            L.RandomCrop(8, 4, name="cut")(images(), training=training)
