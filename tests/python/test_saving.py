"""Weights and the state of training in files: resumed bit for bit, checked, never half written."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import addax as ax
from addax import layers as L
from addax.errors import InvalidArgumentError, IoError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((90, 6)).astype(np.float32)
Y = X[:, :3].argmax(1)


def classifier(units=8, optimizer="adam", seed=7):
    model = ax.Sequential(
        [
            L.Input((6,)),
            L.Dense(units, activation="relu"),
            L.BatchNormalization(),
            L.Dropout(0.3),
            L.Dropout(0.3, seed=seed),
            L.Dense(3, name="head"),
        ]
    )
    if optimizer is not None:
        model.compile(optimizer, ax.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def fit(model, first, last, **kwargs):
    return model.fit(
        X, Y, batch_size=16, epochs=last, initial_epoch=first, verbose=0, **kwargs
    ).history["loss"]


def same(a, b):
    return all((x == y).all() for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


# ---- There and back.

OPTIMIZERS = {
    "adam": lambda: ax.optimizers.Adam(0.01),
    "adamw": lambda: ax.optimizers.AdamW(ax.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)),
    "sgd": lambda: ax.optimizers.SGD(0.1),
    "momentum": lambda: ax.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: ax.optimizers.RMSprop(0.01, momentum=0.5),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_resumes_bit_for_bit(name, tmp_path):
    path = tmp_path / "model.safetensors"
    ax.random.set_seed(1)
    whole = classifier(optimizer=OPTIMIZERS[name]())
    losses = fit(whole, 0, 4)
    ax.random.set_seed(1)
    half = classifier(optimizer=OPTIMIZERS[name]())
    fit(half, 0, 2)
    half.save_weights(path)
    ax.random.set_seed(99)
    rest = classifier(optimizer=OPTIMIZERS[name](), seed=5)
    rest.load_weights(path)
    assert same(rest, half)
    assert fit(rest, 2, 4) == losses[2:]
    assert same(rest, whole)
    for a, b in zip(rest.optimizer.variables, whole.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_training_resumes_in_another_process(tmp_path):
    path = tmp_path / "model.safetensors"
    ax.random.set_seed(1)
    whole = classifier()
    losses = fit(whole, 0, 4)
    ax.random.set_seed(1)
    half = classifier()
    fit(half, 0, 2)
    half.save_weights(path)
    code = f"""if True:
        import sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_saving import classifier, fit
        model = classifier()
        model.load_weights({str(path)!r})
        print([loss.hex() for loss in fit(model, 2, 4)])
        model.save_weights({str(path)!r})"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([loss.hex() for loss in losses[2:]])
    rest = classifier()
    rest.load_weights(path)
    assert same(rest, whole)


def test_a_changed_learning_rate_is_kept(tmp_path):
    path = tmp_path / "model.safetensors"
    model = classifier()
    fit(model, 0, 1)
    model.optimizer.learning_rate = 0.5
    model.save_weights(path)
    other = classifier()
    other.load_weights(path)
    assert float(other.optimizer.learning_rate) == 0.5
    assert int(other.optimizer.iterations.numpy()) == 6


def test_names_do_not_depend_on_earlier_layers(tmp_path):
    path = tmp_path / "model.safetensors"
    model = classifier()
    fit(model, 0, 1)
    model.save_weights(path)
    names = [name for name in load_file(path) if not name.startswith("optimizer/")]
    assert sorted(names) == [
        "random/dropout_1/generator",
        "random/global",
        "weights/batch_normalization/beta",
        "weights/batch_normalization/gamma",
        "weights/batch_normalization/moving_mean",
        "weights/batch_normalization/moving_variance",
        "weights/dense/bias",
        "weights/dense/kernel",
        "weights/head/bias",
        "weights/head/kernel",
    ]
    assert "optimizer/velocity/batch_normalization/gamma" in load_file(path)


class Block(L.Layer):
    def __init__(self, units):
        super().__init__()
        self.steps = [L.Dense(units), L.Dense(units)]

    def build(self, shape):
        self.scale = self.add_weight((), "ones", name="scale")

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x * self.scale


class Own(ax.Model):
    def __init__(self):
        super().__init__()
        self.block = Block(4)
        self.shared = self.block.steps[0]
        self.head = L.Dense(1)
        self.offset = ax.Variable([0.5], name="offset")

    def call(self, x):
        return self.head(self.block(x)) + self.offset


def test_nested_layers_and_own_models(tmp_path):
    path = tmp_path / "model.safetensors"
    models = []
    for _ in range(2):
        model = Own()
        model.build((None, 4))
        models.append(model)
    assert not same(*models)
    models[0].save_weights(path)
    models[1].load_weights(path)
    assert same(*models)
    names = [name for name in load_file(path) if name.startswith("weights/")]
    assert "weights/block/scale" in names and "weights/offset" in names
    assert len(names) == len(models[0].weights)
    inner = ax.Sequential([L.Input((4,)), L.Dense(2), L.Dense(2)])
    x = L.Input((4,))
    functional = ax.Model(x, L.Dense(1)(inner(x)))
    functional.save_weights(path)
    assert "weights/sequential/dense_1/kernel" in load_file(path)


