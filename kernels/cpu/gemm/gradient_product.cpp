#include "cpu/gemm/gradient_product.h"

#include <algorithm>

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

// The node before the optimizer that computes a tensor, and nothing else; or -1.
int32_t find_producer(const Node& optimizer, int32_t tensor) {
  for (int32_t i = optimizer.index() - 1; i >= 0; --i) {
    const adx_node& node = element(optimizer.graph().nodes, i);
    if (node.num_outputs == 1 && node.outputs[0] == tensor) return i;
  }
  return -1;
}

// Null where a node had better stay on its own.
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

// Whether the operands of a node keep their values until the optimizer has run.
bool operands_survive(const Node& node, const Node& optimizer) {
  for (int32_t i = node.index() + 1; i <= optimizer.index(); ++i) {
    if (writes_over(Node(node.graph(), i), node)) return false;
  }
  return true;
}

}  // namespace

GradientProduct::GradientProduct(const Node& node)
    : flops_(node.flops()), operand_bytes_(node.input(0).bytes() + node.input(1).bytes()) {}

std::vector<AbsorbedGradient> absorbed_gradients(const Node& optimizer,
                                                 const UpdateGroups& groups) {
  const adx_graph& graph = optimizer.graph();
  std::vector<AbsorbedGradient> absorbed;
  for (size_t i = 0; i < groups.count; ++i) {
    const int32_t gradient = optimizer.inputs()[groups.input(UpdateGroups::kGradients, i)].id;
    if (count_readers(graph, gradient) != 1) continue;
    const int32_t producer = find_producer(optimizer, gradient);
    if (producer < 0) continue;
    const Node node(graph, producer);
    auto product = make_gradient_product(node);
    if (product == nullptr || !operands_survive(node, optimizer)) continue;
    absorbed.push_back({i, producer, std::move(product)});
  }
  return absorbed;
}

}  // namespace addax::cpu
