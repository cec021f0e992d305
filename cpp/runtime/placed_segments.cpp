#include "runtime/placed_segments.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "graph/verifier.h"
#include "passes/pipeline.h"
#include "passes/place.h"
#include "runtime/value_check.h"

namespace addax {
namespace {

// A part for the device stays as the device took it.
void prepare_for_device(Graph& graph, Device& device) {
  passes::materialize(graph, pass_target(device));
  verify(graph, "partition");
}

// The host fuses anew what the device refused in pieces.
void prepare_for_host(Graph& graph, Device& host) {
  const PassTarget target = pass_target(host);
  optimize(graph, target);
  if (const std::vector<NodeId> refused = refused_nodes(graph, target); !refused.empty()) {
    const Node& node = graph.nodes()[static_cast<size_t>(refused.front())];
    throw UnsupportedError("[" + node.op->name + "] neither the device nor " + host.name() +
                           " has a kernel for " + describe_types(graph, node) +
                           describe_label(node));
  }
}

PlacedSegment compile_segment(SegmentGraph part, bool on_host, Device& device, Device& host) {
  PlacedSegment segment;
  segment.on_host = on_host;
  if (on_host) {
    prepare_for_host(part.graph, host);
  } else {
    prepare_for_device(part.graph, device);
  }
  for (const Node& node : part.graph.nodes()) {
    segment.checks_values = segment.checks_values || checks_values(*node.op);
  }
  for (const State& state : part.graph.states()) {
    segment.overwrites_states = segment.overwrites_states || !(state.next == state.value);
  }
  for (const auto* slots : {&part.inputs, &part.states, &part.outputs}) {
    segment.bindings.insert(segment.bindings.end(), slots->begin(), slots->end());
  }
  segment.graph = std::make_unique<const Graph>(std::move(part.graph));
  segment.compiled = std::make_unique<const CompiledGraph>(*segment.graph, on_host ? host : device);
  return segment;
}

// Who reads and writes the slots decides what is copied when.
class Copies {
 public:
  Copies(const SegmentGraphs& parts, const std::vector<Segment>& segments)
      : parts_(parts), uses_(parts.slots.size()) {
    for (size_t i = 0; i < segments.size(); ++i) {
      const bool on_host = segments[i].on_host;
      for (const int32_t slot : parts.segments[i].inputs) use(slot).read_by[on_host] = true;
      for (const int32_t slot : parts.segments[i].states) {
        use(slot).read_by[on_host] = use(slot).old_read_by[on_host] = true;
      }
      for (const int32_t slot : written(i)) use(slot).written_by[on_host] = true;
    }
  }

  PlacedSlot slot(size_t number) const {
    const Slot& slot = parts_.slots[number];
    const Use& use = uses_[number];
    const bool is_bound = slot.kind != Slot::Kind::Crossing;
    PlacedSlot placed{slot.kind, slot.bytes};
    placed.on_device = is_bound || use.read_by[false] || use.written_by[false];
    placed.on_host = use.read_by[true] || use.written_by[true];
    placed.copied_each_step = (use.written_by[false] && use.read_by[true]) ||
                              (use.written_by[true] && use.read_by[false]);
    placed.copied_at_entry =
        slot.kind == Slot::Kind::Input ? use.read_by[true] : use.old_read_by[true];
    placed.copied_at_exit = is_bound && use.written_by[true] && !use.read_by[false];
    return placed;
  }

  // Slots that a segment writes.
  std::vector<int32_t> written(size_t segment) const {
    const SegmentGraph& part = parts_.segments[segment];
    std::vector<int32_t> slots = part.outputs;
    for (size_t i = 0; i < part.states.size(); ++i) {
      const State& state = part.graph.states()[i];
      if (!(state.next == state.value)) slots.push_back(part.states[i]);
    }
    return slots;
  }

 private:
  struct Use {
    bool read_by[2] = {false, false};      // by the device, by the host
    bool old_read_by[2] = {false, false};  // a state as the step found it
    bool written_by[2] = {false, false};
  };
  Use& use(int32_t slot) { return uses_[static_cast<size_t>(slot)]; }

  const SegmentGraphs& parts_;
  std::vector<Use> uses_;
};

}  // namespace

PlacedSegments place_segments(const Graph& graph, const std::vector<NodeId>& refused,
                              Device& device, Device& host) {
  std::vector<bool> on_host(graph.nodes().size(), false);
  for (const NodeId id : refused) on_host[static_cast<size_t>(id)] = true;
  const std::vector<Segment> segments = partition(graph, on_host, device.is_asynchronous());
  SegmentGraphs parts = segment_graphs(graph, segments);
  PlacedSegments placed;
  placed.slot_of = std::move(parts.slot_of);
  std::vector<std::vector<int32_t>> copied(segments.size());
  const Copies copies(parts, segments);
  for (size_t i = 0; i < parts.slots.size(); ++i) placed.slots.push_back(copies.slot(i));
  for (size_t i = 0; i < segments.size(); ++i) {
    for (const int32_t slot : copies.written(i)) {
      if (placed.slots[static_cast<size_t>(slot)].copied_each_step) copied[i].push_back(slot);
    }
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    placed.segments.push_back(
        compile_segment(std::move(parts.segments[i]), segments[i].on_host, device, host));
    placed.segments.back().copied = std::move(copied[i]);
  }
  return placed;
}

}  // namespace addax
