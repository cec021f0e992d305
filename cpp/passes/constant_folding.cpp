#include "ops/registry.h"
#include "passes/aliasing.h"
#include "passes/constant_evaluator.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "passes/uniform.h"

namespace addax::passes {
namespace {

// A larger constant would cost more memory than computing it costs time.
constexpr int64_t kMaxElements = 1024;

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph) {}

  Value operator()(const Node& node) {
    if (!all_constant(node)) return {};
    const TensorType type = graph_.type(node.outputs[0]);
    if (is_constant(node)) return fold_constant(node, type);
    if (node.op->op_class == OpClass::Elementwise) return fold_elementwise(node, type);
    const std::string& op = node.op->name;
    if (op == "iota") return fold_iota(node, type);
    if (op == "reshape" || op == "broadcast_to") return fold_reshape(node, type);
    if (op == "transpose" || op == "slice" || op == "flip" || op == "copy") {
      return fold_uniform(node.inputs[0], type);
    }
    return {};
  }

 private:
  bool all_constant(const Node& node) const {
    for (Value input : node.inputs) {
      if (literal_of(graph_, input) == nullptr && !uniform_value(graph_, input)) return false;
    }
    return true;
  }

  // Equal elements are held once: later passes see the number then.
  Value fold_constant(const Node& node, const TensorType& type) {
    if (type.shape.rank() == 0) return {};
    const std::optional<double> number = uniform_value(graph_, node.outputs[0]);
    return number ? graph_.full(*number, type) : Value();
  }

  Value fold_uniform(Value input, const TensorType& type) {
    const Node* producer = graph_.producer(input);
    if (producer != nullptr && is_constant(*producer) && type.shape.rank() == 0) return {};
    const std::optional<double> number = uniform_value(graph_, input);
    return number ? graph_.full(*number, type) : Value();
  }

  Value fold_reshape(const Node& node, const TensorType& type) {
    const Literal* literal = literal_of(graph_, node.inputs[0]);
    const bool views = is_view(node);
    if (literal == nullptr) return fold_uniform(node.inputs[0], type);
    if (views) return graph_.constant({type, literal->data});
    if (literal->type.shape.rank() == 0 || type.shape.num_elements() > kMaxElements) return {};
    static const OpDef& cast = OpRegistry::instance().at("cast");
    const std::optional<Literal> result =
        evaluate_elementwise(cast, {{"dtype", type.dtype}}, std::span(&literal, 1), type);
    return result ? graph_.constant(*result) : Value();
  }

  Value fold_iota(const Node& node, const TensorType& type) {
    if (type.shape.num_elements() > kMaxElements) return {};
    const auto axis = static_cast<size_t>(node.attrs.integer("axis"));
    const int64_t stride = type.shape.strides()[axis];
    Literal literal{type, {}};
    for (int64_t i = 0; i < type.shape.num_elements(); ++i) {
      const int64_t position = i / stride % type.shape[static_cast<int>(axis)];
      const Literal number = scalar_literal(static_cast<double>(position), type.dtype);
      literal.data.insert(literal.data.end(), number.data.begin(), number.data.end());
    }
    return graph_.constant(std::move(literal));
  }

  Value fold_elementwise(const Node& node, const TensorType& type) {
    bool uniform = true;
    std::vector<Literal> numbers;
    std::vector<const Literal*> literals;
    for (Value input : node.inputs) {
      const std::optional<double> number = uniform_value(graph_, input);
      uniform = uniform && number;
      numbers.push_back(number ? scalar_literal(*number, graph_.dtype(input)) : Literal());
    }
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      // What is uniform broadcasts from one number, whatever its shape.
      literals.push_back(numbers[k].data.empty() ? literal_of(graph_, node.inputs[k])
                                                 : &numbers[k]);
    }
    if (!uniform && type.shape.num_elements() > kMaxElements) return {};
    const TensorType evaluated{type.dtype, uniform ? Shape() : type.shape};
    std::optional<Literal> result = evaluate_elementwise(*node.op, node.attrs, literals, evaluated);
    if (!result) return {};
    return graph_.broadcast_to(graph_.constant(std::move(*result)), type.shape);
  }

  Graph& graph_;
};

}  // namespace

void fold_constants(Graph& graph, const PassTarget&) { rewrite(graph, Folder(graph)); }

void fill_constants(Graph& graph, const PassTarget&) {
  rewrite(graph, [&](const Node& node) {
    static const OpDef& broadcast_to = OpRegistry::instance().at("broadcast_to");
    const TensorType type = graph.type(node.outputs[0]);
    const int64_t count = type.shape.num_elements();
    if (node.op != &broadcast_to || count > kMaxElements) return Value();
    const Literal* number = literal_of(graph, node.inputs[0]);
    if (number == nullptr || number->type.shape.num_elements() != 1) return Value();
    Literal filled{type, {}};
    for (int64_t i = 0; i < count; ++i) {
      filled.data.insert(filled.data.end(), number->data.begin(), number->data.end());
    }
    return graph.constant(std::move(filled));
  });
}

}  // namespace addax::passes
