"""Keras on the backend that KERAS_BACKEND names: build, compile, fit."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
begin = time.perf_counter()
import keras  # noqa: E402

import_s = time.perf_counter() - begin

from keras_like import run  # noqa: E402
from workload import chosen  # noqa: E402

run(keras, *chosen(), import_s)
