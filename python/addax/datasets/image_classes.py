"""Four IDX files that make one image-classification set: MNIST and those that took its form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from addax.datasets.idx import read_idx
from addax.datasets.store import RemoteFile, locate
from addax.errors import IoError

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Split = tuple[Images, Labels]


def load(dataset: str, base_url: str, checksums: tuple[str, str, str, str]) -> tuple[Split, Split]:
    """Reads the set; ``checksums`` are in the order of the files below.

    Raises:
        IoError: a file is missing, damaged, or does not fit the others.
    """
    names = (
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    )
    files = [RemoteFile(name, sha) for name, sha in zip(names, checksums, strict=True)]
    paths = locate(dataset, base_url, files)
    x_train, y_train, x_test, y_test = (read_idx(path) for path in paths)
    for images, labels, path in ((x_train, y_train, paths[0]), (x_test, y_test, paths[2])):
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise IoError(
                f"[{dataset}] {path} holds {images.shape} and its label file {labels.shape}; "
                "expected (n, height, width) and (n,)"
            )
    return (x_train, y_train), (x_test, y_test)
