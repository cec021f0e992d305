#pragma once

#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/float16.h"
#include "graph/graph.h"
#include "ops/compute_class.h"

namespace addax::testing {

// A slow, obvious evaluator of graphs: an independent account of what a graph means. Every element
// is a double that has been rounded to its dtype.
using Data = std::vector<double>;

inline double rounded(double value, DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return value != 0 ? 1 : 0;
    case DType::UInt8:
      return static_cast<uint8_t>(static_cast<int64_t>(value));
    case DType::Int8:
      return static_cast<int8_t>(static_cast<int64_t>(value));
    case DType::Int32:
      return static_cast<int32_t>(static_cast<int64_t>(value));
    case DType::Int64:
      return std::trunc(value);
    case DType::Float16:
      return float16_to_float(float_to_float16(static_cast<float>(value)));
    case DType::BFloat16:
      return bfloat16_to_float(float_to_bfloat16(static_cast<float>(value)));
    case DType::Float32:
      return static_cast<float>(value);
    case DType::Float64:
      return value;
  }
  return value;
}

class Interpreter {
 public:
  // `exact` leaves out rounding to float32, for finite differences.
  explicit Interpreter(const Graph& graph, bool exact = false) : graph_(graph), exact_(exact) {}

  // Values of inputs and states by id; returns those of all values.
  const std::vector<Data>& run(const std::vector<Data>& inputs, const std::vector<Data>& states) {
    values_.assign(static_cast<size_t>(graph_.num_values()), {});
    for (size_t i = 0; i < inputs.size(); ++i) at(graph_.inputs()[i]) = inputs[i];
    for (size_t i = 0; i < states.size(); ++i) at(graph_.states()[i].value) = states[i];
    for (const Node& node : graph_.nodes()) {
      const std::vector<Data> results = evaluate_node(node);
      for (size_t k = 0; k < results.size(); ++k) at(node.outputs[k]) = results[k];
    }
    return values_;
  }

  std::vector<Data> outputs() const {
    std::vector<Data> result;
    for (Value output : graph_.outputs()) result.push_back(values_[index(output)]);
    return result;
  }

  std::vector<Data> next_states() const {
    std::vector<Data> result;
    for (const State& state : graph_.states()) result.push_back(values_[index(state.next)]);
    return result;
  }

  // What a node returns for operands given in place of those computed so far.
  std::vector<Data> evaluate_node(const Node& node, const std::vector<Data>& operands) const {
    std::vector<TensorType> results;
    for (Value output : node.outputs) results.push_back(graph_.type(output));
    const std::string& op = node.op->name;
    if (op == "fused") return fused(node, operands);
    if (op == "adam" || op == "sgd") return update(node, operands);
    return {evaluate_one(node, operands, results[0])};
  }

 private:
  static size_t index(Value value) { return static_cast<size_t>(value.id); }
  Data& at(Value value) { return values_[index(value)]; }
  double fit(double value, DType dtype) const {
    return exact_ && is_floating(dtype) ? value : rounded(value, dtype);
  }

  std::vector<Data> evaluate_node(const Node& node) const {
    std::vector<Data> operands;
    for (Value input : node.inputs) operands.push_back(values_[index(input)]);
    return evaluate_node(node, operands);
  }

  static int64_t source(const Shape& from, const Shape& to, int64_t i) {
    int64_t result = 0;
    int64_t step = 1;
    for (int a = from.rank() - 1, b = to.rank() - 1; a >= 0; --a, --b) {
      if (from[a] != 1) result += i % to[b] * step;
      step *= from[a];
      i /= to[b];
    }
    return result;
  }

