"""All operations: ``ax.ops.<name>(...)``, under the names and arguments of ``keras.ops``.

Ops of the native registry are bound in a loop; the modules of this package add those that are
compositions. Each runs at once on tensors, is recorded within ``ax.function`` and in training,
and extends a functional model when called on its symbolic tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from addax import _core
from addax.ops import creation, linalg, manipulation, neural, reduction, sorting
from addax.symbolic import accept_symbolic

# Building blocks of this package that are not ops.
_NOT_OPS = {
    "as_tensor",
    "dtype_name",
    "emit",
    "emit_all",
    "resolve_axis",
}


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    return {
        name: function
        for name, function in vars(module).items()
        if getattr(function, "__module__", None) == module.__name__
        and callable(function)
        and not name.startswith("_")
        and name not in _NOT_OPS
    }


def _collect() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {
        record["name"]: getattr(_core.ops, record["name"])
        for record in _core.op_records()
        if record["public"]
    }
    for module in (creation, linalg, manipulation, neural, reduction, sorting):
        functions.update(_functions(module))
    functions["absolute"] = functions["abs"]
    functions["swish"] = functions["silu"]
    return functions


_all = {name: accept_symbolic(name, function) for name, function in _collect().items()}
globals().update(_all)
__all__ = sorted(_all)


if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Any]: ...
