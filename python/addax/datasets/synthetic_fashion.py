"""A procedural stand-in for Fashion-MNIST: ten classes of garments drawn by a program.

Each image is a silhouette built of soft-edged boxes and ellipses with random proportions, pose,
fabric pattern, shading, noise and occlusion, so that the classes overlap (a short-sleeved shirt
looks like a T-shirt, a boot cut low like a sneaker) as they do in the real set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from addax.datasets.fashion_mnist import CLASS_NAMES
from addax.datasets.image_classes import Split

__all__ = ["CLASS_NAMES", "load_data"]

_SIZE = 28
_PIXEL = 2.0 / _SIZE
_SLICE = 512

Field = NDArray[Any]


def load_data(num_train: int = 10_000, num_test: int = 2_000, seed: int = 0) -> tuple[Split, Split]:
    """Draws the set: uint8 images (n, 28, 28) with values 0 to 255, and uint8 labels (n,).

    The same arguments give the same bits; training and test images never share their randomness.

    >>> import addax as ax
    >>> (x, y), _ = ax.datasets.synthetic_fashion.load_data(num_train=100, num_test=10)
    >>> x.shape, str(x.dtype), int(y.max())
    ((100, 28, 28), 'uint8', 9)

    Raises:
        ValueError: a count is negative.
    """
    if num_train < 0 or num_test < 0:
        raise ValueError(
            f"[synthetic_fashion] the numbers of images cannot be negative, got {num_train} "
            f"training and {num_test} test images"
        )
    train, test = np.random.SeedSequence(seed).spawn(2)
    return _draw(num_train, np.random.default_rng(train)), _draw(
        num_test, np.random.default_rng(test)
    )


def _draw(count: int, rng: np.random.Generator) -> Split:
    labels = rng.permutation(np.arange(count, dtype=np.int64) % len(_GARMENTS)).astype(np.uint8)
    images = np.empty((count, _SIZE, _SIZE), dtype=np.uint8)
    for label, garment in enumerate(_GARMENTS):
        members = np.flatnonzero(labels == label)
        for begin in range(0, len(members), _SLICE):
            chosen = members[begin : begin + _SLICE]
            images[chosen] = _photograph(garment, len(chosen), rng)
    return images, labels


class _Canvas:
    """Coordinates of a batch of posed images, x to the right and y down, both about -1 to 1."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self.count = count
        self.rng = rng
        axis = (np.arange(_SIZE, dtype=np.float32) + 0.5) * _PIXEL - 1
        angle, shear = self.normal(0.06), self.normal(0.06)
        stretch_x, stretch_y = self.uniform(0.85, 1.2), self.uniform(0.9, 1.15)
        x = axis[None, None, :] - self.normal(0.05)
        y = axis[None, :, None] - self.normal(0.05)
        self.x: Field = (x * np.cos(angle) + y * (np.sin(angle) + shear)) * stretch_x
        self.y: Field = (y * np.cos(angle) - x * np.sin(angle)) * stretch_y

    def uniform(self, low: float, high: float) -> Field:
        """One number per image, shaped to broadcast over its pixels."""
        return self.rng.uniform(low, high, (self.count, 1, 1)).astype(np.float32)

    def normal(self, scale: float) -> Field:
        return self.rng.normal(0, scale, (self.count, 1, 1)).astype(np.float32)

    def chance(self, probability: float) -> Field:
        return (self.rng.random((self.count, 1, 1)) < probability).astype(np.float32)

    def box(self, cx: Field | float, cy: Field | float, hx: Field | float, hy: Field | float,
            lean: Field | float = 0.0) -> Field:  # fmt: skip
        """Coverage of a box of half extents hx, hy whose centre line leans by ``lean`` per y."""
        x = np.abs(self.x - cx - lean * (self.y - cy))
        return _soft(np.minimum(hx - x, hy - np.abs(self.y - cy)))

    def ellipse(self, cx: Field | float, cy: Field | float, rx: Field | float,
                ry: Field | float) -> Field:  # fmt: skip
        radius = np.sqrt(((self.x - cx) / rx) ** 2 + ((self.y - cy) / ry) ** 2)
        return _soft((1 - radius) * np.minimum(rx, ry))


