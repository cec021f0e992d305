#include "cpu/gradient_product.h"

#include <algorithm>

#include "cpu/matmul_shape.h"
#include "cpu/optimizer_groups.h"
#include "cpu/scratch.h"

namespace addax::cpu {
namespace {

// Elements of the gradient at a time: with the parameter and two slots they stay in L1.
constexpr int64_t kBlockElements = 2048;
constexpr int64_t kChunkElements = 4096;

// Below this the gradient stays in L1 anyway.
constexpr int64_t kMinElements = 16384;
// Wider or deeper products want panels of their operands packed.
constexpr int64_t kMaxColumns = 512;
constexpr int64_t kMaxSteps = 512;

bool suits(const Node& node) {
  if (node.op() != "matmul" || node.output().dtype != DType::Float32) return false;
  if (node.output().shape.rank() != 2 || node.output().raw->storage != ADX_STORAGE_ARENA) {
    return false;
  }
  const GemmShape shape = matmul_shape(node);
  return shape.b_col == 1 && shape.n <= kMaxColumns && shape.k <= kMaxSteps &&
         shape.m * shape.n >= kMinElements;
}

bool writes_over(const Node& writer, const Node& reader) {
  for (const Tensor& written : writer.outputs()) {
    for (const Tensor& read : reader.inputs()) {
      if (may_overlap(written, read)) return true;
    }
  }
  return false;
}

int64_t count_readers(const adx_graph& graph, int32_t tensor) {
  int64_t readers = 0;
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    const adx_node& node = element(graph.nodes, i);
    readers += std::count(node.inputs, node.inputs + node.num_inputs, tensor);
  }
  return readers;
}

// The node that computes a gradient, if that suits and its operands survive until the optimizer
// has run; or -1.
int32_t find_product(const Node& optimizer, const Tensor& gradient) {
  const adx_graph& graph = optimizer.graph();
  for (int32_t i = optimizer.index() - 1; i >= 0; --i) {
    const adx_node& raw = element(graph.nodes, i);
    if (raw.num_outputs != 1 || raw.outputs[0] != gradient.id) continue;
    const Node node(graph, i);
    if (!suits(node) || writes_over(optimizer, node)) return -1;
    for (int32_t between = i + 1; between < optimizer.index(); ++between) {
      if (writes_over(Node(graph, between), node)) return -1;
    }
    return i;
  }
  return -1;
}

}  // namespace

GradientProduct::GradientProduct(const Node& matmul)
    : shape_(matmul_shape(matmul)),
      kernels_(gemm_kernels<float>(active_isa())),
      a_(matmul.input(0)),
      b_(matmul.input(1)),
      flops_(matmul.flops()) {
  const int64_t tiles = std::max<int64_t>(kBlockElements / (shape_.n * kernels_.tile_rows), 1);
  block_rows_ = tiles * kernels_.tile_rows;
  chunks_ = chunks_for(shape_.m * shape_.n, kChunkElements);
}

const float* GradientProduct::multiply(const RunContext& context, int64_t row, int64_t rows) const {
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

std::vector<AbsorbedGradient> absorbed_gradients(const Node& optimizer) {
  std::vector<AbsorbedGradient> absorbed;
  const OptimizerGroups groups(optimizer);
  for (size_t i = 0; i < groups.count; ++i) {
    const Tensor& gradient = optimizer.input(static_cast<int>(groups.gradient(i)));
    if (count_readers(optimizer.graph(), gradient.id) != 1) continue;
    const int32_t node = find_product(optimizer, gradient);
    if (node >= 0) absorbed.push_back({i, node});
  }
  return absorbed;
}

}  // namespace addax::cpu
