#include "passes/fusion_groups.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "passes/fusion_depths.h"
#include "passes/fusion_siblings.h"

namespace addax {
namespace {

// Groups are what fusible edges connect at one depth, cut where it exceeds the limits.
class Grouper {
 public:
  Grouper(const FusionView& view, bool merge)
      : view_(view), merge_(merge), depths_(view, merge), parent_(count()), group_(count(), kNone) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  std::vector<FusionGroup> run() {
    const NodeId end = static_cast<NodeId>(count());
    for (NodeId id = 0; id < end; ++id) join_producers(id);
    std::vector<std::vector<NodeId>> components(count());
    for (NodeId id = 0; id < end; ++id) {
      if (view_.is_live(id) && view_.is_elementwise(id)) components[at(find(id))].push_back(id);
    }
    for (const std::vector<NodeId>& component : components) split(component);
    for (NodeId id = 0; id < end; ++id) {
      if (view_.is_live(id) && is_fusible_reduction(view_.node(id))) attach_reduction(id);
    }
    if (merge_) join_siblings(view_, depths_, groups_);
    return std::move(groups_);
  }

 private:
  static size_t at(NodeId id) { return static_cast<size_t>(id); }
  size_t count() const { return view_.graph().nodes().size(); }
  Value result(NodeId id) const { return view_.node(id).outputs[0]; }

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
      if (depths_.joins(from, id)) parent_[at(find(id))] = find(from);
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
    const size_t first = groups_.size();
    for (NodeId id : component) {
      if (!draft.group.nodes.empty() && !fits(id, draft)) {
        groups_.push_back(std::move(draft.group));
        draft = Draft();
      }
      add(id, draft);
    }
    if (!component.empty()) groups_.push_back(std::move(draft.group));
    for (size_t i = first; i < groups_.size(); ++i) groups_[i].cut = groups_.size() > first + 1;
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
    return draft.operations + view_.expr(id).num_operations() <= kMaxFusedOperations &&
           draft.inputs.size() + added.size() <= kMaxFusedInputs &&
           draft.open.size() + 1 - closed.size() <= kMaxFusedOutputs;
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
    if (!depths_.is_fusible(from, id)) return;
    FusionGroup& group = groups_[at(group_[at(from)])];
    const auto axes = [&](NodeId node) -> const Ints& {
      return view_.node(node).attrs.ints("axes");
    };
    if (group.reductions.size() == kMaxFusedOutputs) return;
    if (!group.reductions.empty() && axes(group.reductions[0]) != axes(id)) return;
    group.reductions.push_back(id);
  }

  const FusionView& view_;
  bool merge_;
  FusionDepths depths_;
  std::vector<NodeId> parent_;
  std::vector<int32_t> group_;  // by node
  std::vector<FusionGroup> groups_;
};

}  // namespace

std::vector<FusionGroup> fusion_groups(const FusionView& view, bool merge) {
  return Grouper(view, merge).run();
}

}  // namespace addax
