"""Keras's applications: parameters, names, what they take and refuse, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax.applications import (
    VGG16,
    VGG19,
    DenseNet121,
    EfficientNetB0,
    MobileNetV2,
    ResNet50,
    ResNet50V2,
    ResNet101,
    ResNet152,
)
from addax.errors import InvalidArgumentError, ShapeError, UnsupportedError

ALL = [
    DenseNet121,
    EfficientNetB0,
    MobileNetV2,
    ResNet50,
    ResNet50V2,
    ResNet101,
    ResNet152,
    VGG16,
    VGG19,
]
FAMILIES = [DenseNet121, EfficientNetB0, MobileNetV2, ResNet50, ResNet50V2, VGG16]
SMALL = {"weights": None, "input_shape": (32, 32, 3), "classes": 10}


def named(function):
    return function.__name__


# As Keras publishes them.
PARAMETERS = {
    DenseNet121: 8_062_504,
    EfficientNetB0: 5_330_571,
    MobileNetV2: 3_538_984,
    ResNet50: 25_636_712,
    ResNet50V2: 25_613_800,
    ResNet101: 44_707_176,
    ResNet152: 60_419_944,
    VGG16: 138_357_544,
    VGG19: 143_667_240,
}


@pytest.mark.parametrize("application", ALL, ids=named)
def test_number_of_parameters(application):
    model = application(weights=None)
    assert model.count_params() == PARAMETERS[application]
    assert model.input_shape == (None, 224, 224, 3) and model.output_shape == (None, 1000)


TRAINED_AND_KEPT = {
    DenseNet121: (7_978_856, 83_648),
    EfficientNetB0: (5_288_548, 42_023),
    MobileNetV2: (3_504_872, 34_112),
    ResNet50: (25_583_592, 53_120),
    ResNet50V2: (25_568_360, 45_440),
}


@pytest.mark.parametrize("application", TRAINED_AND_KEPT, ids=named)
def test_number_of_trained_parameters(application):
    model = application(weights=None)
    counts = [
        sum(int(np.prod(weight.shape)) for weight in weights)
        for weights in (model.trainable_weights, model.non_trainable_weights)
    ]
    assert tuple(counts) == TRAINED_AND_KEPT[application]


@pytest.mark.parametrize(
    ("alpha", "size", "count"), [(0.35, 96, 423_018), (1.0, 32, 2_270_794), (1.4, 64, 4_381_642)]
)
def test_width_of_mobilenet(alpha, size, count):
    model = MobileNetV2((size, size, 3), alpha=alpha, weights=None, classes=10)
    assert model.name == f"mobilenetv2_{alpha:.2f}_{size}"
    assert model.count_params() == count


FEATURES = {
    DenseNet121: (1, 1, 1024),
    EfficientNetB0: (2, 2, 1280),
    MobileNetV2: (2, 2, 1280),
    ResNet50: (2, 2, 2048),
    ResNet50V2: (2, 2, 2048),
    VGG16: (1, 1, 512),
}


@pytest.mark.parametrize("application", FAMILIES, ids=named)
def test_features_without_top(application):
    channels = FEATURES[application][2]
    maps = application(weights=None, include_top=False, input_shape=(33, 47, 1))
    assert maps.input_shape == (None, 33, 47, 1)
    assert maps.output_shape[-1] == channels and maps.output_shape[1] == FEATURES[application][0]
    assert application(weights=None, include_top=False).output_shape == (None, None, None, channels)
    for pooling in ("avg", "max"):
        model = application(weights=None, include_top=False, pooling=pooling)
        assert model.output_shape == (None, channels)


NAMES = {
    DenseNet121: ("conv1_conv", "conv2_block6_concat", "pool2_pool", "conv5_block16_2_conv", "bn"),
    EfficientNetB0: ("normalization", "block2a_dwconv_pad", "block4c_drop", "block7a_se_reduce"),
    MobileNetV2: ("bn_Conv1", "expanded_conv_depthwise", "block_13_pad", "block_16_project_BN"),
    ResNet50: ("conv1_pad", "conv2_block1_0_conv", "conv4_block6_add", "conv5_block3_out"),
    ResNet50V2: ("conv2_block1_preact_bn", "conv4_block6_2_pad", "conv5_block3_out", "post_bn"),
    VGG16: ("block1_conv2", "block5_conv3", "block5_pool", "flatten", "fc1", "fc2"),
}


@pytest.mark.parametrize("application", FAMILIES, ids=named)
def test_names_of_layers(application):
    model = application(**SMALL)
    for name in (*NAMES[application], "predictions"):
        assert model.get_layer(name).name == name
    names = [layer.name for layer in model.layers]
    assert len(set(names)) == len(names)
    if application is not MobileNetV2:
        assert model.name == application.__name__.lower()
    assert application(**SMALL, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("application", "names"),
    [
        (ResNet50, "2_relu 0_conv 3_conv 0_bn 3_bn add out"),
        (ResNet50V2, "2_relu 0_conv 3_conv out"),
    ],
    ids=["ResNet50", "ResNet50V2"],
)
def test_layers_of_two_branches_alternate(application, names):
    layers = [layer.name for layer in application(**SMALL).layers]
    first = layers.index("conv3_block1_2_relu")
    expected = [f"conv3_block1_{name}" for name in names.split()]
    assert layers[first : first + len(expected)] == expected


@pytest.mark.parametrize("application", FAMILIES, ids=named)
def test_runs_and_gives_probabilities(application):
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    chances = application(**SMALL).predict(images, verbose=0)
    assert chances.shape == (2, 10)
    np.testing.assert_allclose(chances.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize("application", [ResNet50, MobileNetV2], ids=named)
def test_train_step(application):
    ax.random.set_seed(0)
    rng = np.random.default_rng(0)
    images = rng.random((4, 32, 32, 3), dtype=np.float32)
    model = application(**SMALL, classifier_activation=None)
    model.compile("adam", ax.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = model.get_weights()
    history = model.fit(images, np.array([1, 5, 7, 2]), batch_size=4, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    kernels = [
        (weight.name, old, new)
        for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True)
        if weight.name.endswith("kernel")
    ]
    assert kernels and all(np.isfinite(new).all() for _, _, new in kernels)
    assert [name for name, old, new in kernels if (old == new).all()] == []


def test_logits_have_no_activation():
    images = np.random.default_rng(0).random((1, 32, 32, 3), dtype=np.float32)
    model = VGG16(**SMALL, classifier_activation=None)
    last = model.get_layer("predictions")
    hidden = ax.Model(model.inputs, model.get_layer("fc2").output)(images)
    np.testing.assert_allclose(
        np.asarray(model(images)),
        np.asarray(hidden) @ last.kernel.numpy() + last.bias.numpy(),
        rtol=1e-4,
        atol=1e-6,
    )


def test_begins_with_a_given_tensor():
    image = ax.Input((40, 40, 3))
    model = MobileNetV2(weights=None, input_tensor=image, classes=4)
    assert model.inputs == [image] and model.name == "mobilenetv2_1.00_40"
    scaled = ax.layers.Rescaling(1 / 255)(image)
    model = ResNet50(weights=None, input_tensor=scaled, classes=4)
    assert model.inputs == [image] and model.layers[1].name.startswith("rescaling")
    assert model.predict(np.full((1, 40, 40, 3), 255, np.uint8), verbose=0).shape == (1, 4)


@pytest.mark.parametrize("application", ALL, ids=named)
@pytest.mark.parametrize("weights", ["imagenet", "weights.h5"])
def test_weights_cannot_be_downloaded(application, weights):
    with pytest.raises(UnsupportedError, match=f"weights cannot be downloaded.*'{weights}'") as e:
        application(weights=weights)
    assert str(e.value).startswith(application.__name__)


def test_pretrained_weights_are_keras_default_and_refused():
    with pytest.raises(UnsupportedError, match="weights=None"):
        ResNet50()


@pytest.mark.parametrize("application", FAMILIES, ids=named)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((31, 32, 3), r"at least 32x32 pixels, got shape \(31, 32, 3\)"),
        ((32, 32), r"\(height, width, channels\).*got \(32, 32\)"),
        ((32, 32, None), "a known number of channels"),
        ((32, 32, 0), "a known number of channels"),
        ((32.0, 32, 3), r"\(32\.0, 32, 3\)"),
        (32, "got 32"),
        ((None, 32, 3), "include_top=True needs images of a known size"),
    ],
)
def test_images_it_cannot_take(application, shape, message):
    with pytest.raises(ShapeError, match=message) as caught:
        application(weights=None, input_shape=shape)
    assert str(caught.value).startswith(application.__name__)


@pytest.mark.parametrize("application", FAMILIES, ids=named)
def test_images_of_another_size_name_the_application(application):
    name = application(**SMALL).name
    with pytest.raises(ShapeError, match=rf"model '{name}'.*\(None, 32, 32, 3\), got \(2, 28, 28"):
        application(**SMALL).predict(np.zeros((2, 28, 28, 3), np.float32), verbose=0)


def test_images_that_features_of_any_size_cannot_take():
    model = VGG16(weights=None, include_top=False)
    with pytest.raises(
        ShapeError, match=r"'block4_pool' pools over 2x2.*\n.*'vgg16'.*\(1, 8, 8, 3\)"
    ):
        model(np.zeros((1, 8, 8, 3), np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": "mean"}, "pooling must be None, 'avg' or 'max', got 'mean'"),
        ({"pooling": "average"}, "got 'average'; did you mean 'avg'"),
        ({"classes": 0}, "classes must be a positive integer, got 0"),
        ({"classes": 2.5}, "classes must be a positive integer, got 2.5"),
        ({"classifier_activation": "sotfmax"}, "unknown activation 'sotfmax'"),
        ({"input_tensor": np.zeros((1, 32, 32, 3))}, "symbolic tensor.*got ndarray"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        ResNet50(weights=None, **arguments)


def test_more_bad_arguments():
    with pytest.raises(InvalidArgumentError, match="alpha must be positive, got 0"):
        MobileNetV2(weights=None, alpha=0)
    with pytest.raises(ShapeError, match=r"input_shape \(32, 32, 3\).*\(64, 64, 3\)"):
        ResNet50(weights=None, input_tensor=ax.Input((64, 64, 3)), input_shape=(32, 32, 3))
