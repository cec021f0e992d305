"""Addax: build, compile, fit."""

import time

begin = time.perf_counter()
import addax  # noqa: E402

import_s = time.perf_counter() - begin

from keras_like import run  # noqa: E402
from workload import chosen  # noqa: E402

run(addax, *chosen(), import_s)
