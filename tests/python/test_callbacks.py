"""Callbacks: when they are told what, and what the built-in ones do."""

from __future__ import annotations

import csv
import math
import os
import threading

import numpy as np
import pytest

import addax as ax
from addax import callbacks as C
from addax.errors import DTypeError, InvalidArgumentError, IoError, OutOfRangeError

X = np.linspace(-1, 1, 20).reshape(10, 2).astype(np.float32)
Y = X.sum(1, keepdims=True) + 1


def linear(**kwargs):
    ax.random.set_seed(1)
    model = ax.Sequential([ax.Input((2,)), ax.layers.Dense(1)])
    model.compile(ax.optimizers.SGD(0.1), "mse", **kwargs)
    return model


def recorder():
    calls = []

    def hook(name):
        return lambda *args: calls.append((name, *args))

    hooks = [name for name in dir(C.Callback) if name.startswith("on_")]
    return calls, C.LambdaCallback(**{name: hook(name) for name in hooks if "_batch_" not in name})


class Batches(C.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("train", batch, logs))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("trained", batch, logs))

    def on_test_batch_begin(self, batch, logs=None):
        self.calls.append(("test", batch, logs))

    def on_test_batch_end(self, batch, logs=None):
        self.calls.append(("tested", batch, logs))

    def on_predict_batch_begin(self, batch, logs=None):
        self.calls.append(("predict", batch, logs))

    def on_predict_batch_end(self, batch, logs=None):
        self.calls.append(("predicted", batch, logs))


# ---- Order of the calls.


def test_order_of_calls_in_fit():
    model, (calls, told), batches = linear(), recorder(), Batches()
    batches.calls = calls
    model.fit(
        X,
        Y,
        batch_size=6,
        epochs=3,
        initial_epoch=2,
        validation_data=(X[:3], Y[:3]),
        callbacks=[told, batches],
        verbose=0,
    )
    names = [call[:-1] for call in calls]
    assert names == [
        ("on_train_begin",),
        ("on_epoch_begin", 2),
        ("train", 0),
        ("trained", 0),
        ("train", 1),
        ("trained", 1),
        ("on_test_begin",),
        ("test", 0),
        ("tested", 0),
        ("on_test_end",),
        ("on_epoch_end", 2),
        ("on_train_end",),
    ]
    logs = {call[:-1]: call[-1] for call in calls}
    assert logs["on_train_begin",] == logs["on_epoch_begin", 2] == logs["train", 0] == {}
    epoch = logs["on_epoch_end", 2]
    assert list(epoch) == ["loss", "val_loss"] and logs["on_train_end",] == epoch
    assert logs["trained", 1] == {"loss": epoch["loss"]}
    assert logs["on_test_end",] == logs["tested", 0] == {"loss": epoch["val_loss"]}
    assert told.params == {"verbose": 0, "epochs": 3, "steps": 2, "do_validation": True}


def test_order_of_calls_in_evaluate_and_predict():
    model, (calls, told), batches = linear(), recorder(), Batches()
    batches.calls = calls
    loss = model.evaluate(X, Y, batch_size=6, callbacks=[told, batches], verbose=0)
    names = ["on_test_begin", "test", "tested", "test", "tested", "on_test_end"]
    assert [call[0] for call in calls] == names
    assert calls[-1][1] == {"loss": loss} and told.params["steps"] == 2
    calls.clear()
    outputs = model.predict(X, batch_size=6, callbacks=[told, batches], verbose=0)
    assert [call[0] for call in calls] == [
        "on_predict_begin", "predict", "predicted", "predict", "predicted", "on_predict_end",
    ]  # fmt: skip
    np.testing.assert_array_equal(calls[2][2]["outputs"], outputs[:6])
    np.testing.assert_array_equal(calls[4][2]["outputs"], outputs[6:])


