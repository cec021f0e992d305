#include "cpu/runtime/joint.h"

#include <algorithm>
#include <span>

namespace addax::cpu {
namespace {

// Fewer chunks would keep cores idle that either kernel could use.
constexpr int64_t kFewestChunks = 32;

bool are_same_bytes(const Tensor& a, const Tensor& b) {
  return may_overlap(a, b) && a.raw->offset == b.raw->offset && a.bytes() == b.bytes();
}

bool overwrites(const Tensor& tensor, const Node& inputs_of) {
  return std::any_of(inputs_of.inputs().begin(), inputs_of.inputs().end(),
                     [&](const Tensor& input) { return may_overlap(tensor, input); });
}

bool is_used_by_others(const Tensor& tensor, const Node& first, const Node& second) {
  const adx_graph& graph = first.graph();
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    if (i == first.index() || i == second.index()) continue;
    const adx_node& node = element(graph.nodes, i);
    if (std::count(node.inputs, node.inputs + node.num_inputs, tensor.id) > 0) return true;
  }
  return false;
}

// Whether `first` makes the tensor for `second` alone, as one operand (of two, one might be read by
// a later stage), and neither has other tensors in its place.
bool passes_only(const Tensor& tensor, const Node& first, const Node& second) {
  const auto stands_alone = [&](std::span<const Tensor> others) {
    return std::none_of(others.begin(), others.end(), [&](const Tensor& other) {
      return other.id != tensor.id && may_overlap(tensor, other);
    });
  };
  const auto reads = std::count_if(second.inputs().begin(), second.inputs().end(),
                                   [&](const Tensor& input) { return input.id == tensor.id; });
  return reads == 1 && tensor.raw->storage == ADX_STORAGE_ARENA && stands_alone(first.inputs()) &&
         stands_alone(second.inputs()) && stands_alone(second.outputs()) &&
         !is_used_by_others(tensor, first, second);
}

}  // namespace

Joint join(const Kernel& first, const Node& first_node, const Kernel& second,
           const Node& second_node) {
  if (first.stages().empty() || second.stages().empty()) return {};
  const Stage& last = first.stages().back();
  const Stage& next = second.stages().front();
  const auto [fewer, more] = std::minmax(last.chunks, next.chunks);
  if (!last.by_images || !next.by_images || fewer < kFewestChunks || more % fewer != 0) return {};
  Joint joint;
  for (const Tensor& tensor : first_node.outputs()) {
    for (const Tensor& input : second_node.inputs()) {
      if (!may_overlap(tensor, input)) continue;
      const bool image_by_image = first.has_images(tensor) && second.has_images(input);
      if (!image_by_image || !are_same_bytes(tensor, input)) return {};
      joint.chunks = fewer;
      if (passes_only(tensor, first_node, second_node)) {
        joint.local_tensor = tensor.id;
        joint.local_bytes = tensor.bytes() / fewer;
      }
    }
  }
  for (const Tensor& tensor : second_node.outputs()) {
    if (second.has_images(tensor) && overwrites(tensor, first_node)) return {};
  }
  return joint;
}

}  // namespace addax::cpu
