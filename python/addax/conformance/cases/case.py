"""What a row of the op table holds, and the table itself.

Tolerance. Inputs are rounded to the tested dtype, the reference is computed from them in float64.
A result may differ by ``ulps * eps(dtype) * bound``, where ``bound`` is the magnitude that rounding
errors are relative to: by default |reference|; for a sum of n terms the sum of their magnitudes,
with ``ulps`` growing with the depth of the summation (the sum of blocks in SIMD lanes then a tree
is at most a few tens of roundings deep at these sizes). 16-bit types compute in float32 and round
once when they are stored, so the same count of ulps covers them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FLOATS = ("float16", "bfloat16", "float32", "float64")
WIDE = ("float32", "float64")
INTS = ("uint8", "int8", "int32", "int64")
NUMBERS = FLOATS + INTS
ALL = (*NUMBERS, "bool")


@dataclass(frozen=True)
class Arg:
    """One input: numbers of [low, high) in the tested dtype, or in ``dtype`` if that is given."""

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    dtype: str | None = None
    distinct: bool = False  # no two elements closer than a finite-difference step
    value: Any = None  # exactly this instead


@dataclass(frozen=True)
class Sample:
    """One call."""

    args: tuple[Arg, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bad:
    """A call that must raise: part of the message names the op and what is wrong."""

    args: tuple[Arg, ...]
    attrs: Mapping[str, Any]
    error: str  # name in addax.errors
    match: str


@dataclass(frozen=True)
class OpCase:
    """Everything that tests and benchmarks know of one op.

    ``reference`` takes the inputs as float64 (floating dtypes) or as they are (the others) and the
    attributes, and returns one array or a list of them.
    """

    name: str
    reference: Callable[..., Any]
    samples: tuple[Sample, ...]
    dtypes: tuple[str, ...] = NUMBERS
    ulps: float = 4
    bound: Callable[..., Any] | None = None
    gradient: bool = True
    bad: tuple[Bad, ...] = ()
    large: Sample | None = None


CASES: dict[str, OpCase] = {}


def case(name: str, reference: Callable[..., Any], samples: Sequence[Sample], **more: Any) -> None:
    assert name not in CASES, name
    CASES[name] = OpCase(name, reference, tuple(samples), **more)


def calls(*shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0, **attrs: Any) -> Sample:
    return Sample(tuple(Arg(shape, low, high) for shape in shapes), attrs)