def test_other_names_of_the_batch_hooks():
    seen = []

    class Old(C.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(batch)

    linear().fit(X, Y, batch_size=4, callbacks=[Old()], verbose=0)
    assert seen == [0, 1, 2]


def test_stopping_after_a_batch_still_validates_and_ends_the_epoch():
    seen = []

    class Stop(C.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)
            self.model.stop_training = batch == 1

    calls, told = recorder()
    model = linear()
    history = model.fit(
        X, Y, batch_size=4, epochs=3, validation_data=(X, Y), callbacks=[Stop(), told], verbose=0
    )
    assert seen == [0, 1] and list(history.history) == ["loss", "val_loss"]
    assert [call[0] for call in calls][-2:] == ["on_epoch_end", "on_train_end"]
    assert int(model.optimizer.iterations.numpy()) == 2


def evaluate_aside(model):
    model.evaluate(X[:4], Y[:4], batch_size=2, verbose=0)


def fit_aside(model):
    kept = model.get_weights()
    model.fit(X[:4], Y[:4], batch_size=2, verbose=0)
    model.set_weights(kept)


@pytest.mark.parametrize("aside", [evaluate_aside, fit_aside])
def test_a_pass_that_a_callback_begins_leaves_the_order_of_batches(aside):
    plain, watched = linear(), linear()
    plain.fit(X, Y, batch_size=2, shuffle=False, verbose=0)
    told = C.LambdaCallback(on_train_batch_end=lambda batch, _: batch == 3 and aside(watched))
    watched.fit(X, Y, batch_size=2, shuffle=False, verbose=0, callbacks=told)
    for ours, expected in zip(watched.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize(
    "work",
    [
        lambda model: model.fit(X, Y, verbose=0),
        lambda model: model.evaluate(X, Y, verbose=0),
        lambda model: model.train_on_batch(X, Y),
    ],
)
def test_other_threads_predict_only_while_a_model_is_trained(work):
    model = linear()
    raised, predicted = [], []

    def other_thread():
        predicted.append(model.predict(X, verbose=0))
        try:
            work(model)
        except InvalidArgumentError as error:
            raised.append(str(error))

    def aside(batch, logs):
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()

    told = C.LambdaCallback(on_train_batch_end=aside)
    model.fit(X, Y, batch_size=5, verbose=0, callbacks=told)
    assert len(predicted) == len(raised) == 2 and "in another thread" in raised[0]
    assert int(model.optimizer.iterations.numpy()) == 2
    work(model)


def test_stopping_evaluation_and_prediction():
    def stop(flag):
        return lambda batch, logs: setattr(model, flag, True)

    model = linear()
    tested = C.LambdaCallback(on_test_batch_end=stop("stop_evaluating"))
    loss = model.evaluate(X, Y, batch_size=4, callbacks=[tested], verbose=0)
    assert loss == pytest.approx(model.evaluate(X[:4], Y[:4], verbose=0))
    predicted = C.LambdaCallback(on_predict_batch_end=stop("stop_predicting"))
    assert model.predict(X, batch_size=4, callbacks=[predicted], verbose=0).shape == (4, 1)
    assert model.predict(X, batch_size=4, verbose=0).shape == (10, 1)


def test_epoch_callbacks_leave_the_epoch_in_one_call(tmp_path, monkeypatch):
    model = linear()
    model.fit(X, Y, batch_size=5, validation_data=(X, Y), verbose=0)
    calls = []
    run_steps = ax._core.Executable.run_steps

    def counted(program, inputs, n_steps, *rest):
        calls.append(n_steps)
        return run_steps(program, inputs, n_steps, *rest)

    monkeypatch.setattr(ax._core.Executable, "run_steps", counted)
    built_in = [
        C.CSVLogger(tmp_path / "log.csv"),
        C.EarlyStopping(),
        C.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        C.LearningRateScheduler(lambda epoch, rate: rate),
        C.ReduceLROnPlateau(),
    ]
    model.fit(X, Y, batch_size=5, validation_data=(X, Y), callbacks=built_in, verbose=0)
    assert calls == [2, 2]


def test_callbacks_may_be_one_or_nested():
    for given in (C.TerminateOnNaN(), [[C.TerminateOnNaN()], None], None):
        linear().fit(X, Y, callbacks=given, verbose=0)
    with pytest.raises(InvalidArgumentError, match=r"got the class EarlyStopping"):
        linear().fit(X, Y, callbacks=[C.EarlyStopping], verbose=0)
    with pytest.raises(InvalidArgumentError, match="got str"):
        linear().fit(X, Y, callbacks=["early"], verbose=0)


# ---- Following one number.


class Fake:
    """A model as far as callbacks see it, whose logs the test writes."""

    def __init__(self, callback, name="val_loss", rate=1.0):
        self.stop_training = False
        self.metrics = []
        self.optimizer = ax.optimizers.SGD(rate)
        self.weights = 0
        self.name = name
        self.callback = callback
        callback.set_model(self)
        callback.set_params({"do_validation": True})

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def train(self, values):
        """Return the number of epochs until training was stopped."""
        self.stop_training = False
        self.callback.on_train_begin({})
        for epoch, value in enumerate(values):
            self.weights = epoch
            self.callback.on_epoch_end(epoch, {} if value is None else {self.name: value})
            if self.stop_training:
                break
        self.callback.on_train_end({})
        return epoch + 1


NAN = math.nan


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({}, [5, 4, 4, 3], 3),
        ({"patience": 1}, [5, 4, 4, 3], 3),
        ({"patience": 2}, [5, 6, 7, 1], 3),
        ({"patience": 2}, [5, 6, 4, 6, 6, 1], 5),
        ({"min_delta": 0.5}, [5, 4.6, 1], 2),
        ({"min_delta": -0.5}, [5, 4.4, 4.0, 1], 3),
        ({"mode": "max"}, [1, 2, 3, 3, 9], 4),
        ({"mode": "max", "min_delta": 1}, [1, 2, 9], 2),
        ({"baseline": 4, "patience": 2}, [6, 5.5, 5, 5.5, 1], 4),
        ({"baseline": 4, "patience": 2}, [6, 3, 3, 3, 1], 4),
        ({"start_from_epoch": 3}, [1, 2, 3, 9, 8, 8, 1], 6),
        ({"patience": 0}, [5, 5], 2),
        ({"patience": 2}, [5, None, 6, None, 6, 1], 5),
        ({"patience": 2}, [NAN, 5, 6, NAN, 1], 4),
    ],
)
def test_early_stopping(arguments, values, epochs):
    model = Fake(C.EarlyStopping(**arguments))
    assert model.train(values) == epochs
    assert model.train(values) == epochs  # a callback may serve twice


