#include "opencl/program.h"

#include <algorithm>
#include <atomic>

#include "addax/device.hpp"
#include "opencl/error.h"
#include "opencl/objects.h"

namespace addax::opencl {
namespace {

using Clock = std::chrono::steady_clock;
using plugin::element;

// A window of steps grows until it takes this long: the queue never runs dry, and a stop is soon.
constexpr auto kShortWindow = std::chrono::milliseconds(2);
constexpr auto kLongWindow = std::chrono::milliseconds(20);
constexpr uint64_t kMostSteps = 256;

constexpr uint64_t kConstantAlignment = 128;

bool stop_requested(adx_control& control) {
  return std::atomic_ref(control.stop).load(std::memory_order_acquire) != 0;
}

uint64_t nanoseconds(Clock::time_point time) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

// Runs `body`; what fails is told with the node.
template <class Body>
auto at_node(const Node& node, const Body& body) {
  try {
    return body();
  } catch (plugin::Failure& failure) {
    failure.text = describe(node, failure.text);
    throw;
  }
}

}  // namespace

Program::Program(Device& device, const adx_graph& graph, const adx_host& host)
    : host_(host), record_(device.allocate(sizeof(Record))) {
  std::vector<std::byte> constants;
  for (int32_t i = 0; i < graph.num_tensors; ++i) {
    const adx_tensor& tensor = element(graph.tensors, i);
    Place place{tensor.storage, tensor.binding, tensor.offset};
    if (tensor.storage == ADX_STORAGE_CONSTANT) {
      const Tensor type{
          i, static_cast<adx_dtype>(tensor.dtype), {tensor.dims, tensor.dims + tensor.rank}};
      place.offset =
          (constants.size() + kConstantAlignment - 1) / kConstantAlignment * kConstantAlignment;
      constants.resize(place.offset);
      const auto* data = static_cast<const std::byte*>(tensor.data);
      constants.insert(constants.end(), data, data + type.bytes());
    }
    places_.push_back(place);
  }
  constants_ = device.constants(constants);
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    Step step{Node(graph, i), {}};
    std::vector<Launch> launches = lower(device.limits(), step.node, i);
    for (Launch& launch : launches) {
      Kernel kernel =
          at_node(step.node, [&] { return device.kernel(launch.source(), launch.kernel()); });
      step.launches.push_back({std::move(launch), std::move(kernel)});
    }
    if (!step.launches.empty()) steps_.push_back(std::move(step));
  }
}

void Program::bind(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings) {
  for (const Place& place : places_) {
    if (place.storage == ADX_STORAGE_BINDING && place.binding >= num_bindings) {
      throw plugin::Failure{ADX_INVALID_ARGUMENT,
                            "binding " + std::to_string(place.binding) + " is not given"};
    }
  }
  for (const Step& step : steps_) {
    at_node(step.node, [&] {
      for (const BoundLaunch& bound : step.launches) bind(bound, arena, bindings);
    });
  }
}

void Program::bind(const BoundLaunch& bound, const adx_binding* arena,
                   const adx_binding* bindings) const {
  cl_uint number = 0;
  const auto set = [&](size_t size, const void* value) {
    check(api().clSetKernelArg(bound.kernel.get(), number++, size, value), "clSetKernelArg");
  };
  const auto set_memory = [&](cl_mem memory) {
    set(sizeof(cl_mem), reinterpret_cast<const void*>(&memory));
  };
  set_memory(record_.get());
  for (const Launch::Argument& argument : bound.launch.arguments()) {
    if (const auto* bytes = std::get_if<std::vector<std::byte>>(&argument)) {
      set(bytes->size(), bytes->data());
    } else if (const auto* tensor = std::get_if<int32_t>(&argument)) {
      const Place& place = places_[static_cast<size_t>(*tensor)];
      cl_ulong offset = place.offset;
      if (place.storage == ADX_STORAGE_CONSTANT) {
        set_memory(constants_.get());
      } else {
        const adx_binding& binding =
            place.storage == ADX_STORAGE_ARENA ? *arena : element(bindings, place.binding);
        offset += binding.offset;
        // Where there is no buffer, the tensor is empty and not read.
        set_memory(binding.buffer == nullptr ? record_.get() : binding.buffer->memory.get());
      }
      set(sizeof offset, &offset);
    } else {
      constexpr cl_uint kFirstStep = 0;
      set(sizeof kFirstStep, &kFirstStep);
    }
  }
}

