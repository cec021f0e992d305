"""Train ResNet-50, or a small convolutional network, on CIFAR-10, test it, and draw its curves.

python examples/cifar10_resnet50.py --epochs 10 --batch-size 64 --model resnet50 --device cpu
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cifar_data

import addax as ax

try:
    from matplotlib.figure import Figure
except ModuleNotFoundError:
    sys.exit("matplotlib draws the curves: pip install matplotlib")

layers = ax.layers


def build_model(kind: str, augment: bool) -> ax.Model:
    """Draws the network from pixels of 0 to 255 to the logits of ten classes."""
    image = ax.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(image)
    if augment:
        x = layers.RandomFlip("horizontal")(x)
        x = layers.RandomTranslation(1 / 8, 1 / 8, fill_mode="constant")(x)
    if kind == "resnet50":
        return ax.applications.ResNet50(
            weights=None, input_tensor=x, classes=10, classifier_activation=None
        )
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return ax.Model(image, layers.Dense(10)(layers.Dropout(0.5)(x)), name="cnn")


def draw_curves(path: Path, history: dict[str, list[float]], title: str) -> None:
    """Draws loss and accuracy of training and validation, epoch by epoch."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    figure.suptitle(title)
    for panel, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[metric]) + 1)
        panel.plot(epochs, history[metric], marker=".", label="training")
        panel.plot(epochs, history[f"val_{metric}"], marker=".", label="validation")
        panel.set(xlabel="epoch", ylabel=metric)
        panel.legend()
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--dtype", choices=["float32", "mixed_bfloat16"], default="float32")
    parser.add_argument("--device", default=None, help="default: $ADDAX_DEVICE or cpu")
    parser.add_argument("--data", choices=["auto", "real", "synthetic"], default="auto")
    parser.add_argument("--model", choices=["resnet50", "cnn"], default="resnet50")
    parser.add_argument("--augment", action="store_true", help="flip and shift images at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("cifar10_resnet50.png"))
    args = parser.parse_args()

    data = cifar_data.load(args.data)
    ax.random.set_seed(args.seed)
    ax.mixed_precision.set_global_policy(args.dtype)
    model = build_model(args.model, args.augment)
    model.compile(
        optimizer="adam",
        loss=ax.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        device=args.device,
    )
    print(f"{model.name}: {model.count_params():,} parameters, {len(data.x_train):,} images")

    validation = len(data.x_train) // 10
    trained = len(data.x_train) - validation
    begin = time.perf_counter()
    history = model.fit(
        data.x_train[:trained],
        data.y_train[:trained],
        batch_size=args.batch_size,
        epochs=args.epochs,
        validation_data=(data.x_train[trained:], data.y_train[trained:]),
    )
    seconds = time.perf_counter() - begin
    images = args.epochs * trained
    print(
        f"Trained on {images:,} images in {seconds:.1f} s, validation included: "
        f"{images / seconds:,.0f} images/s"
    )

    _, accuracy = model.evaluate(data.x_test, data.y_test, batch_size=args.batch_size, verbose=0)
    print(f"Test accuracy: {accuracy:.3f} ({len(data.x_test):,} images, {data.title})")

    draw_curves(args.output, history.history, f"{model.name} on {data.title}")
    print(f"Curves drawn to {args.output}")


if __name__ == "__main__":
    main()
