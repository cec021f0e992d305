#include "runtime/picky_device.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "device/status.h"
#include "runtime/devices.h"

namespace addax::testing {
namespace {

constexpr auto kPause = std::chrono::microseconds(100);

std::set<std::string> the_refused;
std::atomic<int64_t> runs_left{INT64_MAX};

// A run that waits for a copy from the host.
struct Hold {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t runs_before = INT64_MAX;
  bool came = false;
  bool came_in_time = false;

  void begin() {
    constexpr auto kLong = std::chrono::seconds(20);
    std::unique_lock lock(mutex);
    if (runs_before-- == 0) came_in_time = changed.wait_for(lock, kLong, [this] { return came; });
  }
  void end() {
    const std::lock_guard lock(mutex);
    came = true;
    changed.notify_all();
  }
};
Hold the_hold;

const adx_device_api& cpu_api() { return cpu().api(); }

void supports(adx_device* device, const adx_graph* graph, uint8_t* mask, adx_status* status) {
  cpu_api().supports(device, graph, mask, status);
  for (int32_t i = 0; i < graph->num_nodes; ++i) {
    if (the_refused.contains(graph->nodes[i].op)) mask[i] = 0;
  }
}

bool is_out_of_memory(adx_status* status) {
  if (runs_left.fetch_sub(1) > 0) return false;
  *status = {sizeof(adx_status), ADX_OUT_OF_MEMORY, "[picky] no memory for a kernel"};
  return true;
}

// Does what it is told in order, in a thread of its own, after a pause each time.
class WorkQueue {
 public:
  WorkQueue() : thread_([this] { work(); }) {
    Status status;
    inner_ = cpu_api().queue_create(cpu().handle(), status.get());
  }
  ~WorkQueue() {
    push([this](adx_status*) { ended_ = true; });
    thread_.join();
    cpu_api().queue_destroy(cpu().handle(), inner_);
  }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  static WorkQueue& of(adx_queue* queue) { return *reinterpret_cast<WorkQueue*>(queue); }
  adx_queue* inner() const { return inner_; }

  void push(std::function<void(adx_status*)> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }
  void drain(adx_status* status) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return jobs_.empty(); });
    if (!error_.ok()) *status = *error_.get();
    error_ = Status();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      changed_.wait(lock, [this] { return !jobs_.empty(); });
      const std::function<void(adx_status*)> job = jobs_.front();
      lock.unlock();
      std::this_thread::sleep_for(kPause);
      Status status;
      job(status.get());
      lock.lock();
      if (error_.ok()) error_ = status;
      jobs_.pop_front();
      changed_.notify_all();
    }
  }

  adx_queue* inner_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void(adx_status*)>> jobs_;  // the first one is being done
  Status error_;
  bool ended_ = false;
  std::thread thread_;
};

// One recording of an event.
struct Moment {
  std::mutex mutex;
  std::condition_variable changed;
  bool has_come = false;
};

using MomentOfEvent = std::shared_ptr<Moment>;
MomentOfEvent& moment_of(adx_event* event) { return *reinterpret_cast<MomentOfEvent*>(event); }

adx_device_api synchronous_api() {
  adx_device_api api = cpu_api();
  api.supports = supports;
  api.run = [](adx_device* device, adx_queue* queue, adx_program* program, const adx_binding* arena,
               const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
               adx_control* control, adx_status* status) {
    if (is_out_of_memory(status)) return;
    cpu_api().run(device, queue, program, arena, bindings, num_bindings, n_steps, control, status);
  };
  return api;
}

