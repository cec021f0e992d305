"""What ``device-test`` finds out: devices that are right but for one mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_plugins import COMPILER, HEADERS, HERE, pytestmark

__all__ = ["pytestmark"]

SYNCHRONOUS = HERE.parents[1] / "examples" / "custom_device" / "custom_device.c"
THREADED = HERE / "plugins" / "threaded.c"


@dataclass(frozen=True)
class Mutant:
    """A mistake: what stands in the source, and instead of what; and what the report says."""

    name: str
    right: str
    wrong: str
    told: str


COPY = "memcpy(address(to), address(from), bytes);"
RUN_ALL = "for (uint64_t n = 0; n < n_steps && "
OF_SYNCHRONOUS = [
    Mutant("no mistake", "", "", " 0 failed"),
    Mutant(
        "copies to the start",
        COPY,
        "memcpy(address(to) - (to->buffer ? to->offset : 0), address(from), bytes);",
        "FAILED to load: [custom:0] the device fails on its first bytes",
    ),
    Mutant(
        "copies one byte too few",
        COPY,
        "memcpy(address(to), address(from), bytes - (bytes % 4 == 1));",
        "FAILED copies: a copy to an odd offset",
    ),
    Mutant(
        "offsets of the host ignored",
        "at->host : (void*)at->buffer) + at->offset",
        "at->host : (void*)at->buffer) + (at->buffer ? at->offset : 0)",
        "FAILED copies: a copy from the host to the host",
    ),
    Mutant(
        "fills whole words",
        "memset(address(to), value, bytes);",
        "memset(address(to), value, bytes / 4 * 4);",
        "FAILED fill: ",
    ),
    Mutant("buffers stay", "{ free(buffer); }", "{}", "FAILED buffers leave nothing: "),
    Mutant("programs stay", "{ free(program); }", "{}", "FAILED programs leave nothing: "),
    Mutant(
        "runs lose memory",
        "  for (int32_t i = 0; i < program->num_tensors; ++i) {\n    tensor* const t",
        "  static char* volatile lost;\n  lost = malloc(40);\n"
        "  for (int32_t i = 0; i < program->num_tensors; ++i) {\n    tensor* const t",
        "FAILED runs leave nothing: ",
    ),
    Mutant(
        "one step for many",
        RUN_ALL,
        "if (n_steps > 0) control->steps_done = n_steps - 1;\n  for (uint64_t n = 0; n < 1 && ",
        "FAILED program of many steps: ",
    ),
    Mutant(
        "a step for none",
        RUN_ALL,
        "for (uint64_t n = 0; n < (n_steps ? n_steps : 1) && ",
        "FAILED steps of a program: ",
    ),
    Mutant(
        "never stops",
        "__atomic_load_n(&control->stop, __ATOMIC_RELAXED) == 0",
        "true",
        "FAILED a stop between steps: ",
    ),
    Mutant(
        "names the wrong node",
        "control->failed_node = i;",
        "control->failed_node = 0;",
        "FAILED a check that fails: ",
    ),
    Mutant(
        "structs of one size",
        "index * (int64_t) * (const uint32_t*)first",
        "index * (int64_t)sizeof(adx_tensor)",
        "FAILED ",
    ),
    Mutant(
        "keeps constants of the host",
        "tensors[i].data = constants;",
        "tensors[i].data = (char*)from->data;",
        "FAILED steps of a program: ",
    ),
    Mutant(
        "offsets of bindings ignored",
        "(char*)base->buffer + base->offset + t->offset",
        "(char*)base->buffer + t->offset",
        "FAILED steps of a program: ",
    ),
    Mutant(
        "compiles what it refuses",
        "if (op == NULL) return fail(status, ADX_UNSUPPORTED, node->op), free(program), NULL;\n"
        "    steps[i] = make_step(tensors, op, node);",
        "steps[i] = make_step(tensors, op == NULL ? kOps : op, node);",
        "FAILED an unknown op: ",
    ),
    Mutant(
        "a code of its own",
        "fail(status, ADX_UNSUPPORTED, node->op)",
        "fail(status, ADX_INTERNAL, node->op)",
        "FAILED an unknown op: ",
    ),
    Mutant(
        "memory without end",
        "bytes > kLargestAllocation ? NULL : malloc(bytes)",
        "malloc(bytes > kLargestAllocation ? 1 : bytes)",
        "FAILED out of memory: ",
    ),
    Mutant(
        "casts round",
        "(int32_t)(int64_t)x;",
        "(int32_t)llroundl(x);",
        "FAILED cast float32 to int32, special values: ",
    ),
    Mutant("exp is coarse", "expl(a)", "expl(a) * 1.000001L", "FAILED exp float32"),
    Mutant("products of few bits", "(a * b)", "((a * b) * 1.000001L)", "FAILED multiply float32"),
    Mutant(
        "maxima lose NaN",
        "a > b || isnan(a) ? a : b",
        "a < b ? b : a",
        "FAILED maximum float32, special values: ",
    ),
    Mutant("the last of equals", "x > best ||", "x >= best ||", "FAILED argmax "),
    Mutant("takes past the end", "index >= x->dims[0]", "index > x->dims[0]", "FAILED take out"),
    Mutant("a range too wide", "x >= s->high", "x > s->high", "FAILED a check that fails: "),
    Mutant(
        "random numbers repeat",
        "first + (uint64_t)(s->y->elements + 3) / 4",
        "first",
        "FAILED random_uniform",
    ),
    Mutant("never shuffles", "s->shuffle && round < 6", "false", "FAILED batch_indices"),
    Mutant(
        "crashes in a check",
        "  return true;\n}\n\n/* Philox",
        "  if (s->y->rank == 1) abort();\n  return true;\n}\n\n/* Philox",
        "FAILED steps of a program: the process was ended by SIGABRT; what follows was not tried",
    ),
]
OF_THREADED = [
    Mutant("no mistake", "", "", " 0 failed"),
    Mutant(
        "synchronised too early",
        "while (queue->first != NULL || queue->is_busy) pthread",
        "while (queue->first != NULL) pthread",
        "FAILED ",
    ),
    Mutant("events never happen", "w->event->happened = w->ticket;", "", "nothing has happened"),
    Mutant(
        "events happen at once",
        "return has_happened;",
        "return has_happened || 1;",
        "FAILED an event's time: an event has happened while work before it was still under way",
    ),
    Mutant(
        "events in nanoseconds",
        "return to->us - from->us;",
        "return (to->us - from->us) * 1000;",
        "FAILED an event's time: the time between two events is ",
    ),
    Mutant(
        "nobody waits for events",
        "while (w->event->happened < w->ticket) pthread_cond_wait(&changed, &lock);",
        "",
        "FAILED events: ",
    ),
    Mutant("events stay", "{ free(event); }", "{}", "FAILED events leave nothing: "),
    Mutant(
        "queues stay",
        "pthread_join(queue->thread, NULL);\n  free(queue);",
        "pthread_join(queue->thread, NULL);",
        "FAILED queues leave nothing: ",
    ),
    Mutant("bindings stay", "free(w->bindings);", "", "FAILED runs leave nothing: "),
    Mutant(
        "bindings are not copied",
        ".bindings = kept,",
        ".bindings = (free(kept), (adx_binding*)bindings),",
        "FAILED ",
    ),
]


def tried(folder: Path, source: Path, mutant: Mutant) -> str:
    """The report on a device whose source has the mistake."""
    text = source.read_text()
    assert mutant.right in text
    changed = folder / source.name
    changed.write_text(text.replace(mutant.right, mutant.wrong, 1) if mutant.right else text)
    options = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", "-shared", "-fPIC"]
    includes = ["-I", HEADERS, "-I", SYNCHRONOUS.parent]
    library = folder / "mutant.so"
    command = [COMPILER, *options, *includes, changed, "-o", library, "-lm", "-lpthread"]
    subprocess.run(command, check=True)
    command = [sys.executable, "-m", "addax", "device-test", "--patience", "20", library]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == (" 0 failed" not in mutant.told), done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mutant", OF_SYNCHRONOUS, ids=lambda mutant: mutant.name)
def test_mistakes_of_a_synchronous_device_are_found(mutant: Mutant, tmp_path: Path) -> None:
    assert mutant.told in tried(tmp_path, SYNCHRONOUS, mutant)


@pytest.mark.parametrize("mutant", OF_THREADED, ids=lambda mutant: mutant.name)
def test_mistakes_of_an_asynchronous_device_are_found(mutant: Mutant, tmp_path: Path) -> None:
    assert mutant.told in tried(tmp_path, THREADED, mutant)


def test_queues_that_share_memory_are_found(tmp_path: Path) -> None:
    """Products go to one piece of memory first, whichever queue they belong to."""
    mutant = Mutant(
        "shared scratch memory",
        "float* y = (float*)s->y->data;",
        "static float shared[1 << 16];\n"
        "  float* const out = (float*)s->y->data;\n"
        "  float* const y = m * n > 1 << 16 ? out : shared;",
        "FAILED programs in two queues: ",
    )
    source = tmp_path / "custom_device.c"
    source.write_text(
        SYNCHRONOUS.read_text().replace(
            "y[i * n + j] += factor * b[l * b_row + j * b_column];\n    }\n  }\n",
            "y[i * n + j] += factor * b[l * b_row + j * b_column];\n    }\n  }\n"
            "  if (y != out) memcpy(out, y, (size_t)(m * n) * sizeof *y);\n",
        )
    )
    assert mutant.told in tried(tmp_path, source, mutant)
