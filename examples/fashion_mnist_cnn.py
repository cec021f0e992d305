"""Train a small convolutional network on Fashion-MNIST with a validation split.

python examples/fashion_mnist_cnn.py --epochs 5 --device cpu --data auto
"""

from __future__ import annotations

import argparse
import time

import fashion_data

import addax as ax


def build_model() -> ax.Sequential:
    layers = ax.layers
    return ax.Sequential(
        [
            ax.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", default=None, help="default: $ADDAX_DEVICE or cpu")
    parser.add_argument("--data", choices=["auto", "real", "synthetic"], default="auto")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    data = fashion_data.load(args.data)
    ax.random.set_seed(args.seed)
    model = build_model()
    model.compile(
        optimizer="adam",
        loss=ax.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        device=args.device,
    )
    model.summary()

    begin = time.perf_counter()
    history = model.fit(
        data.x_train[..., None],
        data.y_train,
        batch_size=args.batch_size,
        epochs=args.epochs,
        validation_split=0.1,
    )
    best = max(history.history["val_accuracy"])
    print(f"{time.perf_counter() - begin:.1f} s; best validation accuracy: {best:.3f}")

    _, accuracy = model.evaluate(data.x_test[..., None], data.y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.3f} ({len(data.x_test):,} images, {data.title})")


if __name__ == "__main__":
    main()
