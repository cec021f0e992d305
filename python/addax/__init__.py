"""Addax: a small, fast deep-learning system with a Keras-like interface.

>>> import addax as ax
>>> model = ax.Sequential([ax.Input((4,)), ax.layers.Dense(3, activation="softmax")])
>>> model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""

from __future__ import annotations

import os as _os
from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from addax import _loading as _loading  # before anything else of the package

# isort: split
from addax import (
    _core,
    activations,
    callbacks,
    config,
    errors,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    random,
)
from addax._core import (
    Tensor,
    Variable,
    load_device,
    memory_info,
    num_threads,
    program_cache_info,
    set_num_threads,
    tensor,
)
from addax.compiled import function
from addax.differentiation import grad, value_and_grad
from addax.layers import Input, Layer
from addax.models import Model, Sequential
from addax.placement import device, devices
from addax.profiling import profile

if TYPE_CHECKING:
    from addax import applications, datasets

__version__: str = _core.version

array = tensor

# Imported on first use.
_LAZY = {"applications", "datasets"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return _import_module(f"addax.{name}")
    from addax.naming import did_you_mean

    raise AttributeError(f"module 'addax' has no attribute '{name}'{did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


def get_include() -> str:
    """Return the folder of ``addax/device.h`` and ``device.hpp``, for devices of one's own.

    >>> _os.path.basename(get_include())
    'include'
    """
    return _os.path.join(_os.path.dirname(_core.__file__), "include")


__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "array",
    "callbacks",
    "config",
    "datasets",
    "device",
    "devices",
    "errors",
    "function",
    "get_include",
    "grad",
    "initializers",
    "layers",
    "load_device",
    "losses",
    "memory_info",
    "metrics",
    "mixed_precision",
    "models",
    "num_threads",
    "ops",
    "optimizers",
    "profile",
    "program_cache_info",
    "random",
    "set_num_threads",
    "tensor",
    "value_and_grad",
]
