"""The exception classes and what they derive from."""

from __future__ import annotations

import pickle

import pytest

from addax import _core, errors

BASES = {
    "InvalidArgumentError": ValueError,
    "ShapeError": ValueError,
    "DTypeError": TypeError,
    "OutOfRangeError": IndexError,
    "OutOfMemoryError": MemoryError,
    "DeviceError": RuntimeError,
    "UnsupportedError": NotImplementedError,
    "IoError": OSError,
    "InternalError": RuntimeError,
    "TracedValueError": TypeError,
}


def test_every_error_is_exported() -> None:
    assert set(errors.__all__) == {*BASES, "AddaxError"}


@pytest.mark.parametrize(("name", "base"), BASES.items())
def test_each_is_also_the_builtin_that_fits(name: str, base: type) -> None:
    error = getattr(errors, name)
    assert error is getattr(_core, name)
    assert issubclass(error, errors.AddaxError) and issubclass(error, base)
    assert not issubclass(error, tuple(set(BASES.values()) - {base} - set(base.__mro__)))
    assert error.__doc__ and error.__module__ == "addax.errors"
    assert str(pickle.loads(pickle.dumps(error("words")))) == "words"


def test_memory_that_cannot_be_had() -> None:
    x = _core.tensor([1.0])
    with pytest.raises(errors.OutOfMemoryError) as caught:
        _core.ops.broadcast_to(x, (2**45,))
    assert isinstance(caught.value, MemoryError)
    assert (x + 1).item() == 2  # all else goes on
