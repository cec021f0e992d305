#include <algorithm>
#include <numeric>
#include <set>

#include "ops/compute_class.h"
#include "ops/registry.h"
#include "passes/expr_assembler.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace addax::passes {
namespace {

constexpr size_t kMaxNodes = 24;
constexpr size_t kMaxExtras = 4;
constexpr int kMaxPulled = 4;

// Grows the region of elementwise nodes that can follow one contraction in registers. A region is
// good when only its last value is read outside of it: then it can be one node without a cycle,
// since a way back from that value into the region would be a cycle already.
class Region {
 public:
  Region(const FusionView& view, NodeId contraction, const std::vector<bool>& claimed)
      : view_(view),
        claimed_(claimed),
        accumulator_(view.node(contraction).outputs[0]),
        type_(view.graph().type(accumulator_)) {}

  // Whether there is anything to fuse; `nodes()` and `result()` then say what.
  bool grow() {
    if (!is_floating(type_.dtype) || view_.is_result(accumulator_)) return false;
    add_readers(accumulator_);
    while (!readers_.empty() && inside_.size() < kMaxNodes) {
      const NodeId next = *readers_.begin();
      readers_.erase(readers_.begin());
      if (inside_.contains(next)) continue;
      if (!accept(next, 0)) break;
      const Value value = view_.node(next).outputs[0];
      add_readers(value);
      if (view_.graph().type(value) == type_ && is_closed_but(value)) {
        best_.assign(inside_.begin(), inside_.end());
        result_ = value;
      }
    }
    return result_.valid();
  }

  const std::vector<NodeId>& nodes() const { return best_; }
  Value result() const { return result_; }
  Value accumulator() const { return accumulator_; }

 private:
  void add_readers(Value value) {
    for (NodeId user : view_.users(value)) readers_.insert(user);
  }

  bool is_inside(Value value) const {
    const NodeId from = view_.producer(value);
    return value == accumulator_ || (from != kNone && inside_.contains(from));
  }

  bool is_candidate(NodeId id) const {
    if (claimed_[static_cast<size_t>(id)] || !view_.is_elementwise(id)) return false;
    const Node& node = view_.node(id);
    const TensorType& type = view_.graph().type(node.outputs[0]);
    return view_.compute(id) == compute_class(type_.dtype) && type.shape == type_.shape &&
           (type.dtype == type_.dtype || type.dtype == DType::Bool) && view_.is_exact_unstored(id);
  }

  // Adds the node and, where an operand has a dtype that an extra may not have, its producer.
  bool accept(NodeId id, int depth) {
    if (!is_candidate(id)) return false;
    const std::set<int32_t> extras = extras_;
    const std::set<NodeId> inside = inside_;
    inside_.insert(id);
    for (Value operand : view_.operands(id)) {
      if (is_inside(operand) || view_.number(id, operand)) continue;
      if (view_.graph().dtype(operand) == type_.dtype) {
        extras_.insert(operand.id);
        if (extras_.size() <= kMaxExtras) continue;
      } else if (depth < kMaxPulled && is_pullable(operand, id) &&
                 accept(view_.producer(operand), depth + 1)) {
        continue;
      }
      extras_ = extras;
      inside_ = inside;
      return false;
    }
    return true;
  }

  bool is_pullable(Value operand, NodeId only_reader) const {
    return view_.producer(operand) != kNone && !view_.is_result(operand) &&
           view_.users(operand).size() == 1 && view_.users(operand)[0] == only_reader;
  }

  bool is_closed_but(Value last) const {
    const auto closed = [&](Value value) {
      const auto users = view_.users(value);
      return value == last ||
             (!view_.is_result(value) && std::all_of(users.begin(), users.end(), [&](NodeId user) {
               return inside_.contains(user);
             }));
    };
    return closed(accumulator_) && std::all_of(inside_.begin(), inside_.end(), [&](NodeId id) {
             return closed(view_.node(id).outputs[0]);
           });
  }

  const FusionView& view_;
  const std::vector<bool>& claimed_;
  Value accumulator_;
  TensorType type_;
  std::set<NodeId> inside_;
  std::set<NodeId> readers_;
  std::set<int32_t> extras_;
  std::vector<NodeId> best_;
  Value result_;
};

// The contraction with an epilogue that takes the place of `replaced`.
struct EpilogueCall {
  const OpDef* op;
  std::vector<Value> inputs;
  Attrs attrs;
  std::string label;
  Value replaced;
  NodeId position;  // of the last node that goes into it
};

// The op that is this contraction with an epilogue; null if there is none.
const OpDef* with_epilogue(const Node& node) {
  if (node.op->op_class != OpClass::Contraction) return nullptr;
  return OpRegistry::instance().find(node.op->name + "_epilogue");
}

std::vector<EpilogueCall> find_epilogues(const FusionView& view) {
  const Graph& graph = view.graph();
  std::vector<EpilogueCall> calls;
  std::vector<bool> claimed(graph.nodes().size(), false);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = view.node(id);
    const OpDef* op = with_epilogue(node);
    if (op == nullptr || !view.is_live(id)) continue;
    Region region(view, id, claimed);
    if (!region.grow()) continue;
    for (NodeId inside : region.nodes()) claimed[static_cast<size_t>(inside)] = true;
    const Value result = region.result();
    AssembledExpr epilogue =
        assemble_expr(view, region.nodes(), std::span(&result, 1), region.accumulator());
    EpilogueCall call{op, node.inputs, node.attrs, node.label, result, region.nodes().back()};
    call.inputs.insert(call.inputs.end(), epilogue.inputs.begin() + 1, epilogue.inputs.end());
    call.attrs.set("epilogue", epilogue.expr.to_string());
    calls.push_back(std::move(call));
  }
  return calls;
}

}  // namespace

void fuse_epilogue(Graph& graph, const PassTarget& target) {
  if (!target.fuse) return;
  const std::vector<EpilogueCall> calls = find_epilogues(FusionView(graph));
  if (calls.empty()) return;
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  std::vector<NodeId> positions(graph.nodes().size());
  std::iota(positions.begin(), positions.end(), 0);
  for (const EpilogueCall& call : calls) {
    graph.set_label(call.label);
    replacements[static_cast<size_t>(call.replaced.id)] =
        graph.emit(*call.op, call.attrs, call.inputs)[0];
    positions.push_back(call.position);
  }
  graph.set_label({});
  graph.replace_uses(replacements);
  place_nodes(graph, positions);
  eliminate_dead_code(graph, target);
}

}  // namespace addax::passes
