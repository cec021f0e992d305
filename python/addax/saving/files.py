"""Named arrays in a safetensors file, which is written completely or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from numpy.typing import NDArray

from addax.errors import InvalidArgumentError, IoError

SUFFIX = ".safetensors"


def write(path: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Replace a file, once the new one is safely on the disk; an error leaves the old one."""
    from safetensors.numpy import save

    if not path.endswith(SUFFIX):
        raise InvalidArgumentError(
            f"weights are kept in the format safetensors: the file's name must end in '{SUFFIX}', "
            f"got '{path}'"
        )
    content = save(dict(arrays), {"format": "addax"})
    temporary = f"{path}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            os.remove(temporary)
        if isinstance(error, OSError):
            kept = "; the file that was there is untouched" if os.path.exists(path) else ""
            raise IoError(f"cannot write '{path}': {error.strerror or error}{kept}") from error
        raise
    _sync_folder(path)


def _sync_folder(path: str) -> None:
    """Put the new name itself on the disk, where the file system can be told to."""
    with suppress(OSError):
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# The formats that variables have, by the names that the files give them.
_DTYPES = {
    "BF16": "bfloat16",
    "BOOL": "bool",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "I32": "int32",
    "I64": "int64",
    "I8": "int8",
    "U8": "uint8",
}


def types(file: Any) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and dtype of each array of an open file."""
    found = {}
    for name in file.keys():  # noqa: SIM118 (it is no mapping)
        array = file.get_slice(name)
        dtype = array.get_dtype()
        found[name] = tuple(array.get_shape()), _DTYPES.get(dtype, dtype)
    return found


@contextmanager
def reading(path: str) -> Iterator[Any]:
    """Open a file of arrays; what is wrong with it, also while reading, is an IoError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            yield file
    except FileNotFoundError as error:
        raise IoError(f"cannot read '{path}': there is no such file") from error
    except (OSError, SafetensorError) as error:
        if isinstance(error, IoError):
            raise
        raise IoError(f"cannot read '{path}' as safetensors: {error}") from error
