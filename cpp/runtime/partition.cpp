#include "runtime/partition.h"

#include <algorithm>

#include "passes/aliasing.h"

namespace addax {
namespace {

// For each node those that must run before it.
class Order {
 public:
  explicit Order(const Graph& graph) : earlier_(graph.nodes().size()) {
    const Aliases aliases(graph);
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      if (is_view(node) || is_constant(node)) continue;
      nodes_.push_back(static_cast<NodeId>(i));
      for (const Value input : node.inputs) {
        if (!is_computed(graph, aliases, input)) continue;
        earlier_[i].push_back(graph.info(aliases.root(input)).producer);
      }
    }
    for (const State& state : graph.states()) {
      const Value written = aliases.root(state.next);
      if (written == state.value) continue;
      const NodeId writer = graph.info(written).producer;
      for (const NodeId reader : aliases.readers(state.value)) {
        if (reader != writer) earlier_[static_cast<size_t>(writer)].push_back(reader);
      }
    }
  }

  // Those that run, as ordered in the graph.
  const std::vector<NodeId>& nodes() const { return nodes_; }
  const std::vector<NodeId>& before(NodeId node) const {
    return earlier_[static_cast<size_t>(node)];
  }

 private:
  std::vector<NodeId> nodes_;
  std::vector<std::vector<NodeId>> earlier_;
};

std::vector<Segment> cut(const Order& order, const std::vector<bool>& on_host, bool host_first) {
  std::vector<Segment> segments;
  std::vector<bool> done(on_host.size(), false);
  size_t left = order.nodes().size();
  for (bool host = host_first; left > 0; host = !host) {
    Segment segment{host, {}};
    for (const NodeId id : order.nodes()) {
      const auto at = static_cast<size_t>(id);
      if (done[at] || on_host[at] != host) continue;
      const std::vector<NodeId>& before = order.before(id);
      if (!std::all_of(before.begin(), before.end(),
                       [&](NodeId other) { return done[static_cast<size_t>(other)]; })) {
        continue;
      }
      done[at] = true;
      segment.nodes.push_back(id);
    }
    left -= segment.nodes.size();
    if (!segment.nodes.empty()) segments.push_back(std::move(segment));
  }
  return segments;
}

// Which nodes have to run before those of `segment`.
std::vector<bool> needed_by(const Order& order, const Segment& segment, size_t num_nodes) {
  std::vector<bool> needed(num_nodes, false);
  std::vector<NodeId> open = segment.nodes;
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    for (const NodeId other : order.before(id)) {
      if (needed[static_cast<size_t>(other)]) continue;
      needed[static_cast<size_t>(other)] = true;
      open.push_back(other);
    }
  }
  return needed;
}

// Splits each segment of the device that the host follows.
std::vector<Segment> split(const Order& order, std::vector<Segment> segments, size_t num_nodes) {
  std::vector<Segment> result;
  for (size_t i = 0; i < segments.size(); ++i) {
    Segment rest{false, {}};
    if (!segments[i].on_host && i + 1 < segments.size()) {
      const std::vector<bool> needed = needed_by(order, segments[i + 1], num_nodes);
      std::vector<NodeId>& nodes = segments[i].nodes;
      const auto middle = std::stable_partition(
          nodes.begin(), nodes.end(), [&](NodeId id) { return needed[static_cast<size_t>(id)]; });
      rest.nodes.assign(middle, nodes.end());
      nodes.erase(middle, nodes.end());
    }
    for (Segment* part : {&segments[i], &rest}) {
      if (!part->nodes.empty()) result.push_back(std::move(*part));
    }
  }
  return result;
}

}  // namespace

std::vector<Segment> partition(const Graph& graph, const std::vector<bool>& on_host, bool overlap) {
  const Order order(graph);
  std::vector<Segment> segments = cut(order, on_host, false);
  std::vector<Segment> other = cut(order, on_host, true);
  if (other.size() < segments.size()) segments = std::move(other);
  return overlap ? split(order, std::move(segments), on_host.size()) : segments;
}

}  // namespace addax