void Program::enqueue(cl_command_queue queue, const BoundLaunch& bound, uint32_t step) const {
  cl_uint number = 1;
  for (const Launch::Argument& argument : bound.launch.arguments()) {
    if (std::holds_alternative<StepNumber>(argument)) {
      check(api().clSetKernelArg(bound.kernel.get(), number, sizeof step, &step), "clSetKernelArg");
    }
    number += std::holds_alternative<int32_t>(argument) ? 2 : 1;
  }
  const Launch& launch = bound.launch;
  check(api().clEnqueueNDRangeKernel(
            queue, bound.kernel.get(), static_cast<cl_uint>(launch.global().size()), nullptr,
            launch.global().data(), launch.local().data(), 0, nullptr, nullptr),
        "clEnqueueNDRangeKernel");
}

void Program::enqueue(cl_command_queue queue, uint32_t step_number, bool traced) const {
  for (const Step& step : steps_) {
    at_node(step.node, [&] {
      const Clock::time_point begin = Clock::now();
      for (const BoundLaunch& bound : step.launches) enqueue(queue, bound, step_number);
      if (!traced) return;
      check(api().clFinish(queue), "clFinish");
      trace(step.node, begin);
    });
  }
}

void Program::trace(const Node& node, Clock::time_point begin) const {
  uint64_t bytes = 0;
  for (const Tensor& tensor : node.inputs()) bytes += tensor.bytes();
  for (const Tensor& tensor : node.outputs()) bytes += tensor.bytes();
  host_.trace_span(node.op().c_str(), node.label().c_str(), nanoseconds(begin),
                   nanoseconds(Clock::now()), node.flops(), static_cast<double>(bytes));
}

void Program::read_record(cl_command_queue queue, Window& window) const {
  cl_event event = nullptr;
  check(api().clEnqueueReadBuffer(queue, record_.get(), 0, 0, sizeof(Record), &window.record, 0,
                                  nullptr, &event),
        "clEnqueueReadBuffer");
  window.read = Event(event);
  check(api().clFlush(queue), "clFlush");
}

bool Program::settle(const Window& window, adx_control& control) {
  if (window.first == window.end) return true;
  const cl_event event = window.read.get();
  check(api().clWaitForEvents(1, &event), "clWaitForEvents");
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

void Program::run(cl_command_queue queue, const adx_binding* arena, const adx_binding* bindings,
                  int32_t num_bindings, uint64_t n_steps, adx_control* control) {
  bind(arena, bindings, num_bindings);
  constexpr uint8_t kZero = 0;
  check(api().clEnqueueFillBuffer(queue, record_.get(), &kZero, sizeof kZero, 0, sizeof(Record), 0,
                                  nullptr, nullptr),
        "clEnqueueFillBuffer");
  const bool traced = host_.trace_enabled() != 0;
  Window* previous = &windows_[0];
  Window* current = &windows_[1];
  previous->first = previous->end = 0;
  uint64_t size = 1;
  Clock::time_point last = Clock::now();
  for (uint64_t step = 0; step < n_steps && !stop_requested(*control);) {
    current->first = step;
    current->end = std::min(step + size, n_steps);
    for (; step < current->end; ++step) enqueue(queue, static_cast<uint32_t>(step), traced);
    read_record(queue, *current);
    if (!settle(*previous, *control)) {
      check(api().clFinish(queue), "clFinish");
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

void device_supports(adx_device* device, const adx_graph* graph, uint8_t* mask,
                     adx_status* status) {
  plugin::guarded(status, [&] {
    for (int32_t i = 0; i < graph->num_nodes; ++i) {
      try {
        lower(device->limits(), Node(*graph, i), i);
        mask[i] = 1;
      } catch (const plugin::Failure& failure) {
        if (failure.code != ADX_UNSUPPORTED) throw;
        mask[i] = 0;
      }
    }
  });
}

void device_run(adx_device*, adx_queue* queue, adx_program* program, const adx_binding* arena,
                const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
                adx_control* control, adx_status* status) {
  plugin::guarded(status, [&] {
    program->run(queue->queue.get(), arena, bindings, num_bindings, n_steps, control);
  });
}

}  // namespace addax::opencl
