"""Op functions as Python sees them: signatures, arguments, help, records."""

from __future__ import annotations

import doctest
import inspect
import pickle
import pydoc

import numpy as np
import pytest

import addax as ax
from addax import _core
from addax.errors import InvalidArgumentError

RECORDS = {record["name"]: record for record in _core.op_records()}
PUBLIC = [name for name, record in RECORDS.items() if record["public"]]


def test_public_ops_and_no_others_are_functions() -> None:
    assert {name for name in dir(_core.ops) if not name.startswith("_")} == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_signature_and_doc_follow_the_record(name: str) -> None:
    record, function = RECORDS[name], getattr(_core.ops, name)
    signature = inspect.signature(function)
    names = [*record["inputs"], *("axis" if a["name"] == "axes" else a["name"]
                                  for a in record["attrs"])]  # fmt: skip
    assert list(signature.parameters) == names
    for attr in record["attrs"]:
        parameter = signature.parameters["axis" if attr["name"] == "axes" else attr["name"]]
        assert (parameter.default is inspect.Parameter.empty) == attr["required"]
    assert signature.return_annotation is not inspect.Signature.empty
    assert function.__name__ == function.__qualname__ == name
    assert function.__module__ == "addax._core.ops"
    assert function.__doc__.startswith(record["doc"])
    assert name in pydoc.plain(pydoc.render_doc(function))


def test_arguments_by_position_and_name() -> None:
    ops = _core.ops
    x = _core.tensor([[1.0, 2.0], [3.0, 4.0]])
    want = [3, 7]
    assert ops.sum(x, 1).tolist() == want
    assert ops.sum(x, axis=1).tolist() == want
    assert ops.sum(x, axes=(1,)).tolist() == want
    assert ops.sum(x=x, axis=[-1]).tolist() == want
    assert ops.sum(x, np.int64(1), True).shape == (2, 1)
    assert ops.sum(x, axis=None).item() == 10
    assert ops.add(x1=x, x2=x).tolist() == (x + x).tolist()
    assert ops.reshape(x, 4).shape == (4,)
    assert ops.reshape(x, shape=[1, -1]).shape == (1, 4)


def test_repeated_inputs() -> None:
    ops = _core.ops
    a, b = _core.tensor([[1.0]]), _core.tensor([[2.0]])
    assert ops.concatenate(a, b).tolist() == [[1], [2]]
    assert ops.concatenate([a, b]).tolist() == [[1], [2]]
    assert ops.concatenate([a, b], 1).tolist() == [[1, 2]]
    assert ops.concatenate(a, b, axis=1).tolist() == [[1, 2]]
    assert ops.concatenate((a, np.ones((1, 1), np.float32), [[3.0]]), axis=-1).shape == (1, 3)


def test_several_outputs_are_a_tuple() -> None:
    y, state = _core.ops.random_uniform(_core.tensor([1, 0], dtype="int64"), shape=(4,))
    assert y.shape == (4,) and state.dtype == "int64"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: _core.ops.add(x), TypeError, "input 'x2' is missing"),
        (lambda x: _core.ops.exp(x, x), TypeError, "too many"),
        (lambda x: _core.ops.add(x, x1=x), TypeError, "once"),
        (lambda x: _core.ops.sum(x, 0, axis=0), TypeError, "given twice"),
        (lambda x: _core.ops.sum(x, axi=0), InvalidArgumentError, "axes"),
        (lambda x: _core.ops.sum(x, axis="all"), InvalidArgumentError, "axis must be an integer"),
        (lambda x: _core.ops.sum(x, axis=1.5), InvalidArgumentError, "got 1.5"),
        (lambda x: _core.ops.sum(x, keepdims=1), InvalidArgumentError, "True or False"),
        (lambda x: _core.ops.sum(x, axis=7), InvalidArgumentError, "7"),
        (lambda x: _core.ops.reshape(x, (2.0, 1)), InvalidArgumentError, "integers"),
        (lambda x: _core.ops.leaky_relu(x, negative_slope="a"), InvalidArgumentError, "a number"),
        (lambda x: _core.ops.cast(x), InvalidArgumentError, "dtype"),
        (lambda x: _core.apply("ad", [x, x]), InvalidArgumentError, "add"),
        (lambda x: _core.apply("add", [x]), InvalidArgumentError, "add"),
    ],
)
def test_wrong_calls_say_what_is_wrong(call: object, error: type, words: str) -> None:
    with pytest.raises(error) as caught:
        call(_core.tensor([1.0, 2.0]))  # type: ignore[operator]
    assert words in str(caught.value)
    assert str(caught.value).startswith("[") or "ad" in str(caught.value)


