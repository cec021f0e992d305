"""The IDX format of MNIST: big-endian magic number, extents, then the elements."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from addax.datasets.byte_source import ByteSource, open_bytes
from addax.errors import IoError

_UNSIGNED_BYTE = 0x08
_MAX_RANK = 8


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Reads an IDX file of unsigned bytes, gzipped if its name ends in ``.gz``.

    Every size that the header claims is checked against the file before memory is taken.

    Raises:
        IoError: the file cannot be read, is no IDX file, is truncated, or is longer than it says.
    """
    with open_bytes(path, "read_idx") as source:
        return _read_array(source, path)


def _read_array(source: ByteSource, path: Path) -> NDArray[np.uint8]:
    stream, most = source.stream, source.capacity
    magic = _read_exactly(stream, 4, path)
    if magic[:2] != b"\0\0" or magic[2] != _UNSIGNED_BYTE or not 1 <= magic[3] <= _MAX_RANK:
        raise IoError(
            f"[read_idx] {path} is no IDX file of unsigned bytes: it begins with {magic.hex(' ')}"
        )
    rank = magic[3]
    shape = struct.unpack(f">{rank}I", _read_exactly(stream, 4 * rank, path))
    header = 4 + 4 * rank
    size = 1
    for extent in shape:
        size *= extent
    if header + size > most or (source.exact and header + size != most):
        raise IoError(
            f"[read_idx] {path}: its header says {shape}, {size} bytes, but the file can hold "
            f"{'only ' if header + size > most else ''}{max(most - header, 0)}; "
            "it is damaged or truncated, replace it"
        )
    data = np.empty(size, dtype=np.uint8)
    filled = 0
    while filled < size:
        got = stream.readinto(data[filled : filled + (1 << 20)].data)  # type: ignore[attr-defined]
        if not got:
            raise IoError(
                f"[read_idx] {path}: its header says {shape}, {size} bytes, but the data ends "
                f"after {filled}; it is truncated, replace it"
            )
        filled += got
    if stream.read(1):
        raise IoError(f"[read_idx] {path}: data goes on after the {size} bytes of {shape}")
    return data.reshape(shape)


def _read_exactly(stream: BinaryIO, count: int, path: Path) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise IoError(f"[read_idx] {path}: the file ends inside its header, replace it")
    return data
