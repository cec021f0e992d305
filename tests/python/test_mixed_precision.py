"""Dtype policies, and models that compute in bfloat16 with weights in float32."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
import pytest

import addax as ax
from addax import _core, mixed_precision
from addax import layers as L
from addax.errors import DTypeError, InvalidArgumentError, ShapeError, UnsupportedError
from addax.mixed_precision import Policy, global_policy, set_global_policy


@pytest.fixture(autouse=True)
def _float32_around():
    yield
    set_global_policy("float32")


@pytest.fixture
def mixed():
    set_global_policy("mixed_bfloat16")


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# ---- Policies.


@pytest.mark.parametrize(
    ("name", "computes", "keeps"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_bfloat16", "bfloat16", "float32"),
    ],
)
def test_policy(name, computes, keeps):
    policy = Policy(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, computes, keeps)
    assert Policy.from_config(policy.get_config()) == policy and len({policy, Policy(name)}) == 1
    for chosen in (name, policy):
        set_global_policy(chosen)
        layer = L.Dense(2)
        assert layer.dtype_policy == global_policy() == policy
        assert (layer.compute_dtype, layer.variable_dtype, layer.dtype) == (computes, keeps, keeps)
        set_global_policy("float32")
        assert layer(floats(3, 4)).dtype == computes
        assert {weight.dtype for weight in layer.weights} == {keeps}


def test_names_of_keras():
    assert mixed_precision.DTypePolicy is Policy
    ax.config.set_dtype_policy("mixed_bfloat16")
    assert ax.config.dtype_policy() == mixed_precision.dtype_policy() == Policy("mixed_bfloat16")
    mixed_precision.set_dtype_policy("float32")
    assert global_policy().name == "float32"


def test_unknown_names_are_told_the_nearest():
    for use in (Policy, set_global_policy, lambda name: L.Dense(2, dtype=name)):
        with pytest.raises(InvalidArgumentError, match=r"'mixed_bfloat61'.*mean 'mixed_bfloat16'"):
            use("mixed_bfloat61")
    assert global_policy().name == "float32"


def test_float16_is_refused_with_what_to_use_instead():
    for name in ("mixed_float16", "float16"):
        with pytest.raises(UnsupportedError, match=f"'{name}'.*mixed_bfloat16"):
            set_global_policy(name)
    with pytest.raises(UnsupportedError, match="mixed_bfloat16"):
        L.Dense(2, dtype="mixed_float16")


@pytest.mark.parametrize("policy", [None, 3, np.float32])
def test_global_policy_must_be_a_name_or_a_policy(policy):
    with pytest.raises(DTypeError, match="dtype policy"):
        set_global_policy(policy)


def test_global_policy_must_be_floating():
    with pytest.raises(DTypeError, match="'mixed_bfloat16', got 'int32'"):
        set_global_policy("int32")


def test_dtype_of_a_layer_may_be_a_policy_or_a_dtype():
    assert L.Dense(2, dtype=Policy("mixed_bfloat16")).compute_dtype == "bfloat16"
    assert L.Dense(2, dtype=np.float64).compute_dtype == "float64"
    assert L.RandomFlip(dtype="uint8").dtype_policy.name == "uint8"
    with pytest.raises(DTypeError, match="dtype policy, got"):
        L.Dense(2, dtype=[1])


# ---- When the global policy changes.


def test_layers_keep_the_policy_that_they_were_made_under():
    before = L.Dense(2)
    set_global_policy("mixed_bfloat16")
    after = L.Dense(2)
    assert before(floats(1, 3)).dtype == "float32"
    assert after(floats(1, 3)).dtype == "bfloat16"
    own = L.Dense(3, dtype="float32")
    model = ax.Sequential([ax.Input((3,)), own, before, L.Reshape((2, 1))])
    assert [layer.output.dtype for layer in model.layers] == ["float32", "float32", "bfloat16"]


def test_a_compiled_model_stays_as_it_is():
    x, y = floats(8, 3), floats(8, 2, seed=1)
    set_global_policy("mixed_bfloat16")
    model = ax.Sequential([ax.Input((3,)), L.Dense(2)])
    model.compile("sgd", "mse")
    before = model.predict(x, verbose=0)
    set_global_policy("float64")
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    model.fit(x, y, verbose=0)
    assert model.predict_on_batch(x).dtype == before.dtype
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_the_policy_counts_where_a_layer_is_made_not_where_it_is_built():
    class Block(ax.Layer):
        def build(self, input_shape):
            self.inner = L.Dense(2)

        def call(self, x):
            return self.inner(x)

    block = Block(dtype="float32")
    set_global_policy("mixed_bfloat16")
    assert block(floats(1, 3)).dtype == "bfloat16"
    assert block.compute_dtype == "float32" and block.inner.compute_dtype == "bfloat16"


def test_all_threads_share_the_policy(mixed):
    x, models = floats(40, 3), []

    def build():
        models.append(ax.Sequential([ax.Input((3,)), L.Dense(8, activation="relu"), L.Dense(2)]))

    thread = threading.Thread(target=build)
    thread.start()
    thread.join()
    model = models[0]
    assert {layer.compute_dtype for layer in model.layers} == {"bfloat16"}
    expected = model.predict(x, verbose=0)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: model.predict(x, verbose=0), range(8)):
            np.testing.assert_array_equal(result, expected)


# ---- What layers do with their inputs and weights.


def test_floating_inputs_are_cast_and_others_are_not(mixed):
    layer = L.Flatten()
    for dtype in ("float64", "float32", "float16", ml_dtypes.bfloat16):
        assert layer(np.ones((1, 2), dtype)).dtype == "bfloat16"
        assert layer(ax.tensor(np.ones((1, 2), dtype))).dtype == "bfloat16"
    assert layer(ax.Variable([[1.0]])).dtype == "bfloat16"
    assert layer(inputs=floats(1, 2)).dtype == "bfloat16"
    for dtype in ("bool", "uint8", "int32", "int64"):
        assert layer(np.ones((1, 2), dtype)).dtype == dtype
    assert L.Dense(2)(np.ones((1, 2), np.uint8)).dtype == "bfloat16"
    assert L.Flatten(dtype="float32")(ax.tensor([[1.0]], dtype="bfloat16")).dtype == "float32"


def test_inputs_in_a_structure_are_cast(mixed):
    one, other = ax.tensor(floats(1, 2)), ax.tensor(floats(1, 2)).astype("bfloat16")
    assert L.Add()([one, other]).dtype == "bfloat16"
    assert L.Add(dtype="float32")([one, other]).dtype == "float32"


def test_a_layer_that_does_not_cast(mixed):
    assert L.Flatten(autocast=False)(floats(1, 2)).dtype == "float32"


def test_a_layer_of_ones_own(mixed):
    class Scale(ax.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

        def call(self, x):
            return x * ax.ops.cast(self.factor, self.compute_dtype)

    layer = Scale()
    assert layer(floats(2, 3)).dtype == "bfloat16" and layer.factor.dtype == "float32"


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["float64", "bfloat16", "mixed_bfloat16"])
def test_batch_norm_without_scale_and_offset(name, training):
    layer = L.BatchNormalization(scale=False, center=False, dtype=name)
    y = layer(floats(9, 3), training=training)
    assert y.dtype == layer.compute_dtype
    assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}


def test_symbolic_inference(mixed):
    image = ax.Input((8, 8, 3), dtype="uint8")
    x = L.Conv2D(4, 3)(L.Rescaling(1 / 255)(image))
    y = L.Dense(2, dtype="float32")(L.GlobalAveragePooling2D()(L.BatchNormalization()(x)))
    assert (image.dtype, x.dtype, y.dtype) == ("uint8", "bfloat16", "float32")
    assert ax.Input((3,)).dtype == "float32"
    assert L.Conv2D(4, 3).compute_output_shape((None, 8, 8, 3)) == (None, 6, 6, 4)


# ---- Gradients and training.


def test_gradients_of_inputs(mixed):
    layer = L.Dense(2)

    def loss(x):
        return layer(x).sum()

    x = ax.tensor(floats(5, 6))
    assert ax.grad(loss)(x).dtype == "float32"
    assert ax.grad(loss)(x.astype("bfloat16")).dtype == "bfloat16"


def classified():
    """Small images of three classes, one brighter channel each."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 192)
    x = rng.integers(0, 160, (192, 8, 8, 3))
    x[np.arange(192), :, :, y] += 40
    return x.astype(np.uint8), y


