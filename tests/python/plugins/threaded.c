/* The device of examples/custom_device made asynchronous: a thread for each queue does its work,
 * and events tell when. */
#define adx_plugin_v1 synchronous_plugin
#include <custom_device.c>
#undef adx_plugin_v1

#include <pthread.h>
#include <time.h>

static const adx_device_api* synchronous;

/* What is kept under a lock: events and queues count what was put in and what is done. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

struct adx_event {
  uint64_t recorded, happened;
  double us;
};

typedef struct work work;
struct work {
  work* next;
  void (*perform)(work* w);
  adx_location from, to;
  uint64_t bytes, n_steps, ticket;
  uint8_t value;
  adx_event* event;
  adx_program* program;
  adx_binding arena, *bindings;
  int32_t num_bindings;
  adx_control* control;
  adx_status status;
};

struct adx_queue {
  pthread_t thread;
  work *first, *last;
  bool is_busy, has_ended;
};

static void perform_copy(work* w) {
  synchronous->copy(NULL, NULL, &w->from, &w->to, w->bytes, &w->status);
}

static void perform_fill(work* w) {
  synchronous->fill(NULL, NULL, &w->to, w->value, w->bytes, &w->status);
}

static void perform_run(work* w) {
  synchronous->run(NULL, NULL, w->program, &w->arena, w->bindings, w->num_bindings, w->n_steps,
                   w->control, &w->status);
}

static void perform_record(work* w) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  pthread_mutex_lock(&lock);
  w->event->happened = w->ticket;
  w->event->us = (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void perform_wait(work* w) {
  pthread_mutex_lock(&lock);
  while (w->event->happened < w->ticket) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static void* serve(void* argument) {
  adx_queue* const queue = argument;
  pthread_mutex_lock(&lock);
  for (;;) {
    work* const w = queue->first;
    if (w != NULL) {
      queue->first = w->next;
      queue->is_busy = true;
      pthread_mutex_unlock(&lock);
      w->perform(w);
      free(w->bindings);
      free(w);
      pthread_mutex_lock(&lock);
      queue->is_busy = false;
      pthread_cond_broadcast(&changed);
    } else if (queue->has_ended) {
      pthread_mutex_unlock(&lock);
      return NULL;
    } else {
      pthread_cond_wait(&changed, &lock);
    }
  }
}

static void put(adx_queue* queue, work w) {
  work* const added = malloc(sizeof *added);
  *added = w;
  pthread_mutex_lock(&lock);
  if (queue->first == NULL) {
    queue->first = added;
  } else {
    queue->last->next = added;
  }
  queue->last = added;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void threaded_properties(adx_device* device, adx_properties* out, adx_status* status) {
  synchronous->properties(device, out, status);
  strcpy(out->kind, "threaded");
  out->flags = ADX_ASYNCHRONOUS | ADX_OPAQUE_BUFFERS;
}

static adx_queue* threaded_queue(adx_device* device, adx_status* status) {
  adx_queue* const queue = calloc(1, sizeof *queue);
  pthread_create(&queue->thread, NULL, serve, queue);
  return queue;
}

static void end_queue(adx_device* device, adx_queue* queue) {
  pthread_mutex_lock(&lock);
  queue->has_ended = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  pthread_join(queue->thread, NULL);
  free(queue);
}

static void finish_queue(adx_device* device, adx_queue* queue, adx_status* status) {
  pthread_mutex_lock(&lock);
  while (queue->first != NULL || queue->is_busy) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static void put_copy(adx_device* device, adx_queue* queue, const adx_location* from,
                     const adx_location* to, uint64_t bytes, adx_status* status) {
  put(queue, (work){.perform = perform_copy, .from = *from, .to = *to, .bytes = bytes});
}

static void put_fill(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
                     uint64_t bytes, adx_status* status) {
  put(queue, (work){.perform = perform_fill, .to = *to, .value = value, .bytes = bytes});
}

static void put_run(adx_device* device, adx_queue* queue, adx_program* program,
                    const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
                    uint64_t n_steps, adx_control* control, adx_status* status) {
  adx_binding* const kept = malloc(((size_t)num_bindings + 1) * sizeof *kept);
  for (int32_t i = 0; i < num_bindings; ++i) {
    kept[i] = *(const adx_binding*)element(bindings, i);
    kept[i].struct_size = sizeof *kept;
  }
  put(queue, (work){.perform = perform_run,
                    .program = program,
                    .arena = *arena,
                    .bindings = kept,
                    .num_bindings = num_bindings,
                    .n_steps = n_steps,
                    .control = control});
}

static adx_event* make_event(adx_device* device, adx_status* status) {
  return calloc(1, sizeof(adx_event));
}

static void end_event(adx_device* device, adx_event* event) { free(event); }

static void put_record(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status) {
  pthread_mutex_lock(&lock);
  const uint64_t ticket = ++event->recorded;
  pthread_mutex_unlock(&lock);
  put(queue, (work){.perform = perform_record, .event = event, .ticket = ticket});
}

static void put_wait(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status) {
  put(queue, (work){.perform = perform_wait, .event = event, .ticket = event->recorded});
}

static int32_t event_query(adx_device* device, adx_event* event) {
  pthread_mutex_lock(&lock);
  const bool has_happened = event->happened >= event->recorded;
  pthread_mutex_unlock(&lock);
  return has_happened;
}

static double elapsed_us(adx_device* device, adx_event* from, adx_event* to) {
  return to->us - from->us;
}

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  static adx_device_api api;
  static adx_plugin plugin;
  plugin = *synchronous_plugin(host, status);
  synchronous = plugin.api;
  api = *synchronous;
  api.properties = threaded_properties;
  api.map = NULL;
  api.queue_create = threaded_queue;
  api.queue_destroy = end_queue;
  api.queue_synchronize = finish_queue;
  api.copy = put_copy;
  api.fill = put_fill;
  api.event_create = make_event;
  api.event_destroy = end_event;
  api.event_record = put_record;
  api.event_wait = put_wait;
  api.event_query = event_query;
  api.event_elapsed_us = elapsed_us;
  api.run = put_run;
  plugin.name = "threaded";
  plugin.api = &api;
  return &plugin;
}
