"""What every peer trains: shapes, data, and the figures that it prints."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Workload:
    """Adam on random images with ten classes; ``epochs`` are timed after a warm-up."""

    image: tuple[int, ...]
    count: int
    batch: int
    epochs: int
    policy: str = "float32"

    @property
    def steps(self) -> int:
        return self.epochs * -(-self.count // self.batch)

    def with_batch(self, batch: int) -> Workload:
        """As many images as before, in whole batches, but at least 4 and at most 500 of these."""
        return replace(self, batch=batch, count=batch * min(max(self.count // batch, 4), 500))


WORKLOADS = {
    "mlp": Workload((28, 28), 60_000, 32, 5),
    "cnn": Workload((28, 28, 1), 60_000, 128, 1),
    "resnet50": Workload((32, 32, 3), 1_280, 64, 1),
    "resnet50_bfloat16": Workload((32, 32, 3), 1_280, 64, 1, "mixed_bfloat16"),
}


def chosen() -> tuple[str, Workload]:
    """The workload that the command line names, and the batch size if it has one of its own."""
    name, batch = (*sys.argv[1:], "", "")[:2]
    if name not in WORKLOADS or len(sys.argv) > 3:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(WORKLOADS)} [BATCH]")
    return name, WORKLOADS[name].with_batch(int(batch)) if batch else WORKLOADS[name]


def images_and_labels(work: Workload) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.random((work.count, *work.image), dtype=np.float32)
    return images, rng.integers(0, 10, work.count)


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def report(work: Workload, import_s: float, first_step_s: float, train_s: float) -> None:
    """Prints one JSON line; compare.py reads it."""
    figures = {
        "import_ms": 1e3 * import_s,
        "first_step_ms": 1e3 * first_step_s,
        "ms_per_step": 1e3 * train_s / work.steps,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
