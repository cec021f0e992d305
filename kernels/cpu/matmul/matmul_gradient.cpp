#include <algorithm>

#include "cpu/gemm/gradient_product.h"
#include "cpu/matmul/matmul_shape.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// Elements of the gradient at a time: with the parameter and two slots they stay in L1.
constexpr int64_t kBlockElements = 2048;
constexpr int64_t kChunkElements = 4096;

// Wider or deeper products want panels of their operands packed.
constexpr int64_t kMaxColumns = 512;
constexpr int64_t kMaxSteps = 512;

class MatmulGradient : public GradientProduct {
 public:
  MatmulGradient(const Node& node, const GemmShape& shape)
      : GradientProduct(node),
        shape_(shape),
        kernels_(gemm_kernels<float>(active_isa())),
        a_(node.input(0)),
        b_(node.input(1)) {
    const int64_t tiles = std::max<int64_t>(kBlockElements / (shape_.n * kernels_.tile_rows), 1);
    block_rows_ = tiles * kernels_.tile_rows;
    scratch_.add(Scratch::Gather, kernels_.gather_bytes);
    scratch_.add(Scratch::Rows, block_rows_ * shape_.n * int64_t{sizeof(float)});
    chunks_ = chunks_for(shape_.m * shape_.n, kChunkElements);
  }

  void visit(const RunContext& context, int64_t chunk, void*, const Taker& taker) const override {
    const Range blocks = even_share(ceil_div(shape_.m, block_rows_), chunks_, chunk);
    for (int64_t block = blocks.begin; block < blocks.end; ++block) {
      const int64_t row = block * block_rows_;
      const int64_t rows = std::min(block_rows_, shape_.m - row);
      taker.take(row * shape_.n, rows * shape_.n, multiply(context, row, rows));
    }
  }

 private:
  const float* multiply(const RunContext& context, int64_t row, int64_t rows) const {
    float* gradient =
        thread_scratch<float>(Scratch::Rows, static_cast<size_t>(block_rows_ * shape_.n));
    const Segment segment = {0, 0, shape_.k};
    Block<float> block;
    block.a = context.data<const float>(a_) + row * shape_.a_row;
    block.a_row = shape_.a_row;
    block.a_k = shape_.a_k;
    block.b = context.data<const float>(b_);
    block.b_k = shape_.b_k;
    block.segments = &segment;
    block.num_segments = 1;
    block.c = gradient;
    block.c_row = shape_.n;
    block.rows = rows;
    block.cols = shape_.n;
    kernels_.block(block);
    return gradient;
  }

  GemmShape shape_;
  const GemmKernels<float>& kernels_;
  Tensor a_, b_;
  int64_t block_rows_;
};

}  // namespace

std::unique_ptr<GradientProduct> make_matmul_gradient(const Node& node) {
  if (node.output().shape.rank() != 2) return nullptr;
  const GemmShape shape = matmul_shape(node);
  if (shape.b_col != 1 || shape.n > kMaxColumns || shape.k > kMaxSteps) return nullptr;
  return std::make_unique<MatmulGradient>(node, shape);
}

}  // namespace addax::cpu
