#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/gemm/ahead.h"
#include "cpu/runtime/kernel.h"
#include "cpu/runtime/scratch.h"
#include "ops/update_groups.h"

namespace addax::cpu {

// A weight's gradient, in float32, that an optimizer computes itself: some elements at a time,
// right before it uses them. The gradient as a whole is never stored.
class GradientProduct {
 public:
  // Who takes the gradient, some neighbouring elements at a time: `first` is the number of the
  // first of them.
  class Taker {
   public:
    virtual ~Taker() = default;
    // What will be read besides the gradient.
    virtual Ahead ahead(int64_t first, int64_t count) const = 0;
    virtual void take(int64_t first, int64_t count, const float* gradient) const = 0;
  };

  virtual ~GradientProduct() = default;

  // What must be done before any visit, no chunks for nothing, and the memory in which it is kept.
  const Stage& preparation() const { return preparation_; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }
  const ScratchNeeds& scratch() const { return scratch_; }
  virtual void prepare(const RunContext&, int64_t, void*) const {}

  // Gives all elements, those of a chunk at a time.
  int64_t chunks() const { return chunks_; }
  virtual void visit(const RunContext& context, int64_t chunk, void* workspace,
                     const Taker& taker) const = 0;

  double flops() const { return flops_; }
  int64_t operand_bytes() const { return operand_bytes_; }

 protected:
  explicit GradientProduct(const Node& node);

  Stage preparation_;
  std::size_t workspace_bytes_ = 0;
  ScratchNeeds scratch_;
  int64_t chunks_ = 0;

 private:
  double flops_;
  int64_t operand_bytes_;
};

// Null where the node is better off, or only possible, on its own.
std::unique_ptr<GradientProduct> make_matmul_gradient(const Node& node);
std::unique_ptr<GradientProduct> make_conv_gradient(const Node& node);

// One of an optimizer's gradients, the node that would compute it, and what computes it instead.
struct AbsorbedGradient {
  size_t parameter;
  int32_t node;
  std::unique_ptr<GradientProduct> product;
};

// The gradients that an optimizer may absorb: no one else reads them, and their nodes' operands are
// still what they were when the optimizer runs.
std::vector<AbsorbedGradient> absorbed_gradients(const Node& optimizer, const UpdateGroups& groups);

}  // namespace addax::cpu
