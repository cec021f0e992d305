"""
The native core of Addax.
"""
from __future__ import annotations
import addax.arrays
from addax.errors import AddaxError
from addax.errors import DTypeError
from addax.errors import DeviceError
from addax.errors import InternalError
from addax.errors import InvalidArgumentError
from addax.errors import IoError
from addax.errors import OutOfMemoryError
from addax.errors import OutOfRangeError
from addax.errors import ShapeError
from addax.errors import TracedValueError
from addax.errors import UnsupportedError
import collections.abc
import typing
import typing_extensions
from . import ops
__all__: list[str] = ['AddaxError', 'DTypeError', 'DeviceError', 'EagerBlock', 'Executable', 'InternalError', 'InvalidArgumentError', 'IoError', 'Label', 'OutOfMemoryError', 'OutOfRangeError', 'Rehearsal', 'ShapeError', 'Tensor', 'Trace', 'TracedValueError', 'UnsupportedError', 'Variable', 'add_device_failure', 'add_device_path', 'apply', 'apply_decomposed', 'build_info', 'check_device', 'chrome_trace', 'current_device', 'current_trace', 'device_checks', 'device_failures', 'devices', 'eager', 'fast_dtypes', 'from_dlpack', 'gradients', 'has_unified_memory', 'is_tracing', 'load_device', 'memory_info', 'num_threads', 'op_flops', 'op_records', 'ops', 'profile_table', 'profiler_start', 'profiler_stop', 'program_cache_info', 'resolve_device', 'set_default_device', 'set_num_threads', 'set_program_cache_capacity', 'share', 'tensor', 'trim_memory', 'version']
class Tensor:
    """
    An immutable array on a device, or in a traced function a value of the graph.
    
    Made by `addax.tensor` and by ops. Works like a NumPy array: operators, indexing, reductions;
    `numpy()` gives the numbers without a copy on the CPU.
    
    >>> x = ax.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x @ x.T - 1
    Tensor([[ 4., 10.],
            [10., 24.]], dtype=float32)
    >>> x[:, -1].sum().item()
    6.0
    """
    __array_priority__: typing.ClassVar[int] = 1000
    def __abs__(self) -> Tensor:
        ...
    def __add__(self, other: typing.Any) -> Tensor:
        ...
    def __and__(self, other: typing.Any) -> Tensor:
        ...
    def __array__(self, dtype: typing.Any = None, copy: typing.Any = None) -> addax.arrays.Array:
        ...
    def __bool__(self) -> bool:
        ...
    def __copy__(self) -> Tensor:
        ...
    def __deepcopy__(self, memo: typing.Any) -> Tensor:
        ...
    def __dlpack__(self, *, stream: typing.Any = None, max_version: typing.Any = None, dl_device: typing.Any = None, copy: typing.Any = None) -> typing_extensions.CapsuleType:
        ...
    def __dlpack_device__(self) -> tuple[int, ...]:
        ...
    def __eq__(self, other: typing.Any) -> Tensor:
        ...
    def __float__(self) -> float:
        ...
    def __floordiv__(self, other: typing.Any) -> Tensor:
        ...
    def __ge__(self, other: typing.Any) -> Tensor:
        ...
    def __getitem__(self, key: typing.Any) -> Tensor:
        ...
    def __getstate__(self) -> typing.Any:
        ...
    def __gt__(self, other: typing.Any) -> Tensor:
        ...
    def __hash__(self) -> int:
        ...
    def __index__(self) -> int:
        ...
    def __int__(self) -> int:
        ...
    def __invert__(self) -> Tensor:
        ...
    def __iter__(self) -> collections.abc.Iterator[Tensor]:
        ...
    def __le__(self, other: typing.Any) -> Tensor:
        ...
    def __len__(self) -> int:
        ...
    def __lt__(self, other: typing.Any) -> Tensor:
        ...
    def __matmul__(self, other: typing.Any) -> Tensor:
        ...
    def __mod__(self, other: typing.Any) -> Tensor:
        ...
    def __mul__(self, other: typing.Any) -> Tensor:
        ...
    def __ne__(self, other: typing.Any) -> Tensor:
        ...
    def __neg__(self) -> Tensor:
        ...
    def __or__(self, other: typing.Any) -> Tensor:
        ...
    def __pos__(self) -> Tensor:
        ...
    def __pow__(self, other: typing.Any, modulo: None = None) -> Tensor:
        ...
    def __radd__(self, other: typing.Any) -> Tensor:
        ...
    def __rand__(self, other: typing.Any) -> Tensor:
        ...
    def __repr__(self) -> str:
        ...
    def __rfloordiv__(self, other: typing.Any) -> Tensor:
        ...
    def __rmatmul__(self, other: typing.Any) -> Tensor:
        ...
    def __rmod__(self, other: typing.Any) -> Tensor:
        ...
    def __rmul__(self, other: typing.Any) -> Tensor:
        ...
    def __ror__(self, other: typing.Any) -> Tensor:
        ...
    def __rpow__(self, other: typing.Any, modulo: None = None) -> Tensor:
        ...
    def __rsub__(self, other: typing.Any) -> Tensor:
        ...
    def __rtruediv__(self, other: typing.Any) -> Tensor:
        ...
    def __rxor__(self, other: typing.Any) -> Tensor:
        ...
    def __setstate__(self, arg0: typing.Any) -> None:
        ...
    def __sub__(self, other: typing.Any) -> Tensor:
        ...
    def __truediv__(self, other: typing.Any) -> Tensor:
        ...
    def __xor__(self, other: typing.Any) -> Tensor:
        ...
    def all(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Whether every element over `axis` is true.
        """
    def any(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Whether some element over `axis` is true.
        """
    def argmax(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Position along `axis` (None: in the flattened tensor), int32; the first of equals.
        """
    def argmin(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Position along `axis` (None: in the flattened tensor), int32; the first of equals.
        """
    def astype(self, dtype: typing.Any) -> Tensor:
        """
        The numbers converted to `dtype`.
        """
    def flatten(self) -> Tensor:
        """
        The elements in one dimension.
        """
    def item(self) -> typing.Any:
        """
        The number in a tensor with one element, as a Python bool, int or float.
        """
    def max(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Largest element over `axis`.
        """
    def mean(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Mean over `axis`.
        """
    def min(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Smallest element over `axis`.
        """
    def numpy(self) -> addax.arrays.Array:
        """
        The numbers as a read-only NumPy array, without a copy where the device's memory is the host's.
        """
    def prod(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Product over `axis`.
        """
    def reshape(self, *args: typing.Any) -> Tensor:
        """
        The same elements in another shape; one extent may be -1.
        """
    def std(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Standard deviation over `axis`.
        """
    def sum(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Sum over `axis` (an integer, several, or None for all).
        """
    def to(self, device: typing.Any) -> Tensor:
        """
        The tensor on another device; itself if it is there already.
        """
    def tolist(self) -> typing.Any:
        """
        Nested Python lists of the numbers.
        """
    def transpose(self, *args: typing.Any) -> Tensor:
        """
        Axes in the given order, reversed without arguments.
        """
    def var(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Variance over `axis`.
        """
    @property
    def T(self) -> Tensor:
        """
        The transpose.
        """
    @property
    def device(self) -> str:
        """
        Name of the device that holds it; of a traced tensor the default one.
        """
    @property
    def dtype(self) -> str:
        """
        Name of the element type.
        """
    @property
    def is_traced(self) -> bool:
        """
        Whether it stands for a value of a graph that is being traced.
        """
    @property
    def nbytes(self) -> int:
        """
        Bytes of the elements.
        """
    @property
    def ndim(self) -> int:
        """
        Number of axes.
        """
    @property
    def shape(self) -> tuple[int, ...]:
        """
        Extents of the axes.
        """
    @property
    def size(self) -> int:
        """
        Number of elements.
        """
class Variable:
    """
    A named tensor that can be assigned to. Shape and dtype are fixed.
    
    Tensors read from it never change afterwards. In a traced function it is state of the compiled
    graph: assignments take effect when the function runs.
    
    >>> v = ax.Variable([1.0, 2.0], name="weights")
    >>> before = v.value
    >>> v.assign_add([10.0, 10.0])
    Variable(name='weights', shape=(2,), dtype=float32)
    >>> v * 2
    Tensor([22., 24.], dtype=float32)
    >>> before
    Tensor([1., 2.], dtype=float32)
    """
    __array_priority__: typing.ClassVar[int] = 1000
    def __abs__(self) -> Tensor:
        ...
    def __add__(self, other: typing.Any) -> Tensor:
        ...
    def __and__(self, other: typing.Any) -> Tensor:
        ...
    def __array__(self, dtype: typing.Any = None, copy: typing.Any = None) -> addax.arrays.Array:
        ...
    def __bool__(self) -> bool:
        ...
    def __deepcopy__(self, memo: typing.Any) -> Variable:
        ...
    def __eq__(self, other: typing.Any) -> Tensor:
        ...
    def __float__(self) -> float:
        ...
    def __floordiv__(self, other: typing.Any) -> Tensor:
        ...
    def __ge__(self, other: typing.Any) -> Tensor:
        ...
    def __getitem__(self, key: typing.Any) -> Tensor:
        ...
    def __getstate__(self) -> typing.Any:
        ...
    def __gt__(self, other: typing.Any) -> Tensor:
        ...
    def __hash__(self) -> int:
        ...
    def __iadd__(self, value: typing.Any) -> Variable:
        ...
    def __imul__(self, value: typing.Any) -> Variable:
        ...
    def __index__(self) -> int:
        ...
    def __init__(self, value: typing.Any, name: str = 'variable', trainable: bool = True, dtype: typing.Any = None, device: typing.Any = None) -> None:
        ...
    def __int__(self) -> int:
        ...
    def __invert__(self) -> Tensor:
        ...
    def __isub__(self, value: typing.Any) -> Variable:
        ...
    def __iter__(self) -> collections.abc.Iterator[Tensor]:
        ...
    def __itruediv__(self, value: typing.Any) -> Variable:
        ...
    def __le__(self, other: typing.Any) -> Tensor:
        ...
    def __len__(self) -> int:
        ...
    def __lt__(self, other: typing.Any) -> Tensor:
        ...
    def __matmul__(self, other: typing.Any) -> Tensor:
        ...
    def __mod__(self, other: typing.Any) -> Tensor:
        ...
    def __mul__(self, other: typing.Any) -> Tensor:
        ...
    def __ne__(self, other: typing.Any) -> Tensor:
        ...
    def __neg__(self) -> Tensor:
        ...
    def __or__(self, other: typing.Any) -> Tensor:
        ...
    def __pos__(self) -> Tensor:
        ...
    def __pow__(self, other: typing.Any, modulo: None = None) -> Tensor:
        ...
    def __radd__(self, other: typing.Any) -> Tensor:
        ...
    def __rand__(self, other: typing.Any) -> Tensor:
        ...
    def __repr__(self) -> str:
        ...
    def __rfloordiv__(self, other: typing.Any) -> Tensor:
        ...
    def __rmatmul__(self, other: typing.Any) -> Tensor:
        ...
    def __rmod__(self, other: typing.Any) -> Tensor:
        ...
    def __rmul__(self, other: typing.Any) -> Tensor:
        ...
    def __ror__(self, other: typing.Any) -> Tensor:
        ...
    def __rpow__(self, other: typing.Any, modulo: None = None) -> Tensor:
        ...
    def __rsub__(self, other: typing.Any) -> Tensor:
        ...
    def __rtruediv__(self, other: typing.Any) -> Tensor:
        ...
    def __rxor__(self, other: typing.Any) -> Tensor:
        ...
    def __setstate__(self, arg0: typing.Any) -> None:
        ...
    def __sub__(self, other: typing.Any) -> Tensor:
        ...
    def __truediv__(self, other: typing.Any) -> Tensor:
        ...
    def __xor__(self, other: typing.Any) -> Tensor:
        ...
    def all(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Whether every element over `axis` is true.
        """
    def any(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Whether some element over `axis` is true.
        """
    def argmax(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Position along `axis` (None: in the flattened tensor), int32; the first of equals.
        """
    def argmin(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Position along `axis` (None: in the flattened tensor), int32; the first of equals.
        """
    def assign(self, value: typing.Any) -> Variable:
        """
        Replaces the numbers; `value` must have the variable's shape. Returns the variable.
        """
    def assign_add(self, value: typing.Any) -> Variable:
        """
        Adds `value` in place.
        """
    def assign_sub(self, value: typing.Any) -> Variable:
        """
        Subtracts `value` in place.
        """
    def astype(self, dtype: typing.Any) -> Tensor:
        """
        The numbers converted to `dtype`.
        """
    def flatten(self) -> Tensor:
        """
        The elements in one dimension.
        """
    def item(self) -> typing.Any:
        """
        The number in a tensor with one element, as a Python bool, int or float.
        """
    def max(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Largest element over `axis`.
        """
    def mean(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Mean over `axis`.
        """
    def min(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Smallest element over `axis`.
        """
    def numpy(self) -> addax.arrays.Array:
        """
        The stored numbers as a read-only NumPy array, which later assignments leave alone.
        """
    def prod(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Product over `axis`.
        """
    def reshape(self, *args: typing.Any) -> Tensor:
        """
        The same elements in another shape; one extent may be -1.
        """
    def std(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Standard deviation over `axis`.
        """
    def sum(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Sum over `axis` (an integer, several, or None for all).
        """
    def tolist(self) -> typing.Any:
        """
        Nested Python lists of the numbers.
        """
    def transpose(self, *args: typing.Any) -> Tensor:
        """
        Axes in the given order, reversed without arguments.
        """
    def var(self, axis: typing.Any = None, keepdims: bool = False) -> Tensor:
        """
        Variance over `axis`.
        """
    @property
    def T(self) -> Tensor:
        """
        The transpose.
        """
    @property
    def assignments(self) -> int:
        """
        How often numbers were assigned outside of compiled programs.
        """
    @property
    def device(self) -> str:
        """
        Name of the device that holds it.
        """
    @property
    def dtype(self) -> str:
        """
        Name of the element type.
        """
    @property
    def name(self) -> str:
        """
        Name, for summaries and files.
        """
    @name.setter
    def name(self, arg1: str) -> None:
        ...
    @property
    def nbytes(self) -> int:
        """
        Bytes of the elements.
        """
    @property
    def ndim(self) -> int:
        """
        Number of axes.
        """
    @property
    def shape(self) -> tuple[int, ...]:
        """
        Extents of the axes.
        """
    @property
    def size(self) -> int:
        """
        Number of elements.
        """
    @property
    def trainable(self) -> bool:
        """
        Whether optimizers update it.
        """
    @trainable.setter
    def trainable(self, arg1: bool) -> None:
        ...
    @property
    def value(self) -> Tensor:
        """
        The current value as a Tensor.
        """
class Rehearsal:
    """
    Steps of an executable on copies of its variables, on any device.
    """
    def run(self, n_steps: typing.SupportsInt | typing.SupportsIndex) -> float:
        """
        Returns the seconds that so many steps take. Each call begins from the variables' values.
        """
class Executable:
    """
    A compiled graph, bound to the variables that it reads and updates.
    
    May be run from several threads; runs that update a variable wait for each other.
    """
    def dot(self) -> str:
        """
        The optimized graph as Graphviz source.
        """
    def rebind(self, variables: collections.abc.Sequence[Variable], device: str) -> Executable:
        """
        Compiles the same step for a device, with variables there in the place of its own.
        """
    def rehearse(self, inputs: collections.abc.Iterable[typing.Any], device: str) -> Rehearsal:
        """
        Compiles the same step for a device, to try it there: nothing that it reads changes.
        """
    def run(self, inputs: collections.abc.Iterable[typing.Any]) -> list[Tensor]:
        """
        Runs once and returns the outputs.
        """
    def run_steps(self, inputs: collections.abc.Iterable[typing.Any], n_steps: typing.SupportsInt | typing.SupportsIndex, progress: typing.Any = None, interval: typing.SupportsFloat | typing.SupportsIndex = 0.1) -> list[Tensor]:
        """
        Runs `n_steps` steps on the same inputs and returns the last step's outputs.
        
        `progress(steps_done)` is called about every `interval` seconds; what it raises ends the
        run after the step in progress, and so does Ctrl-C. Variables keep the state of the last
        step that was finished.
        """
    def source(self) -> str:
        """
        The graph as it was recorded, before optimization, as text.
        """
    def text(self) -> str:
        """
        The optimized graph as text.
        """
    def with_samples(self, drawn: typing.SupportsInt | typing.SupportsIndex, samples: typing.SupportsInt | typing.SupportsIndex) -> Executable:
        """
        The same step, drawn from another number of samples, sooner than compiled anew.
        
        `drawn` of the inputs, the first, have an element for each sample. None where the step
        does more with those than to draw from them.
        """
    @property
    def arena_bytes(self) -> int:
        """
        Scratch memory of a run.
        """
    @property
    def device(self) -> str:
        """
        Name of the device it is compiled for.
        """
    @property
    def flops(self) -> float:
        """
        Floating-point operations of one step.
        """
    @property
    def num_nodes(self) -> int:
        """
        Nodes that the device executes in a step.
        """
    @property
    def variables(self) -> list[Variable]:
        """
        Variables read or updated.
        """
class Label:
    """
    Names the ops called within its `with` block.
    """
    def __enter__(self) -> None:
        ...
    def __exit__(self, *args: typing.Any) -> None:
        ...
class EagerBlock:
    """
    Runs ops at once within its `with` block.
    """
    def __enter__(self) -> None:
        ...
    def __exit__(self, *args: typing.Any) -> None:
        ...
class Trace:
    """
    A graph under construction: ops called in its `with` block are recorded, not run.
    
    Belongs to the thread that opened it.
    """
    def __enter__(self) -> Trace:
        ...
    def __exit__(self, *args: typing.Any) -> None:
        ...
    def __init__(self, name: str = 'main', capture: bool = False) -> None:
        """
        With `capture` concrete tensors that ops meet become further inputs; else they raise.
        """
    def finish(self, outputs: collections.abc.Sequence[Tensor], device: typing.Any = None) -> Executable:
        """
        Compiles the graph that gives `outputs`, and the assignments made, for a device.
        """
    def input(self, shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], dtype: typing.Any = 'float32', name: str = 'input') -> Tensor:
        """
        A new input of the graph.
        """
    def label(self, text: str) -> Label:
        """
        A context manager: ops called in it carry this name in profiles and texts.
        """
    def text(self) -> str:
        """
        The graph so far as text, before optimization.
        """
    @property
    def captured(self) -> list[Tensor]:
        """
        The concrete tensors that became inputs, in the inputs' order.
        """
    @property
    def is_finished(self) -> bool:
        """
        Whether `finish` was called.
        """
    @property
    def name(self) -> str:
        """
        Name of the graph.
        """
def add_device_failure(path: str, reason: str) -> None:
    """
    Records a plug-in that could not be found.
    """
def add_device_path(path: typing.Any) -> None:
    """
    A plug-in, or a folder of them, to load when devices are looked for.
    """
def apply(op: str, inputs: collections.abc.Iterable[typing.Any], attrs: typing.Any = None) -> typing.Any:
    """
    Calls an op by name, internal ones too; a Tensor, or a tuple where the op has several outputs.
    """
def apply_decomposed(op: str, inputs: collections.abc.Iterable[typing.Any], attrs: typing.Any = None) -> typing.Any:
    """
    As `apply`, by the op's decomposition even where the device has a kernel for it.
    """
def build_info() -> dict[str, typing.Any]:
    """
    Version, compiler, instruction set in use, and libraries with their versions.
    """
def check_device(name: str, number: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Makes a check of a device; raises what is wrong.
    """
def chrome_trace(spans: collections.abc.Iterable[typing.Any]) -> str:
    """
    Spans as JSON for chrome://tracing and Perfetto.
    """
def current_device() -> str:
    """
    Name of the device that new tensors go to.
    """
def current_trace() -> Trace:
    """
    The trace that ops of this thread go to, or None.
    """
def device_checks() -> list[str]:
    """
    Names of the checks of memory, queues, events and programs, for `check_device`.
    """
def device_failures() -> list[tuple[str, str]]:
    """
    Plug-ins that could not be loaded: pairs of path and reason.
    """
def devices() -> list[dict[str, typing.Any]]:
    """
    All devices, as dictionaries: name, kind, description, vendor, details, score, memory...
    """
def eager() -> EagerBlock:
    """
    A context manager in which ops run at once although a trace is open.
    """
def fast_dtypes(name: str) -> list[str]:
    """
    The dtypes in which a device is faster than in wider ones.
    """
def from_dlpack(exporter: typing.Any) -> Tensor:
    """
    A tensor over the memory of an array of another library, without a copy where it is
    dense and on the host. Writing to that array changes the tensor.
    """
def gradients(loss: Tensor, wrt: collections.abc.Iterable[typing.Any]) -> list[Tensor]:
    """
    Gradients of the scalar `loss` by each of `wrt`, tensors or variables of the open trace.
    """
def has_unified_memory(name: str) -> bool:
    """
    Whether a device works in the host's memory.
    """
def is_tracing() -> bool:
    """
    Whether ops of this thread are recorded instead of run.
    """
def load_device(path: typing.Any) -> list[str]:
    """
    Loads a plug-in now and returns the names of its devices.
    """
def memory_info(device: typing.Any = None) -> dict[str, int]:
    """
    Bytes in use, cached for reuse, in use at most so far, and still free (0: unknown).
    """
def num_threads() -> int:
    """
    Threads that work on one region.
    """
def op_flops(op: str, inputs: collections.abc.Iterable[typing.Any], attrs: typing.Any = None) -> float:
    """
    Floating-point operations of a call, by the op's record.
    """
def op_records() -> list[dict[str, typing.Any]]:
    """
    Every op's record as a dictionary, by name.
    """
def profile_table(spans: collections.abc.Iterable[typing.Any]) -> str:
    """
    A text table of spans, one row per op and label.
    """
def profiler_start() -> None:
    """
    Begins to record every kernel that runs; forgets what was recorded before.
    """
def profiler_stop() -> list[dict[str, typing.Any]]:
    """
    Ends the recording and returns its spans: dictionaries of op, label, begin_ns, end_ns,
    flops, bytes and thread.
    """
def program_cache_info() -> dict[str, int]:
    """
    Size, capacity, hits and misses of the cache of compiled eager calls.
    """
def resolve_device(name: str) -> str:
    """
    Full name of a device or alias.
    """
def set_default_device(name: str) -> None:
    """
    Chooses the device that new tensors go to.
    """
def set_num_threads(n: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Sets the number of threads.
    """
def set_program_cache_capacity(n: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    How many compiled eager calls are kept.
    """
def share(array: typing.Any) -> Tensor:
    """
    A tensor over the memory of a NumPy array, without a copy where the device's memory
    is the host's and the array is C-contiguous. Writing to the array changes the tensor.
    """
def tensor(data: typing.Any, dtype: typing.Any = None, device: typing.Any = None) -> Tensor:
    """
    A tensor of numbers, nested lists or an array, which is copied.
    
    Python floats become float32 and integers int32 unless `dtype` is given; arrays keep their
    dtype. Inside a traced function it is a constant of the graph.
    
    >>> ax.tensor([1, 2, 3])
    Tensor([1, 2, 3], dtype=int32)
    >>> ax.tensor(0.5, dtype="bfloat16")
    Tensor(0.5, dtype=bfloat16)
    """
def trim_memory() -> int:
    """
    Gives cached memory back to the devices; returns the bytes.
    """
version: str = '0.1.0'
