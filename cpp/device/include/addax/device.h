/* The Addax device ABI, version 1. Pure C11; a plug-in includes this header, links nothing of Addax
 * and exports adx_plugin_v1. C++ authors find the table and a loop over nodes in addax/device.hpp.
 *
 * Growth: every struct begins with struct_size, set to sizeof by whoever makes the struct; where
 * the other side fills one in, struct_size is how much of it exists. Fields are only ever appended,
 * and nobody reads or writes past struct_size. Arrays of structs advance by the struct_size of
 * their first element. A null function pointer means "the default" where it is marked optional. A
 * change of meaning is a new op name; a new major version is a new symbol.
 *
 * Errors: functions report through an adx_status that the caller owns and has set to ADX_OK. A
 * failed call returns null where it returns a pointer, leaves what it was to fill in undefined, has
 * created nothing and leaks nothing; the device, and every object made before, stays usable. A call
 * that succeeds leaves the status alone. Functions without a status cannot fail. No exception and
 * no longjmp crosses the line. Texts are UTF-8.
 *
 * Ownership: whoever creates an object destroys it through the same table. The host destroys
 * programs, events, queues and buffers that are not in use by work in a queue, and hands null to
 * none of the functions unless it says so. Strings, arrays and structs that are passed in belong to
 * the caller and are valid during the call only; the host's table and what adx_plugin_v1 returns
 * are valid for the life of the process. When the process ends nothing is destroyed: what threads
 * of a plug-in work with must outlast its static destructors.
 *
 * Threads: any thread may call any function at any time, with these exceptions, which the host
 * keeps: one queue, one event and one program are used by one thread at a time. Two queues may run
 * two programs at the same time, and buffers may be allocated and freed meanwhile. A process that
 * was forked makes no call to an ADX_ASYNCHRONOUS device, whose threads and queues stay behind.
 *
 * Data: tensors are dense and row-major, in the byte order of the host; bool is one byte, 0 or 1.
 * Extents may be 0, and a tensor of rank 0 has one element.
 */
#ifndef ADDAX_DEVICE_H_
#define ADDAX_DEVICE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ADX_ABI_VERSION 1
#define ADX_PLUGIN_SYMBOL "adx_plugin_v1"
#define ADX_MAX_RANK 8

#if defined(__GNUC__)
#define ADX_EXPORT __attribute__((visibility("default")))
#else
#define ADX_EXPORT
#endif

/* Each has a Python exception of its own; a code that is not listed counts as ADX_DEVICE. */
typedef enum adx_code {
  ADX_OK = 0,
  ADX_INVALID_ARGUMENT = 1,
  ADX_SHAPE = 2,
  ADX_DTYPE = 3,
  ADX_OUT_OF_RANGE = 4,
  ADX_OUT_OF_MEMORY = 5, /* the host frees what is idle and asks once more */
  ADX_DEVICE = 6,        /* the device or the plug-in failed */
  ADX_UNSUPPORTED = 7,
  ADX_IO = 8,
  ADX_INTERNAL = 9,    /* a mistake in Addax itself: nothing for plug-ins */
  ADX_INTERRUPTED = 10 /* of run alone: asked to stop, it has ended within a step */
} adx_code;

typedef struct adx_status {
  uint32_t struct_size;
  int32_t code;       /* adx_code */
  char message[1024]; /* NUL-terminated; what happened and what to do, in one line */
} adx_status;

typedef enum adx_dtype {
  ADX_BOOL = 0,
  ADX_UINT8 = 1,
  ADX_INT8 = 2,
  ADX_INT32 = 3,
  ADX_INT64 = 4,
  ADX_FLOAT16 = 5,
  ADX_BFLOAT16 = 6,
  ADX_FLOAT32 = 7,
  ADX_FLOAT64 = 8
} adx_dtype;

/* ---- Host services: a plug-in may keep the pointer and call them from any thread. None is null
 * except where it says so. ---- */

