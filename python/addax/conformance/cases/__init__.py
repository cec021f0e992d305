"""One table: for each op its sample inputs, NumPy reference, tolerance, bad inputs, large shape.

Conformance tests, gradient checks and benchmarks all read it. A new op needs one row, in the file
of its family; what a row holds, and what its tolerance means, stands in case.py.
"""

from addax.conformance.cases import (
    contraction,
    elementwise,
    norm_loss,
    pool,
    random,
    reduce,
    shape,
    sort,
    update,
)
from addax.conformance.cases.case import CASES, Arg, Bad, OpCase, Sample

__all__ = [
    "CASES",
    "Arg",
    "Bad",
    "OpCase",
    "Sample",
    "contraction",
    "elementwise",
    "norm_loss",
    "pool",
    "random",
    "reduce",
    "shape",
    "sort",
    "update",
]
