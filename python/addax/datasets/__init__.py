"""Data sets, each a module with ``load_data() -> ((x_train, y_train), (x_test, y_test))``.

Real sets are looked for in ``$ADDAX_DATA_HOME/<name>`` (taken as they are), then in Keras's cache
folder, and are otherwise downloaded there and checked against their SHA-256.
``synthetic_fashion`` is drawn by a program and needs no files.
"""

from addax.datasets import cifar10, cifar100, fashion_mnist, mnist, synthetic_fashion

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist", "synthetic_fashion"]
