#pragma once

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "opencl/device.h"
#include "opencl/lowering/lowering.h"
#include "opencl/runtime/arguments.h"
#include "opencl/runtime/built_launch.h"
#include "opencl/runtime/kernel_times.h"

namespace addax::opencl {

// A compiled graph: the kernels of its nodes in order.
class Program {
 public:
  // Throws plugin::Failure, ADX_UNSUPPORTED for a node that `build` refuses.
  Program(Device& device, const adx_graph& graph, const adx_host& host);

  // As adx_device_api::run. Steps are put into the queue ahead of the device, which stops by itself
  // at a failed value check; the host follows one window of steps behind, to count them and to see
  // whether it is to stop.
  void run(adx_queue& queue, const adx_binding* arena, const adx_binding* bindings,
           int32_t num_bindings, uint64_t n_steps, adx_control* control);

 private:
  struct Step {
    Node node;
    std::vector<BuiltLaunch> launches;
  };
  // As types.cl has it.
  struct Record {
    int64_t value;
    int64_t index;
    int32_t node;
    uint32_t step;
  };
  // Steps that were put into the queue, with the record as they left it.
  struct Window {
    uint64_t first = 0;
    uint64_t end = 0;
    Event read;
    Record record{};
    KernelTimes times;
  };

  static std::string describe(const Step& step);
  void enqueue(cl_command_queue queue, uint32_t step, KernelTimes* times) const;
  void read_record(cl_command_queue queue, Window& window) const;
  // Waits for the window; false when one of its steps failed.
  bool settle(Window& window, adx_control& control) const;

  const adx_host& host_;
  Memory record_;
  Arguments arguments_;
  std::deque<Step> steps_;
  std::array<Window, 2> windows_;
};

// adx_device_api::supports.
void supports(Device& device, const adx_graph& graph, uint8_t* mask);

}  // namespace addax::opencl

struct adx_program : addax::opencl::Program {
  using Program::Program;
};
