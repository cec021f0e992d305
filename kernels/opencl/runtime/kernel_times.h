#pragma once

#include <chrono>
#include <vector>

#include "addax/device.h"
#include "opencl/driver/handle.h"
#include "opencl/lowering/lowering.h"

namespace addax::opencl {

// When kernels ran on the device, told to the host's profile by the host's clock.
class KernelTimes {
 public:
  // Puts a kernel into a queue by `enqueue(event)`. The work of a node counts for its first kernel.
  // `node` outlives this.
  template <class Enqueue>
  void add(const Node& node, bool first_of_node, const Enqueue& enqueue) {
    cl_event event = nullptr;
    const Clock::time_point before = Clock::now();
    enqueue(&event);
    const Clock::time_point after = Clock::now();
    runs_.push_back({&node, first_of_node, Event(event), before, after - before});
  }
  // When the kernels are done: tells the host and forgets them.
  void report(const adx_host& host);
  void clear() { runs_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Run {
    const Node* node;
    bool first_of_node;
    Event event;
    Clock::time_point enqueued;
    Clock::duration enqueueing;
  };
  // What the device's clock lacks to the host's, in nanoseconds and modulo 2^64.
  uint64_t clock_offset() const;

  std::vector<Run> runs_;
};

}  // namespace addax::opencl
