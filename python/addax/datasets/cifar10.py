"""CIFAR-10: 32x32 colour images of ten kinds of animals and vehicles (Krizhevsky, 2009)."""

from __future__ import annotations

from addax.datasets import cifar
from addax.datasets.image_classes import Split
from addax.datasets.store import RemoteFile

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

_LAYOUT = cifar.Layout(
    dataset="cifar10",
    archive=RemoteFile(
        "cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test="test_batch.bin",
    label_classes=(10,),
)


def load_data() -> tuple[Split, Split]:
    """CIFAR-10 as uint8 arrays: images (n, 32, 32, 3) with values 0 to 255, labels (n, 1).

    The complete set has 50,000 training and 10,000 test images. Looks for the folder
    ``cifar-10-batches-bin`` or the archive ``cifar-10-binary.tar.gz`` in
    ``$ADDAX_DATA_HOME/cifar10``, then in Keras's cache folder, then downloads the archive. Files
    of the folder may be gzipped, and its last training files may be missing.

    Raises:
        IoError: a file is missing and cannot be had, or is damaged.
    """
    return cifar.load(_LAYOUT)
