"""Reading a data file, gzipped or not, whose claims about its size are not trusted."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from addax.errors import IoError

# DEFLATE cannot expand a byte of input into more than this many bytes of output.
_MAX_DEFLATE_RATIO = 1032
_GZIP_FRAME = 18  # header and trailer


@dataclass(frozen=True)
class ByteSource:
    """An open file: its bytes, the most that there can be, and whether it is exactly so many."""

    stream: BinaryIO
    capacity: int
    exact: bool


@contextmanager
def open_bytes(path: Path, reader: str) -> Iterator[ByteSource]:
    """Opens a file, gzipped if its name ends in ``.gz``.

    Raises:
        IoError: named after ``reader``, for whatever goes wrong with the file within the block.
    """
    try:
        with path.open("rb") as raw:
            size = raw.seek(0, 2)
            raw.seek(0)
            if path.suffix != ".gz":
                yield ByteSource(raw, size, exact=True)
                return
            with gzip.GzipFile(fileobj=raw) as stream:
                most = max(size - _GZIP_FRAME, 0) * _MAX_DEFLATE_RATIO
                yield ByteSource(cast(BinaryIO, stream), most, exact=False)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        if isinstance(error, IoError):
            raise
        raise IoError(f"[{reader}] {path}: {error}; replace the file") from error
