"""Variables: reading, assigning, and what a write must never change."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import addax as ax
from addax import _core
from addax.errors import DTypeError, ShapeError, TracedValueError


def test_attributes() -> None:
    v = _core.Variable(np.zeros((784, 128), np.float32), name="kernel", trainable=False)
    assert (v.shape, v.dtype, v.ndim, v.size) == ((784, 128), "float32", 2, 784 * 128)
    assert (v.name, v.trainable, v.device) == ("kernel", False, "cpu:0")
    assert repr(v) == "Variable(name='kernel', shape=(784, 128), dtype=float32)"
    v.name, v.trainable = "weights", True
    assert (v.name, v.trainable) == ("weights", True)
    v.anything = 1  # room for what a framework wants to note
    assert _core.Variable(1.0).name == "variable"
    assert _core.Variable([1, 2], dtype="float16").dtype == "float16"


def test_a_write_changes_nothing_handed_out() -> None:
    initial = _core.tensor([1.0, 2.0])
    v = _core.Variable(initial)
    snapshot, view, traversed = v.value, v.numpy(), np.asarray(v)
    v.assign([3, 4])
    v.assign_add([1, 1])
    v += 1
    for kept in (initial, snapshot, view, traversed):
        np.testing.assert_array_equal(np.asarray(kept), [1, 2])
    np.testing.assert_array_equal(v.numpy(), [5, 6])


def test_a_run_changes_nothing_handed_out() -> None:
    v = _core.Variable([1.0, 2.0])
    with _core.Trace("step") as trace:
        v.assign(v * 2)
    step = trace.finish([])
    snapshot, view = v.value, v.numpy()
    step.run_steps([], 3)
    np.testing.assert_array_equal(snapshot.numpy(), [1, 2])
    np.testing.assert_array_equal(view, [1, 2])
    np.testing.assert_array_equal(v.numpy(), [8, 16])


def test_a_variable_does_not_follow_the_array_it_was_made_of() -> None:
    array = np.zeros(3, np.float32)
    v = _core.Variable(array)
    array[:] = 1
    assert v.numpy().sum() == 0
    v.assign(array)
    array[:] = 2
    assert v.numpy().sum() == 3


def test_updates_in_place() -> None:
    v = same = _core.Variable([2.0, 4.0])
    v += 1
    v -= [1, 1]
    v *= 3
    v /= _core.tensor([2.0, 2.0])
    assert v is same
    assert v.numpy().tolist() == [3, 6]
    assert v.assign([0, 0]) is v
    assert v.assign_add(1).assign_sub([0, 1]).numpy().tolist() == [1, 0]


def test_assign_casts_within_reason() -> None:
    v = _core.Variable([0.0, 0.0])
    v.assign(np.array([1, 2], np.int64))
    v.assign(np.array([1.5, 2.5]))  # float64
    assert v.dtype == "float32" and v.numpy().tolist() == [1.5, 2.5]
    counter = _core.Variable(0, dtype="int64")
    counter.assign(7)
    counter.assign_add(1)
    assert counter.numpy() == 8 and counter.dtype == "int64"
    for number in (1.5, np.ones((), np.float32)):
        with pytest.raises(DTypeError, match="cast"):
            counter.assign(number)
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        v.assign([1, 2, 3])
    with pytest.raises(ShapeError):
        v.assign(1.0)
    with pytest.raises(TypeError):
        v.assign("words")


def test_operators() -> None:
    v = _core.Variable([1.0, 2.0])
    w = _core.Variable([10.0, 20.0])
    assert (v + w).tolist() == [11, 22]
    assert (1 - v).tolist() == [0, -1]
    assert (np.ones(2, np.float32) + v).tolist() == [2, 3]
    assert (v @ w).item() == 50
    assert (v == w).tolist() == [False, False]
    assert (-v).sum().item() == -3
    assert v[0].item() == 1
    assert v.reshape(2, 1).shape == (2, 1)
    assert len(v) == 2 and [x.item() for x in v] == [1, 2]
    assert float(_core.Variable(2.5)) == 2.5
    assert {v: 1}[v] == 1
    assert _core.ops.add(v, w).tolist() == [11, 22]


def test_a_tensor_sharing_the_memory_survives_reshapes_and_slices() -> None:
    v = _core.Variable(np.arange(6, dtype=np.float32))
    reshaped, whole = v.reshape(2, 3), v[:]
    v.assign(np.zeros(6, np.float32))
    assert reshaped.numpy().sum() == 15 and whole.numpy().sum() == 15


def test_copies_are_independent() -> None:
    v = _core.Variable([1.0], name="v", trainable=False)
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        v.assign([2.0])
        assert (other.numpy().tolist(), other.name, other.trainable) == ([1.0], "v", False)
        v.assign([1.0])


def test_variables_are_made_of_numbers() -> None:
    with _core.Trace("f") as trace:
        x = trace.input((2,))
        with pytest.raises(TracedValueError, match="initial value of 'w'"):
            _core.Variable(x, name="w")
        made = _core.Variable([1.0, 2.0])  # inside of a trace, but concrete
        y = x + made
    assert made.numpy().tolist() == [1, 2]
    assert trace.finish([y]).run([[10.0, 10.0]])[0].tolist() == [11, 12]


def test_assignments_are_counted_but_not_those_of_programs() -> None:
    v = ax.Variable([1.0, 2.0])

    @ax.function
    def double() -> None:
        v.assign(v * 2)

    assert v.assignments == 0
    v.assign([3.0, 4.0])
    v.assign_add([1.0, 1.0])
    v += 1
    assert v.assignments == 3
    double()
    assert v.assignments == 3
    assert v.tolist() == [10.0, 12.0]
