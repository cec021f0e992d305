#include "passes/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "passes/aliasing.h"

namespace addax {
namespace {

size_t index_of(Value value) { return static_cast<size_t>(value.id); }

// Arena memory of one value, or of several that follow each other in place.
struct Block {
  uint64_t bytes;
  NodeId begin;  // first and last node during which it is in use
  NodeId end;
  uint64_t offset = 0;
};

// Largest first, each into the narrowest gap between the blocks alive at the same time.
uint64_t assign_offsets(std::vector<Block>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<const Block*> placed;  // by offset
  uint64_t total = 0;
  for (size_t index : order) {
    Block& block = blocks[index];
    if (block.bytes == 0) continue;
    uint64_t top = 0;
    uint64_t narrowest = UINT64_MAX;
    uint64_t best = 0;
    for (const Block* other : placed) {
      if (other->end < block.begin || block.end < other->begin) continue;
      if (other->offset > top && other->offset - top >= block.bytes &&
          other->offset - top < narrowest) {
        narrowest = other->offset - top;
        best = top;
      }
      top = std::max(top, other->offset + other->bytes);
    }
    block.offset = narrowest == UINT64_MAX ? top : best;
    total = std::max(total, block.offset + block.bytes);
    const auto place =
        std::upper_bound(placed.begin(), placed.end(), block.offset,
                         [](uint64_t offset, const Block* b) { return offset < b->offset; });
    placed.insert(place, &block);
  }
  return total;
}

class Planner {
 public:
  Planner(const Graph& graph, uint64_t alignment)
      : graph_(graph),
        alignment_(std::max<uint64_t>(alignment, 1)),
        aliases_(graph),
        placed_(static_cast<size_t>(graph.num_values()), false),
        block_of_(static_cast<size_t>(graph.num_values()), kNone) {
    plan_.values.resize(static_cast<size_t>(graph.num_values()));
  }

  MemoryPlan run() {
    place_bound();
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.nodes()[i];
      if (!is_view(node)) place_outputs(node, static_cast<NodeId>(i));
    }
    plan_.arena_bytes = assign_offsets(blocks_);
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const Value value{static_cast<int32_t>(i)};
      const Value root = aliases_.root(value);
      const int32_t block = block_of_[index_of(root)];
      if (block != kNone)
        plan_.values[index_of(root)].offset = blocks_[static_cast<size_t>(block)].offset;
      plan_.values[i] = plan_.values[index_of(root)];
    }
    return std::move(plan_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InternalError("[memory_plan] graph '" + graph_.name() +
                        "' was not materialized: " + what);
  }

  void place(Value value, Placement::Kind kind, size_t index) {
    plan_.values[index_of(value)] = {kind, static_cast<int32_t>(index), 0};
    placed_[index_of(value)] = true;
  }

  void place_result(Value value, Placement::Kind kind, size_t index, const std::string& what) {
    const Value root = aliases_.root(value);
    if (!is_computed(graph_, aliases_, root)) fail(what + " is not computed by a node");
    if (placed_[index_of(root)]) fail(what + " has another place already");
    place(root, kind, index);
  }

  void place_bound() {
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      place(graph_.inputs()[i], Placement::Kind::Input, i);
    }
    for (size_t i = 0; i < graph_.states().size(); ++i) {
      place(graph_.states()[i].value, Placement::Kind::State, i);
    }
    for (size_t i = 0; i < graph_.states().size(); ++i) {
      const auto [value, next] = graph_.states()[i];
      if (next == value) continue;
      const std::string what = "the next value of state '" + graph_.info(value).name + "'";
      place_result(next, Placement::Kind::State, i, what);
      if (!aliases_.may_update(value, next)) fail(what + " comes before the old one's last reader");
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      place_result(graph_.outputs()[i], Placement::Kind::Output, i, "output " + std::to_string(i));
    }
  }

  void place_outputs(const Node& node, NodeId id) {
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      const Value output = node.outputs[k];
      if (placed_[index_of(output)]) continue;
      if (is_constant(node)) {
        place(output, Placement::Kind::Constant, static_cast<size_t>(id));
        continue;
      }
      const std::span<const NodeId> readers = aliases_.readers(output);
      const NodeId end = readers.empty() ? id : readers.back();
      const int32_t dying = block_to_overwrite(node, static_cast<int>(k), id);
      if (dying != kNone) {
        blocks_[static_cast<size_t>(dying)].end = end;
        taken_at_[static_cast<size_t>(dying)] = id;
        block_of_[index_of(output)] = dying;
      } else {
        const uint64_t bytes =
            (graph_.type(output).bytes() + alignment_ - 1) / alignment_ * alignment_;
        block_of_[index_of(output)] = static_cast<int32_t>(blocks_.size());
        blocks_.push_back({bytes, id, end});
        taken_at_.push_back(id);
      }
      place(output, Placement::Kind::Arena, 0);
    }
  }

  // The block of an input that this node reads last and may compute the output into.
  int32_t block_to_overwrite(const Node& node, int output, NodeId id) const {
    for (Value input : node.inputs) {
      const Value root = aliases_.root(input);
      const int32_t block = block_of_[index_of(root)];
      if (block == kNone || aliases_.readers(root).back() != id) continue;
      // Another output of this node may have taken the block over already.
      if (taken_at_[static_cast<size_t>(block)] == id) continue;
      if (aliases_.may_overwrite(node, output, root)) return block;
    }
    return kNone;
  }

  const Graph& graph_;
  uint64_t alignment_;
  Aliases aliases_;
  MemoryPlan plan_;
  std::vector<bool> placed_;
  std::vector<int32_t> block_of_;  // by value
  std::vector<Block> blocks_;
  std::vector<NodeId> taken_at_;  // the node that computed the block's present content
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph, uint64_t alignment) {
  return Planner(graph, alignment).run();
}

}  // namespace addax
