"""Sequential, functional and subclassed models."""

from __future__ import annotations

import numpy as np
import pytest

import addax as ax
from addax import layers as L
from addax import naming
from addax.errors import InvalidArgumentError, ShapeError, TracedValueError


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def mlp(**kwargs):
    return ax.Sequential([L.Input((4,)), L.Dense(5, activation="relu"), L.Dense(3)], **kwargs)


def forward(model, x):
    first, second = model.layers
    hidden = np.maximum(x @ first.kernel.numpy() + first.bias.numpy(), 0)
    return hidden @ second.kernel.numpy() + second.bias.numpy()


def test_sequential_computes_its_layers_in_order():
    model, x = mlp(), floats(7, 4)
    np.testing.assert_allclose(model(x), forward(model, x), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), forward(model, x), rtol=1e-5, atol=1e-5)
    assert model.input_shape == (None, 4) and model.output_shape == (None, 3)


def test_sequential_is_built_by_its_first_input():
    model = ax.Sequential([L.Flatten(), L.Dense(3)])
    assert not model.built and model.weights == []
    assert model.predict(floats(5, 2, 3), verbose=0).shape == (5, 3)
    assert model.input_shape == (None, 2, 3) and len(model.weights) == 2


def test_sequential_takes_the_input_shape_of_its_first_layer():
    model = ax.Sequential([L.Flatten(input_shape=(28, 28)), L.Dense(3)])
    assert model.built and model.count_params() == 28 * 28 * 3 + 3


def test_sequential_add_and_pop():
    model = ax.Sequential()
    model.add(L.Input((4,)))
    model.add(L.Dense(5))
    model.add(L.Dense(3, name="last"))
    assert model.output_shape == (None, 3)
    assert model.pop().name == "last"
    assert model.output_shape == (None, 5) and len(model.layers) == 1


def test_sequential_build():
    model = ax.Sequential([L.Dense(3)])
    model.build((None, 4))
    assert model.output_shape == (None, 3)


