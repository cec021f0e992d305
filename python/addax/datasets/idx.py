"""The IDX format of MNIST: big-endian magic number, extents, then the elements."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from addax.errors import IoError

_UNSIGNED_BYTE = 0x08
_MAX_RANK = 8
# DEFLATE cannot expand a byte of input into more than this many bytes of output.
_MAX_DEFLATE_RATIO = 1032
_GZIP_FRAME = 18  # header and trailer


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Reads an IDX file of unsigned bytes, gzipped if its name ends in ``.gz``.

    Every size that the header claims is checked against the file before memory is taken.

    Raises:
        IoError: the file cannot be read, is no IDX file, is truncated, or is longer than it says.
    """
    compressed = path.suffix == ".gz"
    try:
        with path.open("rb") as raw:
            file_size = raw.seek(0, 2)
            raw.seek(0)
            if not compressed:
                return _read_stream(raw, path, file_size, file_size)
            most = max(file_size - _GZIP_FRAME, 0) * _MAX_DEFLATE_RATIO
            with gzip.GzipFile(fileobj=raw) as stream:
                return _read_stream(cast(BinaryIO, stream), path, most, None)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, IoError):
            raise
        raise IoError(f"[read_idx] {path}: {error}; replace the file") from error


def _read_stream(stream: BinaryIO, path: Path, most: int, exact: int | None) -> NDArray[np.uint8]:
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
    if header + size > most or (exact is not None and header + size != exact):
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
