"""Telling which of the user's numbers made a compiled step fail."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from addax.errors import InvalidArgumentError, OutOfRangeError
from addax.training.data import Arrays
from addax.training.order import Place, samples


def blame(error: OutOfRangeError, data: Arrays, place: Place | None) -> OutOfRangeError:
    """Return the error with the label's index in the user's array instead of the batch's."""
    value = _attribute(error, "value", r"label (-?\d+)")
    if value is None:
        return error
    for name, array in _targets(data):
        rows = _rows(error, array, place)
        found = np.argwhere(array[rows] == value)
        if len(found):
            row, *inner = (int(number) for number in found[0])
            index = ", ".join(str(number) for number in (int(rows[row]), *inner))
            known = re.search(r"\[0, \d+\)", str(error))
            classes = known.group() if known else "the classes of the model's output"
            return OutOfRangeError(
                f"label {value} at {name}[{index}] is outside {classes}: labels are class numbers, "
                "and the model's last layer needs one unit for each"
            )
    return error


def _targets(data: Arrays) -> list[tuple[str, Any]]:
    single = len(data.y_leaves) == 1
    return [("y" if single else f"y{[index]}", array) for index, array in enumerate(data.y_leaves)]


def _rows(error: OutOfRangeError, array: Any, place: Place | None) -> Any:
    """Return the samples to search: those of the failed step if it is known, else all."""
    step = getattr(error, "step", None)
    if place is None or step is None:
        return np.arange(len(array))
    begin = place.begin + (place.done + step) * place.batch if place.begin == 0 else place.begin
    return samples(begin, place.batch, place.key, place.total, place.shuffle)


def _attribute(error: OutOfRangeError, name: str, pattern: str) -> int | None:
    value = getattr(error, name, None)
    if value is None:
        found = re.search(pattern, str(error))
        value = found.group(1) if found else None
    return None if value is None else int(value)


def blame_nan(data: Arrays) -> None:
    """Raise when the loss is not a number because the data isn't; divergence is left to be seen."""
    names = [
        f"x[{index}]" if len(data.x_leaves) > 1 else "x" for index in range(len(data.x_leaves))
    ]
    names += [
        f"y[{index}]" if len(data.y_leaves) > 1 else "y" for index in range(len(data.y_leaves))
    ]
    for name, array in zip([*names, "sample_weight"], data.leaves, strict=False):
        if array.dtype.kind == "f" and np.isnan(array).any():
            sample = int(np.isnan(array).reshape(len(array), -1).any(1).argmax())
            raise InvalidArgumentError(
                f"the loss is NaN because {name} is: the first sample that holds NaN is number "
                f"{sample}. The weights were trained on it and are NaN, too"
            )
