#include <algorithm>
#include <functional>
#include <queue>
#include <set>

#include "passes/aliasing.h"
#include "passes/pass.h"

namespace addax::passes {
namespace {

// Reorders nodes, as little as it takes, so that whoever overwrites a state comes after the other
// readers of the old value. Where that is impossible, because such a reader needs the new value
// too, the order stays wrong and the state gets a copy.
class Scheduler {
 public:
  explicit Scheduler(Graph& graph)
      : graph_(graph),
        waiting_(graph.nodes().size(), 0),
        held_(graph.nodes().size(), 0),
        users_(graph.nodes().size()),
        overwriters_(graph.nodes().size()),
        done_(graph.nodes().size(), false) {}

  void run() {
    if (!add_overwrites()) return;
    add_uses();
    std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
    std::set<NodeId> blocked;  // only by overwriting
    const auto classify = [&](NodeId id) {
      if (waiting_[at(id)] > 0 || done_[at(id)]) return;
      if (held_[at(id)] == 0) {
        blocked.erase(id);
        ready.push(id);
      } else {
        blocked.insert(id);
      }
    };
    for (NodeId id = 0; id < static_cast<NodeId>(waiting_.size()); ++id) classify(id);
    std::vector<Node> order;
    while (!ready.empty() || !blocked.empty()) {
      NodeId next;
      if (!ready.empty()) {
        next = ready.top();
        ready.pop();
      } else {
        next = *blocked.begin();
        blocked.erase(blocked.begin());
      }
      done_[at(next)] = true;
      order.push_back(std::move(graph_.mutable_nodes()[at(next)]));
      for (NodeId user : users_[at(next)]) {
        if (--waiting_[at(user)] == 0) classify(user);
      }
      for (NodeId writer : overwriters_[at(next)]) {
        if (--held_[at(writer)] == 0) classify(writer);
      }
    }
    graph_.mutable_nodes() = std::move(order);
    graph_.compact();
  }

 private:
  static size_t at(NodeId id) { return static_cast<size_t>(id); }

  // Returns whether the present order overwrites any state too early.
  bool add_overwrites() {
    const Aliases aliases(graph_);
    bool early = false;
    for (const State& state : graph_.states()) {
      const Value written = aliases.root(state.next);
      if (written == state.value || !is_computed(graph_, aliases, written)) continue;
      const NodeId writer = graph_.info(written).producer;
      for (NodeId reader : aliases.readers(state.value)) {
        if (reader == writer) continue;
        early = early || reader > writer;
        overwriters_[at(reader)].push_back(writer);
        ++held_[at(writer)];
      }
    }
    return early;
  }

  void add_uses() {
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      for (Value input : graph_.nodes()[i].inputs) {
        const NodeId producer = graph_.info(input).producer;
        if (producer == kNone) continue;
        users_[at(producer)].push_back(static_cast<NodeId>(i));
        ++waiting_[i];
      }
    }
  }

  Graph& graph_;
  std::vector<int32_t> waiting_;  // operands not computed yet
  std::vector<int32_t> held_;     // readers of what the node overwrites that have not run yet
  std::vector<std::vector<NodeId>> users_;
  std::vector<std::vector<NodeId>> overwriters_;
  std::vector<bool> done_;
};

class Materializer {
 public:
  explicit Materializer(Graph& graph) : graph_(graph), aliases_(graph) {}

  void run() {
    const size_t before = graph_.nodes().size();
    assign_states();
    assign_outputs();
    std::vector<Node>& nodes = graph_.mutable_nodes();
    if (nodes.size() == before) return;
    std::vector<Node> order;
    order.reserve(nodes.size());
    for (size_t id : early_) order.push_back(std::move(nodes[id]));
    for (size_t id = 0; id < nodes.size(); ++id) {
      if (!std::binary_search(early_.begin(), early_.end(), id)) {
        order.push_back(std::move(nodes[id]));
      }
    }
    nodes = std::move(order);
    graph_.compact();
  }

 private:
  // A copy at the start of the step reads what states held at entry; one at the end reads what
  // values hold when every node has run.
  Value copy_at_start(Value value) {
    early_.push_back(graph_.nodes().size());
    return graph_.call("copy", {value});
  }
  Value copy_at_end(Value value) { return graph_.call("copy", {value}); }

  bool claim(Value root) {
    if (!is_computed(graph_, aliases_, root) || claimed_.contains(root.id)) return false;
    claimed_.insert(root.id);
    return true;
  }

  const State* state_of(Value root) const {
    const auto& states = graph_.states();
    const auto found = std::find_if(states.begin(), states.end(),
                                    [&](const State& state) { return state.value == root; });
    return found == states.end() ? nullptr : &*found;
  }

  void assign_states() {
    std::vector<size_t> copied;
    for (size_t i = 0; i < graph_.states().size(); ++i) {
      const State state = graph_.states()[i];
      const Value written = aliases_.root(state.next);
      if (written == state.value) {
        graph_.set_next(state.value, state.value);
        continue;
      }
      const bool direct = is_computed(graph_, aliases_, written) &&
                          aliases_.may_update(state.value, written) && claim(written);
      if (!direct) copied.push_back(i);
    }
    // Which states keep their value is known only now.
    std::vector<Value> sources;
    for (size_t i : copied) {
      const Value next = graph_.states()[i].next;
      const State* other = state_of(aliases_.root(next));
      const bool overwritten = other != nullptr && other->next != other->value;
      sources.push_back(overwritten ? copy_at_start(next) : next);
    }
    for (size_t k = 0; k < copied.size(); ++k) {
      graph_.set_next(graph_.states()[copied[k]].value, copy_at_end(sources[k]));
    }
  }

  void assign_outputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const Value output = graph_.outputs()[i];
      const Value root = aliases_.root(output);
      if (claim(root)) continue;
      graph_.set_output(i, state_of(root) != nullptr ? copy_at_start(output) : copy_at_end(output));
    }
  }

  Graph& graph_;
  Aliases aliases_;  // of the graph as it came; copies have no views and are claimed where made
  std::set<int32_t> claimed_;
  std::vector<size_t> early_;
};

}  // namespace

void materialize(Graph& graph, const PassTarget&) {
  Scheduler(graph).run();
  Materializer(graph).run();
}

}  // namespace addax::passes
