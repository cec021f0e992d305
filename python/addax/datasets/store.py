"""Where the files of a data set are: the look-up order, and the verified download."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from addax.errors import IoError

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A gzipped file of a data set; its uncompressed form is accepted wherever it is looked for."""

    name: str
    sha256: str


def locate(dataset: str, base_url: str, files: Sequence[RemoteFile]) -> list[Path]:
    """Paths of all files of ``dataset``, in order, from the first place that has every one.

    Looks in ``$ADDAX_DATA_HOME/<dataset>``, then in Keras's cache folder, then downloads into the
    latter.

    Raises:
        IoError: a file is missing and cannot be downloaded or stored; says which file to put where.
    """
    places = folders(dataset)
    for folder in places:
        paths = [existing(folder, file.name) for file in files]
        found = [path for path in paths if path is not None]
        if len(found) == len(files):
            return found
    target = places[-1]
    return [
        existing(target, file.name) or _download(base_url, file, target, places) for file in files
    ]


def folders(dataset: str) -> list[Path]:
    """Where files of ``dataset`` are looked for, in order; downloads go to the last."""
    places = [keras_cache() / dataset]
    if home := os.environ.get("ADDAX_DATA_HOME"):
        places.insert(0, Path(home) / dataset)
    return places


def keras_cache() -> Path:
    """Keras's folder of data sets: ``$KERAS_HOME/datasets`` or ``~/.keras/datasets``."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets"


def existing(folder: Path, name: str) -> Path | None:
    """The gzipped file of that name or its uncompressed form, whichever is in the folder."""
    for form in (name, name.removesuffix(".gz")):
        if (folder / form).is_file():
            return folder / form
    return None


def _download(base_url: str, file: RemoteFile, target: Path, folders: Sequence[Path]) -> Path:
    url = base_url + file.name
    advice = f"put {file.name} into {' or '.join(map(str, folders))}"
    try:
        target.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=target, prefix=file.name, suffix=".part")
    except OSError as error:
        raise IoError(
            f"[load_data] the cache folder {target} cannot be written ({error}); set "
            f"ADDAX_DATA_HOME or KERAS_HOME to a folder that can, or {advice}"
        ) from error
    try:
        with os.fdopen(handle, "wb") as out:
            digest = _fetch(url, out.write, advice)
            out.flush()
            os.fsync(out.fileno())
        if digest != file.sha256:
            raise IoError(
                f"[load_data] {url} has SHA-256 {digest}, expected {file.sha256}; the download is "
                f"damaged or the file has changed: try again, or {advice}"
            )
        os.replace(partial, target / file.name)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    return target / file.name


def _fetch(url: str, write: Callable[[bytes], object], advice: str) -> str:
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
            while chunk := response.read(_CHUNK_BYTES):
                digest.update(chunk)
                write(chunk)
    except OSError as error:
        raise IoError(f"[load_data] {url} cannot be downloaded ({error}); {advice}") from error
    return digest.hexdigest()
