"""Layers against NumPy, and what all layers have in common."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax.errors import InvalidArgumentError, OutOfMemoryError, ShapeError


def rng(seed=0):
    return np.random.default_rng(seed)


def floats(*shape, seed=0):
    return rng(seed).standard_normal(shape).astype(np.float32)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=tolerance, atol=tolerance)


def convolve(x, w, strides, padding, dilation, groups):
    """Convolution by its definition, in float64."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    n, height, width, _ = x.shape
    kh, kw, per_group, filters = w.shape
    reach = [(kh - 1) * dilation + 1, (kw - 1) * dilation + 1]
    if padding == "same":
        pads = []
        for extent, r in zip((height, width), reach, strict=True):
            total = max((-(-extent // strides) - 1) * strides + r - extent, 0)
            pads.append((total // 2, total - total // 2))
        x = np.pad(x, [(0, 0), *pads, (0, 0)])
    rows = (x.shape[1] - reach[0]) // strides + 1
    columns = (x.shape[2] - reach[1]) // strides + 1
    y = np.zeros((n, rows, columns, filters))
    share = filters // groups
    for group in range(groups):
        inputs = x[..., group * per_group : (group + 1) * per_group]
        outputs = slice(group * share, (group + 1) * share)
        for i in range(kh):
            for j in range(kw):
                top, left = i * dilation, j * dilation
                window = inputs[
                    :,
                    top : top + rows * strides : strides,
                    left : left + columns * strides : strides,
                ]
                y[..., outputs] += window[:, :rows, :columns] @ w[i, j][:, outputs]
    return y


# ---- Each layer against its definition.


@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4)])
def test_dense(shape):
    layer = L.Dense(3, activation="tanh", bias_initializer="ones")
    x = floats(*shape)
    kernel = layer(x) is not None and layer.kernel.numpy()
    assert_close(layer(x), np.tanh(x @ kernel + 1))
    assert kernel.shape == (4, 3)
    assert abs(kernel).max() <= np.sqrt(6 / 7)


def test_dense_without_bias():
    layer = L.Dense(3, use_bias=False)
    x = floats(2, 4)
    assert_close(layer(x), x @ layer.kernel.numpy())
    assert len(layer.weights) == 1


@pytest.mark.parametrize(
    ("strides", "padding", "dilation", "groups"),
    [
        (1, "valid", 1, 1),
        (2, "same", 1, 1),
        (1, "same", 2, 1),
        (1, "valid", 1, 2),
        (3, "same", 1, 4),
    ],
)
def test_conv2d(strides, padding, dilation, groups):
    layer = L.Conv2D(
        8, (3, 2), strides, padding, dilation_rate=dilation, groups=groups, bias_initializer="ones"
    )
    x = floats(2, 9, 8, 4)
    y = layer(x)
    expected = convolve(x, layer.kernel.numpy(), strides, padding, dilation, groups) + 1
    assert_close(y, expected, 1e-4)


def test_sizes_may_be_numpy_integers():
    size = np.int64(3)
    layer = L.Conv2D(size * 2, size, groups=size - 1, strides=(size, 1))
    assert layer(floats(1, 9, 8, 4)).shape == (1, 3, 6, 6)


def test_conv2d_with_channels_first():
    layer = L.Conv2D(5, 3, data_format="channels_first", activation="relu")
    x = floats(2, 3, 7, 6)
    y = layer(x)
    last = convolve(x.transpose(0, 2, 3, 1), layer.kernel.numpy(), 1, "valid", 1, 1)
    assert_close(y, np.maximum(last, 0).transpose(0, 3, 1, 2), 1e-4)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(2, None), (3, 2), (2, 1)])
