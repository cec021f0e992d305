"""fit, evaluate and predict: what they do with data, weights, callbacks and programs."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax import tracing
from addax.callbacks import Callback, LambdaCallback
from addax.training import order
from addax.training.step import Steps


def data(n=90, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 6)).astype(np.float32)
    return x, (x[:, :3].argmax(1)).astype(np.int64)


def classifier(seed=1, dropout=0.0, **kwargs):
    ax.random.set_seed(seed)
    model = ax.Sequential(
        [L.Input((6,)), L.Dense(8, activation="relu"), L.Dropout(dropout), L.Dense(3)]
    )
    kwargs.setdefault("metrics", ["accuracy"])
    model.compile(
        kwargs.pop("optimizer", "adam"),
        ax.losses.SparseCategoricalCrossentropy(from_logits=True),
        **kwargs,
    )
    return model


def cross_entropy(model, x, y):
    z = model.predict(x, verbose=0).astype(np.float64)
    z = z - z.max(1, keepdims=True)
    return np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]


def linear(optimizer="sgd", **kwargs):
    ax.random.set_seed(1)
    model = ax.Sequential([L.Input((2,)), L.Dense(1)])
    model.compile(optimizer, "mse", **kwargs)
    return model


# ---- Which samples a step works on.


@pytest.mark.parametrize(
    ("total", "batch"), [(90, 32), (11, 4), (7, 7), (5, 8), (64, 16), (97, 10)]
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_an_epoch_sees_every_sample_once(total, batch, shuffle):
    """Each sample marks itself in a table of which the step sums up one-hot rows."""
    ax.random.set_seed(0)  # one order in 330 begins with the first four of eleven
    seen = ax.Variable(np.zeros(total, np.float32), trainable=False)
    visits = []

    class Mark(ax.Model):
        def __init__(self):
            super().__init__()
            self.head = L.Dense(1)

        def call(self, x, training=False):
            if training:
                seen.assign_add(ax.ops.sum(ax.ops.one_hot(x[:, 0], total), axis=0))
            return self.head(x.astype("float32"))

    model = Mark()
    model.compile("sgd", "mse")
    x = np.arange(total, dtype=np.int32)[:, None]
    callback = LambdaCallback(on_train_batch_end=lambda batch, logs: visits.append(seen.numpy()))
    model.fit(x, np.zeros(total), batch_size=batch, shuffle=shuffle, epochs=1, verbose=0)
    np.testing.assert_array_equal(seen.numpy(), np.ones(total))
    model.fit(
        x, np.zeros(total), batch_size=batch, shuffle=shuffle, verbose=0, callbacks=[callback]
    )
    np.testing.assert_array_equal(seen.numpy(), np.full(total, 2))
    assert len(visits) == -(-total // batch)
    first = np.flatnonzero(visits[0] == 2)
    in_order = list(range(min(batch, total)))
    assert (list(first) == in_order) == (not shuffle or total <= batch)


def test_runs_of_the_last_batch():
    for begin, count in [(2592, 8), (8, 3), (1000, 37), (0, 5), (672, 28), (7, 6)]:
        runs = order.pieces(begin, count)
        positions = [cursor * size + i for cursor, size in runs for i in range(size)]
        assert positions == list(range(begin, begin + count))


def test_each_epoch_has_another_order_and_a_seed_repeats_them():
    x, y = data()
    weights = []
    for seed in (1, 1, 2):
        model = classifier(seed=5)
        ax.random.set_seed(seed)
        model.fit(x, y, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(weights[0], weights[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(weights[0], weights[2], strict=True))


# ---- What fit reports.


def test_history_and_learning():
    x, y = data(300)
    model = classifier(optimizer=ax.optimizers.Adam(0.02))
    history = model.fit(x, y, epochs=30, verbose=0)
    assert history is model.history and history.epoch == list(range(30))
    assert sorted(history.history) == ["accuracy", "loss"]
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert history.history["accuracy"][-1] > 0.9
    assert all(isinstance(value, float) for value in history.history["loss"])


def test_loss_of_an_epoch_is_the_mean_over_samples():
    x, y = data(90)
    model = classifier(optimizer=ax.optimizers.SGD(0.0))
    history = model.fit(x, y, batch_size=32, verbose=0)
    expected = cross_entropy(model, x, y).mean()
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-5)
    hits = model.predict(x, verbose=0).argmax(1) == y
    assert history.history["accuracy"][0] == pytest.approx(hits.mean(), abs=1e-6)


def test_evaluate():
    x, y = data(90)
    model = classifier()
    loss, accuracy = model.evaluate(x, y, batch_size=32, verbose=0)
    assert loss == pytest.approx(cross_entropy(model, x, y).mean(), rel=1e-5)
    assert accuracy == pytest.approx((model.predict(x, verbose=0).argmax(1) == y).mean(), abs=1e-6)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "accuracy"] == model.metrics_names
    assert isinstance(linear().evaluate(np.ones((4, 2)), np.ones(4), verbose=0), float)
    first = model.evaluate(x, y, batch_size=30, steps=2, verbose=0)[0]
    assert first == pytest.approx(cross_entropy(model, x[:60], y[:60]).mean(), rel=1e-5)


def test_validation():
    x, y = data(100)
    model = classifier()
    history = model.fit(x, y, validation_split=0.25, epochs=2, verbose=0).history
    assert sorted(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    expected = cross_entropy(model, x[75:], y[75:]).mean()
    assert history["val_loss"][-1] == pytest.approx(expected, rel=1e-5)
    given = model.fit(
        x, y, validation_data=(x[:10], y[:10]), epochs=3, validation_freq=2, verbose=0
    )
    assert len(given.history["val_loss"]) == 1 and len(given.history["loss"]) == 3


@pytest.mark.parametrize(("freq", "epochs"), [(2, [2, 4]), ([1, 4], [1, 4]), ({5, 3}, [3, 5])])
def test_validation_after_some_epochs(freq, epochs):
    x, y = data(30)
    validated = []
    model = classifier()

    def note(epoch, logs):
        if "val_loss" in logs:
            validated.append(epoch + 1)

    told = LambdaCallback(on_epoch_end=note)
    model.fit(
        x, y, epochs=5, validation_data=(x, y), validation_freq=freq, verbose=0, callbacks=told
    )
    assert validated == epochs


def test_validation_split_takes_the_last_samples_out_of_training():
    x = np.ones((10, 2), np.float32)
    x[8:] = np.inf
    model = linear()
    model.fit(x, np.ones(10), validation_split=0.2, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_predict():
    x, _ = data(70)
    model = classifier(dropout=0.5)
    whole = model.predict(x, batch_size=70, verbose=0)
    assert whole.shape == (70, 3) and whole.dtype == np.float32
    np.testing.assert_allclose(
        model.predict(x, batch_size=16, verbose=0), whole, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(model.predict_on_batch(x), whole, rtol=1e-5, atol=1e-6)
    assert model.predict(x, batch_size=16, steps=2, verbose=0).shape == (32, 3)
    whole[0, 0] = 5  # the result belongs to the caller


# ---- Kinds of data.


@pytest.mark.parametrize(
    "dtype", ["uint8", "int32", "int64", "float64", "float16", "uint16", "bool"]
)
def test_images_of_any_dtype(dtype):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 2 if dtype == "bool" else 256, (40, 4, 4)).astype(dtype)
    labels = rng.integers(0, 3, 40)
    results = []
    for x in (pixels, pixels.astype(np.float32)):
        ax.random.set_seed(1)
        model = ax.Sequential([L.Input((4, 4)), L.Rescaling(1 / 255), L.Flatten(), L.Dense(3)])
        model.compile("sgd", ax.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, labels, verbose=0)
        results.append(model.predict(x, verbose=0))
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32"])
def test_labels_of_any_dtype(dtype):
    x, y = data()
    expected = classifier().fit(x, y, verbose=0).history["loss"]
    assert classifier().fit(x, y.astype(dtype), verbose=0).history["loss"] == expected
    assert classifier().fit(x, y.astype(dtype)[:, None], verbose=0).history["loss"] == expected


def test_lists_tensors_and_strided_arrays():
    x, y = data(40)
    expected = classifier().fit(x, y, verbose=0).history["loss"]
    wide = np.repeat(x, 2, axis=1)
    for same in (x.tolist(), ax.tensor(x), wide[:, ::2], x.astype(">f4")):
        assert classifier().fit(same, y, verbose=0).history["loss"] == expected
    assert classifier().fit(x, y.tolist(), verbose=0).history["loss"] == expected


def test_data_is_read_where_it_lies_each_time():
    x, y = np.zeros((8, 2), np.float32), np.zeros((8, 1), np.float32)
    model = linear(ax.optimizers.SGD(0.0))
    assert model.evaluate(x, y, verbose=0) == 0
    y[:] = 2
    assert model.evaluate(x, y, verbose=0) == 4


def test_one_hot_labels():
    x, y = data(60)
    ax.random.set_seed(1)
    model = ax.Sequential([L.Input((6,)), L.Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy", "mse"])
    history = model.fit(x, np.eye(3)[y], epochs=2, verbose=0).history
    assert sorted(history) == ["accuracy", "loss", "mse"]
    expected = (model.predict(x, verbose=0).argmax(1) == y).mean()
    assert model.evaluate(x, np.eye(3)[y], verbose=0)[1] == pytest.approx(expected, abs=1e-6)


def test_sample_and_class_weights():
    x, y = data(60)
    weights = np.random.default_rng(1).random(60)
    model = classifier(optimizer=ax.optimizers.SGD(0.0), weighted_metrics=["accuracy"], metrics=[])
    each = cross_entropy(model, x, y)
    history = model.fit(x, y, sample_weight=weights, batch_size=25, verbose=0).history
    assert history["loss"][0] == pytest.approx((each * weights).mean(), rel=1e-5)
    hits = model.predict(x, verbose=0).argmax(1) == y
    expected = (hits * weights).sum() / weights.sum()
    assert history["accuracy"][0] == pytest.approx(expected, rel=1e-5)
    by_class = np.array([2.0, 1.0, 0.5])[y]
    history = model.fit(x, y, class_weight={0: 2.0, 2: 0.5}, verbose=0).history
    assert history["loss"][0] == pytest.approx((each * by_class).mean(), rel=1e-5)
    loss = model.evaluate(x, y, sample_weight=weights, verbose=0)[0]
    assert loss == pytest.approx((each * weights).mean(), rel=1e-5)


def test_classes_are_weighed_in_training_alone():
    x, y = data(60)
    model = classifier(optimizer=ax.optimizers.SGD(0.0))
    each, by_class = cross_entropy(model, x, y), np.array([2.0, 1.0, 0.5])[y]
    history = model.fit(
        x, y, class_weight={0: 2.0, 2: 0.5}, validation_split=0.25, verbose=0
    ).history
    assert history["loss"][0] == pytest.approx((each * by_class)[:45].mean(), rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(each[45:].mean(), rel=1e-5)
    weights = np.linspace(0, 2, 60)
    loss = model.train_on_batch(x, y, sample_weight=weights[:, None], class_weight={0: 2.0, 2: 0.5})
    assert loss[0] == pytest.approx((each * by_class * weights).mean(), rel=1e-5)


def test_several_inputs_and_outputs():
    a, b = L.Input((2,), name="a"), L.Input((3,), name="b")
    joined = L.Concatenate()([a, b])
    model = ax.Model([a, b], [L.Dense(1, name="size")(joined), L.Dense(3, name="kind")(joined)])
    sparse = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        "sgd",
        {"size": "mse", "kind": sparse},
        loss_weights={"kind": 0.5},
        metrics={"kind": ["accuracy"]},
    )
    rng = np.random.default_rng(0)
    x = {"a": rng.random((40, 2)), "b": rng.random((40, 3))}
    y = {"size": rng.random(40), "kind": rng.integers(0, 3, 40)}
    logs = model.fit(x, y, verbose=0).history
    assert sorted(logs) == ["kind_accuracy", "kind_loss", "loss", "size_loss"]
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["size_loss"] + 0.5 * logs["kind_loss"], rel=1e-5)
    as_lists = model.evaluate([x["a"], x["b"]], [y["size"], y["kind"]], verbose=0, return_dict=True)
    assert as_lists == logs


# ---- Single batches.


def outputs_of(model, **kwargs):
    """The names in the report of a model with the outputs p, of three classes, and q, a number."""
    x, y = data(20)
    model.compile(**{"loss": {"p": SPARSE, "q": "mse"}, **kwargs})
    return list(model.evaluate(x, {"p": y, "q": x[:, :1]}, verbose=0, return_dict=True))


def two_headed():
    x = L.Input((6,))
    return ax.Model(x, [L.Dense(3, name="p")(x), L.Dense(1, name="q")(x)])


SPARSE = ax.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_names_of_reported_losses():
    assert outputs_of(two_headed()) == ["loss", "p_loss", "q_loss"]
    assert outputs_of(two_headed(), loss=[SPARSE, None]) == ["loss"]
    assert outputs_of(two_headed(), loss={"p": SPARSE}, metrics=[None, "mae"]) == ["loss", "q_mae"]


def test_metrics_of_the_same_name_are_reported_apart():
    x, y = data(60)
    weights = np.linspace(0, 2, 60)
    model = classifier(metrics=["accuracy", "accuracy"], weighted_metrics=["accuracy", "accuracy"])
    logs = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    hits = model.predict(x, verbose=0).argmax(1) == y
    assert list(logs) == [
        "loss",
        "accuracy",
        "accuracy_1",
        "weighted_accuracy",
        "weighted_accuracy_1",
    ]
    assert logs["accuracy"] == logs["accuracy_1"] == pytest.approx(hits.mean())
    weighted = (hits * weights).sum() / weights.sum()
    assert logs["weighted_accuracy"] == pytest.approx(weighted) != pytest.approx(hits.mean())
    assert outputs_of(two_headed(), metrics={"p": "accuracy"}, weighted_metrics="accuracy") == [
        "loss",
        "p_loss",
        "q_loss",
        "p_accuracy",
        "p_weighted_accuracy",
        "q_accuracy",
    ]


def test_a_metric_object_measures_one_output_and_keeps_its_name():
    metric = ax.metrics.MeanAbsoluteError(name="mae")
    for _ in range(2):
        assert outputs_of(two_headed(), metrics={"q": metric})[-1] == "q_mae"
    with pytest.raises(ax.errors.InvalidArgumentError, match="'mae' is given twice, or to several"):
        outputs_of(two_headed(), metrics=[metric, metric])
    with pytest.raises(ax.errors.InvalidArgumentError, match="'mae' is given twice, or to several"):
        outputs_of(two_headed(), metrics=metric)


def test_train_and_test_on_batch():
    x, y = data(32)
    model = classifier()
    expected = cross_entropy(model, x, y).mean()
    assert model.test_on_batch(x, y)[0] == pytest.approx(expected, rel=1e-5)
    first = model.train_on_batch(x, y, return_dict=True)
    assert first["loss"] == pytest.approx(expected, rel=1e-5)
    for _ in range(30):
        last = model.train_on_batch(x, y)
    assert last[0] < expected
    # Each call reports its own batch.
    assert model.test_on_batch(x, y)[0] == pytest.approx(
        cross_entropy(model, x, y).mean(), rel=1e-5
    )


def test_one_batch_after_another_equals_an_epoch():
    x, y = data(96)
    whole, single = classifier(), classifier()
    single.set_weights(whole.get_weights())
    whole.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    for begin in (0, 32, 64):
        single.train_on_batch(x[begin : begin + 32], y[begin : begin + 32])
    for a, b in zip(whole.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


# ---- Programs.


def test_a_second_fit_compiles_nothing(monkeypatch):
    x, y = data(70)
    model = classifier()
    model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
    model.predict(x, verbose=0)
    monkeypatch.setattr(ax.tracing, "trace", lambda name: pytest.fail(f"{name} recorded again"))
    model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
    model.predict(x, verbose=0)


def test_programs_are_bounded():
    model = linear()
    for n in range(1, 45):
        model.fit(np.ones((n, 2)), np.ones(n), verbose=0)
    assert len(model._steps._programs) <= model._steps.capacity


def test_frozen_layers_stay():
    x, y = data(40)
    model = classifier()
    model.layers[0].trainable = False
    before = model.get_weights()
    model.compile("adam", ax.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[2] != after[2]).any()


def test_batch_normalization_and_dropout_differ_in_training():
    x, y = data(64)
    ax.random.set_seed(1)
    model = ax.Sequential([L.Input((6,)), L.BatchNormalization(), L.Dropout(0.5), L.Dense(3)])
    model.compile("sgd", ax.losses.SparseCategoricalCrossentropy(from_logits=True))
    norm = model.layers[0]
    model.fit(x, y, batch_size=64, epochs=1, verbose=0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.01 * x.mean(0), rtol=1e-4, atol=1e-6)
    moved = norm.moving_mean.numpy()
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), moved)


def test_own_training_loop():
    x, y = data(96)
    model = ax.Sequential([L.Input((6,)), L.Dense(3)])
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = ax.optimizers.Adam(0.05)

    @ax.function
    def step(x, y):
        value, gradients = ax.value_and_grad(
            lambda: loss(y, model(x, training=True)), variables=model.trainable_weights
        )()
        optimizer.apply(gradients, model.trainable_weights)
        return value

    losses = [float(step(x, y)) for _ in range(40)]
    assert losses[-1] < losses[0] / 2 and step.trace_count == 1
    assert int(optimizer.iterations.numpy()) == 40


# ---- Callbacks.


class Recorder(Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, sorted(logs)))

    def on_train_end(self, logs=None):
        self.calls.append("end")


def test_callbacks_of_epochs():
    x, y = data(40)
    recorder = Recorder()
    model = classifier()
    model.fit(x, y, epochs=5, initial_epoch=3, callbacks=[recorder], verbose=0)
    keys = ["accuracy", "loss"]
    assert recorder.calls == ["begin", (3, keys), (4, keys), "end"]
    assert recorder.model is model and recorder.params["epochs"] == 5


def test_callbacks_of_batches_see_the_epoch_so_far():
    x, y = data(70)
    seen = []
    callback = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append((batch, logs)))
    model = classifier()
    history = model.fit(x, y, callbacks=[callback], batch_size=32, verbose=0).history
    assert [batch for batch, _ in seen] == [0, 1, 2]
    assert seen[-1][1]["loss"] == pytest.approx(history["loss"][0])
    plain = classifier().fit(x, y, batch_size=32, verbose=0).history
    assert plain["loss"] == pytest.approx(history["loss"])


def test_callbacks_may_stop_training():
    x, y = data(40)

    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert len(classifier().fit(x, y, epochs=9, callbacks=[Stop()], verbose=0).epoch) == 2


def test_an_epoch_without_batch_callbacks_is_one_call(monkeypatch):
    x, y = data(96)
    model = classifier()
    model.fit(x, y, verbose=0)
    (program,) = model._steps._programs.values()
    steps = []

    class Counting:
        variables = program.variables

        def run_steps(self, inputs, n_steps, *rest):
            steps.append(n_steps)
            return program.run_steps(inputs, n_steps, *rest)

    model._steps._programs = dict.fromkeys(model._steps._programs, Counting())
    model.fit(x, y, epochs=2, callbacks=[Recorder()], verbose=0)
    assert steps == [3, 3]


def test_unknown_hook():
    with pytest.raises(TypeError, match="did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


def test_steps_per_epoch():
    x, y = data(90)
    model = classifier()
    model.fit(x, y, batch_size=10, steps_per_epoch=4, epochs=2, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 8
    with pytest.warns(UserWarning, match="steps_per_epoch=10, but 90 samples are no more than 9 "):
        model.fit(x, y, batch_size=10, steps_per_epoch=10, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 17
    with pytest.warns(UserWarning, match="steps=4, but 90 samples are no more than 3 batches"):
        assert len(model.predict(x, steps=4, verbose=0)) == 90


@pytest.mark.parametrize("shuffle", [True, False])
def test_other_numbers_of_samples_need_no_other_trace(monkeypatch, shuffle):
    """And give the numbers of programs that were compiled for them."""
    traced = []
    trace = tracing.trace

    def counted(name, capture=False):
        traced.append(name.endswith("/train"))
        return trace(name, capture)

    def train():
        m = classifier(dropout=0.2)
        curves = [
            m.fit(
                x[:count],
                y[:count],
                batch_size=8,
                shuffle=shuffle,
                sample_weight=weights[:count],
                verbose=0,
            ).history
            for count in (16, 40, 24, 16)
        ]
        return curves, [weight.tolist() for weight in m.get_weights()]

    x, y = data(40)
    weights = np.random.default_rng(1).random(40, dtype=np.float32)
    monkeypatch.setattr(tracing, "trace", counted)
    resized = train()
    assert sum(traced) == 1
    monkeypatch.setattr(Steps, "_resized", lambda *arguments: None)
    assert train() == resized
    assert sum(traced) == 1 + 3


@pytest.mark.parametrize("label", [2**62 + 2**55, 2**63 - 1, -(2**63)])
def test_no_label_is_too_large_to_be_the_datas_fault(label):
    x, y = data(8)
    y[3] = label
    with pytest.raises(ax.errors.OutOfRangeError, match=rf"label {label} at y\[3\]"):
        classifier().fit(x, y, verbose=0)
