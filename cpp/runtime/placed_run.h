#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/arena_pool.h"
#include "runtime/host_copies.h"
#include "runtime/placed_segments.h"

namespace addax {

// One run of placed segments: the memory that it takes, had before the first step, and the queues.
class PlacedRun {
 public:
  // `bound` are the buffers of the graph's inputs, states and outputs.
  PlacedRun(const PlacedSegments& placed, std::span<const adx_binding> bound, Device& device,
            Device& host);
  // Waits for what is under way.
  ~PlacedRun();
  PlacedRun(const PlacedRun&) = delete;
  PlacedRun& operator=(const PlacedRun&) = delete;

  // Copies to the host what it needs before the first step.
  void enter();
  // Runs all segments once. Throws as CompiledGraph::settle does.
  void step(uint64_t steps_before);
  // Copies to the device what only the host has, also after a step that threw.
  void leave();

 private:
  using Ending = CompiledGraph::Ending;
  struct Started {
    size_t segment;
    Ending ending;
  };

  void run_on_device(size_t number, uint64_t steps_before);
  void run_on_host(size_t number, uint64_t steps_before);
  void settle(const Started& started, uint64_t steps_before) const;
  // Waits for the device, and settles what was started there.
  void settle_device(uint64_t steps_before);

  const PlacedSegments& placed_;
  const ArenaPool::Lease device_lease_;
  const ArenaPool::Lease host_lease_;
  HostCopies copies_;
  std::vector<Buffer> own_;         // keeps the device's memory of slots that are not bound
  std::vector<adx_buffer*> there_;  // by slot, the device's memory
  std::vector<Buffer> here_;        // by slot, the host's
  std::vector<std::vector<adx_binding>> bindings_;  // by segment
  std::vector<StepControl> controls_;               // by segment
  std::vector<Started> started_;                    // on the device, not settled yet
  bool copying_to_device_ = false;                  // since the device's last segment
};

}  // namespace addax