def test_other_dtypes(tmp_path):
    path = tmp_path / "model.safetensors"
    models = []
    for value in (1.5, 0.0):
        model = Own()
        model.build((None, 4))
        model.half = ax.Variable([value], dtype="bfloat16", name="half")
        model.flag = ax.Variable([value > 0], name="flag", trainable=False)
        models.append(model)
    models[0].save_weights(path)
    models[1].load_weights(path)
    assert same(*models) and models[1].half.dtype == "bfloat16"


def test_weights_alone(tmp_path):
    """A model that is not compiled takes the weights; one that has not trained saves no more."""
    path = tmp_path / "model.safetensors"
    trained = classifier()
    fit(trained, 0, 1)
    trained.save_weights(path)
    model = classifier(optimizer=None)
    model.load_weights(path)
    assert same(model, trained)
    model.save_weights(path)
    assert not any(name.startswith("optimizer") for name in load_file(path))
    before = int(trained.optimizer.iterations.numpy())
    trained.load_weights(path)
    assert int(trained.optimizer.iterations.numpy()) == before


# ---- What does not fit.


def untouched(model, path, error, match):
    fit(model, 0, 1)
    before = [x.numpy().copy() for x in (*model.weights, *model.optimizer.variables)]
    state = ax.random.global_generator().state.numpy().copy()
    with pytest.raises(error, match=match):
        model.load_weights(path)
    for old, x in zip(before, (*model.weights, *model.optimizer.variables), strict=True):
        np.testing.assert_array_equal(old, x.numpy())
    np.testing.assert_array_equal(state, ax.random.global_generator().state.numpy())


def test_a_checkpoint_of_another_model(tmp_path):
    path = tmp_path / "model.safetensors"
    model = classifier()
    fit(model, 0, 1)
    model.save_weights(path)
    untouched(
        classifier(units=9),
        path,
        ShapeError,
        r"does not fit model '.*': 'weights/dense/kernel' is \(6, 8\) float32 there and \(6, 9\) "
        r"float32 here; .*; and \d+ more$",
    )
    other = ax.Sequential([L.Input((6,)), L.Dense(8), L.Dense(3)])
    other.compile("adam", ax.losses.SparseCategoricalCrossentropy(from_logits=True))
    untouched(
        other,
        path,
        InvalidArgumentError,
        r"the file lacks 'weights/dense_1/kernel' \(8, 3\) float32; ",
    )


def test_the_state_of_another_optimizer(tmp_path):
    path = tmp_path / "model.safetensors"
    model = classifier()
    fit(model, 0, 1)
    model.save_weights(path)
    match = r"the model lacks 'optimizer/momentum/dense/bias' \(8,\) float32;.* load before compile"
    untouched(classifier(optimizer="sgd"), path, InvalidArgumentError, match)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "model.safetensors"
    model = classifier()
    untouched(model, path, IoError, "cannot read '.*model.safetensors': there is no such file")
    model.save_weights(path)
    whole = path.read_bytes()
    for content in (whole[:-5], whole[:100], b"", b"not a file of weights at all"):
        path.write_bytes(content)
        untouched(model, path, IoError, "cannot read '.*model.safetensors' as safetensors")
    untouched(model, tmp_path, IoError, "cannot read")
    save_file({"x": np.ones(3, np.uint16)}, path)
    untouched(model, path, InvalidArgumentError, "the file lacks 'weights/dense/kernel'")


def test_mistakes_while_saving(tmp_path):
    model = classifier()
    with pytest.raises(InvalidArgumentError, match=r"must end in '\.safetensors', got '.*\.h5'"):
        model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(IoError, match=r"cannot write '.*': No such file or directory"):
        model.save_weights(tmp_path / "missing" / "model.safetensors")
    path = tmp_path / "model.safetensors"
    model.save_weights(path)
    with pytest.raises(IoError, match="exists, and overwrite=False keeps it"):
        model.save_weights(path, overwrite=False)
    for method in ("save_weights", "load_weights"):
        with pytest.raises(InvalidArgumentError, match="has no weights yet"):
            getattr(ax.Sequential([L.Dense(3)]), method)(path)


# ---- Full disks.


