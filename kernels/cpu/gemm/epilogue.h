#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/gemm/gemm_kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/kernel.h"

namespace addax::cpu {

// What a contraction's kernel can do itself with a finished block; see Finish.
struct Epilogue {
  std::optional<int32_t> scale;  // tensors
  std::optional<int32_t> bias;
  std::optional<int32_t> residual;
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
    scratch_.add(plan.scratch());
  }
  // To be called last. With `can_match` false every epilogue takes further stages.
  void add_epilogue(const Node& node, bool can_match = true);
  // Whether the contraction's stages leave nothing to further ones.
  bool does_epilogue() const { return rest_ == nullptr; }

  // What the plan does at the end of a contraction.
  template <class T>
  Finish<T> finish(const RunContext& context) const {
    const auto data = [&](const std::optional<int32_t>& tensor) {
      return tensor ? context.data<const T>(*tensor) : nullptr;
    };
    return {.scale = data(epilogue_.scale),
            .bias = data(epilogue_.bias),
            .residual = data(epilogue_.residual),
            .activation = epilogue_.activation,
            .mask = data(epilogue_.mask)};
  }

 private:
  Epilogue epilogue_;
  KernelPtr rest_;
  size_t first_of_rest_ = SIZE_MAX;
};

}  // namespace addax::cpu