typedef enum adx_log_level {
  ADX_LOG_DEBUG = 0, /* shown where ADDAX_LOG has "kernels", as is INFO */
  ADX_LOG_INFO = 1,
  ADX_LOG_WARNING = 2 /* always shown */
} adx_log_level;

typedef struct adx_host {
  uint32_t struct_size;
  uint32_t abi_version;
  /* One line without its end. */
  void (*log)(adx_log_level level, const char* text);
  /* Runs body(context, i) for every i in [0, count) on the process's worker threads and returns
   * when all are done. Contiguous indices prefer the same thread from call to call. May run
   * serially; bodies must not call it again. */
  void (*parallel_for)(int64_t count, void (*body)(void* context, int64_t index), void* context);
  /* How many of them there are; at least 1, and it may change between calls. */
  int32_t (*num_threads)(void);
  /* Disk cache of compiled kernels. get returns the size of the entry or -1; it copies at most
   * `capacity` bytes. Optional. */
  int64_t (*cache_get)(const char* key, void* data, size_t capacity);
  void (*cache_put)(const char* key, const void* data, size_t size);
  /* Whether a profile is being recorded, and one finished span of it (steady clock, nanoseconds).
   */
  int32_t (*trace_enabled)(void);
  void (*trace_span)(const char* op, const char* label, uint64_t begin_ns, uint64_t end_ns,
                     double flops, double bytes);
} adx_host;

/* ---- Memory. A location is a buffer handle and a byte offset. ---- */

typedef struct adx_buffer adx_buffer; /* these are the plug-in's; the host passes them around */
typedef struct adx_queue adx_queue;
typedef struct adx_event adx_event;
typedef struct adx_program adx_program;
typedef struct adx_device adx_device;

typedef struct adx_location {
  uint32_t struct_size;
  adx_buffer* buffer; /* null: `host` is host memory */
  void* host;
  uint64_t offset; /* bytes from the start of either */
} adx_location;

/* ---- The graph handed to supports and compile: flat plain data, valid during the call only. ----
 */

typedef enum adx_storage {
  ADX_STORAGE_ARENA = 0,   /* at `offset` of the arena passed to run */
  ADX_STORAGE_BINDING = 1, /* the run-time binding number `binding` */
  ADX_STORAGE_CONSTANT = 2 /* `data`, copied by compile */
} adx_storage;

typedef struct adx_tensor {
  uint32_t struct_size;
  int32_t dtype; /* adx_dtype */
  int32_t rank;
  int32_t storage;            /* adx_storage; in supports only constants are told apart */
  int64_t dims[ADX_MAX_RANK]; /* the first `rank` count */
  int32_t binding;
  uint64_t offset;  /* bytes from the start of the arena or of the binding */
  const void* data; /* constants: host memory */
} adx_tensor;

typedef enum adx_attr_kind {
  ADX_ATTR_BOOL = 0,   /* i */
  ADX_ATTR_INT = 1,    /* i */
  ADX_ATTR_FLOAT = 2,  /* f */
  ADX_ATTR_STRING = 3, /* s */
  ADX_ATTR_INTS = 4,   /* ints, count */
  ADX_ATTR_DTYPE = 5   /* i */
} adx_attr_kind;

typedef struct adx_attr {
  uint32_t struct_size;
  int32_t kind; /* adx_attr_kind */
  const char* name;
  int64_t i;
  double f;
  const char* s;
  const int64_t* ints;
  int64_t count;
} adx_attr;

/* All attributes of the op are there, defaults filled in and axes not negative. Names, attributes
 * and meaning are what `python -m addax ops` lists; the host has checked shapes and dtypes. */
typedef struct adx_node {
  uint32_t struct_size;
  int32_t num_inputs;
  const char* op;        /* op name, e.g. "matmul" */
  const char* label;     /* layer it came from, or "" */
  const int32_t* inputs; /* tensor indices */
  const int32_t* outputs;
  const adx_attr* attrs;
  int32_t num_outputs;
  int32_t num_attrs;
  double flops; /* the core's count for one run */
} adx_node;

