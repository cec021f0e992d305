"""Devices: what there is, and where tensors and programs go."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from addax import _core, host_copies
from addax.errors import InvalidArgumentError

# In place of a device's name: the one that is measured to be fastest.
AUTO = "auto"


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
        # Whatever another package does must not break this one.
        except (Exception, SystemExit) as error:
            _core.add_device_failure(f"entry point '{entry.name}'", f"{entry.value}: {error!r}")
    if os.path.isdir(_OWN_PLUGINS):
        _core.add_device_path(_OWN_PLUGINS)


class device:
    """A device by its name; as a context, tensors and programs of the body go there.

    ``ADDAX_DEVICE`` names the device of what stands in no such context. "auto" is for models alone,
    whose ``compile`` takes it: there has to be a step to measure.

    >>> with device("cpu"):
    ...     _core.tensor([1.0]).device == device("cpu").name
    True
    """

    # Contexts that are open, of all threads, as the device that new tensors go to is.
    _open = 0

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
        device._open += 1
        return self

    def __exit__(self, *exception: object) -> None:
        device._open -= 1
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
    if name == AUTO:
        raise InvalidArgumentError(
            "[device] 'auto' chooses for a model by its training step: give it to "
            "model.compile(device='auto'), or set ADDAX_DEVICE=auto for all models; tensors and "
            f"functions need one of {', '.join(info.name for info in inventory())}"
        )
    return str(_core.resolve_device(name))


def is_auto_by_default() -> bool:
    """Whether a model that was given no device shall choose: ``ADDAX_DEVICE=auto``, no context."""
    return os.environ.get("ADDAX_DEVICE") == AUTO and device._open == 0


@contextmanager
def use(name: str | None) -> Iterator[None]:
    """Work on a device, or wherever work goes anyway."""
    if name is None:
        yield
        return
    with device(name):
        yield


class Move:
    """Takes variables to a device: one that lies there is left, another copied, each once.

    Those that belong ``together`` are read first: where their device has failed, the copies on the
    host stand for all of them.
    """

    def __init__(self, name: str, together: Sequence[_core.Variable] = ()) -> None:
        self._name = name
        away = [variable for variable in together if variable.device != name]
        self._values = dict(zip(map(id, away), host_copies.values_of(away), strict=True))
        # The variable beside its copy keeps its id from being given anew.
        self._copies: dict[int, tuple[_core.Variable, _core.Variable]] = {}

    def __call__(self, variable: _core.Variable) -> _core.Variable:
        """Return the variable that stands on the device for this one."""
        if variable.device == self._name:
            return variable
        if id(variable) not in self._copies:
            known = self._values.get(id(variable))
            copy = _core.Variable(
                host_copies.value_of(variable) if known is None else known,
                name=variable.name,
                trainable=variable.trainable,
                device=self._name,
            )
            self._copies[id(variable)] = variable, copy
        return self._copies[id(variable)][1]
