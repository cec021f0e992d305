"""MNIST: 28x28 greyscale images of handwritten digits (LeCun et al., 1998)."""

from __future__ import annotations

from addax.datasets import image_classes

_BASE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_CHECKSUMS = (
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)


def load_data() -> tuple[image_classes.Split, image_classes.Split]:
    """MNIST as uint8 arrays: images (n, 28, 28) with values 0 to 255, labels (n,).

    The complete set has 60,000 training and 10,000 test images. Looks in
    ``$ADDAX_DATA_HOME/mnist``, then in Keras's cache folder, then downloads.

    Raises:
        IoError: a file is missing and cannot be had, or is damaged.
    """
    return image_classes.load("mnist", _BASE_URL, _CHECKSUMS)