/* Tensors may share bytes: one may be a view of another (of other extents, with no node of its
 * own), and the arena is used again for tensors whose readers are done. Within one node no output
 * overlaps another, and one overlaps an input only as the very same bytes: elementwise ops, "fused"
 * and optimizers must read an element of all inputs before they write it; other ops never meet
 * this. */
typedef struct adx_graph {
  uint32_t struct_size;
  int32_t num_tensors;
  const adx_tensor* tensors;
  const adx_node* nodes; /* in execution order */
  int32_t num_nodes;
  int32_t num_bindings;
  uint64_t arena_bytes;
  const char* name;
} adx_graph;

typedef struct adx_binding {
  uint32_t struct_size;
  adx_buffer* buffer;
  uint64_t offset;
} adx_binding;

/* Shared between the runner and other threads of the host while a program runs: read and written
 * with atomic loads and stores of these naturally aligned words. */
typedef struct adx_control {
  uint32_t struct_size;
  uint32_t stop;       /* host sets 1: return after the current step */
  uint64_t steps_done; /* device increments after each step */
  /* First failed value check: the step that failed leaves steps_done where it was. */
  int32_t failed_node;  /* -1: none; else index into adx_graph::nodes */
  int64_t failed_index; /* flat index of the offending element in the checked tensor */
  double failed_value;
} adx_control;

/* ---- The device. ---- */

typedef enum adx_device_flags {
  ADX_UNIFIED_MEMORY = 1 << 0, /* buffers are host memory: map and wrap cost nothing */
  ADX_ASYNCHRONOUS = 1 << 1,   /* work may go on after the call that put it into a queue */
  ADX_OPAQUE_BUFFERS = 1 << 2, /* map is not available */
  ADX_DETERMINISTIC = 1 << 3   /* the same program on the same data gives the same bits */
} adx_device_flags;

typedef struct adx_properties {
  uint32_t struct_size;
  uint32_t flags; /* adx_device_flags */
  char kind[32];  /* "cpu", "opencl" */
  char name[128]; /* "AMD EPYC 9B45" */
  char vendor[64];
  char details[512];           /* "isa=avx512 threads=2": key=value pairs for doctor */
  uint64_t total_memory;       /* bytes; 0: unknown */
  uint64_t largest_allocation; /* bytes; 0: unknown */
  uint64_t alignment;          /* a power of 2 that divides offsets in the arena and of bindings */
  uint32_t units;              /* cores or compute units */
  uint32_t storage_dtypes;     /* bit 1 << adx_dtype */
  uint32_t compute_dtypes;     /* of the inputs of supported nodes; a subset of storage_dtypes */
  int32_t score;        /* higher is preferred by aliases such as "gpu"; at most 0: never chosen */
  uint32_t fast_dtypes; /* those whose contractions outrun float32's by their instructions */
} adx_properties;

