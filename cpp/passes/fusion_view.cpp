#include "passes/fusion_view.h"

#include <algorithm>

#include "ops/compute_class.h"
#include "ops/registry.h"
#include "passes/uniform.h"

namespace addax {
namespace {

size_t index_of(Value value) { return static_cast<size_t>(value.id); }
size_t index_of(NodeId id) { return static_cast<size_t>(id); }

bool is_cast(const Node& node) {
  static const OpDef* cast = OpRegistry::instance().find("cast");
  return node.op == cast;
}

bool is_broadcast(const Node& node) {
  static const OpDef* broadcast_to = OpRegistry::instance().find("broadcast_to");
  return node.op == broadcast_to;
}

// Whether the operation on values within the range of an integer type stays within it.
bool keeps_range(ScalarOp op) {
  switch (op) {
    case ScalarOp::Input:
    case ScalarOp::Constant:
    case ScalarOp::Maximum:
    case ScalarOp::Minimum:
    case ScalarOp::Sign:
    case ScalarOp::Mod:
    case ScalarOp::Equal:
    case ScalarOp::NotEqual:
    case ScalarOp::Less:
    case ScalarOp::LessEqual:
    case ScalarOp::Greater:
    case ScalarOp::GreaterEqual:
    case ScalarOp::LogicalAnd:
    case ScalarOp::LogicalOr:
    case ScalarOp::LogicalNot:
    case ScalarOp::Where:
      return true;
    default:
      return false;
  }
}

bool widens_integer(DType from, DType to) {
  if (from == DType::Bool || from == to) return true;
  return to == DType::Int64 ||
         (to == DType::Int32 && (from == DType::UInt8 || from == DType::Int8));
}

}  // namespace

FusionView::FusionView(const Graph& graph)
    : graph_(graph),
      compute_(graph.nodes().size()),
      logical_(graph.nodes().size(), false),
      varies_(graph.nodes().size(), false),
      live_(graph.nodes().size(), false),
      result_(static_cast<size_t>(graph.num_values()), false),
      operands_(graph.nodes().size()),
      users_(static_cast<size_t>(graph.num_values())) {
  classify();
  read_through();
  find_live();
  settle_logical();
}

void FusionView::classify() {
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    if (node.op->op_class != OpClass::Elementwise || node.outputs.size() != 1) continue;
    const DType from = graph_.dtype(node.inputs.back());  // `where` has its condition first
    const DType to = graph_.dtype(node.outputs[0]);
    compute_[i] = is_cast(node) ? cast_class(from, to) : compute_class(from);
    logical_[i] = from == DType::Bool && to == DType::Bool;
  }
}

void FusionView::read_through() {
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    operands_[i] = node.inputs;
    if (!compute_[i]) continue;
    for (Value& operand : operands_[i]) {
      for (const Node* from = graph_.producer(operand); from != nullptr;
           from = graph_.producer(operand)) {
        // A float64 that is only ever used as float32 converts as it is loaded.
        const bool narrows = is_cast(*from) && *compute_[i] == DType::Float32 &&
                             graph_.dtype(operand) == DType::Float32 &&
                             graph_.dtype(from->inputs[0]) == DType::Float64 &&
                             (graph_.producer(from->inputs[0]) == nullptr ||
                              !compute_[index_of(producer(from->inputs[0]))]);
        if (!narrows && !is_broadcast(*from)) break;
        operand = from->inputs[0];
      }
      varies_[i] =
          varies_[i] || literal_of(graph_, operand) == nullptr || !uniform_value(graph_, operand);
    }
  }
}

std::optional<double> FusionView::number(NodeId id, Value operand) const {
  if (!varies_[index_of(id)] || literal_of(graph_, operand) == nullptr) return std::nullopt;
  return uniform_value(graph_, operand);
}

void FusionView::find_live() {
  for (Value output : graph_.outputs()) result_[index_of(output)] = true;
  for (const State& state : graph_.states()) result_[index_of(state.next)] = true;
  std::vector<bool> needed = result_;
  for (size_t i = graph_.nodes().size(); i-- > 0;) {
    for (Value output : graph_.nodes()[i].outputs) live_[i] = live_[i] || needed[index_of(output)];
    if (!live_[i]) continue;
    for (Value operand : operands_[i]) needed[index_of(operand)] = true;
  }
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    if (!live_[i]) continue;
    for (Value operand : operands_[i]) {
      std::vector<NodeId>& users = users_[index_of(operand)];
      const NodeId id = static_cast<NodeId>(i);
      if (users.empty() || users.back() != id) users.push_back(id);
    }
  }
}

// Truth values join the company of those that read them, else of those that they are made from.
void FusionView::settle_logical() {
  std::vector<bool> settled(graph_.nodes().size());
  for (size_t i = 0; i < settled.size(); ++i) settled[i] = !logical_[i];
  for (size_t i = graph_.nodes().size(); i-- > 0;) {
    if (settled[i] || !compute_[i]) continue;
    for (NodeId user : users(graph_.nodes()[i].outputs[0])) {
      if (!is_elementwise(user) || !settled[index_of(user)]) continue;
      compute_[i] = compute(user);
      settled[i] = true;
      break;
    }
  }
  for (size_t i = 0; i < settled.size(); ++i) {
    if (settled[i] || !compute_[i]) continue;
    for (Value operand : operands_[i]) {
      const NodeId from = producer(operand);
      if (from == kNone || !is_elementwise(from) || !settled[index_of(from)]) continue;
      compute_[i] = compute(from);
      settled[i] = true;
      break;
    }
  }
}

bool FusionView::is_exact_unstored(NodeId id) const {
  const Node& node = this->node(id);
  const DType to = graph_.dtype(node.outputs[0]);
  if (to == DType::Bool) return true;
  if (is_cast(node)) {
    const DType from = graph_.dtype(node.inputs[0]);
    if (from == DType::Bool || from == to) return true;
    return is_floating(to) ? to == compute(id) : !is_floating(from) && widens_integer(from, to);
  }
  if (is_floating(to) || to == DType::Int64) return true;
  const std::vector<ScalarInstruction>& code = expr(id).code;
  return std::all_of(code.begin(), code.end(),
                     [](const ScalarInstruction& in) { return keeps_range(in.op); });
}

const ScalarExpr& FusionView::expr(NodeId id) const {
  const Node& node = this->node(id);
  std::string key = node.op->name + node.attrs.to_string();
  const bool truth = is_cast(node) && graph_.dtype(node.outputs[0]) == DType::Bool;
  const auto found = exprs_.find(key);
  if (found != exprs_.end()) return found->second;
  ScalarExpr expr =
      truth ? ScalarExpr::parse("x != 0", node.op->inputs) : scalar_expr(*node.op, node.attrs);
  return exprs_.emplace(std::move(key), std::move(expr)).first->second;
}

}  // namespace addax
