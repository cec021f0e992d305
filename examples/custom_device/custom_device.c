/* A device for Addax in plain C that trains dense networks: memory of the host, a queue that works
 * at once, and a loop for each primitive. What it does not take, Addax decomposes or refuses. */
#include <addax/device.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 8 };
static const uint64_t kLargestAllocation = (uint64_t)1 << 32;

/* A buffer is its memory, and a queue, which never holds anything, its device. */
struct adx_device {
  int unused;
};

/* ---- Numbers. 64 bits of mantissa hold every int64, and more than every float32. ---- */

typedef long double number;

static const int kBytes[] = {1, 1, 0, 4, 8, 0, 0, 4, 0}; /* by adx_dtype; 0: not known here */

static number load(int32_t dtype, const char* data, int64_t index) {
  if (dtype == ADX_FLOAT32) return ((const float*)data)[index];
  if (dtype == ADX_INT64) return ((const int64_t*)data)[index];
  if (dtype == ADX_INT32) return ((const int32_t*)data)[index];
  return ((const uint8_t*)data)[index];
}

static void store(int32_t dtype, char* data, int64_t index, number x) {
  if (dtype == ADX_FLOAT32) ((float*)data)[index] = (float)x;
  if (dtype == ADX_INT64) ((int64_t*)data)[index] = (int64_t)x;
  if (dtype == ADX_INT32) ((int32_t*)data)[index] = (int32_t)(int64_t)x;
  if (dtype == ADX_UINT8) ((uint8_t*)data)[index] = (uint8_t)(int64_t)x;
  if (dtype == ADX_BOOL) ((uint8_t*)data)[index] = x != 0;
}

/* ---- A program: its own copy of all that the nodes need. ---- */

typedef struct {
  int32_t dtype, rank, storage, binding;
  int64_t dims[ADX_MAX_RANK], elements;
  uint64_t offset;
  char* data; /* of constants; of the others while a program runs */
} tensor;

typedef struct step step;
typedef struct {
  const char* name;
  bool (*run)(const step* s, adx_control* control); /* false: a value check has failed */
  number (*scalar)(number a, number b, number c);
} op;

struct step {
  const op* op;
  const tensor *x[MAX_INPUTS], *y, *z; /* inputs, outputs */
  int num_inputs;
  bool transpose_a, transpose_b, shuffle, is_reduced[ADX_MAX_RANK];
  int64_t n;
  double low, high;
};

struct adx_program {
  int32_t num_tensors, num_steps;
  tensor* tensors;
  step* steps;
};

/* ---- Loops over elements. ---- */

/* Where the elements lie that are counted along some axes. */
typedef struct {
  int rank;
  int64_t count, dims[ADX_MAX_RANK], strides[ADX_MAX_RANK];
} walk;

static int64_t place(const walk* w, int64_t index) {
  int64_t at = 0;
  for (int axis = w->rank - 1; axis >= 0; --axis) {
    at += index % w->dims[axis] * w->strides[axis];
    index /= w->dims[axis];
  }
  return at;
}

/* The elements of x as they broadcast along y. */
static walk broadcast(const tensor* x, const tensor* y) {
  walk w = {.rank = y->rank};
  int64_t stride = 1;
  for (int axis = y->rank - 1, k = x->rank - 1; axis >= 0; --axis, --k) {
    w.dims[axis] = y->dims[axis];
    w.strides[axis] = k < 0 || x->dims[k] == 1 ? 0 : stride;
    if (k >= 0) stride *= x->dims[k];
  }
  return w;
}

/* The elements of an input along the axes that are reduced, or along the others. */
static walk along(const step* s, bool is_reduced) {
  const walk all = broadcast(s->x[0], s->x[0]);
  walk w = {.count = 1};
  for (int axis = 0; axis < all.rank; ++axis) {
    if (s->is_reduced[axis] != is_reduced) continue;
    w.count *= w.dims[w.rank] = all.dims[axis];
    w.strides[w.rank++] = all.strides[axis];
  }
  return w;
}

static bool check_failed(adx_control* control, int64_t index, number value) {
  control->failed_index = index;
  control->failed_value = (double)value;
  return false;
}

