#include "cpu/matmul/pair_matmul.h"

#include <memory>

#include "cpu/conv/conv.h"
#include "cpu/gemm/epilogue.h"

namespace addax::cpu {
namespace {

// From here on rows are images of one pixel, which tiles run over; fewer are one image's row.
constexpr int64_t kManyRows = 12;

bool transposes_a(const Node& node) { return node.flag("transpose_a", false); }
bool transposes_b(const Node& node) { return node.flag("transpose_b", false); }

// A pointwise convolution of so many rows.
ConvShape pointwise(int64_t rows, int64_t in_channels, int64_t out_channels) {
  ConvShape shape;
  (rows < kManyRows ? shape.width.in : shape.batch) = rows;
  shape.in_channels = in_channels;
  shape.out_channels = out_channels;
  return shape;
}

ConvShape product_shape(const Node& node) {
  const Shape& a = node.input(0).shape;
  const Shape& b = node.input(1).shape;
  const int64_t cols = node.output().shape[node.output().shape.rank() - 1];
  if (transposes_a(node)) return pointwise(a[0], a[1], cols);
  const int64_t depth = a[a.rank() - 1];
  int64_t rows = 1;
  for (int i = 0; i < a.rank() - 1; ++i) rows *= a[i];
  return transposes_b(node) ? pointwise(rows, b[0], depth) : pointwise(rows, depth, cols);
}

// The convolution or gradient of Plan on a and b; those by the weights leave epilogues to others.
template <class Plan, class Args>
class Product : public ContractionKernel {
 public:
  explicit Product(const Node& node)
      : plan_(product_shape(node)), a_(node.input(0)), b_(node.input(1)), c_(node.output()) {
    add_plan(plan_);
    add_epilogue(node, kFinishes);
  }

 private:
  static constexpr bool kFinishes = requires(Args args) { args.finish; };

  void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const override {
    const auto* a = context.data<const BFloat16>(a_);
    const auto* b = context.data<const BFloat16>(b_);
    auto* c = context.data<BFloat16>(c_);
    if constexpr (kFinishes) {
      plan_.run(Args{a, b, c, finish<BFloat16>(context)}, stage, chunk, context.workspace);
    } else {
      plan_.run(Args{a, b, c}, stage, chunk, context.workspace);
    }
  }

  Plan plan_;
  Tensor a_, b_, c_;
};

// a b as a convolution of a's rows by b, a b' as the gradient by its input where a is that by its
// result, a' b as the gradient by its weights where b is that by its result.
using Plain = Product<ConvForwardPlan<BFloat16>, ConvForwardArgs<BFloat16>>;
using WithTransposed = Product<ConvDataPlan<BFloat16>, ConvDataArgs<BFloat16>>;
using OfTransposed = Product<ConvFilterPlan<BFloat16>, ConvFilterArgs<BFloat16>>;

}  // namespace

bool multiplies_pairs(const Node& node) {
  if (node.output().dtype != DType::BFloat16 || !has_bfloat16_kernels(active_isa())) return false;
  if (node.input(1).shape.rank() != 2) return false;
  if (transposes_a(node)) return !transposes_b(node) && node.input(0).shape.rank() == 2;
  return takes_bfloat16(product_shape(node), transposes_b(node));
}

KernelPtr make_pair_matmul(const Node& node) {
  if (transposes_a(node)) return std::make_unique<OfTransposed>(node);
  if (transposes_b(node)) return std::make_unique<WithTransposed>(node);
  return std::make_unique<Plain>(node);
}

}  // namespace addax::cpu