def test_functions_as_objects() -> None:
    add = _core.ops.add
    assert pickle.loads(pickle.dumps(add)) is add
    assert repr(add) == "<op add>"
    assert callable(add) and inspect.isroutine(add)

    class Holder:
        activation = _core.ops.relu

    assert Holder().activation([-1.0, 1.0]).tolist() == [0, 1]  # not bound to the instance
    with pytest.raises(TypeError):
        type(add)()


def test_apply_takes_internal_ops_and_decomposes() -> None:
    x = _core.tensor([1.0, 2.0])
    assert "copy" not in PUBLIC and _core.apply("copy", [x]).tolist() == [1, 2]
    direct = _core.apply("softmax", [x], {"axis": 0})
    composed = _core.apply_decomposed("softmax", [x], {"axis": 0})
    np.testing.assert_allclose(direct.numpy(), composed.numpy(), rtol=1e-6)
    assert _core.op_flops("matmul", [np.ones((2, 3)), np.ones((3, 4))]) == 48


def test_the_program_cache_is_bounded() -> None:
    capacity = _core.program_cache_info()["capacity"]
    try:
        _core.set_program_cache_capacity(4)
        for n in range(1, 20):
            _core.ops.exp(np.zeros(n, np.float32))
        info = _core.program_cache_info()
        assert info["size"] <= 4
        _core.ops.exp(np.zeros(19, np.float32))
        assert _core.program_cache_info()["hits"] == info["hits"] + 1
        with pytest.raises(InvalidArgumentError):
            _core.set_program_cache_capacity(-1)
    finally:
        _core.set_program_cache_capacity(capacity)


def test_eager_memory_is_flat() -> None:
    x = _core.tensor(np.ones(1000, np.float32))
    for _ in range(10):
        x = x * 1.0
    before = _core.memory_info()["bytes_in_use"]
    for _ in range(1000):
        x = x * 1.0
    assert _core.memory_info()["bytes_in_use"] == before
    assert _core.trim_memory() >= 0


def test_profiles_name_op_and_layer() -> None:
    with _core.Trace("f") as trace, trace.label("dense"):
        y = trace.input((64, 64)) @ np.ones((64, 64), np.float32)
    program = trace.finish([y])
    _core.profiler_start()
    program.run([np.ones((64, 64), np.float32)])
    spans = _core.profiler_stop()
    assert any(span["label"] == "dense" and span["op"] == "matmul" for span in spans)
    assert all(span["end_ns"] >= span["begin_ns"] for span in spans)
    assert "matmul" in _core.profile_table(spans) and "matmul" in _core.chrome_trace(spans)


def test_devices_and_build() -> None:
    first = _core.devices()[0]
    assert first["name"] == _core.current_device() == _core.resolve_device("cpu") == "cpu:0"
    assert "float32" in first["dtypes"] and first["memory"] > 0
    info = _core.build_info()
    assert info["version"] == _core.version
    assert {"oneTBB", "OpenBLAS", "pybind11"} <= set(info["libraries"])


DOCUMENTED = {name: getattr(_core.ops, name) for name in PUBLIC} | {
    "Tensor": _core.Tensor,
    "Variable": _core.Variable,
    "tensor()": _core.tensor,
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_examples_of_the_docstrings(name: str) -> None:
    text = DOCUMENTED[name].__doc__
    examples = doctest.DocTestParser().get_doctest(text, {"ax": ax}, name, None, None)
    report: list[str] = []
    doctest.DocTestRunner().run(examples, out=report.append)
    assert not report, "".join(report)