static bool run_elementwise(const step* s, adx_control* control) {
  walk walks[MAX_INPUTS];
  for (int k = 0; k < s->num_inputs; ++k) walks[k] = broadcast(s->x[k], s->y);
  for (int64_t i = 0; i < s->y->elements; ++i) {
    number in[MAX_INPUTS] = {0};
    for (int k = 0; k < s->num_inputs; ++k) {
      const bool is_dense = s->x[k]->elements == s->y->elements;
      in[k] = load(s->x[k]->dtype, s->x[k]->data, is_dense ? i : place(&walks[k], i));
    }
    store(s->y->dtype, s->y->data, i, s->op->scalar(in[0], in[1], in[2]));
  }
  return true;
}

/* Sums and maxima by op->scalar; argmax where there is none. */
static bool run_reduce(const step* s, adx_control* control) {
  const walk kept = along(s, false), reduced = along(s, true);
  for (int64_t i = 0; i < s->y->elements; ++i) {
    number result = 0, best = 0;
    for (int64_t k = 0; k < reduced.count; ++k) {
      const number x = load(s->x[0]->dtype, s->x[0]->data, place(&kept, i) + place(&reduced, k));
      if (s->op->scalar != NULL) {
        result = k == 0 ? x : s->op->scalar(result, x, 0);
      } else if (k == 0 || x > best || (isnan(x) && !isnan(best))) {
        result = k;
        best = x;
      }
    }
    store(s->y->dtype, s->y->data, i, result);
  }
  return true;
}

static bool run_matmul(const step* s, adx_control* control) {
  const int64_t m = s->y->dims[0], n = s->y->dims[1], k = s->x[0]->dims[s->transpose_a ? 0 : 1];
  const int64_t a_row = s->transpose_a ? 1 : k, a_column = s->transpose_a ? m : 1;
  const int64_t b_row = s->transpose_b ? 1 : n, b_column = s->transpose_b ? k : 1;
  const float *a = (const float*)s->x[0]->data, *b = (const float*)s->x[1]->data;
  float* y = (float*)s->y->data;
  for (int64_t i = 0; i < m * n; ++i) y[i] = 0;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t l = 0; l < k; ++l) {
      const float factor = a[i * a_row + l * a_column];
      for (int64_t j = 0; j < n; ++j) y[i * n + j] += factor * b[l * b_row + j * b_column];
    }
  }
  return true;
}

/* Rows of x[0] at the positions in x[1]. */
static bool run_take(const step* s, adx_control* control) {
  const tensor *x = s->x[0], *y = s->y;
  const int64_t row = x->dims[0] == 0 ? 1 : x->elements / x->dims[0];
  for (int64_t i = 0; i < y->elements; ++i) {
    const int64_t index = (int64_t)load(s->x[1]->dtype, s->x[1]->data, i / row);
    if (index < 0 || index >= x->dims[0]) return check_failed(control, i / row, index);
    store(y->dtype, y->data, i, load(x->dtype, x->data, index * row + i % row));
  }
  return true;
}

/* Along the first axis. */
static bool run_concatenate(const step* s, adx_control* control) {
  for (int64_t k = 0, to = 0; k < s->num_inputs; ++k) {
    for (int64_t i = 0; i < s->x[k]->elements; ++i)
      store(s->y->dtype, s->y->data, to++, load(s->x[k]->dtype, s->x[k]->data, i));
  }
  return true;
}

static bool run_check_range(const step* s, adx_control* control) {
  for (int64_t i = 0; i < s->y->elements; ++i) {
    const number x = load(s->x[0]->dtype, s->x[0]->data, i);
    if (x < s->low || x >= s->high) return check_failed(control, i, x);
    store(s->y->dtype, s->y->data, i, x);
  }
  return true;
}

/* Philox4x32-10: a counter becomes four random words. */
static void philox(uint32_t* c, uint64_t key) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const uint64_t even = (uint64_t)0xD2511F53u * c[0], odd = (uint64_t)0xCD9E8D57u * c[2];
    c[0] = (uint32_t)(odd >> 32) ^ c[1] ^ k0;
    c[1] = (uint32_t)odd;
    c[2] = (uint32_t)(even >> 32) ^ c[3] ^ k1;
    c[3] = (uint32_t)even;
  }
}

