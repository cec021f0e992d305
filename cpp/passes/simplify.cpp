#include <cmath>
#include <numeric>
#include <unordered_map>

#include "ops/axes.h"
#include "ops/registry.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "passes/uniform.h"

namespace addax::passes {
namespace {

// Whether every value of `from` is one of `to`.
bool holds_all(DType from, DType to) {
  if (from == to || from == DType::Bool) return true;
  const bool tiny = from == DType::UInt8 || from == DType::Int8;
  switch (to) {
    case DType::Int32:
      return tiny;
    case DType::Int64:
      return is_integer(from);
    case DType::Float16:
    case DType::BFloat16:
      return tiny;
    case DType::Float32:
      return tiny || from == DType::Float16 || from == DType::BFloat16;
    case DType::Float64:
      return from != DType::Int64;
    default:
      return false;
  }
}

bool is_power_of_two(double value) {
  int exponent = 0;
  return std::isfinite(value) && std::fabs(std::frexp(value, &exponent)) == 0.5;
}

class Simplifier {
 public:
  explicit Simplifier(Graph& graph) : graph_(graph) {}

  Value operator()(const Node& node) {
    using Rule = Value (Simplifier::*)(const Node&);
    static const std::unordered_map<const OpDef*, Rule> rules = [] {
      const OpRegistry& ops = OpRegistry::instance();
      std::unordered_map<const OpDef*, Rule> table;
      const auto add = [&](Rule rule, std::initializer_list<std::string_view> names) {
        for (std::string_view name : names) table.emplace(&ops.at(name), rule);
      };
      add(&Simplifier::add, {"add"});
      add(&Simplifier::subtract, {"subtract"});
      add(&Simplifier::multiply, {"multiply"});
      add(&Simplifier::divide, {"divide", "floor_divide"});
      add(&Simplifier::power, {"power"});
      add(&Simplifier::involution, {"negative", "logical_not"});
      add(&Simplifier::idempotent, {"maximum", "minimum", "logical_and", "logical_or"});
      add(&Simplifier::where, {"where"});
      add(&Simplifier::cast, {"cast"});
      add(&Simplifier::identity, {"stop_gradient", "copy"});
      add(&Simplifier::reshape, {"reshape"});
      add(&Simplifier::broadcast_to, {"broadcast_to"});
      add(&Simplifier::transpose, {"transpose"});
      add(&Simplifier::slice, {"slice"});
      add(&Simplifier::pad, {"pad"});
      add(&Simplifier::flip, {"flip"});
      add(&Simplifier::concatenate, {"concatenate"});
      add(&Simplifier::reduce, {"sum", "prod", "max", "min", "mean"});
      add(&Simplifier::matmul, {"matmul"});
      return table;
    }();
    const auto rule = rules.find(node.op);
    const Value simpler = rule == rules.end() ? Value() : (this->*rule->second)(node);
    if (simpler.valid() || node.op->op_class != OpClass::Elementwise) return simpler;
    return shrink(node);
  }

 private:
  const Node* producer(Value value, std::string_view op) const {
    const Node* node = graph_.producer(value);
    return node != nullptr && node->op != nullptr && node->op->name == op ? node : nullptr;
  }

  bool is(Value value, double number) const {
    const std::optional<double> uniform = uniform_value(graph_, value);
    return uniform && *uniform == number && std::signbit(*uniform) == std::signbit(number);
  }

  bool floating(Value value) const { return is_floating(graph_.dtype(value)); }

  // An operand in the place of the node's result.
  Value as_result(const Node& node, Value value) {
    const Shape shape = graph_.shape(node.outputs[0]);
    return graph_.broadcast_to(value, shape);
  }

  // Of floating numbers only -0 is neutral: 0 + -0 is 0.
  Value add(const Node& node) {
    const double zero = floating(node.inputs[0]) ? -0.0 : 0.0;
    if (is(node.inputs[1], zero)) return as_result(node, node.inputs[0]);
    if (is(node.inputs[0], zero)) return as_result(node, node.inputs[1]);
    return {};
  }

