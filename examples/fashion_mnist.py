"""Train a two-layer network on Fashion-MNIST, test it, and draw some of its predictions.

python examples/fashion_mnist.py --epochs 10 --device cpu --data auto
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import fashion_data
import numpy as np

import addax as ax


def build_model() -> ax.Sequential:
    return ax.Sequential(
        [
            ax.Input((28, 28)),
            ax.layers.Rescaling(1 / 255),
            ax.layers.Flatten(),
            ax.layers.Dense(128, activation="relu"),
            ax.layers.Dense(10),
        ]
    )


def draw_predictions(
    path: Path, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray
) -> None:
    """Draws each image above its predicted class, in red where the prediction is wrong."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = ax.datasets.fashion_mnist.CLASS_NAMES
    figure, axes = pyplot.subplots(4, 6, figsize=(12, 9), layout="constrained")
    for panel, image, label, chances in zip(axes.flat, images, labels, probabilities, strict=False):
        guess = int(chances.argmax())
        panel.imshow(image, cmap="binary")
        panel.set(xticks=[], yticks=[])
        text = f"{names[guess]} {chances[guess]:.0%}"
        if guess != label:
            text += f"\nis {names[label]}"
        panel.set_xlabel(text, color="tab:red" if guess != label else "tab:blue")
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default=None, help="default: $ADDAX_DEVICE or cpu")
    parser.add_argument("--data", choices=["auto", "real", "synthetic"], default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("fashion_mnist.png"))
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
    model.fit(data.x_train, data.y_train, batch_size=args.batch_size, epochs=args.epochs)
    seconds = time.perf_counter() - begin
    images = args.epochs * len(data.x_train)
    print(f"Trained on {images:,} images in {seconds:.2f} s: {images / seconds:,.0f} images/s")

    probability_model = ax.Sequential([model, ax.layers.Softmax()])
    probabilities = probability_model.predict(data.x_test, verbose=0)
    draw_predictions(args.output, data.x_test, data.y_test, probabilities)
    print(f"Predictions drawn to {args.output}")

    _, accuracy = model.evaluate(data.x_test, data.y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.3f} ({len(data.x_test):,} images, {data.title})")


if __name__ == "__main__":
    main()