def test_pooling(size, strides, padding):
    x = floats(2, 7, 6, 3)
    steps = strides or size
    if padding == "same":
        pads = []
        for extent in (7, 6):
            total = max((-(-extent // steps) - 1) * steps + size - extent, 0)
            pads.append((total // 2, total - total // 2))
        padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=np.nan)
    else:
        padded = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))
    windows = windows[:, ::steps, ::steps]
    largest = L.MaxPooling2D(size, strides, padding)(x)
    mean = L.AveragePooling2D(size, strides, padding)(x)
    assert_close(largest, np.nanmax(windows, (-2, -1)))
    assert_close(mean, np.nanmean(windows, (-2, -1)))


def test_pooling_with_channels_first():
    x = floats(2, 3, 4, 6)
    y = L.MaxPooling2D(data_format="channels_first")(x)
    assert_close(y, x.reshape(2, 3, 2, 2, 3, 2).max((3, 5)))


def test_global_pooling():
    x = floats(2, 4, 5, 3)
    assert_close(L.GlobalAveragePooling2D()(x), x.mean((1, 2)))
    assert_close(L.GlobalMaxPooling2D()(x), x.max((1, 2)))
    kept = L.GlobalAveragePooling2D(keepdims=True)(x)
    assert_close(kept, x.mean((1, 2), keepdims=True))
    assert_close(L.GlobalMaxPooling2D("channels_first")(x), x.max((2, 3)))


@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 5, 3)])
def test_batch_normalization(shape):
    layer = L.BatchNormalization(momentum=0.9, gamma_initializer="ones")
    x = floats(*shape) * 3 + 2
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    assert_close(layer(x, training=True), (x - mean) / np.sqrt(variance + 1e-3), 1e-4)
    assert_close(layer.moving_mean.numpy(), 0.1 * mean, 1e-4)
    assert_close(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, 1e-4)
    moving, spread = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    assert_close(layer(x), (x - moving) / np.sqrt(spread + 1e-3), 1e-4)
    names = [weight.name.split("/")[1] for weight in layer.weights]
    assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == 2


def test_batch_normalization_over_another_axis_and_frozen():
    layer = L.BatchNormalization(axis=1, scale=False, center=False)
    x = floats(4, 3, 5, 5)
    mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    assert_close(layer(x, training=True), (x - mean) / np.sqrt(variance + 1e-3), 1e-4)
    layer.trainable = False
    before = layer.moving_mean.numpy()
    layer(x, training=True)
    assert_close(layer.moving_mean.numpy(), before)


def test_dropout():
    ax.random.set_seed(3)
    layer = L.Dropout(0.25)
    x = np.ones((200, 100), np.float32)
    assert_close(layer(x), x)
    y = np.asarray(layer(x, training=True))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    # 20,000 independent choices: five standard deviations are 0.0153.
    assert abs((y == 0).mean() - 0.25) < 0.0153
    assert (np.asarray(layer(x, training=True)) != y).any()
    ax.random.set_seed(3)
    assert_close(layer(x, training=True), y)


def test_dropout_with_shared_noise_and_own_seed():
    x = np.ones((4, 6, 3), np.float32)
    y = np.asarray(L.Dropout(0.5, noise_shape=(None, 1, None), seed=5)(x, training=True))
    assert (y == y[:, :1]).all()
    again = np.asarray(L.Dropout(0.5, noise_shape=(None, 1, None), seed=5)(x, training=True))
    assert (y == again).all()


def test_reshaping():
    x = floats(2, 3, 4)
    assert_close(L.Flatten()(x), x.reshape(2, 12))
    assert_close(L.Flatten("channels_first")(x), x.transpose(0, 2, 1).reshape(2, 12))
    assert_close(L.Reshape((4, 3))(x), x.reshape(2, 4, 3))
    assert_close(L.Reshape((-1, 2))(x), x.reshape(2, 6, 2))
    with pytest.raises(ShapeError, match=r"reshape.*\(3, 4\).*12 elements.*\(5, -1\)"):
        L.Reshape((5, -1))(x)


def test_activation_layers():
    x = floats(3, 4)
    assert_close(L.Activation("sigmoid")(x), 1 / (1 + np.exp(-x)))
    assert_close(L.ReLU()(x), np.maximum(x, 0))
    assert_close(L.ReLU(max_value=0.5)(x), np.clip(x, 0, 0.5))
    assert_close(L.ReLU(negative_slope=0.1)(x), np.where(x > 0, x, 0.1 * x))
    assert_close(L.ReLU(threshold=0.3)(x), np.where(x >= 0.3, x, 0))
    e = np.exp(x - x.max(0))
    assert_close(L.Softmax(axis=0)(x), e / e.sum(0))


