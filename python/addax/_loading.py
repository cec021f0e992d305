"""Loads the extension module without the threads of the OpenBLAS in it.

Addax calls OpenBLAS from its own threads, one thread a call. OpenBLAS starts a pool when it is
loaded unless the environment says otherwise; NumPy, loaded before, keeps its own.
"""

from __future__ import annotations

import os

import numpy  # noqa: F401

_VARIABLE = "OPENBLAS_NUM_THREADS"

_before = os.environ.get(_VARIABLE)
os.environ[_VARIABLE] = "1"
try:
    import addax._core  # noqa: F401
finally:
    if _before is None:
        del os.environ[_VARIABLE]
    else:
        os.environ[_VARIABLE] = _before