def network(seed=0):
    ax.random.set_seed(seed)
    model = ax.Sequential(
        [
            ax.Input((8, 8, 3), dtype="uint8"),
            L.Rescaling(1 / 255),
            L.Conv2D(8, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.MaxPooling2D(),
            L.Conv2D(8, 3, activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(3),
        ]
    )
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(ax.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def test_a_network_learns_as_in_float32():
    x, y = classified()
    curves = []
    for policy in ("float32", "mixed_bfloat16"):
        set_global_policy(policy)
        model = network()
        curves.append(model.fit(x, y, epochs=4, verbose=0).history["loss"])
    # On its way to the logits a number passes 12 roundings, each by at most its 2^-8th part: one in
    # rescaling, batch norm and average pooling, two and four in the convolutions, three in Dense.
    np.testing.assert_allclose(curves[1], curves[0], rtol=(1 + 2.0**-8) ** 12 - 1)
    assert curves[1] != curves[0] and curves[1][-1] < 0.1 * curves[1][0]
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] == 1


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize(
    ("policy", "dtype"),
    [("mixed_bfloat16", "float32"), ("bfloat16", "bfloat16"), ("float64", "float64")],
)
def test_optimizers_keep_the_dtype_of_the_weights(name, policy, dtype):
    set_global_policy(policy)
    ax.random.set_seed(0)
    model = ax.Sequential([ax.Input((3,)), L.Dense(4, activation="tanh"), L.Dense(2)])
    optimizer = ax.optimizers.get({"class_name": name, "config": {"learning_rate": 0.1}})
    model.compile(optimizer, "mse")
    before = model.get_weights()
    assert np.isfinite(model.fit(floats(8, 3), floats(8, 2), verbose=0).history["loss"]).all()
    assert {weight.dtype for weight in model.weights} == {dtype}
    assert {slot.dtype for slot in optimizer.slots} <= {dtype}
    assert all((now != then).any() for now, then in zip(model.get_weights(), before, strict=True))


def test_small_steps_are_not_rounded_away(mixed):
    layer = L.Dense(1, use_bias=False, kernel_initializer="ones")
    model = ax.Sequential([ax.Input((1,)), layer])
    model.compile(ax.optimizers.SGD(2.0**-12), ax.losses.MeanAbsoluteError())
    for _ in range(4):
        # By the nearest number of bfloat16 below it, 1 - 2^-8, each step would be lost.
        model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    assert layer.kernel.item() == 1 - 4 * 2.0**-12


# ---- Losses and metrics.


LOGITS = floats(6, 4).astype(ml_dtypes.bfloat16).astype(np.float32)
LABELS = np.array([0, 1, 2, 3, 0, 1])
ONE_HOT = np.eye(4, dtype=np.float32)[LABELS]


@pytest.mark.parametrize(
    ("made", "target"),
    [
        (ax.losses.SparseCategoricalCrossentropy(from_logits=True), LABELS),
        (ax.losses.CategoricalCrossentropy(from_logits=True), ONE_HOT),
        (ax.losses.BinaryCrossentropy(from_logits=True), ONE_HOT),
        (ax.losses.MeanSquaredError(), ONE_HOT),
        (ax.losses.MeanAbsoluteError(), ONE_HOT),
        (ax.losses.get(lambda y_true, y_pred: abs(y_true - y_pred)), ONE_HOT),
        (ax.metrics.SparseCategoricalCrossentropy(from_logits=True), LABELS),
        (ax.metrics.CategoricalCrossentropy(from_logits=True), ONE_HOT),
        (ax.metrics.SparseCategoricalAccuracy(), LABELS),
        (ax.metrics.CategoricalAccuracy(), ONE_HOT),
        (ax.metrics.BinaryAccuracy(), ONE_HOT),
        (ax.metrics.MeanSquaredError(), ONE_HOT),
        (ax.metrics.MeanAbsoluteError(), ONE_HOT),
    ],
)
def test_losses_and_metrics_are_computed_in_float32(made, target):
    low = made(target, ax.tensor(LOGITS).astype("bfloat16"))
    if isinstance(made, ax.metrics.Metric):
        made.reset_state()
    exact = made(target, LOGITS)
    assert low.dtype == exact.dtype == "float32"
    # Not a digit is lost: bfloat16 holds these logits, and all that follows is float32.
    assert low.item() == exact.item()


def test_probabilities_near_one_have_a_finite_loss():
    loss = ax.losses.BinaryCrossentropy()
    assert np.isfinite(loss([[0.0]], ax.tensor([[1.0]], dtype="bfloat16")).item())


def test_reports_of_training_are_float32(mixed):
    x, y = classified()
    model = network()
    weights = np.linspace(0.5, 1.5, len(y))
    model.fit(x, y, sample_weight=weights, verbose=0)
    assert {v.dtype for metric in model.metrics for v in metric.variables} == {"float32"}
    loss, accuracy = model.evaluate(x, y, verbose=0)
    labels = model.predict(x, verbose=0).argmax(-1)
    assert accuracy == pytest.approx((labels == y).mean(), abs=1e-6)
    logits = model.predict(x, batch_size=32, verbose=0)
    expected = ax.losses.SparseCategoricalCrossentropy(from_logits=True)(y, ax.tensor(logits))
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_predictions_are_arrays_of_what_the_last_layer_computes_in(mixed):
    x = floats(40, 3)
    model = ax.Sequential([ax.Input((3,)), L.Dense(2)])
    assert model.predict(x, verbose=0).dtype == ml_dtypes.bfloat16
    assert model.predict_on_batch(x).dtype == ml_dtypes.bfloat16
    model = ax.Sequential([ax.Input((3,)), L.Dense(2), L.Softmax(dtype="float32")])
    probabilities = model.predict(x, verbose=0)
    assert probabilities.dtype == np.float32
    # Their sums tell in which dtype they were computed.
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-6)


# ---- Models.


def test_a_model_of_ones_own(mixed):
    class Net(ax.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = L.Dense(8, activation="relu"), L.Dense(1, dtype="float32")

        def call(self, x):
            self.seen = x.dtype
            return self.last(self.first(x))

    model = Net()
    model.compile("adam", "mse")
    model.fit(floats(16, 3).astype(np.float64), floats(16, 1), verbose=0)
    assert model.seen == "bfloat16" and model.predict(floats(4, 3), verbose=0).dtype == np.float32


def test_data_of_float64_reach_a_model_of_float64_unrounded():
    class Same(ax.Model):
        def call(self, x):
            return x

    x = np.array([[1 + 2.0**-40]])
    set_global_policy("float64")
    for model in (
        Same(),
        ax.Sequential([L.Flatten()]),
        ax.Sequential([L.Flatten(input_shape=(1,))]),
    ):
        assert model(x).dtype == "float64" and model(x).item() == x[0, 0]
        assert model.predict(x, verbose=0)[0, 0] == x[0, 0]


def test_applications_keep_float32_weights(mixed):
    model = ax.applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=3)
    assert model.input.dtype == "float32" and model.output.dtype == "bfloat16"
    assert {layer.compute_dtype for layer in model.layers[1:]} == {"bfloat16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_summary_tells_the_bytes_of_the_weights(mixed, capsys):
    ax.Sequential([ax.Input((3,)), L.Dense(2)]).summary()
    assert "Total params: 8 (32.00 B)" in capsys.readouterr().out


# ---- Configuration and files.


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "mixed_bfloat16"])
def test_configurations_carry_the_policy(name):
    layer = L.Dense(2, dtype=name)
    model = ax.Sequential([ax.Input((3,)), layer, L.Dense(1, dtype="float32")], dtype=name)
    for other in ("float64", "mixed_bfloat16"):
        set_global_policy(other)
        assert L.Dense.from_config(layer.get_config()).dtype_policy.name == name
        again = ax.Sequential.from_config(model.get_config())
        assert again.get_config() == model.get_config()
        assert [made.dtype_policy for made in (again, *again.layers)] == [
            made.dtype_policy for made in (model, *model.layers)
        ]
        assert again.output.dtype == "float32"


