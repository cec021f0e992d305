"""Random numbers and shuffling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from addax.conformance.cases import reference as ref
from addax.conformance.cases.case import WIDE, Arg, Bad, Sample, case

STATES = [np.array(s, np.int64) for s in ([7, 0], [-3, 5], [2**40 + 1, 2**33])]


def stateful(name: str, reference: Callable[..., Any], attrs: Sequence[Mapping[str, Any]],
             **more: Any) -> None:  # fmt: skip
    samples = [
        Sample((Arg((2,), dtype="int64", value=state),), a)
        for state, a in zip(STATES, attrs, strict=True)
    ]
    case(name, reference, samples, dtypes=("float32",), gradient=False, **more)


stateful(
    "random_uniform",
    lambda state, **a: list(ref.random_uniform(state, **a)),
    [{"shape": (3, 5)}, {"shape": (4,), "minval": -2.0, "maxval": 3.0}, {"shape": ()}],
    bound=lambda state, **a: [4.0, 0.0],
    large=Sample((Arg((2,), dtype="int64", value=STATES[0]),), {"shape": (4096, 1024)}),
)
stateful(
    "random_normal",
    lambda state, **a: list(ref.random_normal(state, **a)),
    [{"shape": (3, 5)}, {"shape": (64,), "mean": 2.0, "stddev": 3.0},
     {"shape": (33,), "truncated": True}],
    bound=lambda state, **a: [16.0, 0.0],
    large=Sample((Arg((2,), dtype="int64", value=STATES[0]),), {"shape": (4096, 1024)}),
)  # fmt: skip


def _dropout(x, state, rate):
    u, state = ref.random_uniform(state, x.shape)
    return [np.where(u >= rate, x / (1 - rate), 0), state]


case(
    "dropout",
    _dropout,
    [
        Sample((Arg(shape), Arg((2,), dtype="int64", value=state)), {"rate": rate})
        for shape, state, rate in zip(((3, 5), (130,), ()), STATES, (0.5, 0.2, 0.0), strict=True)
    ],
    dtypes=WIDE,
    bad=(
        Bad((Arg((3,)), Arg((2,), dtype="int64", value=STATES[0])), {"rate": 1.5}, "AddaxError",
            r"\[dropout\].*1\.5"),
    ),
)  # fmt: skip
case(
    "batch_indices",
    lambda cursor, key, n, batch, shuffle: ref.batch_indices(int(cursor), key, n, batch, shuffle),
    [
        Sample(
            (Arg((), dtype="int64", value=np.array(cursor)), Arg((2,), dtype="int64", value=key)),
            {"n": n, "batch": batch, "shuffle": shuffle},
        )
        for cursor, key, n, batch, shuffle in (
            (0, STATES[0], 10, 10, True), (2, STATES[1], 100, 32, True),
            (1, STATES[2], 7, 3, False),
            (0, STATES[0], 1, 1, True), (5, STATES[2], 60000, 128, True),
        )
    ],
    dtypes=("int64",),
    ulps=0,
    gradient=False,
)  # fmt: skip