def test_early_stopping_restores_the_best_weights():
    model = Fake(C.EarlyStopping(patience=2, restore_best_weights=True))
    model.train([5, 3, 4, 4])
    assert model.weights == 1 and model.callback.best_epoch == 1
    assert model.callback.stopped_epoch == 3 and model.callback.best == 3
    # Also when training ended by itself.
    model.train([5, 3, 4])
    assert model.weights == 1 and model.callback.stopped_epoch == 0


def test_early_stopping_of_a_model(capsys):
    model = linear()
    stop = C.EarlyStopping("loss", patience=1, min_delta=10, restore_best_weights=True, verbose=1)
    before = []
    keep = C.LambdaCallback(on_epoch_end=lambda epoch, logs: before.append(model.get_weights()))
    history = model.fit(X, Y, epochs=9, callbacks=[stop, keep], verbose=0)
    assert history.epoch == [0, 1]
    for restored, first in zip(model.get_weights(), before[0], strict=True):
        np.testing.assert_array_equal(restored, first)
    assert "no better loss by epoch 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        ({"patience": 1}, [5, 5, 5], [1, 0.1, 0.01]),
        ({"patience": 2, "factor": 0.5}, [5, 5, 5, 5, 5], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2, "factor": 0.5}, [5] * 6, [1, 0.5, 0.5, 0.25, 0.25, 0.125]),
        ({"patience": 1, "min_lr": 0.05}, [5] * 4, [1, 0.1, 0.05, 0.05]),
        ({"patience": 1, "min_delta": 0.1}, [5, 4.95, 4.8], [1, 0.1, 0.1]),
        ({"patience": 1, "mode": "max"}, [1, 2, 2], [1, 1, 0.1]),
    ],
)
def test_reduce_lr_on_plateau(arguments, values, rates):
    found = []
    callback = C.ReduceLROnPlateau(**arguments)
    model = Fake(callback)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value})
        found.append(float(model.optimizer.learning_rate))
    assert found == pytest.approx(rates)


def test_the_learning_rate_is_logged():
    model = linear()
    reduce = C.ReduceLROnPlateau("loss", patience=1, min_delta=100, factor=0.5)
    logs = model.fit(X, Y, epochs=3, callbacks=[reduce], verbose=0).history
    assert logs["learning_rate"] == pytest.approx([0.1, 0.1, 0.05])


def test_the_mode_follows_from_the_metric():
    model = linear(metrics=["mae", "accuracy"])
    model.fit(X, Y, verbose=0)
    known = {"loss": False, "val_loss": False, "mae": False, "accuracy": True, "size_loss": False}
    for name, more in known.items():
        callback = C.EarlyStopping(name)
        callback.set_model(model)
        assert callback.is_improvement(2.0, 1.0) == more


