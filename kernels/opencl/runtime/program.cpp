#include "opencl/runtime/program.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "addax/device.hpp"
#include "opencl/driver/error.h"
#include "opencl/driver/exit.h"
#include "opencl/runtime/objects.h"
#include "opencl/tuning/tuning.h"

namespace addax::opencl {
namespace {

using Clock = std::chrono::steady_clock;

// A window of steps grows until it takes this long: the queue never runs dry, and a stop is soon.
constexpr auto kShortWindow = std::chrono::milliseconds(2);
constexpr auto kLongWindow = std::chrono::milliseconds(20);
constexpr uint64_t kMostSteps = 256;

bool stop_requested(adx_control& control) {
  return std::atomic_ref(control.stop).load(std::memory_order_acquire) != 0;
}

}  // namespace

Program::Program(Device& device, const adx_graph& graph, const adx_host& host)
    : host_(host),
      record_(device.allocate(sizeof(Record))),
      arguments_(device, graph, record_.get()) {
  watch_for_exit();
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    Node node(graph, i);
    tune(device, host, node, i);
    std::vector<BuiltLaunch> launches = build(device, node, i);
    if (launches.empty()) continue;
    const Step& step = steps_.emplace_back(Step{std::move(node), std::move(launches)});
    host.log(ADX_LOG_DEBUG, describe(step).c_str());
    for (const BuiltLaunch& launch : step.launches) {
      arguments_.add(step.node, launch.launch(), launch.kernel());
    }
  }
  arguments_.share_scratch(device);
}

// "opencl: matmul dense_1: pack 16x1x1, contract_direct 1x1x1", each kernel with its work-groups.
std::string Program::describe(const Step& step) {
  const std::string& label = step.node.label();
  std::string text = "opencl: " + step.node.op() + (label.empty() ? "" : " " + label);
  const char* separator = ": ";
  for (const BuiltLaunch& launch : step.launches) {
    text.append(std::exchange(separator, ", ")).append(launch.launch().kernel());
    char before = ' ';
    for (size_t items : launch.launch().local()) {
      text.append(1, std::exchange(before, 'x')).append(std::to_string(items));
    }
  }
  return text;
}

void Program::enqueue(cl_command_queue queue, uint32_t step_number, KernelTimes* times) const {
  arguments_.set_step(step_number);
  for (const Step& step : steps_) {
    at_node(step.node, [&] {
      for (const BuiltLaunch& launch : step.launches) {
        if (times == nullptr) {
          launch.enqueue(queue, nullptr);
        } else {
          times->add(step.node, &launch == step.launches.data(),
                     [&](cl_event* event) { launch.enqueue(queue, event); });
        }
      }
    });
  }
}

void Program::read_record(cl_command_queue queue, Window& window) const {
  cl_event event = nullptr;
  check(api().clEnqueueReadBuffer(queue, record_.get(), 0, 0, sizeof(Record), &window.record, 0,
                                  nullptr, &event),
        "clEnqueueReadBuffer");
  window.read = Event(event);
  check(api().clFlush(queue), "clFlush");
}

bool Program::settle(Window& window, adx_control& control) const {
  if (window.first == window.end) return true;
  const cl_event event = window.read.get();
  check(api().clWaitForEvents(1, &event), "clWaitForEvents");
  window.times.report(host_);
  const bool failed = window.record.node != 0;
  const uint64_t end = failed ? window.record.step : window.end;
  std::atomic_ref(control.steps_done).fetch_add(end - window.first, std::memory_order_release);
  if (failed) {
    control.failed_node = window.record.node - 1;
    control.failed_index = window.record.index;
    control.failed_value = static_cast<double>(window.record.value);
  }
  return !failed;
}

void Program::run(adx_queue& queue, const adx_binding* arena, const adx_binding* bindings,
                  int32_t num_bindings, uint64_t n_steps, adx_control* control) {
  arguments_.bind(arena, bindings, num_bindings);
  const cl_command_queue commands = queue.commands.get();
  constexpr uint8_t kZero = 0;
  check(api().clEnqueueFillBuffer(commands, record_.get(), &kZero, sizeof kZero, 0, sizeof(Record),
                                  0, nullptr, nullptr),
        "clEnqueueFillBuffer");
  const bool traced = host_.trace_enabled() != 0;
  windows_ = {};
  Window* previous = &windows_[0];
  Window* current = &windows_[1];
  uint64_t size = 1;
  Clock::time_point last = Clock::now();
  for (uint64_t step = 0; step < n_steps && !stop_requested(*control);) {
    current->first = step;
    current->end = std::min(step + size, n_steps);
    for (; step < current->end; ++step) {
      enqueue(commands, static_cast<uint32_t>(step), traced ? &current->times : nullptr);
    }
    read_record(commands, *current);
    if (!settle(*previous, *control)) {
      check(api().clFinish(commands), "clFinish");
      return;
    }
    std::swap(previous, current);
    const Clock::time_point now = Clock::now();
    if (now - last < kShortWindow) size = std::min(2 * size, kMostSteps);
    if (now - last > kLongWindow) size = std::max<uint64_t>(size / 2, 1);
    last = now;
  }
  settle(*previous, *control);
}

void supports(Device& device, const adx_graph& graph, uint8_t* mask) {
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    try {
      lower(device.limits(), device.tiles(), Node(graph, i), i);
      mask[i] = 1;
    } catch (const plugin::Failure& failure) {
      if (failure.code != ADX_UNSUPPORTED) throw;
      mask[i] = 0;
    }
  }
}

}  // namespace addax::opencl
