"""The images that both Fashion-MNIST examples train on: the real set, or the drawn one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import addax as ax


class FashionData(NamedTuple):
    """Images (n, 28, 28) of uint8, labels (n,), and what to call them in print."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    title: str


def load(data: str) -> FashionData:
    """Loads ``"real"`` or ``"synthetic"`` data; ``"auto"`` falls back to the latter and says so."""
    if data != "synthetic":
        try:
            train, test = ax.datasets.fashion_mnist.load_data()
            return FashionData(*train, *test, title="Fashion-MNIST")
        except ax.errors.IoError as error:
            if data == "real":
                raise
            print(f"SYNTHETIC DATA: the real Fashion-MNIST cannot be had here. {error}")
    train, test = ax.datasets.synthetic_fashion.load_data()
    return FashionData(*train, *test, title="synthetic garments, not Fashion-MNIST")
