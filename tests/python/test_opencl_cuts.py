"""Work of the OpenCL device that is cut as it is for no sample of the op table: sums in parts,
reductions of every plan, parameters of several blocks."""

from __future__ import annotations

import numpy as np
import pytest
from test_opencl import assert_agrees, missing, strict  # noqa: F401

from addax.conformance.cases import CASES
from addax.conformance.cases.case import Arg, Sample, calls

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")

RELU = {"epilogue": "maximum(i0 + i1, 0)"}
RATES = (Arg((), dtype="float32", value=np.array(0.01, np.float32)),)
STEP = Arg((), dtype="int64", value=np.array(3))
BLOCKS = (Arg((2051,), 0.01, 1),)

CUTS = [
    # Contractions whose sums are formed in parts and joined, with b as it lies and turned.
    ("matmul", calls((5, 521), (521, 7))),
    ("matmul", calls((5, 521), (7, 521), transpose_b=True)),
    ("matmul", calls((2, 521, 3), (521, 9), transpose_a=True)),
    ("matmul_epilogue", Sample((Arg((5, 521)), Arg((521, 7)), Arg((7,))), RELU)),
    ("matmul_epilogue", Sample((Arg((5, 521)), Arg((521, 7)), Arg((5, 1))), RELU)),
    ("conv2d_filter_grad", Sample((Arg((3, 14, 13, 3)), Arg((3, 14, 13, 5))),
                                  {"filter_shape": (3, 3, 3, 5), "padding": (1, 1, 1, 1)})),
    # Rows and columns: of widths 1 and 8, of one lane and several, whole and in splits.
    *(("sum", Sample((Arg(shape),), {"axes": axes, "keepdims": False})) for shape, axes in (
        ((5, 3), (1,)), ((3, 8), (1,)), ((70, 40), (1,)), ((2, 4099), (1,)), ((1, 16384), (1,)),
        ((3, 5), (0,)), ((3, 8), (0,)), ((40, 70), (0,)), ((4099, 3), (0,)), ((2051, 8), (0,)),
        ((3, 37, 5), (0, 2)), ((2, 259, 3), (1,)))),
    ("batch_norm_train", Sample((Arg((4099, 3)), Arg((3,), 0.5, 2), Arg((3,))),
                                {"epsilon": 1e-3})),
    # Several work-groups for one parameter, and an end that is no whole vector.
    ("sgd", Sample((*RATES, *3 * BLOCKS), {"count": 1, "momentum": 0.9, "nesterov": True})),
    ("adam", Sample((*RATES, STEP, *4 * BLOCKS), {"count": 1})),
    # Numbers along an axis, more than the compiler of graphs makes itself.
    ("iota", Sample((), {"shape": (3, 700), "axis": 1, "dtype": "int32"})),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "sample"), CUTS, ids=[f"{op}-{[*(a.shape for a in s.args)]}" for op, s in CUTS]
)
def test_cuts_agree_with_the_cpu(op: str, sample: Sample) -> None:
    assert_agrees(CASES[op], sample, CASES[op].dtypes[0] if op == "iota" else "float32")
