/* A device that goes wrong in one way: compiled with -DFAULT=<one of the names below> and
 * -DNAME=<its name>; with -DUNDEFINED it calls a function that there is not. */
#include <addax/device.h>
#include <stdlib.h>
#include <string.h>

enum fault {
  NONE,
  /* while it is loaded */
  VERSION,
  ENTRY_ERROR,
  ENTRY_NOTHING,
  ENTRY_IN_LATIN_1,
  SMALL_TABLE,
  HUGE_TABLE,
  LACKS_RUN,
  BAD_NAME,
  NAME_TAKEN,
  NAME_RESERVED,
  NAME_TOO_LONG,
  NO_DEVICES,
  TOO_MANY_DEVICES,
  NULL_DEVICE,
  SOME_EVENTS,
  PROPERTIES_ERROR,
  PROPERTIES_TOO_LONG,
  ODD_ALIGNMENT,
  ENDLESS_TEXT,
  ALLOC_NOTHING,
  ALLOC_ERROR,
  MAP_NOTHING,
  QUEUE_NOTHING,
  COPY_ERROR,
  COPY_NOTHING,
  /* in its texts alone */
  TEXT_IN_LATIN_1,
  TEXT_OF_LINES,
  /* while it is used */
  OUT_OF_MEMORY,
  SUPPORTS_ERROR,
  COMPILE_NOTHING,
  COMPILE_ERROR,
  RUN_ERROR,
  RUN_UNKNOWN_CODE,
  RUN_INTERRUPTED,
  TOO_FEW_STEPS,
  TOO_MANY_STEPS,
  WRONG_NODE,
  NODE_WITHOUT_CHECK
};

#define IS(fault) (FAULT == (fault))
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

struct adx_device {
  int unused;
};
struct adx_queue {
  int unused;
};
struct adx_program {
  int unused;
};
struct adx_buffer {
  uint64_t bytes;
};

static void fail(adx_status* status, int32_t code, const char* text) {
  status->code = code;
  strncpy(status->message, text, sizeof status->message - 1);
}

static void properties(adx_device* device, adx_properties* out, adx_status* status) {
  (void)device;
  if (IS(PROPERTIES_ERROR)) fail(status, ADX_DEVICE, "the driver is asleep");
  if (IS(PROPERTIES_TOO_LONG)) memset((char*)out + out->struct_size, 1, 8);
  if (IS(ENDLESS_TEXT)) memset(out->name, 'x', sizeof out->name);
  if (IS(TEXT_IN_LATIN_1)) strcpy(out->name, "caf\xE9");
  if (IS(TEXT_OF_LINES)) strcpy(out->details, "first\n  missing: second");
  strcpy(out->kind, "faulty");
  out->flags = ADX_UNIFIED_MEMORY;
  out->alignment = IS(ODD_ALIGNMENT) ? 48 : 64;
  out->total_memory = out->largest_allocation = 1 << 20;
  out->storage_dtypes = out->compute_dtypes = 1u << ADX_FLOAT32;
}

static adx_buffer* make_buffer(adx_device* device, uint64_t bytes, adx_status* status) {
  (void)device;
  if (IS(ALLOC_NOTHING)) return NULL;
  if (IS(ALLOC_ERROR)) fail(status, ADX_DEVICE, "the memory is on strike");
  if (IS(OUT_OF_MEMORY) && bytes > 256) fail(status, ADX_OUT_OF_MEMORY, "the shelf is full");
  if (status->code != ADX_OK) return NULL;
  adx_buffer* const buffer = malloc(sizeof *buffer + bytes);
  buffer->bytes = bytes;
  return buffer;
}

static void end_buffer(adx_device* device, adx_buffer* buffer) {
  (void)device;
  free(buffer);
}

static void* map(adx_device* device, adx_buffer* buffer, adx_status* status) {
  (void)device, (void)status;
  return IS(MAP_NOTHING) ? NULL : buffer + 1;
}

static adx_queue* queue_create(adx_device* device, adx_status* status) {
  static adx_queue queue;
  (void)device, (void)status;
  return IS(QUEUE_NOTHING) ? NULL : &queue;
}

static void queue_destroy(adx_device* device, adx_queue* queue) { (void)device, (void)queue; }

static void queue_synchronize(adx_device* device, adx_queue* queue, adx_status* status) {
  (void)device, (void)queue, (void)status;
}

static char* address(const adx_location* location) {
  return (location->buffer ? (char*)(location->buffer + 1) : (char*)location->host) +
         location->offset;
}