  Value subtract(const Node& node) {
    if (is(node.inputs[1], 0)) return as_result(node, node.inputs[0]);
    if (floating(node.inputs[0])) return {};
    if (is(node.inputs[0], 0)) return as_result(node, graph_.negative(node.inputs[1]));
    if (node.inputs[0] == node.inputs[1]) return graph_.full(0, graph_.type(node.outputs[0]));
    return {};
  }

  Value multiply(const Node& node) {
    for (size_t i = 0; i < 2; ++i) {
      const Value other = node.inputs[1 - i];
      if (is(node.inputs[i], 1)) return as_result(node, other);
      if (is(node.inputs[i], 0) && !floating(other)) return as_result(node, node.inputs[i]);
    }
    return {};
  }

  // The reciprocal of a power of two is exact unless it leaves the range of normal numbers.
  Value divide(const Node& node) {
    const auto [x, y] = std::pair(node.inputs[0], node.inputs[1]);
    if (is(y, 1)) return as_result(node, x);
    const std::optional<double> divisor = uniform_value(graph_, y);
    const DType dtype = graph_.dtype(y);
    if (node.op->name != "divide" || !divisor || !is_power_of_two(*divisor)) return {};
    const int range = dtype == DType::Float16 ? 14 : dtype == DType::Float64 ? 1022 : 126;
    if (std::abs(std::ilogb(*divisor)) > range) return {};
    return as_result(node, graph_.multiply(x, graph_.scalar(1 / *divisor, dtype)));
  }

  Value power(const Node& node) {
    const Value x = node.inputs[0];
    if (is(node.inputs[1], 1)) return as_result(node, x);
    if (is(node.inputs[1], 2)) return as_result(node, graph_.call("square", {x}));
    return {};
  }

  Value involution(const Node& node) {
    const Node* inner = producer(node.inputs[0], node.op->name);
    return inner != nullptr ? inner->inputs[0] : Value();
  }

  Value idempotent(const Node& node) {
    return node.inputs[0] == node.inputs[1] ? node.inputs[0] : Value();
  }

  Value where(const Node& node) {
    if (node.inputs[1] == node.inputs[2]) return as_result(node, node.inputs[1]);
    const std::optional<double> condition = uniform_value(graph_, node.inputs[0]);
    if (!condition) return {};
    return as_result(node, node.inputs[*condition != 0 ? 1 : 2]);
  }

  Value cast(const Node& node) {
    const DType to = node.attrs.dtype("dtype");
    const Value x = node.inputs[0];
    if (graph_.dtype(x) == to) return x;
    const Node* inner = producer(x, "cast");
    if (inner == nullptr) return {};
    const Value source = inner->inputs[0];
    const DType from = graph_.dtype(source);
    const DType between = graph_.dtype(x);
    // A negative number on its way to an unsigned one takes different ways as float and as integer.
    const bool same_way =
        is_floating(from) || !is_floating(between) || is_floating(to) || holds_all(from, to);
    if (!holds_all(from, between) || !same_way) return {};
    return graph_.cast(source, to);
  }

  Value identity(const Node& node) { return node.inputs[0]; }

  Value reshape(const Node& node) {
    const Value x = node.inputs[0];
    const Shape shape = graph_.shape(node.outputs[0]);
    if (graph_.shape(x) == shape) return x;
    const Node* inner = producer(x, "reshape");
    return inner != nullptr ? graph_.reshape(inner->inputs[0], shape) : Value();
  }

  Value broadcast_to(const Node& node) {
    const Value x = node.inputs[0];
    const Shape shape = graph_.shape(node.outputs[0]);
    if (graph_.shape(x) == shape) return x;
    if (const Node* inner = producer(x, "broadcast_to")) {
      return graph_.broadcast_to(inner->inputs[0], shape);
    }
    if (graph_.shape(x).num_elements() != shape.num_elements()) return {};
    // A number is best seen as such.
    return uniform_value(graph_, x) ? Value() : graph_.reshape(x, shape);
  }

