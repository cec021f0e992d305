#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/axes.h"

namespace addax::testing {

// Random graphs with much aliasing: states that swap, repeat or keep their values, outputs that are
// inputs, constants or each other, views, updates in place whose old values are read later.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed) {}

  Graph build(int num_nodes) {
    for (int i = below(3); i >= 0; --i) add_leaf();
    for (int i = below(4); i >= 0; --i) add_state();
    for (int i = 0; i < num_nodes; ++i) add_node();
    for (const State& state : std::vector<State>(graph_.states())) choose_next(state.value);
    for (int i = below(4); i >= 0; --i) graph_.add_output(any());
    return std::move(graph_);
  }

 private:
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  Value any() { return values_[static_cast<size_t>(below(static_cast<int>(values_.size())))]; }
  Value keep(Value value) {
    values_.push_back(value);
    return value;
  }

  Shape random_shape() {
    static const Shape shapes[] = {{4, 3}, {3, 4}, {12},      {3},   {1, 3},
                                   {4, 1}, {},     {2, 2, 3}, {4, 4}};
    return shapes[below(9)];
  }

  DType random_dtype() {
    static const DType dtypes[] = {DType::Float32, DType::Float32, DType::Float32, DType::Float64,
                                   DType::Int32,   DType::Int64,   DType::Bool,    DType::UInt8};
    return dtypes[below(8)];
  }

  void add_leaf() {
    keep(graph_.add_input("input" + std::to_string(values_.size()),
                          {random_dtype(), random_shape()}));
  }
  void add_state() {
    const DType dtype = below(4) == 0 ? random_dtype() : DType::Float32;
    const Shape shape = below(2) == 0 ? Shape{4, 3} : random_shape();
    keep(graph_.add_state("state" + std::to_string(values_.size()), {dtype, shape}));
  }

  void choose_next(Value state) {
    std::vector<Value> candidates;
    for (Value value : values_) {
      if (graph_.type(value) == graph_.type(state)) candidates.push_back(value);
    }
    if (below(3) == 0) return;
    graph_.set_next(state,
                    candidates[static_cast<size_t>(below(static_cast<int>(candidates.size())))]);
  }