static void copy(adx_device* device, adx_queue* queue, const adx_location* from,
                 const adx_location* to, uint64_t bytes, adx_status* status) {
  (void)device, (void)queue;
  if (IS(COPY_ERROR)) fail(status, ADX_IO, "the bus is late");
  if (!IS(COPY_NOTHING)) memcpy(address(to), address(from), bytes);
}

static void fill(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
                 uint64_t bytes, adx_status* status) {
  (void)device, (void)queue, (void)status;
  memset(address(to), value, bytes);
}

static int32_t event_query(adx_device* device, adx_event* event) {
  (void)device, (void)event;
  return 1;
}

static void supports(adx_device* device, const adx_graph* graph, uint8_t* mask,
                     adx_status* status) {
  (void)device;
  if (IS(SUPPORTS_ERROR)) fail(status, ADX_INTERNAL, "");
  memset(mask, 1, (size_t)graph->num_nodes);
}

static adx_program* compile(adx_device* device, const adx_graph* graph, adx_status* status) {
  static adx_program program;
  (void)device, (void)graph;
  if (IS(COMPILE_ERROR)) fail(status, ADX_UNSUPPORTED, "[negative] only on Sundays");
  return IS(COMPILE_NOTHING) ? NULL : &program;
}

static void program_destroy(adx_device* device, adx_program* program) {
  (void)device, (void)program;
}

static void run(adx_device* device, adx_queue* queue, adx_program* program,
                const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
                uint64_t n_steps, adx_control* control, adx_status* status) {
  (void)device, (void)queue, (void)program, (void)arena, (void)bindings, (void)num_bindings;
  if (IS(RUN_ERROR)) fail(status, ADX_DEVICE, "the device is lost");
  if (IS(RUN_INTERRUPTED)) fail(status, ADX_INTERRUPTED, "bored");
  if (IS(RUN_UNKNOWN_CODE)) fail(status, 99, "who knows");
  if (IS(WRONG_NODE)) control->failed_node = 1000;
  if (IS(NODE_WITHOUT_CHECK)) control->failed_node = 0;
  if (IS(NONE) || IS(OUT_OF_MEMORY)) control->steps_done = n_steps;
  if (IS(TOO_MANY_STEPS)) control->steps_done = n_steps + 1;
}

#ifdef UNDEFINED
void the_function_that_nobody_has(void);
#endif

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  static adx_device the_device;
  static char long_name[1000];
  static adx_device* const devices[] = {IS(NULL_DEVICE) ? NULL : &the_device};
  static const adx_device_api api = {.struct_size = IS(SMALL_TABLE)  ? 16
                                                    : IS(HUGE_TABLE) ? 1 << 30
                                                                     : sizeof api,
                                     .properties = properties,
                                     .alloc = make_buffer,
                                     .free = end_buffer,
                                     .map = map,
                                     .queue_create = queue_create,
                                     .queue_destroy = queue_destroy,
                                     .queue_synchronize = queue_synchronize,
                                     .copy = copy,
                                     .fill = fill,
                                     .event_query = IS(SOME_EVENTS) ? event_query : NULL,
                                     .supports = supports,
                                     .compile = compile,
                                     .program_destroy = program_destroy,
                                     .run = IS(LACKS_RUN) ? NULL : run};
  static const adx_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_version = IS(VERSION) ? 2 : ADX_ABI_VERSION,
                                    .name = IS(BAD_NAME)        ? "Not A Name"
                                            : IS(NAME_TAKEN)    ? "cpu"
                                            : IS(NAME_RESERVED) ? "gpu"
                                            : IS(NAME_TOO_LONG) ? long_name
                                                                : TEXT(NAME),
                                    .version = "1",
                                    .api = &api,
                                    .devices = devices,
                                    .num_devices = IS(NO_DEVICES)         ? 0
                                                   : IS(TOO_MANY_DEVICES) ? 1 << 20
                                                                          : 1};
  (void)host;
  memset(long_name, 'x', sizeof long_name - 1);
  if (IS(ENTRY_IN_LATIN_1)) fail(status, ADX_DEVICE, "no caf\xE9 on this machine");
  if (IS(ENTRY_ERROR)) fail(status, ADX_DEVICE, "no such hardware on this machine");
#ifdef UNDEFINED
  the_function_that_nobody_has();
#endif
  return IS(ENTRY_ERROR) || IS(ENTRY_NOTHING) || IS(ENTRY_IN_LATIN_1) ? NULL : &plugin;
}