def test_weights_go_between_policies(tmp_path):
    x, y = classified()
    path = tmp_path / "weights.safetensors"
    set_global_policy("mixed_bfloat16")
    model = network()
    model.fit(x, y, epochs=2, verbose=0)
    model.save_weights(path)
    set_global_policy("float32")
    other = network(seed=1)
    other.load_weights(path)
    for weight, saved in zip(other.get_weights(), model.get_weights(), strict=True):
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, saved)
    assert other.evaluate(x, y, verbose=0)[1] == model.evaluate(x, y, verbose=0)[1]
    set_global_policy("bfloat16")
    with pytest.raises(ShapeError, match=r"float32 there and .* bfloat16 here"):
        network().load_weights(path)


def test_a_resumed_training_goes_on_bit_for_bit(mixed, tmp_path):
    x, y = classified()
    path = tmp_path / "state.safetensors"
    whole, parts = network(), network()
    for model in (whole, parts):
        ax.random.set_seed(3)
        model.fit(x, y, epochs=1, verbose=0)
    parts.save_weights(path)
    expected = whole.fit(x, y, epochs=1, verbose=0).history
    resumed = network(seed=1)
    resumed.load_weights(path)
    assert resumed.fit(x, y, epochs=1, verbose=0).history == expected


# ---- Devices on which it does not pay.


@pytest.fixture
def fast_dtypes(monkeypatch):
    """Replaces what the devices are fast in, and lets them warn again."""

    def replace(*dtypes):
        monkeypatch.setattr(_core, "fast_dtypes", lambda device: dtypes)
        mixed_precision.warn_unless_fast.cache_clear()

    yield replace
    mixed_precision.warn_unless_fast.cache_clear()


def compiled(device=None):
    model = ax.Sequential([ax.Input((3,)), L.Dense(2)])
    model.compile("sgd", "mse", device=device)
    return model


@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_device_that_is_not_faster_says_so_once(mixed, fast_dtypes, device):
    fast_dtypes("float16")
    with pytest.warns(UserWarning, match="is not faster in bfloat16") as told:
        model = compiled(device)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled(device)
    assert np.isfinite(model.fit(floats(4, 3), floats(4, 2), verbose=0).history["loss"]).all()


def test_no_warning_where_it_pays_or_is_not_used(fast_dtypes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast_dtypes()
        compiled()
        fast_dtypes("bfloat16")
        set_global_policy("mixed_bfloat16")
        compiled()
