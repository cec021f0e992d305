/* The Addax device ABI, version 1. Pure C11; a plug-in includes this header and links nothing of
 * Addax. It exports one symbol, ADX_PLUGIN_SYMBOL, of type adx_plugin_fn.
 *
 * Growth: every struct begins with struct_size, set by whoever fills it in; fields are only ever
 * appended, and a reader must not look past struct_size. Arrays of structs advance by the
 * struct_size of their first element. A null function pointer means "the default". A change of
 * meaning is a new op name; a new major version is a new symbol.
 *
 * Errors: functions report through a caller-owned adx_status, set to ADX_OK on entry by the
 * caller. After a failure outputs are unset and nothing is leaked. No exception crosses the line.
 *
 * Threads: all functions of a device may be called from several threads at once, except that one
 * program is run by one thread at a time and one queue is used by one thread at a time.
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

typedef enum adx_code {
  ADX_OK = 0,
  ADX_INVALID_ARGUMENT = 1,
  ADX_SHAPE = 2,
  ADX_DTYPE = 3,
  ADX_OUT_OF_RANGE = 4,
  ADX_OUT_OF_MEMORY = 5,
  ADX_DEVICE = 6,
  ADX_UNSUPPORTED = 7,
  ADX_IO = 8,
  ADX_INTERNAL = 9,
  ADX_INTERRUPTED = 10
} adx_code;

typedef struct adx_status {
  uint32_t struct_size;
  int32_t code;       /* adx_code */
  char message[1024]; /* NUL-terminated */
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

/* ---- Host services, valid for the life of the process. ---- */

typedef enum adx_log_level {
  ADX_LOG_DEBUG = 0,
  ADX_LOG_INFO = 1,
  ADX_LOG_WARNING = 2
} adx_log_level;

typedef struct adx_host {
  uint32_t struct_size;
  uint32_t abi_version;
  void (*log)(adx_log_level level, const char* text);
  /* Runs body(context, i) for every i in [0, count) on the process's worker threads and returns
   * when all are done. Contiguous indices prefer the same thread from call to call. May run
   * serially; bodies must not call it again. */
  void (*parallel_for)(int64_t count, void (*body)(void* context, int64_t index), void* context);
  int32_t (*num_threads)(void);
  /* Disk cache of compiled kernels. get returns the size of the entry or -1; it copies at most
   * `capacity` bytes. Optional: may be null. */
  int64_t (*cache_get)(const char* key, void* data, size_t capacity);
  void (*cache_put)(const char* key, const void* data, size_t size);
  /* Whether a profile is being recorded, and one finished span of it (steady clock, nanoseconds).
   */
  int32_t (*trace_enabled)(void);
  void (*trace_span)(const char* op, const char* label, uint64_t begin_ns, uint64_t end_ns,
                     double flops, double bytes);
} adx_host;

/* ---- Memory. A location is a buffer handle and a byte offset. ---- */

typedef struct adx_buffer adx_buffer; /* opaque to the host */
typedef struct adx_queue adx_queue;
typedef struct adx_event adx_event;
typedef struct adx_program adx_program;
typedef struct adx_device adx_device;

typedef struct adx_location {
  uint32_t struct_size;
  adx_buffer* buffer; /* null: `host` is host memory */
  void* host;
  uint64_t offset;
} adx_location;

/* ---- The graph handed to compile: flat plain data, valid during the call only. ---- */

typedef enum adx_storage {
  ADX_STORAGE_ARENA = 0,   /* at `offset` of the arena passed to run */
  ADX_STORAGE_BINDING = 1, /* the run-time binding number `binding` */
  ADX_STORAGE_CONSTANT = 2 /* `data`, copied by compile */
} adx_storage;

typedef struct adx_tensor {
  uint32_t struct_size;
  int32_t dtype; /* adx_dtype */
  int32_t rank;
  int32_t storage; /* adx_storage */
  int64_t dims[ADX_MAX_RANK];
  int32_t binding;
  uint64_t offset;  /* bytes from the start of the arena or of the binding */
  const void* data; /* constants: dense, row-major, host memory */
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
  ADX_ASYNCHRONOUS = 1 << 1,
  ADX_OPAQUE_BUFFERS = 1 << 2, /* map is not available */
  ADX_DETERMINISTIC = 1 << 3
} adx_device_flags;

