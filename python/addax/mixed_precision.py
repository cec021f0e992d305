"""Dtype policies: what layers compute in, and what they keep their weights in.

Under ``"mixed_bfloat16"`` layers compute in bfloat16, which takes half the memory of float32 and on
some devices a fraction of its time. Weights, the optimizer's state, statistics and losses stay in
float32, so that small updates are not rounded away. A layer takes the global policy when it is
made, or one of its own: ``Dense(10, dtype="float32")``. It casts floating inputs to the dtype that
it computes in; a layer of one's own casts its weights by ``ops.cast(weight, self.compute_dtype)``.
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from typing import Any

from addax import _core, aliases
from addax.errors import DTypeError, UnsupportedError
from addax.ops.emit import dtype_name

_PLAIN = ("bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64")

# The dtypes of computation and of variables, by the names of the policies.
_DTYPES = {name: (name, name) for name in _PLAIN} | {"mixed_bfloat16": ("bfloat16", "float32")}

# What whole models can be trained in.
_GLOBAL = ("bfloat16", "float32", "float64", "mixed_bfloat16")


@dataclass(frozen=True)
class Policy:
    """The dtypes of a layer: "mixed_bfloat16", or the name of a dtype for all of it.

    >>> policy = Policy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise DTypeError(f"a dtype policy is made from a name, got {self.name!r}")
        if self.name == "mixed_float16":
            raise _needs_scaling(self.name)
        aliases.lookup("dtype policy", self.name, _DTYPES)

    @property
    def compute_dtype(self) -> str:
        """The dtype of inputs and outputs, and of weights where they are used."""
        return _DTYPES[self.name][0]

    @property
    def variable_dtype(self) -> str:
        """The dtype that weights are kept in."""
        return _DTYPES[self.name][1]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal policy."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Policy:
        """Make a policy from the result of ``get_config``."""
        return cls(**config)


def _needs_scaling(name: str) -> UnsupportedError:
    return UnsupportedError(
        f"dtype policy '{name}': gradients vanish in float16 unless the loss is scaled, which is "
        "not offered; take 'mixed_bfloat16', which has the range of float32"
    )


_global_policy = Policy("float32")


def global_policy() -> Policy:
    """Return the policy of layers that are given none.

    >>> global_policy().name
    'float32'
    """
    return _global_policy


def set_global_policy(policy: str | Policy) -> None:
    """Choose the policy of all layers made from here on, by any thread; others keep theirs.

    >>> import numpy as np
    >>> from addax.layers import Dense
    >>> set_global_policy("mixed_bfloat16")
    >>> layer = Dense(2)
    >>> set_global_policy("float32")
    >>> layer(np.ones((1, 3))).dtype, layer.kernel.dtype
    ('bfloat16', 'float32')
    """
    global _global_policy
    chosen = policy if isinstance(policy, Policy) else Policy(policy)
    if chosen.name == "float16":
        raise _needs_scaling(chosen.name)
    if chosen.name not in _GLOBAL:
        known = ", ".join(f"'{name}'" for name in _GLOBAL)
        raise DTypeError(f"the global dtype policy must be one of {known}, got '{chosen.name}'")
    _global_policy = chosen


def get(dtype: Any) -> Policy:
    """Return the policy for a dtype or a policy; None stands for the global one.

    >>> get("float64").compute_dtype
    'float64'
    """
    if dtype is None:
        return global_policy()
    if isinstance(dtype, Policy):
        return dtype
    try:
        name = dtype_name(dtype)
    except TypeError:
        raise DTypeError(f"expected a dtype or a dtype policy, got {dtype!r}") from None
    return Policy(name)


@functools.cache
def warn_unless_fast(device: str, dtype: str) -> None:
    """Say once that layers gain no speed from computing in a dtype on a device."""
    if dtype not in _core.fast_dtypes(device):
        warnings.warn(
            f"device '{device}' is not faster in {dtype} than in float32; models that compute in "
            f"{dtype} work there, and may train slower",
            stacklevel=3,
        )


DTypePolicy = Policy
dtype_policy = global_policy
set_dtype_policy = set_global_policy
