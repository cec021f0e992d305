#pragma once

#include <cstdint>
#include <vector>

#include "opencl/device.h"
#include "opencl/lowering/lowering.h"

namespace addax::opencl {

// The arguments of a program's kernels. What never changes is set when a launch is added; of the
// tensors in the arena and the bindings each run sets those that lie elsewhere than in the last.
class Arguments {
 public:
  // `record` is what all kernels take first.
  Arguments(Device& device, const adx_graph& graph, cl_mem record);

  // `node` and `kernel` outlive this.
  void add(const Node& node, const Launch& launch, cl_kernel kernel);
  // When all launches are added: gives them the scratch memory that they need.
  void share_scratch(const Device& device);

  void bind(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings);
  void set_step(uint32_t step) const;

 private:
  // Of a tensor.
  struct Place {
    int32_t storage;
    int32_t binding;
    uint64_t offset;
  };
  // A kernel's argument `number`; of a tensor, the two from there on.
  struct Parameter {
    const Node* node;
    cl_kernel kernel;
    cl_uint number;
    uint64_t offset;
  };
  // The arena, or a binding, and where its tensors were in the last run.
  struct Root {
    uint64_t buffer = kNowhere;  // its serial number
    uint64_t offset = 0;
    std::vector<Parameter> tensors;
  };
  static constexpr uint64_t kNowhere = 0;
  static constexpr uint64_t kNoBuffer = UINT64_MAX;

  Root& root_of(const Place& place);
  void bind(Root& root, const adx_binding& binding) const;
  static void set(const Parameter& parameter, size_t size, const void* value);
  static void set_memory(const Parameter& parameter, cl_mem memory, uint64_t offset);

  cl_mem record_;
  Memory constants_;
  Memory scratch_;
  std::vector<Place> places_;  // of the tensors
  std::vector<Root> roots_;    // the arena, then the bindings
  std::vector<Parameter> step_numbers_;
  std::vector<Parameter> scratches_;
  uint64_t scratch_bytes_ = 0;
};

}  // namespace addax::opencl