  // Runs the expression at each position of the domain; operations round to the compute type.
  std::vector<Data> pointwise(const ScalarExpr& expr, const Node& node,
                              const std::vector<Data>& operands, const Shape& domain,
                              DType compute) const {
    std::vector<Data> results(expr.outputs.size());
    std::vector<double> registers(expr.code.size());
    for (int64_t i = 0; i < domain.num_elements(); ++i) {
      for (size_t k = 0; k < expr.code.size(); ++k) {
        const ScalarInstruction& in = expr.code[k];
        const auto reg = [&](int32_t r) { return r < 0 ? 0 : registers[static_cast<size_t>(r)]; };
        if (in.op == ScalarOp::Input) {
          const size_t which = static_cast<size_t>(in.value);
          const Shape& from = graph_.shape(node.inputs[which]);
          registers[k] =
              fit(operands[which][static_cast<size_t>(source(from, domain, i))], compute);
        } else if (in.op == ScalarOp::Constant) {
          registers[k] = fit(in.value, compute);
        } else {
          registers[k] = fit(addax::evaluate(in.op, reg(in.a), reg(in.b), reg(in.c)), compute);
        }
      }
      for (size_t k = 0; k < results.size(); ++k) {
        results[k].push_back(registers[static_cast<size_t>(expr.outputs[k])]);
      }
    }
    return results;
  }

  Data reduce(const std::string& how, const Data& x, const Shape& shape, const Ints& axes) const {
    Data result;
    std::vector<bool> reduced(static_cast<size_t>(shape.rank()), false);
    for (int64_t axis : axes) reduced[static_cast<size_t>(axis)] = true;
    std::map<int64_t, double> cells;
    for (int64_t i = 0; i < shape.num_elements(); ++i) {
      int64_t cell = 0;
      int64_t step = 1;
      int64_t rest = i;
      for (int a = shape.rank() - 1; a >= 0; --a) {
        if (!reduced[static_cast<size_t>(a)]) {
          cell += rest % shape[a] * step;
          step *= shape[a];
        }
        rest /= shape[a];
      }
      const double value = x[static_cast<size_t>(i)];
      const auto [place, is_new] = cells.emplace(cell, value);
      if (is_new) continue;
      double& sum = place->second;
      if (how == "sum") sum += value;
      if (how == "prod") sum *= value;
      if (how == "max") sum = std::max(sum, value);
      if (how == "min") sum = std::min(sum, value);
    }
    for (const auto& [cell, value] : cells) result.push_back(value);
    return result;
  }

  std::vector<Data> fused(const Node& node, const std::vector<Data>& operands) const {
    const Shape domain(std::span<const int64_t>(node.attrs.ints("shape")));
    const ScalarExpr expr = ScalarExpr::parse_canonical(node.attrs.text("expr"),
                                                        static_cast<int32_t>(node.inputs.size()));
    std::vector<Data> results =
        pointwise(expr, node, operands, domain, node.attrs.dtype("compute"));
    std::string rest = node.attrs.text("reduce");
    for (size_t k = 0; k < results.size(); ++k) {
      const std::string how = rest.substr(0, rest.find(','));
      rest = rest.find(',') == std::string::npos ? "" : rest.substr(rest.find(',') + 1);
      if (!how.empty() && how != "none") {
        results[k] = reduce(how, results[k], domain, node.attrs.ints("axes"));
      }
      for (double& value : results[k]) value = fit(value, graph_.dtype(node.outputs[k]));
    }
    return results;
  }

  std::vector<Data> update(const Node& node, const std::vector<Data>& operands) const {
    const size_t count = static_cast<size_t>(node.attrs.integer("count"));
    if (node.op->name != "sgd" || node.attrs.number("momentum") != 0) {
      throw std::logic_error("the interpreter knows plain sgd only");
    }
    std::vector<Data> results;
    for (size_t i = 0; i < count; ++i) {
      Data next = operands[1 + i];
      for (size_t k = 0; k < next.size(); ++k) {
        next[k] = fit(next[k] - operands[0][0] * operands[1 + count + i][k],
                      graph_.dtype(node.outputs[i]));
      }
      results.push_back(std::move(next));
    }
    return results;
  }

