#pragma once

#include <vector>

#include "cpu/gemm.h"
#include "cpu/kernel.h"

namespace addax::cpu {

// A weight's gradient, a float32 matmul [m, n], that an optimizer computes itself: some rows at a
// time, in L1, right before it uses them. The gradient as a whole is never stored.
class GradientProduct {
 public:
  explicit GradientProduct(const Node& matmul);

  int64_t chunks() const { return chunks_; }
  double flops() const { return flops_; }
  int64_t operand_bytes() const { return a_.bytes() + b_.bytes(); }

  // Calls body(first element, number of elements, gradient) for the rows of a chunk.
  template <class Body>
  void visit(const RunContext& context, int64_t chunk, const Body& body) const {
    const Range blocks = even_share(ceil_div(shape_.m, block_rows_), chunks_, chunk);
    for (int64_t block = blocks.begin; block < blocks.end; ++block) {
      const int64_t row = block * block_rows_;
      const int64_t rows = std::min(block_rows_, shape_.m - row);
      body(row * shape_.n, rows * shape_.n, multiply(context, row, rows));
    }
  }

 private:
  const float* multiply(const RunContext& context, int64_t row, int64_t rows) const;

  GemmShape shape_;
  const GemmKernels<float>& kernels_;
  Tensor a_, b_;
  int64_t block_rows_;
  int64_t chunks_;
  double flops_;
};

// Which of an optimizer's gradients, by number, are products of which nodes that it may absorb: no
// one else reads the product, and its operands are still what they were when the optimizer runs.
struct AbsorbedGradient {
  size_t parameter;
  int32_t node;
};
std::vector<AbsorbedGradient> absorbed_gradients(const Node& optimizer);

}  // namespace addax::cpu
