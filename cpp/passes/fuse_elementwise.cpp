#include <algorithm>
#include <numeric>

#include "ops/axes.h"
#include "ops/registry.h"
#include "passes/expr_assembler.h"
#include "passes/fusion_groups.h"
#include "passes/pass.h"
#include "passes/recompute.h"
#include "passes/rewriter.h"

namespace addax::passes {
namespace {

// A `fused` node to be: what it returns and which values of the old graph that is.
struct FusedCall {
  std::vector<Value> inputs;
  Attrs attrs;
  std::string label;
  std::vector<Value> replaced;
  NodeId position;  // of the last node that goes into it
};

class CallBuilder {
 public:
  CallBuilder(const FusionView& view, const FusionGroup& group) : view_(view), group_(group) {}

  FusedCall build() const {
    std::vector<Value> operands;  // what each output is made from
    std::string reduce;
    Ints dtypes;
    FusedCall call;
    const auto add_output = [&](Value operand, Value result, const std::string& reduction) {
      operands.push_back(operand);
      call.replaced.push_back(result);
      dtypes.push_back(static_cast<int64_t>(view_.graph().dtype(result)));
      reduce += (reduce.empty() ? "" : ",") + reduction;
    };
    for (NodeId id : group_.nodes) {
      const Value result = view_.node(id).outputs[0];
      if (is_read_outside(result)) add_output(result, result, "none");
      if (call.label.empty()) call.label = view_.node(id).label;
    }
    Ints axes;
    for (NodeId id : group_.reductions) {
      const Node& node = view_.node(id);
      add_output(node.inputs[0], node.outputs[0], node.op->name);
      axes = node.attrs.ints("axes");
    }
    AssembledExpr assembled = assemble_expr(view_, group_.nodes, operands);
    const NodeId first = group_.nodes.front();
    call.position = group_.reductions.empty()
                        ? group_.nodes.back()
                        : std::max(group_.nodes.back(), group_.reductions.back());
    call.inputs = std::move(assembled.inputs);
    call.attrs = {{"expr", assembled.expr.to_string()},
                  {"shape", to_ints(view_.graph().shape(view_.node(first).outputs[0]))},
                  {"compute", view_.compute(first)},
                  {"dtypes", std::move(dtypes)},
                  {"reduce", group_.reductions.empty() ? std::string() : reduce},
                  {"axes", std::move(axes)}};
    return call;
  }

 private:
  bool is_read_outside(Value value) const {
    const auto inside = [&](NodeId user) {
      return std::binary_search(group_.nodes.begin(), group_.nodes.end(), user) ||
             std::binary_search(group_.reductions.begin(), group_.reductions.end(), user);
    };
    const auto users = view_.users(value);
    return view_.is_result(value) || !std::all_of(users.begin(), users.end(), inside);
  }

  const FusionView& view_;
  const FusionGroup& group_;
};

}  // namespace

void fuse_elementwise(Graph& graph, const PassTarget& target) {
  // A copy may leave its operand to be stored for it alone, which the next round looks at.
  constexpr int kMaxRounds = 4;
  for (int round = 0; target.fuse && round < kMaxRounds && recompute_cheap_values(graph); ++round) {
  }
  std::vector<FusedCall> calls;
  {
    const FusionView view(graph);
    for (const FusionGroup& group : fusion_groups(view, target.fuse)) {
      calls.push_back(CallBuilder(view, group).build());
    }
  }
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  std::vector<NodeId> positions(graph.nodes().size());
  std::iota(positions.begin(), positions.end(), 0);
  for (FusedCall& call : calls) {
    graph.set_label(std::move(call.label));
    const std::vector<Value> outputs = graph.call_all("fused", call.inputs, std::move(call.attrs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Value old = call.replaced[i];
      // Reductions that keep their axes get them back as extents of 1.
      const Shape shape = graph.shape(old);
      replacements[static_cast<size_t>(old.id)] = graph.reshape(outputs[i], shape);
    }
    positions.resize(graph.nodes().size(), call.position);
  }
  graph.set_label({});
  graph.replace_uses(replacements);
  place_nodes(graph, positions);
  eliminate_dead_code(graph, target);
}

}  // namespace addax::passes
