"""The images that the CIFAR-10 example trains on: the real set, or tinted drawings of clothes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import addax as ax


class CifarData(NamedTuple):
    """Images (n, 32, 32, 3) of uint8, labels (n, 1), and what to call them in print."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    title: str


def load(data: str) -> CifarData:
    """Loads ``"real"`` or ``"synthetic"`` data; ``"auto"`` falls back to the latter and says so."""
    if data != "synthetic":
        try:
            train, test = ax.datasets.cifar10.load_data()
            return CifarData(*train, *test, title="CIFAR-10")
        except ax.errors.IoError as error:
            if data == "real":
                raise
            print(f"SYNTHETIC DATA: the real CIFAR-10 cannot be had here. {error}")
    train, test = ax.datasets.synthetic_fashion.load_data(5000, 1000)
    return CifarData(*_tinted(*train), *_tinted(*test), title="tinted garments, not CIFAR-10")


def _tinted(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grey images of 28x28 pixels, each in a colour of its own and on 32x32 pixels."""
    tints = np.random.default_rng(0).uniform(0.4, 1, (len(images), 1, 1, 3))
    framed = np.pad(images, [(0, 0), (2, 2), (2, 2)])
    return (framed[..., None] * tints).astype(np.uint8), labels[:, None]
