#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/gemm_kernels.h"
#include "cpu/kernel.h"
#include "cpu/tape.h"

namespace addax::cpu {

// What a contraction's kernel can do itself with a finished block: add a bias along the last axis,
// apply an activation, zero where a mask is not positive.
struct Epilogue {
  std::optional<int32_t> bias;  // tensors
  Activation activation = Activation::None;
  std::optional<int32_t> mask;
};

// Recognises a node's `epilogue` over i0, the accumulator, and the extras, which are the node's
// inputs from the third on; nothing when the text asks for more than Epilogue holds, or when a
// dtype differs from the output's.
std::optional<Epilogue> match_epilogue(const Node& node);

// A kernel whose first stages make a contraction's result; where the node has an epilogue that they
// can't do themselves, further stages apply it to the output in place.
class ContractionKernel : public Kernel {
 public:
  void run(const RunContext& context, size_t stage, int64_t chunk) const final;

 protected:
  virtual void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const = 0;

  // Puts the plan's stages behind those that there are.
  template <class Plan>
  void add_plan(const Plan& plan) {
    stages_.insert(stages_.end(), plan.stages().begin(), plan.stages().end());
    workspace_bytes_ = std::max(workspace_bytes_, plan.workspace_bytes());
  }
  // To be called last. With `can_match` false every epilogue takes further stages.
  void add_epilogue(const Node& node, bool can_match = true);

  // Sets what a plan's arguments have of bias, activation and mask.
  template <class T, class Args>
  void set_epilogue(const RunContext& context, Args& args) const {
    if (epilogue_.bias) args.bias = context.data<const T>(*epilogue_.bias);
    if (epilogue_.mask) args.mask = context.data<const T>(*epilogue_.mask);
    args.activation = epilogue_.activation;
  }

 private:
  Epilogue epilogue_;
  KernelPtr rest_;
  size_t first_of_rest_ = SIZE_MAX;
};

}  // namespace addax::cpu
