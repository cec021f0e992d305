#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "addax/device.h"
#include "cpu/runtime/joint.h"
#include "cpu/runtime/kernel.h"
#include "cpu/runtime/memory.h"

namespace addax::cpu {

// A compiled graph: its nodes' kernels in order, its constants, and one workspace that they share.
// Where it can, the last stage of a kernel and the first of the next run as one.
class Program {
 public:
  // Throws UnsupportedError for a node that supports() refuses.
  Program(const adx_graph& graph, const adx_host& host);

  // As adx_device_api::run. Threads other than the caller's come from the host's parallel_for.
  void run(adx_queue&, const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
           uint64_t n_steps, adx_control* control);

 private:
  struct Step {
    KernelPtr kernel;
    int32_t node = 0;
    Title title;
    double flops = 0;
    double bytes = 0;      // of its inputs and outputs
    size_t workspace = 0;  // where its own begins, in bytes
    Joint joint;           // of its last stage and the next step's first
  };
  struct Source {
    int32_t storage = ADX_STORAGE_ARENA;
    int32_t binding = 0;
    uint64_t offset = 0;
    const void* constant = nullptr;
  };

  void add_steps(const adx_graph& graph);
  // Nothing where a node has nothing to do at run time.
  static std::optional<Step> make_step(const Node& node);
  void join_steps(const adx_graph& graph);
  void keep_constant(const adx_tensor& tensor, uint64_t bytes, Source& source);
  void resolve(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings);
  bool run_step(ScratchLease& scratch, bool traced, int32_t* failed_node);
  void run_stages(ScratchLease& scratch, size_t number);
  RunContext context_of(const Step& step);
  int num_threads() const { return std::max(host_.num_threads(), 1); }
  [[noreturn]] void raise_failure(int32_t node) const;

  const adx_host& host_;
  std::vector<Step> steps_;
  std::vector<Source> sources_;
  std::vector<AlignedMemory> constants_;
  AlignedMemory workspace_;
  uint64_t arena_bytes_ = 0;
  ScratchNeeds scratch_;          // of each thread
  std::vector<void*> addresses_;  // of each tensor, in the current run
  CheckFailure failure_;
};

}  // namespace addax::cpu

struct adx_program : addax::cpu::Program {
  using Program::Program;
};
