#include <algorithm>
#include <optional>

#include "ops/axes.h"
#include "ops/registry.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "passes/uniform.h"

namespace addax::passes {
namespace {

class VanishingSums {
 public:
  explicit VanishingSums(Graph& graph) : graph_(graph) {}

  Value operator()(const Node& node) {
    if (!is(&node, "sum")) return {};
    axes_ = node.attrs.ints("axes");
    is_normalized_ = false;
    if (!vanishes(node.inputs[0]) || !is_normalized_) return {};
    return graph_.full(0, graph_.type(node.outputs[0]));
  }

 private:
  static bool is(const Node* node, std::string_view op) {
    return node != nullptr && node->op != nullptr && node->op->name == op;
  }

  // Whether a node is a cast that only rounds: one to integers does more.
  bool keeps_numbers(const Node* node) const {
    return is(node, "cast") && is_floating(graph_.dtype(node->inputs[0])) &&
           is_floating(graph_.dtype(node->outputs[0]));
  }

  // Whether the sum of x over the axes is zero but for rounding.
  bool vanishes(Value x) {
    const Node* node = graph_.producer(x);
    if (keeps_numbers(node) || is(node, "negative")) return vanishes(node->inputs[0]);
    if (is(node, "multiply")) {
      return (varies_not(node->inputs[0], x) && vanishes(node->inputs[1])) ||
             (varies_not(node->inputs[1], x) && vanishes(node->inputs[0]));
    }
    if (is(node, "divide")) return varies_not(node->inputs[1], x) && vanishes(node->inputs[0]);
    if (!is(node, "add") && !is(node, "subtract")) return false;
    const Value a = node->inputs[0], b = node->inputs[1];
    if (is(node, "subtract") && graph_.shape(a) == graph_.shape(x) && is_mean(b, a)) return true;
    return graph_.shape(a) == graph_.shape(b) && vanishes(a) && vanishes(b);
  }

  // Whether a factor of `whole` is one number along each of the axes.
  bool varies_not(Value factor, Value whole) const {
    const Shape& shape = graph_.shape(factor);
    const int missing = graph_.shape(whole).rank() - shape.rank();
    return std::ranges::all_of(axes_, [&](int64_t axis) {
      return axis < missing || shape[static_cast<int>(axis) - missing] == 1;
    });
  }

  // Whether m is the mean of x over the axes, which lead.
  bool is_mean(Value m, Value x) {
    if (axes_ != leading_axes(graph_.shape(x))) return false;
    m = uncast(m);
    const Node* node = graph_.producer(m);
    if (is(node, "batch_norm_train") && m == node->outputs[1]) {
      const bool is_of_x = uncast(node->inputs[0]) == uncast(x);
      is_normalized_ |= is_of_x;
      return is_of_x;
    }
    if (!is(node, "divide")) return false;
    const Node* sum = graph_.producer(node->inputs[0]);
    const std::optional<double> count = uniform_value(graph_, node->inputs[1]);
    return is(sum, "sum") && uncast(sum->inputs[0]) == uncast(x) &&
           sum->attrs.ints("axes") == axes_ && !sum->attrs.flag("keepdims") &&
           count == static_cast<double>(reduced_count(graph_.shape(x), axes_));
  }

  Value uncast(Value x) const {
    const Node* node = graph_.producer(x);
    return keeps_numbers(node) ? uncast(node->inputs[0]) : x;
  }

  Graph& graph_;
  Ints axes_;
  bool is_normalized_ = false;
};

}  // namespace

void drop_vanishing_sums(Graph& graph, const PassTarget&) { rewrite(graph, VanishingSums(graph)); }

}  // namespace addax::passes