typedef struct adx_properties {
  uint32_t struct_size;
  uint32_t flags; /* adx_device_flags */
  char kind[32];  /* "cpu", "opencl" */
  char name[128]; /* "AMD EPYC 9B45" */
  char vendor[64];
  char details[512];           /* "isa=avx512 threads=2": key=value pairs for doctor */
  uint64_t total_memory;       /* bytes */
  uint64_t largest_allocation; /* bytes */
  uint64_t alignment;          /* bytes that offsets in the arena are multiples of */
  uint32_t units;              /* cores or compute units */
  uint32_t storage_dtypes;     /* bit 1 << adx_dtype */
  uint32_t compute_dtypes;
  int32_t score;        /* higher is preferred by aliases such as "gpu" */
  uint32_t fast_dtypes; /* those whose contractions outrun float32's by their instructions */
} adx_properties;

typedef struct adx_device_api {
  uint32_t struct_size;

  void (*properties)(adx_device* device, adx_properties* out, adx_status* status);

  /* memory; sizes of at least one byte */
  adx_buffer* (*alloc)(adx_device* device, uint64_t bytes, adx_status* status);
  void (*free)(adx_device* device, adx_buffer* buffer);
  /* optional: host address of a buffer, valid until free */
  void* (*map)(adx_device* device, adx_buffer* buffer, adx_status* status);
  /* optional: a buffer over memory that the caller keeps alive until free */
  adx_buffer* (*wrap)(adx_device* device, void* host, uint64_t bytes, adx_status* status);
  /* optional: bytes still free; 0 when unknown */
  uint64_t (*free_memory)(adx_device* device);

  /* queues and events; null event functions: the queue is synchronous */
  adx_queue* (*queue_create)(adx_device* device, adx_status* status);
  void (*queue_destroy)(adx_device* device, adx_queue* queue);
  void (*queue_synchronize)(adx_device* device, adx_queue* queue, adx_status* status);
  void (*copy)(adx_device* device, adx_queue* queue, const adx_location* from,
               const adx_location* to, uint64_t bytes, adx_status* status);
  void (*fill)(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
               uint64_t bytes, adx_status* status);
  adx_event* (*event_create)(adx_device* device, adx_status* status);
  void (*event_destroy)(adx_device* device, adx_event* event);
  void (*event_record)(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status);
  void (*event_wait)(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status);
  int32_t (*event_query)(adx_device* device, adx_event* event);
  double (*event_elapsed_us)(adx_device* device, adx_event* from, adx_event* to);

  /* programs. supports sets mask[i] to 1 for every node that compile will take. Nodes that read or
   * write a binding several times per step see the writes in execution order. */
  void (*supports)(adx_device* device, const adx_graph* graph, uint8_t* mask, adx_status* status);
  adx_program* (*compile)(adx_device* device, const adx_graph* graph, adx_status* status);
  void (*program_destroy)(adx_device* device, adx_program* program);
  /* Runs the whole graph n_steps times. `arena` may be null when arena_bytes is 0. A failed value
   * check stops before the nodes that follow it, fills in `control` and is not an error status. */
  void (*run)(adx_device* device, adx_queue* queue, adx_program* program, const adx_binding* arena,
              const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
              adx_control* control, adx_status* status);
} adx_device_api;

/* What a plug-in returns: the table and its devices; owned by the plug-in, valid for ever. */
typedef struct adx_plugin {
  uint32_t struct_size;
  uint32_t abi_version; /* ADX_ABI_VERSION */
  const char* name;     /* "cpu": device i is addressed as "name:i" */
  const char* version;
  const adx_device_api* api;
  adx_device* const* devices;
  int32_t num_devices;
} adx_plugin;

typedef const adx_plugin* (*adx_plugin_fn)(const adx_host* host, adx_status* status);

#ifdef __cplusplus
}
#endif
#endif /* ADDAX_DEVICE_H_ */
