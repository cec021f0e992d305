/* The example device, which also refuses the ops that PICKY_REFUSE lists between commas, and has no
 * memory for a program's run while PICKY_FULL is set. */
#define adx_plugin_v1 custom_plugin_v1
#include "custom_device.c"
#undef adx_plugin_v1

static bool is_refused(const char* op) {
  const char* const list = getenv("PICKY_REFUSE");
  char name[64];
  snprintf(name, sizeof name, ",%s,", op);
  return list != NULL && strstr(list, name) != NULL;
}

static void picky_supports(adx_device* device, const adx_graph* graph, uint8_t* mask,
                           adx_status* status) {
  supports(device, graph, mask, status);
  for (int32_t i = 0; i < graph->num_nodes; ++i) {
    const adx_node* const node = element(graph->nodes, i);
    if (is_refused(node->op)) mask[i] = 0;
  }
}

static void picky_run(adx_device* device, adx_queue* queue, adx_program* program,
                      const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
                      uint64_t n_steps, adx_control* control, adx_status* status) {
  if (getenv("PICKY_FULL") != NULL) {
    fail(status, ADX_OUT_OF_MEMORY, "no memory for a run");
    return;
  }
  run(device, queue, program, arena, bindings, num_bindings, n_steps, control, status);
}

ADX_EXPORT const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  static adx_device_api api;
  static adx_plugin plugin;
  plugin = *custom_plugin_v1(host, status);
  api = *plugin.api;
  api.supports = picky_supports;
  api.run = picky_run;
  plugin.name = "picky";
  plugin.api = &api;
  return &plugin;
}