  Value transpose(const Node& node) {
    Ints permutation = node.attrs.ints("permutation");
    Value x = node.inputs[0];
    if (std::is_sorted(permutation.begin(), permutation.end())) return x;
    if (const Node* inner = producer(x, "transpose")) {
      const Ints& first = inner->attrs.ints("permutation");
      for (int64_t& axis : permutation) axis = first[static_cast<size_t>(axis)];
      return graph_.transpose(inner->inputs[0], std::move(permutation));
    }
    // Axes of extent 1 move freely.
    const Shape from = graph_.shape(x);
    std::erase_if(permutation, [&](int64_t axis) { return from[static_cast<int>(axis)] == 1; });
    if (!std::is_sorted(permutation.begin(), permutation.end())) return {};
    const Shape shape = graph_.shape(node.outputs[0]);
    return graph_.reshape(x, shape);
  }

  Value slice(const Node& node) { return keep_if_same_shape(node); }

  Value pad(const Node& node) {
    const auto none = [&](std::string_view attr) {
      const Ints& values = node.attrs.ints(attr);
      return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 0; });
    };
    return none("low") && none("high") && none("interior") ? node.inputs[0] : Value();
  }

  Value flip(const Node& node) {
    const Shape& shape = graph_.shape(node.inputs[0]);
    const Ints& axes = node.attrs.ints("axes");
    const bool moves = std::any_of(axes.begin(), axes.end(),
                                   [&](int64_t axis) { return shape[static_cast<int>(axis)] > 1; });
    return moves ? Value() : node.inputs[0];
  }

  Value concatenate(const Node& node) { return node.inputs.size() == 1 ? node.inputs[0] : Value(); }

  Value keep_if_same_shape(const Node& node) {
    const Value x = node.inputs[0];
    return graph_.type(x) == graph_.type(node.outputs[0]) ? x : Value();
  }

  Value reduce(const Node& node) {
    const Value x = node.inputs[0];
    if (reduced_count(graph_.shape(x), node.attrs.ints("axes")) != 1) return {};
    const TensorType type = graph_.type(node.outputs[0]);
    return graph_.reshape(graph_.cast(x, type.dtype), type.shape);
  }

  Value matmul(const Node& node) {
    std::vector<Value> inputs = node.inputs;
    Attrs attrs = node.attrs;
    bool changed = false;
    for (size_t i = 0; i < 2; ++i) {
      const Node* inner = producer(inputs[i], "transpose");
      if (inner == nullptr || !swaps_last_two(inner->attrs.ints("permutation"))) continue;
      const std::string flag = i == 0 ? "transpose_a" : "transpose_b";
      attrs.set(flag, !attrs.flag(flag));
      inputs[i] = inner->inputs[0];
      changed = true;
    }
    return changed ? graph_.call_all("matmul", inputs, std::move(attrs))[0] : Value();
  }

  static bool swaps_last_two(Ints permutation) {
    const size_t rank = permutation.size();
    if (rank < 2) return false;
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    return std::is_sorted(permutation.begin(), permutation.end());
  }

  // An elementwise op on broadcast operands is computed before they are broadcast.
  Value shrink(const Node& node) {
    std::vector<Value> inputs = node.inputs;
    Shape small;
    bool stripped = false;
    for (Value& input : inputs) {
      while (const Node* inner = producer(input, "broadcast_to")) {
        input = inner->inputs[0];
        stripped = true;
      }
      small = *broadcast(small, graph_.shape(input));
    }
    const Shape shape = graph_.shape(node.outputs[0]);
    if (!stripped || small.num_elements() >= shape.num_elements()) return {};
    return graph_.broadcast_to(graph_.emit(*node.op, node.attrs, inputs)[0], shape);
  }

  Graph& graph_;
};

}  // namespace

void simplify(Graph& graph, const PassTarget&) {
  constexpr int kMaxRounds = 8;
  for (int round = 0; round < kMaxRounds && rewrite(graph, Simplifier(graph)); ++round) {
  }
}

}  // namespace addax::passes
