"""The workloads in Keras's own words, for Keras on any backend and for Addax."""

from __future__ import annotations

from typing import Any

from workload import Workload, images_and_labels, report, seconds


def build(keras: Any, name: str, image: tuple[int, ...]) -> Any:
    if name.startswith("resnet50"):
        return keras.applications.ResNet50(
            weights=None, input_shape=image, classes=10, classifier_activation=None
        )
    layers = keras.layers
    stack = [keras.Input(image)]
    if name in ("cnn", "cifar_cnn"):
        stack += [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
        ]
    if name == "cifar_cnn":
        stack += [layers.Conv2D(64, 3, activation="relu")]
    hidden = 64 if name == "cifar_cnn" else 128
    stack += [layers.Flatten(), layers.Dense(hidden, activation="relu")]
    if name == "cnn":
        stack += [layers.Dropout(0.5)]
    return keras.Sequential([*stack, layers.Dense(10)])


def run(keras: Any, name: str, work: Workload, import_s: float) -> None:
    """Builds, warms up on a few batches, and times whole epochs of ``fit``."""
    images, labels = images_and_labels(work)

    def fit(count: int, epochs: int = 1) -> None:
        model.fit(images[:count], labels[:count], batch_size=work.batch, epochs=epochs, verbose=0)

    def first() -> None:
        nonlocal model
        keras.mixed_precision.set_global_policy(work.policy)
        model = build(keras, name, work.image)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        fit(work.batch)

    model: Any = None
    first_step_s = seconds(first)
    fit(4 * work.batch + work.count % work.batch)
    report(work, import_s, first_step_s, seconds(lambda: fit(work.count, work.epochs)))
