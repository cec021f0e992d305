"""Devices: what there is, and where tensors and programs go."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from addax import _core


@dataclass(frozen=True)
class DeviceInfo:
    """What is known about a device. Memory is in bytes; a higher score means preferred.

    ``fast_dtypes`` are those in which contractions (matmul, convolutions) outrun float32's.
    """

    name: str
    kind: str
    description: str
    vendor: str
    details: str
    score: float
    units: int
    memory: int
    unified_memory: bool
    dtypes: tuple[str, ...]
    fast_dtypes: tuple[str, ...]

    def __str__(self) -> str:
        size = f", {self.memory / 2**30:.1f} GiB" if self.memory else ""
        return f"{self.name} ({self.description}{size})"


def devices() -> list[DeviceInfo]:
    """Return the devices that work. Warns once of each plug-in that does not, with the reason.

    Of this package's own, ``python -m addax doctor`` tells: a machine may well lack their devices.

    >>> devices()[0].kind
    'cpu'
    """
    for failure in failures():
        path, reason = failure
        if failure not in _warned and not path.startswith(_OWN_PLUGINS):
            _warned.add(failure)
            warnings.warn(f"a device is left out: {path}: {reason}", stacklevel=2)
    return inventory()


def inventory() -> list[DeviceInfo]:
    """Return the devices that work, without a word on the others."""
    discover()
    return [
        DeviceInfo(
            **{
                **record,
                "dtypes": tuple(record["dtypes"]),
                "fast_dtypes": tuple(record["fast_dtypes"]),
            }
        )
        for record in _core.devices()
    ]


def failures() -> list[tuple[str, str]]:
    """Return what could not be loaded, as pairs of the plug-in and the reason."""
    discover()
    return list(_core.device_failures())


_OWN_PLUGINS = os.path.join(os.path.dirname(_core.__file__), "plugins")
_warned: set[tuple[str, str]] = set()


@functools.cache
def discover() -> None:
    """Name the plug-ins of installed packages and of this one, to be loaded when looked for."""
    from importlib.metadata import entry_points

    for entry in entry_points(group="addax.devices"):
        try:
            given = entry.load()
            _core.add_device_path(os.fspath(given() if callable(given) else given))
        except Exception as error:  # whatever another package does must not break this one
            _core.add_device_failure(f"entry point '{entry.name}'", f"{entry.value}: {error!r}")
    if os.path.isdir(_OWN_PLUGINS):
        _core.add_device_path(_OWN_PLUGINS)


class device:
    """A device by its name; as a context, tensors and programs of the body go there.

    >>> with device("cpu"):
    ...     _core.tensor([1.0]).device == device("cpu").name
    True
    """

    def __init__(self, name: Any) -> None:
        self.name = device_name(name)
        self._outer: list[str] = []

    def __enter__(self) -> device:
        self._outer.append(_core.current_device())
        try:
            _core.set_default_device(self.name)
        except BaseException:
            self._outer.pop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        _core.set_default_device(self._outer.pop())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"device('{self.name}')"


def device_name(given: Any) -> str:
    """Return the full name of a device given as a name, an alias or an entry of ``devices()``."""
    name = given if isinstance(given, str) else str(given.name)
    return str(_core.resolve_device(name))


@contextmanager
def use(name: str | None) -> Iterator[None]:
    """Work on a device, or wherever work goes anyway."""
    if name is None:
        yield
        return
    with device(name):
        yield


def moved(variable: _core.Variable, name: str) -> _core.Variable:
    """Return the variable itself if it lies on the device, else a copy there."""
    if variable.device == name:
        return variable
    return _core.Variable(
        variable.numpy(), name=variable.name, trainable=variable.trainable, device=name
    )
