#include "cpu/gemm/epilogue.h"

#include <string>

#include "cpu/map_reduce/map_reduce.h"

namespace addax::cpu {
namespace {

ScalarExpr parse_epilogue(const Node& node) {
  std::vector<std::string> names;
  for (int i = 1; i < node.num_inputs(); ++i) names.push_back("i" + std::to_string(i - 1));
  return ScalarExpr::parse(node.text("epilogue"), names);
}

// Reads an expression from its root towards the accumulator.
class Matcher {
 public:
  Matcher(const Node& node, const ScalarExpr& expr) : node_(node), expr_(expr) {}

  std::optional<Epilogue> match() const {
    Epilogue result;
    int32_t value = expr_.outputs[0];
    if (at(value).op == ScalarOp::Where) {
      // where(mask > 0, inner, 0)
      const ScalarInstruction& where = at(value);
      const ScalarInstruction& condition = at(where.a);
      if (condition.op != ScalarOp::Greater || !is_zero(condition.b) || !is_zero(where.c))
        return {};
      result.mask = whole(condition.a);
      if (!result.mask) return {};
      value = where.b;
    }
    if (at(value).op == ScalarOp::Maximum) {
      const ScalarInstruction& maximum = at(value);
      if (!is_zero(maximum.a) && !is_zero(maximum.b)) return {};
      result.activation = Activation::Relu;
      value = is_zero(maximum.a) ? maximum.b : maximum.a;
    }
    value = take(
        ScalarOp::Add, value, [&](int32_t x) { return whole(x); }, result.residual);
    value = take(
        ScalarOp::Add, value, [&](int32_t x) { return per_column(x); }, result.bias);
    value = take(
        ScalarOp::Multiply, value, [&](int32_t x) { return per_column(x); }, result.scale);
    if (!is_accumulator(value)) return {};
    return result;
  }

 private:
  const ScalarInstruction& at(int32_t value) const {
    return expr_.code[static_cast<size_t>(value)];
  }
  bool is_zero(int32_t value) const {
    return at(value).op == ScalarOp::Constant && at(value).value == 0;
  }
  bool is_accumulator(int32_t value) const {
    return at(value).op == ScalarOp::Input && at(value).value == 0;
  }

  // Where `value` is the operation on an operand that `as_extra` accepts, keeps that and returns
  // the other one.
  template <class AsExtra>
  int32_t take(ScalarOp op, int32_t value, AsExtra as_extra, std::optional<int32_t>& extra) const {
    if (at(value).op != op) return value;
    const auto [a, b] = std::pair(at(value).a, at(value).b);
    extra = as_extra(b);
    if (extra) return a;
    extra = as_extra(a);
    return extra ? b : value;
  }

  // The extra that `value` is, if it has this shape and the output's dtype.
  std::optional<int32_t> extra(int32_t value, const Shape& shape) const {
    if (at(value).op != ScalarOp::Input || is_accumulator(value)) return {};
    const Tensor& tensor = node_.input(static_cast<int>(at(value).value) + 1);
    if (tensor.dtype != node_.output().dtype || tensor.shape != shape) return {};
    return tensor.id;
  }

  std::optional<int32_t> whole(int32_t value) const { return extra(value, node_.output().shape); }

  // The extra that runs along the last axis alone.
  std::optional<int32_t> per_column(int32_t value) const {
    if (at(value).op != ScalarOp::Input || is_accumulator(value)) return {};
    const Shape& shape = node_.input(static_cast<int>(at(value).value) + 1).shape;
    const Shape& out = node_.output().shape;
    const int64_t last = out[out.rank() - 1];
    const bool fits =
        shape.rank() > 0 && shape[shape.rank() - 1] == last && shape.num_elements() == last;
    return fits ? extra(value, shape) : std::nullopt;
  }

  const Node& node_;
  const ScalarExpr& expr_;
};

// The epilogue as an elementwise kernel that works in place on the node's output.
KernelPtr make_epilogue_kernel(const Node& node) {
  const Tensor& out = node.output();
  MapReduceSpec spec;
  spec.expr = parse_epilogue(node);
  spec.compute = class_of(std::span(&out.dtype, 1));
  spec.inputs.push_back({out, broadcast_view(out.shape, out.shape)});
  for (int i = 2; i < node.num_inputs(); ++i) {
    spec.inputs.push_back({node.input(i), broadcast_view(node.input(i).shape, out.shape)});
  }
  spec.outputs = {out};
  spec.reductions = {ReduceKind::None};
  spec.cols = out.size();
  return make_map_reduce(std::move(spec));
}

}  // namespace

std::optional<Epilogue> match_epilogue(const Node& node) {
  const ScalarExpr expr = parse_epilogue(node);
  return Matcher(node, expr).match();
}

void ContractionKernel::add_epilogue(const Node& node, bool can_match) {
  if (!node.has("epilogue")) return;
  if (can_match) {
    if (const auto matched = match_epilogue(node)) {
      epilogue_ = *matched;
      return;
    }
  }
  rest_ = make_epilogue_kernel(node);
  first_of_rest_ = stages_.size();
  stages_.insert(stages_.end(), rest_->stages().begin(), rest_->stages().end());
  workspace_bytes_ = std::max(workspace_bytes_, rest_->workspace_bytes());
  scratch_.add(rest_->scratch());
}

void ContractionKernel::run(const RunContext& context, size_t stage, int64_t chunk) const {
  if (stage >= first_of_rest_) {
    rest_->run(context, stage - first_of_rest_, chunk);
  } else {
    run_contraction(context, stage, chunk);
  }
}

}  // namespace addax::cpu
