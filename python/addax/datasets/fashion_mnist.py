"""Fashion-MNIST: 28x28 greyscale images of ten kinds of clothing (Xiao et al., 2017)."""

from __future__ import annotations

from addax.datasets import image_classes

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_BASE_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CHECKSUMS = (
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
)


def load_data() -> tuple[image_classes.Split, image_classes.Split]:
    """Fashion-MNIST as uint8 arrays: images (n, 28, 28) with values 0 to 255, labels (n,).

    The complete set has 60,000 training and 10,000 test images. Looks in
    ``$ADDAX_DATA_HOME/fashion-mnist``, then in Keras's cache folder, then downloads.

    Raises:
        IoError: a file is missing and cannot be had, or is damaged.
    """
    return image_classes.load("fashion-mnist", _BASE_URL, _CHECKSUMS)
