#include "passes/fusion_groups.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

namespace addax {
namespace {

constexpr int kMaxOperations = 48;
constexpr size_t kMaxInputs = 12;
constexpr size_t kMaxOutputs = 8;

bool is_fusible_reduction(const Node& node) {
  const std::string& op = node.op->name;
  return node.op->op_class == OpClass::Reduce &&
         (op == "sum" || op == "max" || op == "min" || op == "prod");
}

// Whether the axes, sorted, are the first or the last ones of `rank`.
bool is_outer_run(const Ints& axes, int rank) {
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<int64_t>(axes.size())) {
    return false;
  }
  return axes.front() == 0 || axes.back() == rank - 1;
}

// Groups are the connected nodes of one depth, where an edge along which a value may stay in a
// register adds nothing to the depth and any other edge adds one. No path can leave a group and
// come back, since it would come back deeper. Depths are first the least possible; then a node
// whose readers are all deeper moves down to them if no more has to be stored than before.
class Grouper {
 public:
  Grouper(const FusionView& view, bool merge)
      : view_(view), merge_(merge), depth_(count(), 0), parent_(count()), group_(count(), kNone) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  std::vector<FusionGroup> run() {
    const NodeId end = static_cast<NodeId>(count());
    for (NodeId id = 0; id < end; ++id) settle_early(id);
    for (NodeId id = end; id-- > 0;) settle_late(id);
    for (NodeId id = 0; id < end; ++id) join_producers(id);
    std::vector<std::vector<NodeId>> components(count());
    for (NodeId id = 0; id < end; ++id) {
      if (view_.is_live(id) && view_.is_elementwise(id)) components[at(find(id))].push_back(id);
    }
    for (const std::vector<NodeId>& component : components) split(component);
    for (NodeId id = 0; id < end; ++id) {
      if (view_.is_live(id) && is_fusible_reduction(view_.node(id))) attach_reduction(id);
    }
    return std::move(groups_);
  }

 private:
  static size_t at(NodeId id) { return static_cast<size_t>(id); }
  size_t count() const { return view_.graph().nodes().size(); }
  Value result(NodeId id) const { return view_.node(id).outputs[0]; }

  // Whether `user` may read what `from` computes without memory in between.
  bool is_fusible(NodeId from, NodeId user) const {
    if (!merge_ || from == kNone || !view_.is_elementwise(from)) return false;
    const Graph& graph = view_.graph();
    const Shape& domain = graph.shape(result(from));
    if (view_.is_elementwise(user)) {
      return view_.compute(from) == view_.compute(user) && graph.shape(result(user)) == domain &&
             view_.is_exact_unstored(from);
    }
    const Node& node = view_.node(user);
    return is_fusible_reduction(node) && is_outer_run(node.attrs.ints("axes"), domain.rank()) &&
           is_floating(graph.dtype(result(from))) == is_floating(view_.compute(from)) &&
           view_.is_exact_unstored(from);
  }

  void settle_early(NodeId id) {
    int32_t& depth = depth_[at(id)];
    for (Value operand : view_.operands(id)) {
      const NodeId from = view_.producer(operand);
      if (from == kNone) continue;
      depth = std::max(depth, depth_[at(from)] + (is_fusible(from, id) ? 0 : 1));
    }
  }

  void settle_late(NodeId id) {
    if (!view_.is_live(id) || !view_.is_elementwise(id) || view_.is_result(result(id))) return;
    const auto users = view_.users(result(id));
    int32_t latest = std::numeric_limits<int32_t>::max();
    for (NodeId user : users) {
      latest = std::min(latest, depth_[at(user)] - (is_fusible(id, user) ? 0 : 1));
    }
    if (latest <= depth_[at(id)]) return;
    const bool joins = std::any_of(users.begin(), users.end(), [&](NodeId user) {
      return depth_[at(user)] == latest && is_fusible(id, user);
    });
    if (joins && newly_stored(id) <= 1) depth_[at(id)] = latest;
  }