def test_merging():
    a, b = floats(2, 3), floats(2, 3, seed=1)
    assert_close(L.Add()([a, b, a]), a + b + a)
    assert_close(L.Subtract()([a, b]), a - b)
    assert_close(L.Multiply()([a, b]), a * b)
    assert_close(L.Average()([a, b]), (a + b) / 2)
    assert_close(L.Maximum()([a, b]), np.maximum(a, b))
    assert_close(L.Minimum()([a, b]), np.minimum(a, b))
    assert_close(L.Concatenate()([a, b]), np.concatenate([a, b], -1))
    with pytest.raises(InvalidArgumentError, match="at least two inputs"):
        L.Add()(a)


def test_rescaling_takes_pixels():
    x = rng().integers(0, 256, (2, 3, 3, 1), dtype=np.uint8)
    y = L.Rescaling(1 / 127.5, offset=-1)(x)
    assert y.dtype == "float32"
    assert_close(y, x / 127.5 - 1)


# ---- What all layers have in common.


class Block(L.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.stages = [L.Dense(width), L.Dense(width)]
        self.named = {"out": L.Dense(1)}

    def build(self, input_shape):
        self.scale = self.add_weight((1,), "ones", name="scale")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def call(self, x, training=False):
        for stage in self.stages:
            x = stage(x)
        if training:
            self.count.assign_add(1.0)
        return self.named["out"](x) * self.scale


def test_weights_of_sublayers_in_lists_and_dicts():
    block = Block(3)
    block(floats(2, 4))
    assert len(block.weights) == 8
    assert len(block.trainable_weights) == 7
    assert [w.name.rsplit("/", 1)[1] for w in block.weights[:2]] == ["scale", "count"]
    assert block.count_params() == 1 + 1 + 15 + 12 + 4
    block.trainable = False
    assert block.trainable_weights == [] and not block.stages[0].trainable
    assert len(block.non_trainable_weights) == 8


def test_training_reaches_sublayers():
    class Outer(L.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Block(2)

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    outer(floats(1, 2))
    assert float(outer.inner.count.numpy()) == 0
    outer(floats(1, 2), training=True)
    assert float(outer.inner.count.numpy()) == 1


@pytest.mark.parametrize(("default", "told"), [(None, False), (False, False), (True, True)])
def test_a_call_that_is_not_told_about_training_takes_the_default(default, told):
    class Told(L.Layer):
        def call(self, x, training=default):
            self.training = training
            return x

    layer = Told()
    layer(floats(1))
    assert layer.training is told
    for training in (False, True):
        ax.Sequential([layer])(floats(1), training=training)
        assert layer.training is training


def test_weights_created_while_recording():
    block = Block(3)
    x = floats(2, 4)
    y = ax.function(lambda x: block(x))(x)
    assert_close(y, block(x))
    assert abs(block.stages[0].kernel.numpy()).max() > 0


def test_get_and_set_weights():
    a, b = L.Dense(3), L.Dense(3)
    x = floats(2, 4)
    a(x), b(x)
    b.set_weights(a.get_weights())
    assert_close(a(x), b(x))
    with pytest.raises(InvalidArgumentError, match="has 2 weights, got 1 arrays"):
        b.set_weights(a.get_weights()[:1])
    with pytest.raises(ShapeError, match=r"kernel' has shape \(4, 3\), got \(3, 4\)"):
        b.set_weights([np.zeros((3, 4)), np.zeros(3)])
    assert_close(a(x), b(x))


def test_names():
    first, second = L.Dense(1), L.Dense(1)
    number = int(first.name.removeprefix("dense").removeprefix("_") or 0)
    assert second.name == f"dense_{number + 1}"
    assert L.MaxPooling2D().name.startswith("max_pooling2d")
    assert L.Dense(1, name="head").name == "head"


CONFIGURED = [
    L.Dense(3, "relu", kernel_initializer=ax.initializers.HeNormal(seed=1)),
    L.Conv2D(4, 3, padding="same", groups=2),
    L.MaxPooling2D(3, 2),
    L.BatchNormalization(momentum=0.5),
    L.Dropout(0.3, seed=1),
    L.Reshape((2, 3)),
    L.ReLU(max_value=6.0),
    L.Rescaling(2.0, 1.0),
    L.Concatenate(axis=1),
    L.GlobalMaxPooling2D(keepdims=True),
    L.Softmax(0),
]


@pytest.mark.parametrize("layer", CONFIGURED, ids=lambda layer: type(layer).__name__)
def test_config_makes_an_equal_layer(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.name == layer.name


def test_output_shapes():
    assert L.Dense(3).compute_output_shape((None, 7)) == (None, 3)
    conv = L.Conv2D(4, 3, strides=2, padding="same")
    assert conv.compute_output_shape((None, 9, 8, 3)) == (None, 5, 4, 4)
    assert L.Concatenate().compute_output_shape([(None, 2), (None, 3)]) == (None, 5)
    assert L.Flatten().compute_output_shape((8, 2, 3)) == (8, 6)
    pooled = L.MaxPooling2D(2).compute_output_shape((None, None, None, 3))
    assert pooled == (None, None, None, 3)


# ---- Mistakes.


def test_unknown_argument():
    with pytest.raises(TypeError, match="Dense: unknown argument 'activatoin'; did you mean 'acti"):
        L.Dense(3, activatoin="relu")
    with pytest.raises(TypeError, match="did you mean 'name'"):
        L.Flatten(nane="x")


def test_unknown_alias():
    with pytest.raises(ValueError, match="unknown activation 'relo'; did you mean 'relu'"):
        L.Dense(3, activation="relo")
    with pytest.raises(ValueError, match="unknown initializer 'glorot'; did you mean 'glorot_"):
        L.Dense(3, kernel_initializer="glorot")


def test_wrong_shapes_name_layer_expected_and_got():
    dense = L.Dense(3, name="head")
    dense(floats(2, 4))
    with pytest.raises(ShapeError, match=r"'head' expected .*\(\.\.\., 4\), got shape \(2, 5\)"):
        dense(floats(2, 5))
    with pytest.raises(ShapeError, match=r"expected an input of rank 4, got shape \(2, 5\)"):
        L.Conv2D(3, 3)(floats(2, 5))
    conv = L.Conv2D(3, 3, name="first")
    conv(floats(1, 5, 5, 2))
    with pytest.raises(ShapeError, match=r"'first' expected images of 2 channels.*\(1, 5, 5, 3\)"):
        conv(floats(1, 5, 5, 3))
    with pytest.raises(ShapeError, match=r"'first'.*3x3 pixels.*not fit into images of 2x4 pixels"):
        conv(floats(1, 2, 4, 2))
    with pytest.raises(ShapeError, match=r"'many'.*channels that 4 groups divide.*\(1, 5, 5, 6\)"):
        L.Conv2D(8, 3, groups=4, name="many")(floats(1, 5, 5, 6))
    with pytest.raises(ShapeError, match="in layer 'sum'"):
        L.Add(name="sum")([floats(2, 3), floats(2, 4)])


def test_bad_arguments():
    for make in (
        lambda: L.Dense(0),
        lambda: L.Dense(2.5),
        lambda: L.Dropout(1.0),
        lambda: L.Conv2D(3, 0),
        lambda: L.Conv2D(3, 3, padding="full"),
        lambda: L.Conv2D(3, 3, padding=None),
        lambda: L.Conv2D(3, 3, groups=2),
        lambda: L.Conv2D(3, 3, groups=0),
        lambda: L.Conv2D(4, 3, groups=-2),
        lambda: L.Conv2D(4, 3, groups="2"),
        lambda: L.Conv2D(4, 3, data_format="channels_frist"),
        lambda: L.GlobalMaxPooling2D(data_format="last"),
        lambda: L.Flatten(data_format="last"),
        lambda: L.ZeroPadding2D(data_format="last"),
        lambda: L.MaxPooling2D((2, 2, 2)),
        lambda: L.Input(),
        lambda: L.Input((3, -1)),
    ):
        with pytest.raises(InvalidArgumentError):
            make()


def test_a_layer_whose_weights_could_not_be_made_makes_them_anew():
    failures = [OutOfMemoryError("[cpu:0] no memory")]

    def zeros(shape, dtype=None):
        if failures:
            raise failures.pop()
        return np.zeros(shape, dtype)

    layer = L.Dense(3, bias_initializer=zeros)
    with pytest.raises(OutOfMemoryError):
        layer(floats(2, 4))
    layer(floats(2, 4))
    assert [tuple(weight.shape) for weight in layer.weights] == [(4, 3), (3,)]