adx_device_api asynchronous_api() {
  adx_device_api api = synchronous_api();
  api.wrap = nullptr;
  api.properties = [](adx_device* device, adx_properties* out, adx_status* status) {
    cpu_api().properties(device, out, status);
    out->flags = ADX_ASYNCHRONOUS | ADX_OPAQUE_BUFFERS | ADX_DETERMINISTIC;
  };
  api.queue_create = [](adx_device*, adx_status*) {
    return reinterpret_cast<adx_queue*>(std::make_unique<WorkQueue>().release());
  };
  api.queue_destroy = [](adx_device*, adx_queue* queue) {
    const std::unique_ptr<WorkQueue> end(&WorkQueue::of(queue));
  };
  api.queue_synchronize = [](adx_device*, adx_queue* queue, adx_status* status) {
    WorkQueue::of(queue).drain(status);
  };
  api.copy = [](adx_device* device, adx_queue* queue, const adx_location* from,
                const adx_location* to, uint64_t bytes, adx_status*) {
    if (from->buffer == nullptr) the_hold.end();
    WorkQueue& work = WorkQueue::of(queue);
    work.push([=, &work, from = *from, to = *to](adx_status* status) {
      cpu_api().copy(device, work.inner(), &from, &to, bytes, status);
    });
  };
  api.fill = [](adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
                uint64_t bytes, adx_status*) {
    WorkQueue& work = WorkQueue::of(queue);
    work.push([=, &work, to = *to](adx_status* status) {
      cpu_api().fill(device, work.inner(), &to, value, bytes, status);
    });
  };
  api.event_create = [](adx_device*, adx_status*) {
    return reinterpret_cast<adx_event*>(std::make_unique<MomentOfEvent>().release());
  };
  api.event_destroy = [](adx_device*, adx_event* event) {
    const std::unique_ptr<MomentOfEvent> end(&moment_of(event));
  };
  api.event_record = [](adx_device*, adx_queue* queue, adx_event* event, adx_status*) {
    moment_of(event) = std::make_shared<Moment>();
    WorkQueue::of(queue).push([moment = moment_of(event)](adx_status*) {
      const std::lock_guard lock(moment->mutex);
      moment->has_come = true;
      moment->changed.notify_all();
    });
  };
  api.event_wait = [](adx_device*, adx_queue* queue, adx_event* event, adx_status*) {
    WorkQueue::of(queue).push([moment = moment_of(event)](adx_status*) {
      std::unique_lock lock(moment->mutex);
      moment->changed.wait(lock, [&] { return moment->has_come; });
    });
  };
  api.event_query = [](adx_device*, adx_event*) { return 0; };
  api.event_elapsed_us = [](adx_device*, adx_event*, adx_event*) { return -1.0; };
  api.run = [](adx_device* device, adx_queue* queue, adx_program* program, const adx_binding* arena,
               const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
               adx_control* control, adx_status* status) {
    if (is_out_of_memory(status)) return;
    WorkQueue& work = WorkQueue::of(queue);
    work.push([=, &work, arena = *arena,
               bindings = std::vector(bindings, bindings + num_bindings)](adx_status* failure) {
      the_hold.begin();
      cpu_api().run(device, work.inner(), program, &arena, bindings.data(), num_bindings, n_steps,
                    control, failure);
    });
  };
  return api;
}

}  // namespace

// They live for ever, as devices do: what is idle in the pools of a device is its memory.
Device& picky_device(bool is_asynchronous) {
  const auto make = [](const char* name, const adx_device_api& api) -> Device& {
    return *std::make_unique<Device>(name, api, cpu().handle()).release();
  };
  static Device& synchronous = make("picky:0", synchronous_api());
  static Device& asynchronous = make("picky:1", asynchronous_api());
  return is_asynchronous ? asynchronous : synchronous;
}

Picky::Picky(std::set<std::string> refused) { the_refused = std::move(refused); }

Picky::~Picky() {
  the_refused.clear();
  runs_left = INT64_MAX;
  hold_until_a_copy_after(INT64_MAX);
}

void Picky::run_out_of_memory_after(int64_t runs) { runs_left = runs; }

void Picky::hold_until_a_copy_after(int64_t runs) {
  const std::lock_guard lock(the_hold.mutex);
  the_hold.runs_before = runs;
  the_hold.came = the_hold.came_in_time = false;
}

bool Picky::copy_came() const {
  const std::lock_guard lock(the_hold.mutex);
  return the_hold.came_in_time;
}

}  // namespace addax::testing