/* x[0] and z are a seed and a counter of blocks of four words. */
static bool run_random_uniform(const step* s, adx_control* control) {
  const uint64_t *state = (const uint64_t*)s->x[0]->data, seed = state[0], first = state[1];
  for (int64_t i = 0; i < s->y->elements; ++i) {
    const uint64_t block = first + (uint64_t)i / 4;
    uint32_t words[4] = {(uint32_t)block, (uint32_t)(block >> 32)};
    philox(words, seed);
    store(s->y->dtype, s->y->data, i, s->low + (s->high - s->low) * (words[i % 4] >> 8) * 0x1p-24);
  }
  ((uint64_t*)s->z->data)[0] = seed;
  ((uint64_t*)s->z->data)[1] = first + (uint64_t)(s->y->elements + 3) / 4;
  return true;
}

/* A permutation of [0, n): a Feistel network of six rounds, walked until back in the range. */
static bool run_batch_indices(const step* s, adx_control* control) {
  const int64_t cursor = *(const int64_t*)s->x[0]->data;
  const uint64_t* key = (const uint64_t*)s->x[1]->data;
  int half = 0;
  while (half < 31 && (int64_t)1 << 2 * half < s->n) ++half;
  const uint32_t mask = (uint32_t)(((uint64_t)1 << half) - 1);
  for (int64_t i = 0; i < s->y->elements; ++i) {
    int64_t x = cursor * s->y->elements + i;
    if (x < 0 || x >= s->n) return check_failed(control, i, x);
    do {
      uint32_t left = (uint32_t)(x >> half), right = (uint32_t)x & mask;
      for (uint32_t round = 0; s->shuffle && round < 6; ++round) {
        uint32_t words[4] = {right, round, (uint32_t)key[1], (uint32_t)(key[1] >> 32)};
        philox(words, key[0]);
        words[0] = left ^ (words[0] & mask);
        left = right;
        right = words[0];
      }
      x = (int64_t)((uint64_t)left << half | right);
    } while (x >= s->n);
    ((int64_t*)s->y->data)[i] = x;
  }
  return true;
}

/* ---- The ops. ---- */

#define ELEMENTWISE(X)                  \
  X(add, a + b)                         \
  X(subtract, a - b)                    \
  X(multiply, (a * b))                  \
  X(divide, a / b)                      \
  X(maximum, a > b || isnan(a) ? a : b) \
  X(negative, -a)                       \
  X(sqrt, sqrtl(a))                     \
  X(exp, expl(a))                       \
  X(expm1, expm1l(a))                   \
  X(log, logl(a))                       \
  X(relu, a > 0 || isnan(a) ? a : 0)    \
  X(equal, a == b)                      \
  X(not_equal, a != b)                  \
  X(greater, a > b)                     \
  X(where, a != 0 ? b : c)              \
  X(cast, a)                            \
  X(copy, a)                            \
  X(broadcast_to, a)

#define FUNCTION(name, expression) \
  static number scalar_##name(number a, number b, number c) { return expression; }
#define ROW(name, expression) {#name, run_elementwise, scalar_##name},

ELEMENTWISE(FUNCTION)

static const op kOps[] = {ELEMENTWISE(ROW){"sum", run_reduce, scalar_add},
                          {"max", run_reduce, scalar_maximum},
                          {"argmax", run_reduce, NULL},
                          {"matmul", run_matmul, NULL},
                          {"take", run_take, NULL},
                          {"concatenate", run_concatenate, NULL},
                          {"check_range", run_check_range, NULL},
                          {"random_uniform", run_random_uniform, NULL},
                          {"batch_indices", run_batch_indices, NULL}};

/* ---- From the ABI, whose arrays advance by the struct_size of their first element. ---- */

static const void* element(const void* first, int64_t index) {
  return (const char*)first + index * (int64_t) * (const uint32_t*)first;
}

static const adx_attr* attr(const adx_node* node, const char* name) {
  static const adx_attr none;
  for (int32_t i = 0; i < node->num_attrs; ++i) {
    const adx_attr* const a = element(node->attrs, i);
    if (strcmp(a->name, name) == 0) return a;
  }
  return &none;
}

