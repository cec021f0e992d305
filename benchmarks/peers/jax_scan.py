"""JAX at its best: one jitted scan over an epoch of resident data, shuffled on the device."""

import time

begin = time.perf_counter()
import flax.linen as nn  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

import_s = time.perf_counter() - begin

from workload import chosen, images_and_labels, report, seconds  # noqa: E402

name, work = chosen()


class Network(nn.Module):
    @nn.compact
    def __call__(self, x, key):
        if name == "cnn":
            for filters in (32, 64):
                x = nn.relu(nn.Conv(filters, (3, 3), padding="VALID")(x))
                x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = nn.relu(nn.Dense(128)(x.reshape(x.shape[0], -1)))
        if name == "cnn":
            x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x / 0.5, 0)
        return nn.Dense(10)(x)


images, labels = map(jnp.asarray, images_and_labels(work))
network, optimizer = Network(), optax.adam(1e-3)
root = jax.random.PRNGKey(0)
parameters = network.init(root, images[:1], root)


def loss(parameters, x, y, key):
    logits = network.apply(parameters, x, key)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def step(carry, indices):
    parameters, slots, key = carry
    key, drop = jax.random.split(key)
    value, slopes = jax.value_and_grad(loss)(parameters, images[indices], labels[indices], drop)
    updates, slots = optimizer.update(slopes, slots)
    return (optax.apply_updates(parameters, updates), slots, key), value


@jax.jit
def epoch(carry):
    parameters, slots, key = carry
    key, shuffle = jax.random.split(key)
    order = jax.random.permutation(shuffle, work.count)
    order = order[: work.count // work.batch * work.batch].reshape(-1, work.batch)
    return jax.lax.scan(step, (parameters, slots, key), order)


carry = (parameters, optimizer.init(parameters), root)


def train(epochs):
    global carry
    for _ in range(epochs):
        carry, values = epoch(carry)
    values.block_until_ready()


first_epoch_s = seconds(lambda: train(1))
train_s = seconds(lambda: train(work.epochs))
report(work, import_s, max(first_epoch_s - train_s / work.epochs, 0.0), train_s)
