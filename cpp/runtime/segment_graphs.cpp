#include "runtime/segment_graphs.h"

#include <utility>

#include "passes/aliasing.h"

namespace addax {
namespace {

size_t index_of(Value value) { return static_cast<size_t>(value.id); }

class Cutter {
 public:
  Cutter(const Graph& graph, const std::vector<Segment>& segments)
      : graph_(graph),
        aliases_(graph),
        segments_(segments),
        segment_of_(graph.nodes().size(), kNone) {
    result_.slot_of.assign(static_cast<size_t>(graph.num_values()), kNone);
    for (size_t i = 0; i < segments.size(); ++i) {
      for (const NodeId id : segments[i].nodes) {
        segment_of_[static_cast<size_t>(id)] = static_cast<int32_t>(i);
      }
    }
  }

  SegmentGraphs run() {
    add_bound_slots();
    add_crossing_slots();
    for (size_t i = 0; i < segments_.size(); ++i) {
      result_.segments.push_back(graph_of(static_cast<int32_t>(i)));
    }
    return std::move(result_);
  }

 private:
  int32_t& slot_of(Value root) { return result_.slot_of[index_of(root)]; }

  int32_t new_slot(Slot::Kind kind, Value value) {
    result_.slots.push_back({kind, graph_.type(value).bytes()});
    return static_cast<int32_t>(result_.slots.size()) - 1;
  }

  void add_bound_slots() {
    for (const Value input : graph_.inputs()) slot_of(input) = new_slot(Slot::Kind::Input, input);
    for (const State& state : graph_.states()) {
      const int32_t slot = new_slot(Slot::Kind::State, state.value);
      slot_of(state.value) = slot_of(aliases_.root(state.next)) = slot;
    }
    for (const Value output : graph_.outputs()) {
      slot_of(aliases_.root(output)) = new_slot(Slot::Kind::Output, output);
    }
  }

  void add_crossing_slots() {
    for (const Segment& segment : segments_) {
      for (const NodeId id : segment.nodes) {
        for (const Value input : graph_.nodes()[static_cast<size_t>(id)].inputs) {
          const Value root = aliases_.root(input);
          if (!is_computed(graph_, aliases_, root) || slot_of(root) != kNone) continue;
          if (home_of(root) != segment_of_[static_cast<size_t>(id)]) {
            slot_of(root) = new_slot(Slot::Kind::Crossing, root);
          }
        }
      }
    }
  }

  // The segment that computes a root.
  int32_t home_of(Value root) const {
    return segment_of_[static_cast<size_t>(graph_.info(root).producer)];
  }

  SegmentGraph graph_of(int32_t number) {
    SegmentGraph part{Graph(graph_.name() + "/" + std::to_string(number)), {}, {}, {}};
    local_.assign(static_cast<size_t>(graph_.num_values()), {});
    for (const NodeId id : segments_[static_cast<size_t>(number)].nodes) {
      emit(part, graph_.nodes()[static_cast<size_t>(id)]);
    }
    for (const State& state : graph_.states()) {
      const Value root = aliases_.root(state.next);
      if (root == state.value || home_of(root) != number) continue;
      const Value entry = in(part, state.value);
      part.graph.set_next(entry, in(part, state.next));
    }
    add_outputs(part, number);
    part.graph.compact();
    return part;
  }

  void emit(SegmentGraph& part, const Node& node) {
    std::vector<Value> inputs;
    for (const Value input : node.inputs) inputs.push_back(in(part, input));
    part.graph.set_label(node.label);
    const std::vector<Value> outputs = part.graph.emit(*node.op, node.attrs, inputs);
    for (size_t i = 0; i < outputs.size(); ++i) local_[index_of(node.outputs[i])] = outputs[i];
  }

  // A value in the segment's graph, brought in where it is not there yet.
  Value in(SegmentGraph& part, Value value) {
    Value& local = local_[index_of(value)];
    if (local.valid()) return local;
    const Node* const producer = graph_.producer(value);
    if (producer != nullptr && (is_view(*producer) || is_constant(*producer))) {
      emit(part, *producer);
      return local;
    }
    const ValueInfo& info = graph_.info(value);
    const int32_t slot = slot_of(value);
    const bool is_old_state =
        producer == nullptr && result_.slots[static_cast<size_t>(slot)].kind == Slot::Kind::State;
    (is_old_state ? part.states : part.inputs).push_back(slot);
    const std::string name = info.name.empty() ? "value " + std::to_string(value.id) : info.name;
    local = is_old_state ? part.graph.add_state(name, info.type)
                         : part.graph.add_input(name, info.type);
    return local;
  }

  void add_outputs(SegmentGraph& part, int32_t number) {
    for (const NodeId id : segments_[static_cast<size_t>(number)].nodes) {
      for (const Value output : graph_.nodes()[static_cast<size_t>(id)].outputs) {
        const int32_t slot = slot_of(output);
        if (slot == kNone || result_.slots[static_cast<size_t>(slot)].kind == Slot::Kind::State) {
          continue;
        }
        part.outputs.push_back(slot);
        part.graph.add_output(local_[index_of(output)]);
      }
    }
  }

  const Graph& graph_;
  const Aliases aliases_;
  const std::vector<Segment>& segments_;
  std::vector<int32_t> segment_of_;  // by node
  std::vector<Value> local_;         // values of the whole graph in the segment under construction
  SegmentGraphs result_;
};

}  // namespace

SegmentGraphs segment_graphs(const Graph& graph, const std::vector<Segment>& segments) {
  return Cutter(graph, segments).run();
}

}  // namespace addax
