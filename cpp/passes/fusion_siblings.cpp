#include "passes/fusion_siblings.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace addax {
namespace {

class Joiner {
 public:
  Joiner(const FusionView& view, const FusionDepths& depths, std::vector<FusionGroup>& groups)
      : view_(view), depths_(depths), groups_(groups) {}

  void run() {
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (!groups_[i].cut) join_group(i);
    }
    for (NodeId id = 0; id < static_cast<NodeId>(view_.graph().nodes().size()); ++id) {
      if (view_.is_live(id) && is_fusible_reduction(view_.node(id))) join_reduction(id);
    }
    std::erase_if(groups_, [](const FusionGroup& group) { return group.nodes.empty(); });
  }

 private:
  void join_group(size_t i) {
    const int32_t depth = depths_.depth(groups_[i].nodes[0]);
    const std::set<int32_t> tensors = tensors_of(groups_[i]);
    size_t home = i;
    for (int32_t tensor : tensors) {
      const auto reader = readers_.find({depth, tensor});
      if (reader == readers_.end() || !may_join(groups_[i], groups_[reader->second])) continue;
      home = reader->second;
      groups_[home] = joined(groups_[home], std::exchange(groups_[i], {}));
      break;
    }
    for (int32_t tensor : tensors) readers_.try_emplace({depth, tensor}, home);
  }

  // Joins a reduction of what no loop computes to a group that reads the same.
  void join_reduction(NodeId id) {
    const Value operand = view_.operands(id)[0];
    const NodeId from = view_.producer(operand);
    if (from != kNone && view_.is_elementwise(from)) return;
    const auto reader = readers_.find({depths_.depth(id), operand.id});
    if (reader == readers_.end()) return;
    FusionGroup& group = groups_[reader->second];
    const TensorType& type = view_.graph().type(operand);
    const bool fits = type.dtype == view_.compute(group.nodes[0]) &&
                      is_outer_run(axes(id), type.shape.rank()) &&
                      (group.reductions.empty() || axes(group.reductions[0]) == axes(id)) &&
                      num_outputs(group) < kMaxFusedOutputs;
    if (!fits) return;
    group.reductions.push_back(id);
    std::sort(group.reductions.begin(), group.reductions.end());
  }

  bool may_join(const FusionGroup& a, const FusionGroup& b) const {
    if (a.reductions.empty() || b.reductions.empty()) return false;
    if (axes(a.reductions[0]) != axes(b.reductions[0])) return false;
    if (view_.compute(a.nodes[0]) != view_.compute(b.nodes[0])) return false;
    std::set<int32_t> inputs = inputs_of(a);
    inputs.merge(inputs_of(b));
    return inputs.size() <= kMaxFusedInputs &&
           num_operations(a) + num_operations(b) <= kMaxFusedOperations &&
           num_outputs(a) + num_outputs(b) <= kMaxFusedOutputs;
  }

  static FusionGroup joined(FusionGroup a, const FusionGroup& b) {
    a.nodes.insert(a.nodes.end(), b.nodes.begin(), b.nodes.end());
    a.reductions.insert(a.reductions.end(), b.reductions.begin(), b.reductions.end());
    std::sort(a.nodes.begin(), a.nodes.end());
    std::sort(a.reductions.begin(), a.reductions.end());
    return a;
  }

  const Ints& axes(NodeId reduction) const { return view_.node(reduction).attrs.ints("axes"); }

  static bool holds(const std::vector<NodeId>& nodes, NodeId id) {
    return std::binary_search(nodes.begin(), nodes.end(), id);
  }

  std::set<int32_t> inputs_of(const FusionGroup& group) const {
    std::set<int32_t> inputs;
    for (NodeId id : group.nodes) {
      for (Value operand : view_.operands(id)) {
        if (holds(group.nodes, view_.producer(operand)) || view_.number(id, operand)) continue;
        inputs.insert(operand.id);
      }
    }
    return inputs;
  }

  // The inputs that it reads each element of once.
  std::set<int32_t> tensors_of(const FusionGroup& group) const {
    const Shape& domain = view_.graph().shape(view_.node(group.nodes[0]).outputs[0]);
    std::set<int32_t> tensors = inputs_of(group);
    std::erase_if(tensors,
                  [&](int32_t input) { return view_.graph().shape(Value{input}) != domain; });
    return tensors;
  }

  int num_operations(const FusionGroup& group) const {
    int total = 0;
    for (NodeId id : group.nodes) total += view_.expr(id).num_operations();
    return total;
  }

  size_t num_outputs(const FusionGroup& group) const {
    const auto is_output = [&](NodeId id) {
      const Value value = view_.node(id).outputs[0];
      const auto users = view_.users(value);
      return view_.is_result(value) || std::any_of(users.begin(), users.end(), [&](NodeId user) {
               return !holds(group.nodes, user) && !holds(group.reductions, user);
             });
    };
    const auto maps = std::count_if(group.nodes.begin(), group.nodes.end(), is_output);
    return group.reductions.size() + static_cast<size_t>(maps);
  }

  const FusionView& view_;
  const FusionDepths& depths_;
  std::vector<FusionGroup>& groups_;
  // By depth and tensor: the first uncut group that reads it.
  std::map<std::pair<int32_t, int32_t>, size_t> readers_;
};

}  // namespace

void join_siblings(const FusionView& view, const FusionDepths& depths,
                   std::vector<FusionGroup>& groups) {
  Joiner(view, depths, groups).run();
}

}  // namespace addax