def _unit(coverage: Field) -> Field:
    """Cuts coverage off at none and full."""
    cut: Field = np.clip(coverage, 0, 1)
    return cut


def _soft(distance: Field) -> Field:
    """Signed distance to an edge, positive inside, to coverage with an edge one pixel wide."""
    return _unit(distance / _PIXEL + 0.5).astype(np.float32)


def _union(*parts: Field) -> Field:
    result = parts[0]
    for part in parts[1:]:
        result = np.maximum(result, part)
    return result


def _mirrored(c: _Canvas, cx: Field | float, cy: Field | float, hx: Field | float,
              hy: Field | float, lean: Field | float) -> Field:  # fmt: skip
    return _union(c.box(cx, cy, hx, hy, lean), c.box(-cx, cy, hx, hy, -lean))


def _torso(c: _Canvas, sleeve: Field, hem: Field | float) -> Field:
    """Body with two sleeves that reach ``sleeve`` down the arm (0 to 1) and a neckline."""
    half = c.uniform(0.36, 0.48)
    top = c.uniform(-0.85, -0.75)
    body = c.box(0.0, (top + hem) / 2, half, (hem - top) / 2)
    length = 0.16 + 0.55 * sleeve
    sleeves = _mirrored(
        c, half + 0.08 + 0.1 * sleeve, top + length, c.uniform(0.11, 0.16), length, 0.28
    )
    neck = c.ellipse(0.0, top, c.uniform(0.12, 0.22), c.uniform(0.06, 0.16))
    return _unit(_union(body, sleeves) - neck)


def _t_shirt(c: _Canvas) -> Field:
    return _torso(c, c.uniform(0.0, 0.4), c.uniform(0.55, 0.85))


def _trouser(c: _Canvas) -> Field:
    waist = c.box(0.0, -0.72, c.uniform(0.26, 0.36), 0.18)
    legs = _mirrored(c, c.uniform(0.15, 0.22), 0.08, c.uniform(0.1, 0.16), 0.85, c.normal(0.05))
    return _union(waist, legs)


def _pullover(c: _Canvas) -> Field:
    return _torso(c, c.uniform(0.8, 1.1), c.uniform(0.6, 0.85))


def _dress(c: _Canvas) -> Field:
    flare = c.uniform(0.02, 0.3)
    half = c.uniform(0.16, 0.26) + flare * (c.y + 0.4).clip(0)
    skirt = _soft(np.minimum(half - np.abs(c.x), 0.92 - np.abs(c.y)))
    sleeves = c.chance(0.4) * _mirrored(c, 0.32, -0.55, 0.1, 0.3, 0.3)
    neck = c.ellipse(0.0, -0.92, c.uniform(0.08, 0.16), c.uniform(0.06, 0.2))
    return _unit(_union(skirt, sleeves) - neck)


def _coat(c: _Canvas) -> Field:
    body = _torso(c, c.uniform(0.9, 1.2), c.uniform(0.75, 0.95))
    opening = c.box(c.normal(0.03), 0.1, c.uniform(0.02, 0.05), 0.85)
    lapels = _mirrored(c, 0.1, -0.6, 0.03, 0.2, -0.4)
    drawn: Field = body * (1 - c.uniform(0.4, 0.9) * _union(opening, lapels * c.chance(0.7)))
    return drawn


def _sandal(c: _Canvas) -> Field:
    heel = c.uniform(0.0, 0.5)
    slope = 0.55 * heel
    sole = c.box(0.0, 0.45, 0.85, c.uniform(0.06, 0.11))
    lifted = _soft(0.08 - np.abs(c.y - 0.4 + slope * (c.x + 0.2).clip(0)))
    sole = _union(sole * (1 - c.chance(0.5)), lifted * c.box(0.0, 0.0, 0.85, 1.0))
    straps = c.box(-0.45, 0.15, c.uniform(0.04, 0.1), 0.3, c.uniform(-0.9, 0.2))
    for centre in (-0.1, 0.3, 0.55):
        strap = c.box(centre, 0.1, c.uniform(0.03, 0.08), 0.4, c.uniform(-0.8, 0.8))
        straps = _union(straps, strap * c.chance(0.7))
    spike = c.box(0.72, 0.5, 0.06, 0.35) * (heel > 0.25)
    return _union(sole, straps, spike)


