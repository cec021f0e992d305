#include "runtime/placed_program.h"

#include <algorithm>
#include <exception>

#include "core/error.h"
#include "runtime/failed_run.h"
#include "runtime/fallback_report.h"
#include "runtime/placed_run.h"

namespace addax {
namespace {

class PlacedProgram final : public Program {
 public:
  PlacedProgram(std::unique_ptr<const Graph> graph, PlacedSegments placed, Device& device,
                Device& host)
      : Program(std::move(graph), device), placed_(std::move(placed)), host_(host) {}

  uint64_t arena_bytes() const override {
    uint64_t arena = 0;
    uint64_t crossing = 0;
    for (const PlacedSegment& segment : placed_.segments) {
      if (!segment.on_host) arena = std::max(arena, segment.compiled->arena_bytes());
    }
    for (const PlacedSlot& slot : placed_.slots) {
      if (slot.kind == Slot::Kind::Crossing && slot.on_device) crossing += slot.bytes;
    }
    return arena + crossing;
  }

  int32_t num_nodes() const override {
    int32_t count = 0;
    for (const PlacedSegment& segment : placed_.segments) count += segment.compiled->num_nodes();
    return count;
  }

  double flops() const override {
    double flops = 0;
    for (const PlacedSegment& segment : placed_.segments) flops += segment.compiled->flops();
    return flops;
  }

 private:
  uint64_t run_bound(std::span<const adx_binding> bindings, uint64_t n_steps,
                     StepControl& control) override {
    control.begin();
    PlacedRun run(placed_, bindings, device(), host_);
    run.enter();
    return as_failed_run(control, [&] { return steps(run, n_steps, control); });
  }

  static uint64_t steps(PlacedRun& run, uint64_t n_steps, StepControl& control) {
    uint64_t done = 0;
    try {
      for (; done < n_steps && !control.stop_requested(); ++done) {
        run.step(done);
        control.count_step();
      }
    } catch (...) {
      leave_after_error(run);
      throw;
    }
    run.leave();
    return done;
  }

  static void leave_after_error(PlacedRun& run) {
    try {
      run.leave();
    } catch (const Error&) {
      // What the step threw tells more.
    }
  }

  const PlacedSegments placed_;
  Device& host_;
};

}  // namespace

std::shared_ptr<Program> make_placed_program(std::unique_ptr<const Graph> graph,
                                             const std::vector<NodeId>& refused, Device& device,
                                             Device& host) {
  PlacedSegments placed = place_segments(*graph, refused, device, host);
  report_fallback(*graph, refused, placed, device, host);
  return std::make_shared<PlacedProgram>(std::move(graph), std::move(placed), device, host);
}

}  // namespace addax
