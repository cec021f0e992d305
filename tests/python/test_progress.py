"""What training prints."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest

import addax as ax
from addax.training.progress import Progress, per_step, resolve, values

X, Y = np.ones((50, 4), np.float32), np.arange(50) % 3


def model():
    made = ax.Sequential([ax.Input((4,)), ax.layers.Dense(3)])
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("adam", loss, metrics=["accuracy"])
    return made


NUMBER = r"\d\.\d{4}"
LINE = rf"2/2 - \d+s - \d+(us|ms|s)/step - accuracy: {NUMBER} - loss: {NUMBER}"


def test_silent(capsys):
    net = model()
    net.fit(X, Y, verbose=0)
    net.evaluate(X, Y, verbose=0)
    net.predict(X, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == ""


def test_a_line_per_epoch(capsys):
    model().fit(X, Y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert re.fullmatch(LINE, lines[1]) and len(lines) == 4


def test_validation_comes_after(capsys):
    model().fit(X, Y, verbose=2, validation_data=(X, Y))
    line = capsys.readouterr().out.splitlines()[1]
    assert re.fullmatch(LINE + rf" - val_accuracy: {NUMBER} - val_loss: {NUMBER}", line)


def test_auto_is_a_line_where_nobody_watches(capsys):
    model().evaluate(X, Y)
    assert re.fullmatch(LINE, capsys.readouterr().out.strip())


def test_bar_without_a_terminal_is_its_last_state(capsys):
    model().fit(X, Y, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[1].startswith("2/2 ━━━━━━━━━━━━━━━━━━━━ 0s ")


def test_bar_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    progress = Progress(resolve("auto"))
    progress.begin(100)
    progress.update(40)
    progress.end({"loss": 0.5})
    text = screen.getvalue()
    assert "40/100" in text and text.rstrip().endswith("loss: 0.5000")
    assert "100/100 ━━━━━━━━━━━━━━━━━━━━" in text


def test_formats():
    assert values({"a": 0.12345, "b": 1e-5, "c": 0.0}) == " - a: 0.1235 - b: 1.0000e-05 - c: 0.0000"
    assert [per_step(t) for t in (2.2, 0.0123, 4.2e-5)] == ["2s/step", "12ms/step", "42us/step"]
    assert resolve(1) == 1
    with pytest.raises(ValueError, match="verbose"):
        resolve("loud")