  // How many operands would have to be stored only because the node leaves their group.
  int newly_stored(NodeId id) const {
    std::set<int32_t> stored;
    for (Value operand : view_.operands(id)) {
      const NodeId from = view_.producer(operand);
      if (!is_fusible(from, id) || depth_[at(from)] != depth_[at(id)]) continue;
      const auto users = view_.users(operand);
      const bool kept = std::any_of(users.begin(), users.end(), [&](NodeId user) {
        return user != id && (depth_[at(user)] != depth_[at(from)] || !is_fusible(from, user));
      });
      if (!kept && !view_.is_result(operand)) stored.insert(operand.id);
    }
    return static_cast<int>(stored.size());
  }

  NodeId find(NodeId id) {
    while (parent_[at(id)] != id) {
      parent_[at(id)] = parent_[at(parent_[at(id)])];
      id = parent_[at(id)];
    }
    return id;
  }

  void join_producers(NodeId id) {
    if (!view_.is_live(id) || !view_.is_elementwise(id)) return;
    for (Value operand : view_.operands(id)) {
      const NodeId from = view_.producer(operand);
      if (is_fusible(from, id) && depth_[at(from)] == depth_[at(id)]) {
        parent_[at(find(id))] = find(from);
      }
    }
  }

  // A group that still takes nodes.
  struct Draft {
    FusionGroup group;
    int operations = 0;
    std::set<int32_t> inputs;  // values from outside
    std::set<int32_t> open;    // values that somebody outside reads
  };

  // Cuts a component into groups within the limits; in order, so that no cycle arises.
  void split(const std::vector<NodeId>& component) {
    Draft draft;
    for (NodeId id : component) {
      if (!draft.group.nodes.empty() && !fits(id, draft)) {
        groups_.push_back(std::move(draft.group));
        draft = Draft();
      }
      add(id, draft);
    }
    if (!component.empty()) groups_.push_back(std::move(draft.group));
  }

  // The group under construction has the number that the next finished one will have.
  bool in_draft(NodeId id) const {
    return id != kNone && group_[at(id)] == static_cast<int32_t>(groups_.size());
  }

  // Whether nobody outside of the draft needs the value once `last` has read it.
  bool closes(Value value, NodeId last) const {
    const auto users = view_.users(value);
    return !view_.is_result(value) && std::all_of(users.begin(), users.end(), [&](NodeId user) {
      return user == last || in_draft(user);
    });
  }

  bool fits(NodeId id, const Draft& draft) const {
    std::set<int32_t> added;
    std::set<int32_t> closed;
    for (Value operand : view_.operands(id)) {
      if (in_draft(view_.producer(operand))) {
        if (closes(operand, id)) closed.insert(operand.id);
      } else if (!view_.number(id, operand) && !draft.inputs.contains(operand.id)) {
        added.insert(operand.id);
      }
    }
    return draft.operations + view_.expr(id).num_operations() <= kMaxOperations &&
           draft.inputs.size() + added.size() <= kMaxInputs &&
           draft.open.size() + 1 - closed.size() <= kMaxOutputs;
  }

  void add(NodeId id, Draft& draft) {
    for (Value operand : view_.operands(id)) {
      if (in_draft(view_.producer(operand))) {
        if (closes(operand, id)) draft.open.erase(operand.id);
      } else if (!view_.number(id, operand)) {
        draft.inputs.insert(operand.id);
      }
    }
    draft.open.insert(result(id).id);
    draft.operations += view_.expr(id).num_operations();
    draft.group.nodes.push_back(id);
    group_[at(id)] = static_cast<int32_t>(groups_.size());
  }

  // A reduction joins the group that computes its operand if those already there have its axes.
  void attach_reduction(NodeId id) {
    const NodeId from = view_.producer(view_.operands(id)[0]);
    if (!is_fusible(from, id)) return;
    FusionGroup& group = groups_[at(group_[at(from)])];
    const auto axes = [&](NodeId node) -> const Ints& {
      return view_.node(node).attrs.ints("axes");
    };
    if (group.reductions.size() == kMaxOutputs) return;
    if (!group.reductions.empty() && axes(group.reductions[0]) != axes(id)) return;
    group.reductions.push_back(id);
  }

  const FusionView& view_;
  bool merge_;
  std::vector<int32_t> depth_;
  std::vector<NodeId> parent_;
  std::vector<int32_t> group_;  // by node
  std::vector<FusionGroup> groups_;
};

}  // namespace

std::vector<FusionGroup> fusion_groups(const FusionView& view, bool merge) {
  return Grouper(view, merge).run();
}

}  // namespace addax