static const op* find_op(const adx_graph* graph, const adx_node* node) {
  const op* found = NULL;
  for (size_t i = 0; i < sizeof kOps / sizeof *kOps; ++i) {
    if (strcmp(kOps[i].name, node->op) == 0) found = &kOps[i];
  }
  if (found == NULL || node->num_inputs > MAX_INPUTS) return NULL;
  for (int32_t i = 0; i < node->num_inputs + node->num_outputs; ++i) {
    const bool is_input = i < node->num_inputs;
    const adx_tensor* const t =
        element(graph->tensors, is_input ? node->inputs[i] : node->outputs[i - node->num_inputs]);
    if (kBytes[t->dtype] == 0) return NULL;
    if (found->run == run_matmul && (t->dtype != ADX_FLOAT32 || t->rank != 2)) return NULL;
  }
  const bool is_along_axis = found->run == run_take || found->run == run_concatenate;
  return is_along_axis && attr(node, "axis")->i != 0 ? NULL : found;
}

static tensor make_tensor(const adx_tensor* from) {
  tensor t = {from->dtype, from->rank, from->storage, from->binding, .offset = from->offset};
  t.elements = 1;
  for (int32_t axis = 0; axis < t.rank; ++axis) t.elements *= t.dims[axis] = from->dims[axis];
  return t;
}

static step make_step(const tensor* tensors, const op* op, const adx_node* node) {
  const adx_attr *axes = attr(node, "axes"), *axis = attr(node, "axis");
  step s = {.op = op,
            .num_inputs = node->num_inputs,
            .y = &tensors[node->outputs[0]],
            .z = &tensors[node->outputs[node->num_outputs - 1]],
            .transpose_a = attr(node, "transpose_a")->i,
            .transpose_b = attr(node, "transpose_b")->i,
            .shuffle = attr(node, "shuffle")->i,
            .low = attr(node, "low")->i + attr(node, "minval")->f,
            .high = attr(node, "high")->i + attr(node, "maxval")->f,
            .n = attr(node, "n")->i};
  for (int k = 0; k < s.num_inputs; ++k) s.x[k] = &tensors[node->inputs[k]];
  for (int64_t k = 0; k < axes->count; ++k) s.is_reduced[axes->ints[k]] = true;
  if (axis->name != NULL) s.is_reduced[axis->i] = true;
  return s;
}

/* ---- The functions of the device's table. ---- */

static size_t round_up(int64_t bytes) { return ((size_t)bytes + 7) / 8 * 8; }

static void fail(adx_status* status, int32_t code, const char* text) {
  status->code = code;
  snprintf(status->message, sizeof status->message, "[custom] %s", text);
}

static void properties(adx_device* device, adx_properties* out, adx_status* status) {
  out->flags = ADX_UNIFIED_MEMORY | ADX_DETERMINISTIC;
  strcpy(out->kind, "custom");
  strcpy(out->name, "example in plain C");
  out->largest_allocation = kLargestAllocation;
  out->alignment = 64;
  out->storage_dtypes = out->compute_dtypes =
      1u << ADX_BOOL | 1u << ADX_UINT8 | 1u << ADX_INT32 | 1u << ADX_INT64 | 1u << ADX_FLOAT32;
}

static adx_buffer* buffer_alloc(adx_device* device, uint64_t bytes, adx_status* status) {
  adx_buffer* const buffer = bytes > kLargestAllocation ? NULL : malloc(bytes);
  if (buffer == NULL) fail(status, ADX_OUT_OF_MEMORY, "there is no such piece of memory");
  return buffer;
}

static void buffer_free(adx_device* device, adx_buffer* buffer) { free(buffer); }

static void* map(adx_device* device, adx_buffer* buffer, adx_status* status) { return buffer; }

static adx_queue* queue_create(adx_device* device, adx_status* status) {
  return (adx_queue*)device;
}

static void queue_destroy(adx_device* device, adx_queue* queue) { (void)device, (void)queue; }

static void queue_synchronize(adx_device* device, adx_queue* queue, adx_status* status) {}

static char* address(const adx_location* at) {
  return (char*)(at->buffer == NULL ? at->host : (void*)at->buffer) + at->offset;
}