  // A random value for which `fits` holds, or an invalid one.
  template <typename Fits>
  Value find(Fits fits) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const Value value = any();
      if (fits(value)) return value;
    }
    return {};
  }

  void add_node() {
    switch (below(16)) {
      case 0:
      case 1:
        add_unary();
        break;
      case 2:
      case 3:
      case 4:
        add_binary({"add", "subtract", "maximum", "minimum"});
        break;
      case 5:
        add_binary({"less", "greater_equal", "equal"});
        break;
      case 6:
        add_where();
        break;
      case 7:
        add_cast();
        break;
      case 8:
        add_reshape();
        break;
      case 9:
        add_broadcast();
        break;
      case 10:
        add_transpose();
        break;
      case 11:
        add_reduction();
        break;
      case 12:
        add_matmul();
        break;
      case 13:
        add_constant();
        break;
      case 14:
        add_update();
        break;
      default:
        add_binary({"add", "multiply"});
        break;
    }
  }

  void add_unary() {
    const Value x = find([&](Value v) { return graph_.dtype(v) != DType::Bool; });
    if (!x.valid()) return;
    static const std::vector<std::string> floating = {"tanh", "relu", "sigmoid", "abs", "negative"};
    static const std::vector<std::string> integer = {"abs", "negative", "relu", "sign"};
    const auto& names = is_floating(graph_.dtype(x)) ? floating : integer;
    keep(graph_.call(names[static_cast<size_t>(below(static_cast<int>(names.size())))], {x}));
  }

  Value partner(Value x) {
    return find([&](Value v) {
      return graph_.dtype(v) == graph_.dtype(x) && broadcast(graph_.shape(v), graph_.shape(x));
    });
  }

  void add_binary(const std::vector<std::string>& names) {
    const std::string& name = names[static_cast<size_t>(below(static_cast<int>(names.size())))];
    const Value x = find([&](Value v) {
      return graph_.dtype(v) != DType::Bool && (name != "multiply" || is_floating(graph_.dtype(v)));
    });
    if (!x.valid()) return;
    const Value y = partner(x);
    if (y.valid()) keep(graph_.call(name, {x, y}));
  }

  void add_where() {
    const Value condition = find([&](Value v) { return graph_.dtype(v) == DType::Bool; });
    if (!condition.valid()) return;
    const Value x = find(
        [&](Value v) { return broadcast(graph_.shape(v), graph_.shape(condition)).has_value(); });
    if (!x.valid()) return;
    const Value y = partner(x);
    if (!y.valid()) return;
    const Shape both = *broadcast(graph_.shape(x), graph_.shape(y));
    if (broadcast(both, graph_.shape(condition))) keep(graph_.where(condition, x, y));
  }

  // Float16 and bfloat16 only pass through: their arithmetic may differ by what fusion keeps.
  void add_cast() {
    const Value x = any();
    DType to = random_dtype();
    if (is_floating(graph_.dtype(x)) && is_integer(to)) to = DType::Int64;
    const Value y = is_floating(graph_.dtype(x)) && below(3) == 0
                        ? graph_.cast(x, below(2) == 0 ? DType::Float16 : DType::BFloat16)
                        : x;
    keep(graph_.cast(y, to == graph_.dtype(x) ? DType::Float32 : to));
  }

  void add_reshape() {
    const Value x = any();
    const Shape shape = random_shape();
    if (shape.num_elements() == graph_.shape(x).num_elements()) {
      keep(graph_.call("reshape", {x}, {{"shape", to_ints(shape)}}));
    }
  }

  void add_broadcast() {
    const Shape shape = random_shape();
    const Value x = find([&](Value v) { return broadcast(graph_.shape(v), shape) == shape; });
    if (x.valid()) keep(graph_.call("broadcast_to", {x}, {{"shape", to_ints(shape)}}));
  }

  void add_transpose() { keep(graph_.call("transpose", {any()})); }

  void add_reduction() {
    const Value x =
        find([&](Value v) { return is_floating(graph_.dtype(v)) && graph_.shape(v).rank() > 0; });
    if (!x.valid()) return;
    const int rank = graph_.shape(x).rank();
    Ints axes;
    for (int axis = 0; axis < rank; ++axis) {
      if (below(2) == 0) axes.push_back(axis);
    }
    static const char* names[] = {"sum", "max", "min"};
    keep(graph_.call(names[below(3)], {x}, {{"axes", axes}, {"keepdims", below(2) == 0}}));
  }

  void add_matmul() {
    const auto is_matrix = [&](Value v) {
      return graph_.dtype(v) == DType::Float32 && graph_.shape(v).rank() == 2;
    };
    const Value a = find(is_matrix);
    const Value b = find(is_matrix);
    if (!a.valid() || !b.valid()) return;
    const bool ta = below(2) == 0;
    const bool tb = below(2) == 0;
    const int64_t k = graph_.shape(a)[ta ? 0 : 1];
    if (k != graph_.shape(b)[tb ? 1 : 0]) return;
    keep(graph_.call("matmul", {a, b}, {{"transpose_a", ta}, {"transpose_b", tb}}));
  }

  void add_constant() {
    const DType dtype = random_dtype();
    const Value scalar = graph_.scalar(below(4) * 0.5, dtype);
    keep(below(2) == 0 ? scalar : graph_.broadcast_to(scalar, random_shape()));
  }

  // An op that updates in place but is not elementwise, with several outputs.
  void add_update() {
    const Value rate = graph_.scalar(0.5, DType::Float32);
    std::vector<Value> parameters;
    std::vector<Value> updates;
    for (int i = below(2); i >= 0; --i) {
      const Value p = find([&](Value v) { return graph_.dtype(v) == DType::Float32; });
      if (!p.valid()) return;
      const Value g = find([&](Value v) { return graph_.type(v) == graph_.type(p); });
      if (!g.valid()) return;
      parameters.push_back(p);
      updates.push_back(g);
    }
    std::vector<Value> inputs = {rate};
    inputs.insert(inputs.end(), parameters.begin(), parameters.end());
    inputs.insert(inputs.end(), updates.begin(), updates.end());
    for (Value output : graph_.call_all("sgd", inputs)) keep(output);
  }

  std::mt19937 random_;
  Graph graph_;
  std::vector<Value> values_;
};

}  // namespace addax::testing
