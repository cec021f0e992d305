#include "cpu/joint.h"

#include <algorithm>

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

}  // namespace

int64_t joint_chunks(const Kernel& first, const Node& first_node, const Kernel& second,
                     const Node& second_node) {
  if (first.stages().empty() || second.stages().empty()) return 0;
  const Stage& last = first.stages().back();
  const Stage& next = second.stages().front();
  const auto [fewer, more] = std::minmax(last.chunks, next.chunks);
  if (!last.by_images || !next.by_images || fewer < kFewestChunks || more % fewer != 0) return 0;
  bool follows = false;
  for (const Tensor& tensor : first_node.outputs()) {
    for (const Tensor& input : second_node.inputs()) {
      if (!may_overlap(tensor, input)) continue;
      const bool image_by_image = first.has_images(tensor) && second.has_images(input);
      if (!image_by_image || !are_same_bytes(tensor, input)) return 0;
      follows = true;
    }
  }
  for (const Tensor& tensor : second_node.outputs()) {
    if (second.has_images(tensor) && overwrites(tensor, first_node)) return 0;
  }
  return follows ? fewer : 0;
}

}  // namespace addax::cpu
