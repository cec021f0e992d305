#include "null/placement.h"

#include <string>
#include <utility>
#include <vector>

#include "null/node.h"

namespace addax::null_device {
namespace {

// The bytes that a tensor occupies: `space` -1 is the arena, else a binding.
struct Region {
  int32_t space = 0;
  uint64_t begin = 0;
  uint64_t end = 0;

  bool overlaps(const Region& other) const {
    return space == other.space && begin < other.end && other.begin < end;
  }
  bool operator==(const Region&) const = default;
};

struct Written {
  Region region;
  int32_t tensor;
};

[[noreturn]] void fail(int32_t tensor, const std::string& what) {
  throw Problem{ADX_INVALID_ARGUMENT, "[null] tensor " + std::to_string(tensor) + " " + what};
}

Region region_of(const adx_graph& graph, int32_t index) {
  const adx_tensor& tensor = element(graph.tensors, index);
  const int32_t space = tensor.storage == ADX_STORAGE_ARENA ? -1 : tensor.binding;
  return {space, tensor.offset, tensor.offset + type_of(tensor).bytes()};
}

void check_tensor(const adx_graph& graph, int32_t index, uint64_t alignment) {
  const adx_tensor& tensor = element(graph.tensors, index);
  const Region region = region_of(graph, index);
  switch (tensor.storage) {
    case ADX_STORAGE_ARENA:
      if (region.end > graph.arena_bytes && region.begin != region.end) {
        fail(index, "ends at byte " + std::to_string(region.end) + " of an arena of " +
                        std::to_string(graph.arena_bytes));
      }
      if (tensor.offset % alignment != 0) fail(index, "is not aligned in the arena");
      break;
    case ADX_STORAGE_BINDING:
      if (tensor.binding < 0 || tensor.binding >= graph.num_bindings) {
        fail(index,
             "lies in the binding " + std::to_string(tensor.binding) + ", which does not exist");
      }
      break;
    case ADX_STORAGE_CONSTANT:
      if (tensor.data == nullptr && region.begin != region.end) fail(index, "has no data");
      break;
    default:
      fail(index, "has the unknown storage " + std::to_string(tensor.storage));
  }
}

// The memory as the nodes leave it, step by step.
class Memory {
 public:
  explicit Memory(const adx_graph& graph) : graph_(graph), is_output_(graph.num_tensors, false) {
    for (int32_t n = 0; n < graph.num_nodes; ++n) {
      const adx_node& node = element(graph.nodes, n);
      for (int32_t i = 0; i < node.num_outputs; ++i) {
        if (is_output_[at(node.outputs[i])]) fail(node.outputs[i], "is written by two nodes");
        is_output_[at(node.outputs[i])] = true;
      }
    }
  }

  void read(int32_t tensor) const {
    if (element(graph_.tensors, tensor).storage == ADX_STORAGE_CONSTANT) return;
    const Region region = region_of(graph_, tensor);
    if (region.begin == region.end) return;
    const bool from_outside = region.space >= 0 && !is_output_[at(tensor)];
    for (const Written& written : written_) {
      if (!written.region.overlaps(region)) continue;
      // A view has no writer of its own, and lies exactly where what it shows was written.
      const bool is_view = !is_output_[at(tensor)] && written.region == region &&
                           !(from_outside && was_read_[at(tensor)]);
      if (written.tensor == tensor || is_view) return;
      fail(tensor,
           "is read after tensor " + std::to_string(written.tensor) + " was written over it");
    }
    if (!from_outside) fail(tensor, "is read before it is written");
    was_read_[at(tensor)] = true;
  }

  void write(int32_t tensor) {
    if (element(graph_.tensors, tensor).storage == ADX_STORAGE_CONSTANT) {
      fail(tensor, "is a constant and written");
    }
    const Region region = region_of(graph_, tensor);
    std::erase_if(written_,
                  [&](const Written& written) { return written.region.overlaps(region); });
    if (region.begin != region.end) written_.push_back({region, tensor});
  }

 private:
  static size_t at(int32_t tensor) { return static_cast<size_t>(tensor); }

  const adx_graph& graph_;
  std::vector<bool> is_output_;
  mutable std::vector<bool> was_read_ = std::vector<bool>(is_output_.size(), false);
  std::vector<Written> written_;
};

void check_operands(const adx_graph& graph, const adx_node& node) {
  for (int32_t i = 0; i < node.num_outputs; ++i) {
    const Region output = region_of(graph, node.outputs[i]);
    for (int32_t k = 0; k < i; ++k) {
      if (output.overlaps(region_of(graph, node.outputs[k]))) {
        fail(node.outputs[i], "overlaps another output of the same node");
      }
    }
    for (int32_t k = 0; k < node.num_inputs; ++k) {
      if (element(graph.tensors, node.inputs[k]).storage == ADX_STORAGE_CONSTANT) continue;
      const Region input = region_of(graph, node.inputs[k]);
      if (output.overlaps(input) && !(output == input)) {
        fail(node.outputs[i], "overlaps a part of an input of the same node");
      }
    }
  }
}

}  // namespace

void check_placement(const adx_graph& graph, uint64_t alignment) {
  for (int32_t i = 0; i < graph.num_tensors; ++i) check_tensor(graph, i, alignment);
  Memory memory(graph);
  for (int32_t n = 0; n < graph.num_nodes; ++n) {
    const adx_node& node = element(graph.nodes, n);
    for (int32_t i = 0; i < node.num_inputs; ++i) memory.read(node.inputs[i]);
    check_operands(graph, node);
    for (int32_t i = 0; i < node.num_outputs; ++i) memory.write(node.outputs[i]);
  }
}

}  // namespace addax::null_device