def test_unknown_monitor_and_mode():
    with pytest.raises(InvalidArgumentError, match="unknown mode 'mni'; did you mean 'min'"):
        C.EarlyStopping(mode="mni")
    model = linear(metrics=["mae", lambda y, p: abs(y - p)])
    with pytest.raises(InvalidArgumentError, match=r"'val_loss' needs validation: give fit\(\)"):
        model.fit(X, Y, callbacks=[C.EarlyStopping()], verbose=0)
    with pytest.raises(
        InvalidArgumentError, match=r"'val_mea'; did you mean 'val_mae'\?; available are <lambda>, "
    ):
        model.fit(X, Y, validation_split=0.5, callbacks=[C.EarlyStopping("val_mea")], verbose=0)
    with pytest.raises(InvalidArgumentError, match="pass mode='max' or mode='min'"):
        model.fit(X, Y, epochs=2, callbacks=[C.EarlyStopping("<lambda>")], verbose=0)
    with pytest.raises(InvalidArgumentError, match=r"between 0 and 1, got 1\.5"):
        C.ReduceLROnPlateau(factor=1.5)


def test_epochs_without_validation_are_passed_over():
    stop = C.EarlyStopping("val_loss", patience=1, min_delta=100)
    history = linear().fit(
        X, Y, epochs=9, validation_data=(X, Y), validation_freq=2, callbacks=[stop], verbose=0
    )
    assert history.epoch == [0, 1, 2, 3]


# ---- The others.


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate / 2, lambda epoch: 0.1 / 2**epoch])
def test_learning_rate_scheduler(schedule):
    model = linear()
    rates = model.fit(
        X, Y, epochs=3, initial_epoch=1, callbacks=[C.LearningRateScheduler(schedule)], verbose=0
    ).history["learning_rate"]
    assert rates == pytest.approx([0.05, 0.025])


def test_learning_rate_scheduler_mistakes():
    with pytest.raises(InvalidArgumentError, match="schedule must be a function"):
        C.LearningRateScheduler(0.1)
    with pytest.raises(DTypeError, match="must return a number, got NoneType"):
        linear().fit(X, Y, callbacks=[C.LearningRateScheduler(lambda e, r: None)], verbose=0)


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    model = linear(metrics=["mae"])
    history = model.fit(X, Y, epochs=2, callbacks=[C.CSVLogger(path)], verbose=0).history
    model.fit(
        X, Y, epochs=3, initial_epoch=2, callbacks=[C.CSVLogger(path, append=True)], verbose=0
    )
    rows = [*csv.DictReader(path.open())]
    assert list(rows[0]) == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert [float(row["loss"]) for row in rows[:2]] == history["loss"]
    assert rows[0]["val_mae"] == "NA"
    with pytest.raises(InvalidArgumentError, match=r"log\.csv' has no column for 'learning_rate'"):
        rate = C.LearningRateScheduler(lambda epoch, rate: rate)
        model.fit(X, Y, callbacks=[rate, C.CSVLogger(path, append=True)], verbose=0)
    model.fit(X, Y, validation_data=(X, Y), callbacks=[C.CSVLogger(path, ";")], verbose=0)
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch;loss;mae;val_loss;val_mae" and len(lines) == 2
    with pytest.raises(IoError, match=r"CSVLogger: cannot write '.*missing/log.csv'"):
        model.fit(X, Y, callbacks=[C.CSVLogger(tmp_path / "missing" / "log.csv")], verbose=0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_csv_logger_on_a_full_disk_leaves_the_training():
    model = linear()
    with pytest.raises(IoError, match="CSVLogger: cannot write '/dev/full': No space left"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=C.CSVLogger("/dev/full"))
    assert int(model.optimizer.iterations.numpy()) == 1
    model.fit(X, Y, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 2


def test_terminate_on_nan(capsys):
    seen = []
    told = C.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    x = X * np.float32(1e30)
    model = linear()
    model.fit(x, Y, batch_size=2, epochs=5, callbacks=[C.TerminateOnNaN(), told], verbose=0)
    assert seen == [0]
    assert "TerminateOnNaN: the loss of batch 0 is inf" in capsys.readouterr().out
    with pytest.raises(OutOfRangeError, match="the loss of batch 0 is inf"):
        linear().fit(x, Y, callbacks=[C.TerminateOnNaN(raise_error=True)], verbose=0)


def test_lambda_callback():
    seen = []
    callback = C.LambdaCallback(
        lambda epoch, logs: seen.append(epoch), on_test_end=lambda logs: seen.append(sorted(logs))
    )
    linear().fit(X, Y, epochs=2, validation_data=(X, Y), callbacks=[callback], verbose=0)
    assert seen == [0, ["loss"], 1, ["loss"]]
