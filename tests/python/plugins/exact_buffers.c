/* Hands everything on to the plug-in that EXACT_BUFFERS_OF names, but for programs, which it runs
 * on buffers that end where the tensors of a binding do. Those of the host are rounded up: only
 * here is what leaves a tensor outside of its buffer, for a checker of memory to see. */
#define _GNU_SOURCE
#include <addax/device.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

struct adx_program {
  adx_program* real;
  struct {
    uint64_t bytes;
    int is_written;
  } bindings[];
};

static const adx_device_api* real;

static uint64_t end_of(const adx_tensor* tensor) {
  static const uint8_t sizes[] = {
      [ADX_BOOL] = 1,    [ADX_UINT8] = 1,    [ADX_INT8] = 1,    [ADX_INT32] = 4,  [ADX_INT64] = 8,
      [ADX_FLOAT16] = 2, [ADX_BFLOAT16] = 2, [ADX_FLOAT32] = 4, [ADX_FLOAT64] = 8};
  uint64_t bytes = sizes[tensor->dtype];
  for (int32_t axis = 0; axis < tensor->rank; ++axis) bytes *= (uint64_t)tensor->dims[axis];
  return tensor->offset + bytes;
}

static adx_program* compile(adx_device* device, const adx_graph* graph, adx_status* status) {
  adx_program* const compiled = real->compile(device, graph, status);
  if (compiled == NULL) return NULL;
  adx_program* const program =
      calloc(1, sizeof *program + (size_t)graph->num_bindings * sizeof program->bindings[0]);
  program->real = compiled;
  for (int32_t i = 0; i < graph->num_tensors; ++i) {
    const adx_tensor* const tensor = &graph->tensors[i];
    if (tensor->storage != ADX_STORAGE_BINDING) continue;
    uint64_t* const bytes = &program->bindings[tensor->binding].bytes;
    if (end_of(tensor) > *bytes) *bytes = end_of(tensor);
  }
  for (int32_t i = 0; i < graph->num_nodes; ++i) {
    const adx_node* const node = &graph->nodes[i];
    for (int32_t k = 0; k < node->num_outputs; ++k) {
      const adx_tensor* const tensor = &graph->tensors[node->outputs[k]];
      if (tensor->storage == ADX_STORAGE_BINDING) program->bindings[tensor->binding].is_written = 1;
    }
  }
  return program;
}

static void program_destroy(adx_device* device, adx_program* program) {
  real->program_destroy(device, program->real);
  free(program);
}

static adx_location at(const adx_binding* binding) {
  return (adx_location){sizeof(adx_location), binding->buffer, NULL, binding->offset};
}

static void run(adx_device* device, adx_queue* queue, adx_program* program,
                const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
                uint64_t n_steps, adx_control* control, adx_status* status) {
  adx_binding* const exact = calloc((size_t)num_bindings + 1, sizeof *exact);
  for (int32_t i = 0; i < num_bindings && status->code == ADX_OK; ++i) {
    const uint64_t bytes = program->bindings[i].bytes;
    exact[i].struct_size = sizeof *exact;
    if (bindings[i].buffer == NULL || bytes == 0) continue;
    exact[i].buffer = real->alloc(device, bytes, status);
    if (exact[i].buffer == NULL) continue;
    const adx_location from = at(&bindings[i]), to = at(&exact[i]);
    real->copy(device, queue, &from, &to, bytes, status);
  }
  if (status->code == ADX_OK) {
    real->run(device, queue, program->real, arena, exact, num_bindings, n_steps, control, status);
  }
  for (int32_t i = 0; i < num_bindings && status->code == ADX_OK; ++i) {
    if (exact[i].buffer == NULL || !program->bindings[i].is_written) continue;
    const adx_location from = at(&exact[i]), to = at(&bindings[i]);
    real->copy(device, queue, &from, &to, program->bindings[i].bytes, status);
  }
  if (status->code == ADX_OK) real->queue_synchronize(device, queue, status);
  for (int32_t i = 0; i < num_bindings; ++i) {
    if (exact[i].buffer != NULL) real->free(device, exact[i].buffer);
  }
  free(exact);
}

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  static adx_device_api api;
  static adx_plugin plugin;
  const char* const path = getenv("EXACT_BUFFERS_OF");
  void* const library = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) abort();
  adx_plugin_fn entry;
  *(void**)&entry = dlsym(library, "adx_plugin_v1");
  const adx_plugin* const found = entry(host, status);
  if (found == NULL) return NULL;
  plugin = *found;
  real = found->api;
  api = *real;
  api.compile = compile;
  api.program_destroy = program_destroy;
  api.run = run;
  plugin.api = &api;
  return &plugin;
}
