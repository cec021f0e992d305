"""PyTorch as its users write it when they care: own loop, channels-last, fused Adam."""

import time

begin = time.perf_counter()
import torch  # noqa: E402
from torch import nn  # noqa: E402

import_s = time.perf_counter() - begin

from workload import chosen, images_and_labels, report, seconds  # noqa: E402

name, work = chosen()
images, labels = map(torch.from_numpy, images_and_labels(work))
if name != "mlp":
    images = images.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def build() -> nn.Module:
    if name.startswith("resnet50"):
        import torchvision

        model = torchvision.models.resnet50(weights=None, num_classes=10)
        return model.to(memory_format=torch.channels_last)
    dense = [nn.Flatten(), nn.Linear(784 if name == "mlp" else 1600, 128), nn.ReLU()]
    if name == "mlp":
        return nn.Sequential(*dense, nn.Linear(128, 10))
    convolutions = [
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2),
    ]  # fmt: skip
    model = nn.Sequential(*convolutions, *dense, nn.Dropout(0.5), nn.Linear(128, 10))
    return model.to(memory_format=torch.channels_last)


def step(indices: torch.Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=work.policy == "mixed_bfloat16"):
        value = nn.functional.cross_entropy(model(images[indices]), labels[indices])
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    optimizer.step()


def train(epochs: int) -> None:
    for _ in range(epochs):
        for indices in torch.randperm(work.count).split(work.batch):
            step(indices)


def first() -> None:
    global model, optimizer
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    step(torch.arange(work.batch))


first_step_s = seconds(first)
step(torch.arange(work.batch))
report(work, import_s, first_step_s, seconds(lambda: train(work.epochs)))