@contextlib.contextmanager
def full_disk():
    """No file may grow beyond a kilobyte, not even the one that the tests' output goes to."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def trained(tmp_path):
    path = tmp_path / "model.safetensors"
    model = classifier()
    fit(model, 0, 1)
    model.save_weights(path)
    return model, path


def test_a_full_disk_keeps_the_old_file(trained, tmp_path):
    model, path = trained
    old = path.read_bytes()
    before = model.get_weights()
    message = r"cannot write '.*': File too large; .* is untouched"
    with full_disk(), pytest.raises(IoError, match=message):
        model.save_weights(path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == [path.name]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_errors_of_the_disk_keep_the_old_file(trained, tmp_path, monkeypatch, step):
    model, path = trained
    old = path.read_bytes()

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    fit(model, 1, 2)
    with pytest.raises(IoError, match=r"No space left on device; the file that was there"):
        model.save_weights(path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == [path.name]


def test_an_interrupt_leaves_no_rest(trained, tmp_path, monkeypatch):
    model, path = trained

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.save_weights(path)
    assert os.listdir(tmp_path) == [path.name]


def test_readers_of_a_file_see_the_old_or_the_new_one(trained):
    """The new file is another one; whoever has opened the old one still reads it."""
    model, path = trained
    old = path.read_bytes()
    with path.open("rb") as file:
        fit(model, 1, 2)
        model.save_weights(path)
        assert file.read() == old != path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


# ---- Saving while training.


def test_model_checkpoint_after_each_epoch(tmp_path):
    model = classifier()
    pattern = tmp_path / "made" / "{epoch:02d}-{val_loss:.2f}.safetensors"
    keep = ax.callbacks.ModelCheckpoint(pattern, save_weights_only=True)
    history = model.fit(
        X, Y, epochs=4, initial_epoch=1, validation_data=(X, Y), callbacks=[keep], verbose=0
    )
    names = [f"{e + 2:02d}-{v:.2f}.safetensors" for e, v in enumerate(history.history["val_loss"])]
    assert sorted(os.listdir(tmp_path / "made")) == sorted(names)
    last = classifier()
    last.load_weights(tmp_path / "made" / names[-1])
    assert same(last, model)


def test_model_checkpoint_of_the_best(tmp_path, capsys):
    saved = []
    model = classifier()
    model.save_weights = lambda path: saved.append(epoch)
    keep = ax.callbacks.ModelCheckpoint(
        tmp_path / "best.safetensors",
        verbose=1,
        save_best_only=True,
        save_weights_only=True,
        initial_value_threshold=6.0,
    )
    keep.set_model(model)
    for epoch, loss in enumerate([7.0, float("nan"), 5.0, 5.0, 4.0, 6.0]):
        keep.on_epoch_end(epoch, {"val_loss": loss})
    assert saved == [2, 4]
    assert "epoch 3 is saved in" in capsys.readouterr().out


def test_model_checkpoint_after_batches(tmp_path):
    pattern = tmp_path / "{epoch}-{batch}.safetensors"
    keep = ax.callbacks.ModelCheckpoint(pattern, save_weights_only=True, save_freq=4)
    fit(classifier(), 0, 2, callbacks=[keep])  # six batches an epoch
    names = [f"{place}.safetensors" for place in ("1-4", "2-2", "2-6")]
    assert sorted(os.listdir(tmp_path)) == names


def test_model_checkpoint_leaves_the_epoch_in_one_call(tmp_path):
    keep = ax.callbacks.ModelCheckpoint(tmp_path / "a.safetensors", save_weights_only=True)
    told = ax.callbacks.CallbackList([keep], None, {})
    assert not told.wants_batches("train")


def test_a_full_disk_during_training_keeps_what_was_learnt(trained):
    model, path = trained
    before = int(model.optimizer.iterations.numpy())
    keep = ax.callbacks.ModelCheckpoint(path, save_weights_only=True)
    with full_disk(), pytest.raises(IoError, match="cannot write"):
        fit(model, 1, 3, callbacks=[keep])
    assert int(model.optimizer.iterations.numpy()) == before + 6
    fit(model, 2, 3)


def test_model_checkpoint_mistakes(tmp_path):
    with pytest.raises(ax.errors.UnsupportedError, match="pass save_weights_only=True"):
        ax.callbacks.ModelCheckpoint("model.keras")

    def checkpoint(name, **kwargs):
        return ax.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=True, **kwargs)

    with pytest.raises(InvalidArgumentError, match="save_freq must be 'epoch' or a positive"):
        checkpoint("a.safetensors", save_freq=0)
    with pytest.raises(InvalidArgumentError, match="'val_loss' is known after epochs only"):
        checkpoint("a.safetensors", save_freq=5, save_best_only=True)
    for name, match in {
        "{val_los:.2f}.safetensors": "names 'val_los'; did you mean 'val_loss'",
        "{loss:02d}.safetensors": "cannot be filled in: Unknown format code 'd'",
        "{}.safetensors": "cannot be filled in",
        "model.h5": "must end in",
    }.items():
        with pytest.raises(InvalidArgumentError, match=match):
            fit(classifier(), 0, 1, validation_data=(X, Y), callbacks=[checkpoint(name)])
    with pytest.raises(InvalidArgumentError, match="'val_loss' needs validation"):
        fit(classifier(), 0, 1, callbacks=[checkpoint("a.safetensors", save_best_only=True)])
    (tmp_path / "file").touch()
    with pytest.raises(IoError, match="cannot make the folder of"):
        fit(classifier(), 0, 1, callbacks=[checkpoint("file/a.safetensors")])