def _shirt(c: _Canvas) -> Field:
    body = _torso(c, c.uniform(0.15, 1.1), c.uniform(0.6, 0.9))
    placket = c.box(c.normal(0.02), 0.0, 0.025, 0.75) * c.uniform(0.1, 0.6)
    collar = _mirrored(c, 0.12, -0.72, 0.08, 0.09, 0.6) * c.chance(0.8)
    return _unit(_union(body, 0.9 * collar) - placket * body)


def _shoe(c: _Canvas, shaft: Field) -> Field:
    """A shoe that points left; ``shaft`` is how far it reaches up at the heel."""
    ground = c.uniform(0.5, 0.62)
    sole = c.box(0.0, ground, 0.88, 0.07)
    toe = c.ellipse(-0.45, ground - 0.08, 0.42, c.uniform(0.18, 0.32))
    upper = c.box(0.3, ground - shaft / 2, c.uniform(0.5, 0.58), shaft / 2)
    slope = _soft(c.x * 1.1 + c.y + c.uniform(0.25, 0.5))
    return _union(sole, toe * (c.y < ground), upper * slope)


def _sneaker(c: _Canvas) -> Field:
    shoe = _shoe(c, c.uniform(0.45, 0.75))
    laces = c.box(-0.05, 0.2, c.uniform(0.02, 0.05), 0.2, -0.9)
    drawn: Field = shoe * (1 - c.uniform(0.2, 0.8) * laces)
    return drawn


def _bag(c: _Canvas) -> Field:
    top = c.uniform(-0.35, 0.05)
    half = c.uniform(0.6, 0.85)
    body = c.box(0.0, (top + 0.75) / 2, half, (0.75 - top) / 2, c.normal(0.05))
    radius, height = c.uniform(0.3, 0.5), c.uniform(0.2, 0.6)
    arc = c.ellipse(0.0, top, radius, height) - c.ellipse(0.0, top, radius - 0.1, height - 0.1)
    flap = c.box(0.0, top + 0.22, half, 0.03) * c.uniform(0.0, 0.6)
    return _unit(_union(body - flap, arc.clip(0) * c.chance(0.85)))


def _ankle_boot(c: _Canvas) -> Field:
    boot = _shoe(c, c.uniform(0.7, 1.35))
    heel = c.box(0.66, 0.68, c.uniform(0.1, 0.2), c.uniform(0.0, 0.2))
    return _union(boot, heel)


_GARMENTS: tuple[Callable[[_Canvas], Field], ...] = (
    _t_shirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _ankle_boot,
)


def _photograph(
    garment: Callable[[_Canvas], Field], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    c = _Canvas(count, rng)
    coverage = garment(c)
    stripes = np.sin(c.uniform(4, 22) * (c.x * c.normal(1.0) + c.y * c.normal(1.0)))
    pattern = 1 + c.chance(0.35) * c.uniform(0.1, 0.45) * stripes
    shading = 1 - c.uniform(0.0, 0.35) * np.abs(c.x) + 0.15 * c.normal(1.0) * c.y
    light = c.uniform(0.3, 1.0) * pattern * shading
    hidden = c.chance(0.15) * c.box(
        c.uniform(-0.9, 0.9), c.uniform(-0.9, 0.9), c.uniform(0.1, 0.4), c.uniform(0.1, 0.4)
    )
    noise = rng.standard_normal(coverage.shape, dtype=np.float32) * c.uniform(0.02, 0.1)
    image = coverage * (1 - hidden) * (light + noise)
    return (_unit(image) * 255).astype(np.uint8)
