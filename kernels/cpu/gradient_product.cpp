#include "cpu/gradient_product.h"

#include <algorithm>

#include "cpu/optimizer_groups.h"

namespace addax::cpu {
namespace {

// Below this the gradient stays in L1 anyway.
constexpr int64_t kMinElements = 16384;

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
    if (!make_gradient_product(node) || writes_over(optimizer, node)) return -1;
    for (int32_t between = i + 1; between < optimizer.index(); ++between) {
      if (writes_over(Node(graph, between), node)) return -1;
    }
    return i;
  }
  return -1;
}

}  // namespace

GradientProduct::GradientProduct(const Node& node)
    : flops_(node.flops()), operand_bytes_(node.input(0).bytes() + node.input(1).bytes()) {}

std::unique_ptr<GradientProduct> make_gradient_product(const Node& node) {
  const Tensor& gradient = node.output();
  if (gradient.dtype != DType::Float32 || gradient.raw->storage != ADX_STORAGE_ARENA ||
      gradient.size() < kMinElements) {
    return nullptr;
  }
  if (node.op() == "matmul") return make_matmul_gradient(node);
  if (node.op() == "conv2d_filter_grad") return make_conv_gradient(node);
  return nullptr;
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