def test_sequential_of_sequentials_shares_weights():
    inner, x = mlp(), floats(6, 4)
    outer = ax.Sequential([inner, L.Softmax()])
    logits = forward(inner, x)
    e = np.exp(logits - logits.max(1, keepdims=True))
    expected = e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(outer.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert outer.weights == inner.weights or len(outer.weights) == len(inner.weights)
    assert all(a is b for a, b in zip(outer.weights, inner.weights, strict=True))


def test_sequential_refuses_what_is_no_layer():
    with pytest.raises(InvalidArgumentError, match="expected layers, got int"):
        ax.Sequential([3])
    with pytest.raises(InvalidArgumentError, match="the input comes before all layers"):
        ax.Sequential([L.Dense(3), L.Input((4,))])
    with pytest.raises(InvalidArgumentError, match="names are unique"):
        ax.Sequential([L.Dense(3, name="a"), L.Dense(3, name="a")])


def test_functional_with_several_inputs_outputs_and_shared_layers():
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    shared = L.Dense(3, name="shared")
    total = L.Add()([shared(a), shared(b)])
    model = ax.Model([a, b], [total, shared(a)])
    x, y = floats(5, 4), floats(5, 4, seed=1)
    kernel = shared.kernel.numpy()
    both, one = model.predict([x, y], verbose=0)
    np.testing.assert_allclose(both, x @ kernel + y @ kernel, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one, x @ kernel, rtol=1e-5, atol=1e-5)
    by_name = model.predict({"b": y, "a": x}, verbose=0)
    np.testing.assert_array_equal(by_name[0], both)
    assert len(model.weights) == 2
    with pytest.raises(InvalidArgumentError, match="lacks input 'b'"):
        model.predict({"a": x}, verbose=0)
    with pytest.raises(InvalidArgumentError, match="takes 2 inputs, got 1"):
        model.predict(x, verbose=0)


def test_layers_that_most_calls_follow_come_first():
    x = L.Input((4,), name="x")
    short = L.Dense(4, name="short")(x)
    long = L.Dense(4, name="long_2")(L.Dense(4, name="long_1")(x))
    both = L.Add(name="both")([short, long])
    model = ax.Model(x, ax.ops.relu(both) + short)
    # As deep as the last layer of the other branch, and met before it on the way from the output.
    names = ["x", "long_1", "short", "long_2", "both"]
    assert [layer.name for layer in model.layers] == names
    assert [w.name.split("/")[-2] for w in model.weights[::2]] == names[1:4]
    printed = []
    model.summary(print_fn=printed.append)
    places = [printed[0].index(f"{name} (") for name in names]
    assert places == sorted(places)


def test_inputs_are_among_the_layers():
    a, b, unused = (L.Input((4,), name=name) for name in ("a", "b", "unused"))
    hidden = L.Dense(4, name="hidden")(b)
    model = ax.Model([unused, a, b], L.Add(name="sum")([hidden, a]))
    assert [layer.name for layer in model.layers] == ["b", "hidden", "a", "sum", "unused"]
    assert model.layers[0].output is b and model.get_layer("a").batch_shape == (None, 4)
    printed = []
    model.summary(print_fn=printed.append)
    assert printed[0].count("(InputLayer)") == 3 and "unused (InputLayer) │ (None, 4)" in printed[0]
    # A model may begin within another; in a Sequential one the input is none of the layers.
    tail = ax.Model(hidden, L.Dense(2, name="tail")(hidden))
    assert [layer.name for layer in tail.layers] == [hidden.name, "tail"]
    assert len(mlp().layers) == 2


def test_inputs_are_numbered_in_order():
    naming.reset()
    models = [ax.Model(x := L.Input((4,)), L.Dense(2)(x)) for _ in range(3)]
    names = [model.layers[0].name for model in models]
    assert names == ["input_layer", "input_layer_1", "input_layer_2"]


def test_a_layer_called_twice_counts_where_it_is_called_first():
    x = L.Input((4,), name="x")
    twice, other = L.Dense(4, name="twice"), L.Dense(4, name="other")
    model = ax.Model(x, twice(other(twice(x))))
    assert [layer.name for layer in model.layers] == ["x", "twice", "other"]


def test_functional_with_dict_outputs():
    x = L.Input((4,))
    model = ax.Model(x, {"left": L.Dense(2)(x), "right": L.Dense(3)(x)})
    out = model.predict(floats(5, 4), verbose=0)
    assert {key: value.shape for key, value in out.items()} == {"left": (5, 2), "right": (5, 3)}


def test_operators_and_ops_on_symbolic_tensors():
    x = L.Input((4,))
    y = ax.ops.relu(x * 2.0 + 1.0)[:, :3] - ax.ops.mean(x, axis=-1, keepdims=True)
    z = ax.ops.concatenate([y, 1.0 - y], axis=-1)
    assert z.shape == (None, 6)
    model = ax.Model(x, z)
    v = floats(5, 4)
    first = np.maximum(v * 2 + 1, 0)[:, :3] - v.mean(-1, keepdims=True)
    expected = np.concatenate([first, 1 - first], -1)
    np.testing.assert_allclose(model.predict(v, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_symbolic_tensors_have_no_numbers():
    x = L.Input((4,), name="pixels")
    for attempt in (lambda: bool(x), lambda: np.asarray(x), lambda: float(np.asarray(x))):
        with pytest.raises(TracedValueError, match="'pixels'"):
            attempt()


def test_model_needs_connected_inputs():
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    with pytest.raises(InvalidArgumentError, match="depend on 'b', which is not among the inputs"):
        ax.Model(a, L.Add()([a, b]))
    with pytest.raises(InvalidArgumentError, match="both inputs and outputs"):
        ax.Model(a)


def test_deep_models_do_not_recurse():
    x = start = L.Input((2,))
    for _ in range(1500):
        x = x + 1.0
    model = ax.Model(start, x)
    np.testing.assert_allclose(model.predict(np.zeros((1, 2)), verbose=0), [[1500, 1500]])


def test_input_of_another_shape_names_both():
    model = mlp(name="net")
    with pytest.raises(ShapeError, match=r"'net'.*expected shape \(None, 4\), got \(2, 5\)"):
        model.predict(floats(2, 5), verbose=0)


def test_a_last_axis_of_one_may_be_left_out():
    model = ax.Sequential([L.Input((6, 6, 1)), L.Conv2D(2, 3), L.Flatten()])
    x = floats(3, 6, 6)
    full = model.predict(x[..., None], verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), full)


class Net(ax.Model):
    def __init__(self, width=8):
        super().__init__()
        self.hidden = [L.Dense(width, activation="relu"), L.Dense(width, activation="relu")]
        self.head = L.Dense(2)
        self.drop = L.Dropout(0.5)

    def call(self, x, training=False):
        for layer in self.hidden:
            x = layer(x)
        return self.head(self.drop(x, training=training))


def test_subclassed_model():
    ax.random.set_seed(1)
    model = Net()
    x = floats(9, 4)
    assert model.predict(x, verbose=0).shape == (9, 2)
    assert len(model.weights) == 6 and len(model.layers) == 4
    model.compile("adam", "mse")
    losses = model.fit(x, np.ones((9, 2)), epochs=200, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    with pytest.raises(InvalidArgumentError, match="no symbolic inputs"):
        _ = model.inputs


def test_subclassed_model_can_be_built_first():
    model = Net()
    model.build((None, 4))
    assert len(model.weights) == 6


def test_model_without_call():
    class Empty(ax.Model):
        pass

    with pytest.raises(NotImplementedError, match="Empty must override call"):
        Empty().predict(floats(2, 2), verbose=0)


def test_get_layer():
    model = ax.Sequential([L.Input((4,)), L.Dense(3, name="first"), L.Dense(2, name="second")])
    assert model.get_layer("second") is model.layers[1]
    assert model.get_layer(index=-1) is model.layers[1]
    with pytest.raises(InvalidArgumentError, match="no layer 'frist'; did you mean 'first'"):
        model.get_layer("frist")
    with pytest.raises(InvalidArgumentError, match="has 2 layers, asked for number 7"):
        model.get_layer(index=7)


def test_summary():
    model = ax.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(4, 3, name="conv"),
            L.BatchNormalization(name="norm"),
            L.Flatten(name="flat"),
            L.Dense(10, name="head"),
        ],
        name="net",
    )
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert 'Model: "net"' in text
    assert "conv (Conv2D)" in text and "(None, 6, 6, 4)" in text
    assert "1,450" in text  # 144 * 10 + 10
    assert "Total params: 1,506 " in text
    assert "Trainable params: 1,498 " in text and "Non-trainable params: 8 " in text
    rows = [line for line in text.splitlines() if line.startswith(("│", "┃"))]
    assert len({len(row) for row in rows}) == 1


def test_sequential_config():
    model = ax.Sequential([L.Input((4, 2)), L.Flatten(), L.Dense(3, activation="relu")], name="m")
    again = ax.Sequential.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.output_shape == (None, 3)


def test_labels_of_layers_reach_the_graph():
    model = mlp(name="net")
    text = ax.function(lambda x: model(x)).lowered(floats(2, 4))
    assert model.layers[0].name in text


def test_models_of_the_layers_of_another():
    model, x = mlp(), floats(3, 4)
    first = model.layers[0]
    inner = ax.Model(model.inputs, first.output)
    expected = np.maximum(x @ first.kernel.numpy() + first.bias.numpy(), 0)
    np.testing.assert_allclose(inner.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert first.input is model.inputs[0]
    with pytest.raises(InvalidArgumentError, match="no symbolic input and output"):
        _ = L.Dense(2).output


def test_an_error_while_building_shows_extents_that_are_not_known_as_none():
    images, rows = L.Input((28, 28, 3)), L.Input((None, 4))
    with pytest.raises(ShapeError, match=r"images of shape \(None, 28, 28, 3\)"):
        L.MaxPooling2D(40)(images)
    with pytest.raises(ShapeError, match=r"\[add\] shapes \(None, None, 4\) and \(5,\)"):
        ax.ops.add(rows, np.ones(5, np.float32))


class Picky(L.Layer):
    """Says what it got beside numbers of its own."""

    def call(self, inputs):
        extents = "x".join(str(extent) for extent in inputs.shape[1:])
        raise ShapeError(f"3 kernels (3, 3) of float32 at 0.3 on {tuple(inputs.shape)}, {extents}.")


def test_an_error_while_building_leaves_the_numbers_of_the_user():
    with pytest.raises(ShapeError) as caught:
        Picky(name="picky_3")(L.Input((3,)))
    assert str(caught.value) == (
        "3 kernels (3, 3) of float32 at 0.3 on (None, 3), 3.\n"
        "in layer 'picky_3', called with (None, 3)"
    )
    with pytest.raises(ShapeError, match=r"^3 .* \(3, 3\) .* \(None, None, 3\), Nonex3\.\n"):
        Picky()(L.Input((None, 3)))


def test_an_error_that_depends_on_the_size_tells_the_size():
    with pytest.raises(ShapeError, match=r"images of 256x256 pixels.*\n\(tried with 3 .* and 256 "):
        L.Conv2D(1, 300)(L.Input((None, None, 1)))