static void copy(adx_device* device, adx_queue* queue, const adx_location* from,
                 const adx_location* to, uint64_t bytes, adx_status* status) {
  memcpy(address(to), address(from), bytes);
}

static void fill(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
                 uint64_t bytes, adx_status* status) {
  memset(address(to), value, bytes);
}

static void supports(adx_device* device, const adx_graph* graph, uint8_t* mask,
                     adx_status* status) {
  for (int32_t i = 0; i < graph->num_nodes; ++i)
    mask[i] = find_op(graph, element(graph->nodes, i)) != NULL;
}

static void program_destroy(adx_device* device, adx_program* program) { free(program); }

/* One piece of memory: the program, its tensors, its steps and the bytes of its constants. */
static adx_program* compile(adx_device* device, const adx_graph* graph, adx_status* status) {
  const size_t num_tensors = (size_t)graph->num_tensors, num_steps = (size_t)graph->num_nodes;
  size_t bytes = sizeof(adx_program) + num_tensors * sizeof(tensor) + num_steps * sizeof(step);
  for (int32_t i = 0; i < graph->num_tensors; ++i) {
    const tensor t = make_tensor(element(graph->tensors, i));
    if (t.storage == ADX_STORAGE_CONSTANT) bytes += round_up(t.elements * kBytes[t.dtype]);
  }
  adx_program* const program = malloc(bytes);
  if (program == NULL) return fail(status, ADX_OUT_OF_MEMORY, "the host is full"), NULL;
  tensor* const tensors = (tensor*)(program + 1);
  step* const steps = (step*)(tensors + num_tensors);
  char* constants = (char*)(steps + num_steps);
  *program = (adx_program){graph->num_tensors, graph->num_nodes, tensors, steps};
  for (int32_t i = 0; i < graph->num_tensors; ++i) {
    const adx_tensor* const from = element(graph->tensors, i);
    tensors[i] = make_tensor(from);
    if (from->storage != ADX_STORAGE_CONSTANT) continue;
    const int64_t size = tensors[i].elements * kBytes[from->dtype];
    if (size > 0) memcpy(constants, from->data, (size_t)size);
    tensors[i].data = constants;
    constants += round_up(size);
  }
  for (int32_t i = 0; i < graph->num_nodes; ++i) {
    const adx_node* const node = element(graph->nodes, i);
    const op* const op = find_op(graph, node);
    if (op == NULL) return fail(status, ADX_UNSUPPORTED, node->op), free(program), NULL;
    steps[i] = make_step(tensors, op, node);
  }
  return program;
}

static void run(adx_device* device, adx_queue* queue, adx_program* program,
                const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
                uint64_t n_steps, adx_control* control, adx_status* status) {
  for (int32_t i = 0; i < program->num_tensors; ++i) {
    tensor* const t = &program->tensors[i];
    if (t->storage == ADX_STORAGE_CONSTANT) continue;
    const adx_binding* const base =
        t->storage == ADX_STORAGE_ARENA ? arena : element(bindings, t->binding);
    t->data = base->buffer == NULL ? NULL : (char*)base->buffer + base->offset + t->offset;
  }
  for (uint64_t n = 0; n < n_steps && __atomic_load_n(&control->stop, __ATOMIC_RELAXED) == 0; ++n) {
    for (int32_t i = 0; i < program->num_steps; ++i) {
      if (program->steps[i].op->run(&program->steps[i], control)) continue;
      control->failed_node = i;
      return;
    }
    __atomic_fetch_add(&control->steps_done, 1, __ATOMIC_RELAXED);
  }
}

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  static adx_device device;
  static adx_device* const devices[] = {&device};
  static const adx_device_api api = {.struct_size = sizeof api,
                                     .properties = properties,
                                     .alloc = buffer_alloc,
                                     .free = buffer_free,
                                     .map = map,
                                     .queue_create = queue_create,
                                     .queue_destroy = queue_destroy,
                                     .queue_synchronize = queue_synchronize,
                                     .copy = copy,
                                     .fill = fill,
                                     .supports = supports,
                                     .compile = compile,
                                     .program_destroy = program_destroy,
                                     .run = run};
  static const adx_plugin plugin = {sizeof plugin, ADX_ABI_VERSION, "custom", "1.0",
                                    &api,          devices,         1};
  return &plugin;
}