  Data matmul(const Node& node, const std::vector<Data>& operands, const Shape& shape) const {
    const Shape& a = graph_.shape(node.inputs[0]);
    const Shape& b = graph_.shape(node.inputs[1]);
    const bool ta = node.attrs.flag("transpose_a");
    const bool tb = node.attrs.flag("transpose_b");
    const int64_t m = shape[shape.rank() - 2];
    const int64_t n = shape[shape.rank() - 1];
    const int64_t k = ta ? a[a.rank() - 2] : a[a.rank() - 1];
    if (shape.rank() != 2 || a.rank() != 2 || b.rank() != 2) {
      throw std::logic_error("the interpreter multiplies matrices only");
    }
    Data y;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p) {
          sum += operands[0][static_cast<size_t>(ta ? p * m + i : i * k + p)] *
                 operands[1][static_cast<size_t>(tb ? j * k + p : p * n + j)];
        }
        y.push_back(fit(sum, graph_.dtype(node.outputs[0])));
      }
    }
    return y;
  }

  Data evaluate_one(const Node& node, const std::vector<Data>& x, const TensorType& type) const {
    const std::string& op = node.op->name;
    Data y;
    if (node.op->op_class == OpClass::Elementwise) {
      const DType from = graph_.dtype(node.inputs.back());
      const DType compute = op == "cast" ? cast_class(from, type.dtype) : compute_class(from);
      y = pointwise(scalar_expr(*node.op, node.attrs), node, x, type.shape, compute)[0];
    } else if (op == "constant") {
      const Literal& literal = node.attrs.literal("value");
      for (int64_t i = 0; i < type.shape.num_elements(); ++i) y.push_back(element(literal, i));
    } else if (op == "iota") {
      const int64_t step = type.shape.strides()[static_cast<size_t>(node.attrs.integer("axis"))];
      const int64_t extent = type.shape[static_cast<int>(node.attrs.integer("axis"))];
      for (int64_t i = 0; i < type.shape.num_elements(); ++i) {
        y.push_back(static_cast<double>(i / step % extent));
      }
    } else if (op == "reshape" || op == "copy") {
      y = x[0];
    } else if (op == "broadcast_to") {
      for (int64_t i = 0; i < type.shape.num_elements(); ++i) {
        y.push_back(x[0][static_cast<size_t>(source(graph_.shape(node.inputs[0]), type.shape, i))]);
      }
    } else if (op == "transpose") {
      y = transpose(node, x[0], type.shape);
    } else if (op == "sum" || op == "prod" || op == "max" || op == "min") {
      y = reduce(op, x[0], graph_.shape(node.inputs[0]), node.attrs.ints("axes"));
    } else if (op == "matmul") {
      y = matmul(node, x, type.shape);
    } else if (op == "matmul_epilogue") {
      y = epilogue(node, x, type);
    } else {
      throw std::logic_error("the interpreter does not know " + op);
    }
    for (double& value : y) value = fit(value, type.dtype);
    return y;
  }

  Data transpose(const Node& node, const Data& x, const Shape& shape) const {
    const Ints& permutation = node.attrs.ints("permutation");
    const auto strides = graph_.shape(node.inputs[0]).strides();
    Data y;
    for (int64_t i = 0; i < shape.num_elements(); ++i) {
      int64_t from = 0;
      int64_t rest = i;
      for (int a = shape.rank() - 1; a >= 0; --a) {
        from += rest % shape[a] * strides[static_cast<size_t>(permutation[static_cast<size_t>(a)])];
        rest /= shape[a];
      }
      y.push_back(x[static_cast<size_t>(from)]);
    }
    return y;
  }

  Data epilogue(const Node& node, const std::vector<Data>& x, const TensorType& type) const {
    const Data accumulator = matmul(node, x, type.shape);
    const ScalarExpr expr = ScalarExpr::parse_canonical(
        node.attrs.text("epilogue"), static_cast<int32_t>(node.inputs.size()) - 1);
    // As a pointwise node over the accumulator, which has the result's type, and the extras.
    Node rest = node;
    rest.inputs.assign(node.outputs.begin(), node.outputs.end());
    rest.inputs.insert(rest.inputs.end(), node.inputs.begin() + 2, node.inputs.end());
    std::vector<Data> operands = {accumulator};
    operands.insert(operands.end(), x.begin() + 2, x.end());
    return pointwise(expr, rest, operands, type.shape, compute_class(type.dtype))[0];
  }

  const Graph& graph_;
  bool exact_;
  std::vector<Data> values_;
};

}  // namespace addax::testing