typedef struct adx_device_api {
  uint32_t struct_size;

  /* `out` is zeroed. Texts are NUL-terminated. Called once, before anything else. */
  void (*properties)(adx_device* device, adx_properties* out, adx_status* status);

  /* Memory of at least one byte, contents undefined.
   * ADX_OUT_OF_MEMORY where there is no room. */
  adx_buffer* (*alloc)(adx_device* device, uint64_t bytes, adx_status* status);
  /* Ends what alloc or wrap began. */
  void (*free)(adx_device* device, adx_buffer* buffer);
  /* Optional: host address of a buffer, the same at each call and valid until free. */
  void* (*map)(adx_device* device, adx_buffer* buffer, adx_status* status);
  /* Optional, for unified memory: a buffer over memory that the host keeps alive until free. It has
   * the alignment of its elements only. */
  adx_buffer* (*wrap)(adx_device* device, void* host, uint64_t bytes, adx_status* status);
  /* Optional: bytes still free; 0 when unknown. */
  uint64_t (*free_memory)(adx_device* device);

  /* Work in one queue is done in order; different queues know nothing of each other. A device that
   * is not ADX_ASYNCHRONOUS is done when the call returns, and is never synchronised. */
  adx_queue* (*queue_create)(adx_device* device, adx_status* status);
  /* The queue is idle. */
  void (*queue_destroy)(adx_device* device, adx_queue* queue);
  /* Returns when all work of the queue is done, and its effects are visible to the host and to
   * other queues; reports the first error of that work, once. */
  void (*queue_synchronize)(adx_device* device, adx_queue* queue, adx_status* status);
  /* At least one byte, from any location to any location, each of this device or of the host, at
   * any offset; they do not overlap. Memory of the host stays valid until the queue is
   * synchronised. */
  void (*copy)(adx_device* device, adx_queue* queue, const adx_location* from,
               const adx_location* to, uint64_t bytes, adx_status* status);
  void (*fill)(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
               uint64_t bytes, adx_status* status);

  /* Events: all six or none. Without them queues are synchronised instead. */
  adx_event* (*event_create)(adx_device* device, adx_status* status);
  void (*event_destroy)(adx_device* device, adx_event* event);
  /* The event happens when the work put into the queue so far is done. Recording again replaces. */
  void (*event_record)(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status);
  /* Later work of the queue waits for the event, which another queue may have recorded. An event
   * that was never recorded has happened. */
  void (*event_wait)(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status);
  /* 1: it has happened, and the effects of the work before it are visible as after
   * queue_synchronize; 0: not yet. Does not wait. */
  int32_t (*event_query)(adx_device* device, adx_event* event);
  /* Microseconds between two events that have happened; negative when unknown. */
  double (*event_elapsed_us)(adx_device* device, adx_event* from, adx_event* to);

  /* Sets mask[i] to 1 for every node that compile will take, to 0 for the others, ops of unknown
   * names among them, which the host then decomposes or computes itself. Tensors have no place yet:
   * storage, binding and offset say nothing, except that constants have their data. */
  void (*supports)(adx_device* device, const adx_graph* graph, uint8_t* mask, adx_status* status);
  /* Keeps nothing of the graph, which ends with the call. ADX_UNSUPPORTED for a node that supports
   * refuses. */
  adx_program* (*compile)(adx_device* device, const adx_graph* graph, adx_status* status);
  void (*program_destroy)(adx_device* device, adx_program* program);
  /* Runs the whole graph n_steps times, each step on the bindings as the last left them; nodes
   * that read or write a binding several times per step see the writes in execution order. The
   * arena's buffer is null when arena_bytes is 0. The arrays are valid during the call, buffers and
   * `control` until the queue is synchronised. A failed value check stops before the nodes that
   * follow it, fills in `control` and is not an error status; neither is a stop that was asked for.
   * After an error the bindings that are written hold anything. */
  void (*run)(adx_device* device, adx_queue* queue, adx_program* program, const adx_binding* arena,
              const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
              adx_control* control, adx_status* status);
} adx_device_api;

/* What a plug-in returns: the table and its devices; owned by the plug-in, valid for ever. The
 * names "auto" and "gpu" are taken: they stand for a device that is chosen. */
typedef struct adx_plugin {
  uint32_t struct_size;
  uint32_t abi_version; /* ADX_ABI_VERSION */
  const char* name;     /* 1 to 63 of a-z, 0-9, '_' and '-'; device i is addressed as "name:i" */
  const char* version;
  const adx_device_api* api;
  adx_device* const* devices; /* none of them null */
  int32_t num_devices; /* at most 1024; 0: this machine has none, which is an error to the host */
} adx_plugin;

typedef const adx_plugin* (*adx_plugin_fn)(const adx_host* host, adx_status* status);

/* The one symbol that a plug-in exports. Called on first use of devices, and again where that
 * failed or somebody loads the same file by another name; it returns the same table each time. A
 * plug-in that cannot work here returns null and says why, which is shown to users. It is never
 * unloaded. */
ADX_EXPORT const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status);

#ifdef __cplusplus
}
#endif
#endif /* ADDAX_DEVICE_H_ */
