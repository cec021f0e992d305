#include "ops/elementwise.h"
#include "ops/expr_emitter.h"

namespace addax {
namespace {

// Written by sigmoid(x), whose own derivative stays finite where 1 / (1 + exp(-x)) meets inf / inf.
OpDef silu_op() {
  OpDef def = elementwise_op({"silu",
                              {"x"},
                              DTypeRule::Floating,
                              "x / (1 + exp(-x))",
                              {},
                              R"(`x * sigmoid(x)`, also called swish.

>>> ax.ops.silu([0.0, 30.0])
Tensor([ 0., 30.], dtype=float32))"});
  def.grad = [](const GradCall& call) -> std::vector<Value> {
    const Value dy = call.output_grads[0];
    if (!dy.valid()) return {Value()};
    const Value x = call.inputs[0];
    const Value s = call.emit.call("sigmoid", {x});
    return {emit_text(call.emit, "dy * s * (1 + x * (1 - s))", {{"x", x}, {"s", s}, {"dy", dy}},
                      call.emit.dtype(dy))};
  };
  return def;
}

}  // namespace

// Gradients are stated in terms of the result where they can be: the operand need not be kept then,
// and a fused epilogue need not write it.
void register_activation_ops(OpRegistryBuilder& ops) {
  const std::vector<std::string> unary = {"x"};

  ops.add(elementwise_op({"relu",
                          unary,
                          DTypeRule::Same,
                          "maximum(x, 0)",
                          {"where(y > 0, dy, 0)"},
                          R"(`x` where it is positive, else 0.

>>> ax.ops.relu([-1.0, 2.0])
Tensor([0., 2.], dtype=float32))"}));

  ops.add(elementwise_op({"relu6",
                          unary,
                          DTypeRule::Same,
                          "minimum(maximum(x, 0), 6)",
                          {"where(logical_and(y > 0, y < 6), dy, 0)"},
                          R"(`x` limited to the interval from 0 to 6.

>>> ax.ops.relu6([-1.0, 2.0, 8.0])
Tensor([0., 2., 6.], dtype=float32))"}));

  ops.add(
      elementwise_op({"leaky_relu",
                      unary,
                      DTypeRule::Floating,
                      "where(x > 0, x, negative_slope * x)",
                      {"where(x > 0, dy, negative_slope * dy)"},
                      R"(`x` where it is positive, else `negative_slope * x`.

>>> ax.ops.leaky_relu([-1.0, 2.0], negative_slope=0.5)
Tensor([-0.5,  2. ], dtype=float32))",
                      {{"negative_slope", AttrKind::Float, 0.2, "Factor of negative elements."}}}));

  ops.add(elementwise_op({"elu",
                          unary,
                          DTypeRule::Floating,
                          "where(x > 0, x, alpha * expm1(x))",
                          {"where(x > 0, dy, dy * (y + alpha))"},
                          R"(`x` where it is positive, else `alpha * (exp(x) - 1)`.

>>> ax.ops.elu([-100.0, 2.0])
Tensor([-1.,  2.], dtype=float32))",
                          {{"alpha", AttrKind::Float, 1.0, "Limit of large negative elements."}}}));

  ops.add(elementwise_op({"selu",
                          unary,
                          DTypeRule::Floating,
                          "1.0507009873554805 * where(x > 0, x, 1.6732632423543772 * expm1(x))",
                          {"where(y > 0, 1.0507009873554805 * dy, dy * (y + 1.7580993408473766))"},
                          R"(Scaled `elu`, with the constants of self-normalizing networks.

>>> ax.ops.selu([0.0, 1.0])
Tensor([0.      , 1.050701], dtype=float32))"}));

  ops.add(elementwise_op(
      {"gelu",
       unary,
       DTypeRule::Floating,
       "u = 0.7978845608028654 * (x + 0.044715 * x * x * x);"
       "0.5 * x * (1 + where(approximate, tanh(u), erf(0.7071067811865476 * x)))",
       {"t = tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));"
        "du = 0.7978845608028654 * (1 + 0.134145 * x * x);"
        "by_tanh = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du;"
        "by_erf = 0.5 * (1 + erf(0.7071067811865476 * x)) +"
        " 0.3989422804014327 * x * exp(-0.5 * x * x);"
        "dy * where(approximate, by_tanh, by_erf)"},
       R"(`x` times the probability that a standard normal variable is below it.

>>> ax.ops.gelu([0.0, 10.0])
Tensor([ 0., 10.], dtype=float32))",
       {{"approximate", AttrKind::Bool, true, "Approximate the normal distribution by tanh."}}}));

  ops.add(elementwise_op({"sigmoid",
                          unary,
                          DTypeRule::Floating,
                          "1 / (1 + exp(-x))",
                          {"dy * y * (1 - y)"},
                          R"(`1 / (1 + exp(-x))`.

>>> ax.ops.sigmoid([0.0, 100.0])
Tensor([0.5, 1. ], dtype=float32))"}));

  // 1 - exp(-y) is sigmoid(x).
  ops.add(elementwise_op({"softplus",
                          unary,
                          DTypeRule::Floating,
                          "maximum(x, 0) + log1p(exp(-abs(x)))",
                          {"-dy * expm1(-y)"},
                          R"(`log(1 + exp(x))`, a smooth `relu`.

>>> ax.ops.softplus([-1000.0, 100.0])
Tensor([  0., 100.], dtype=float32))"}));

  ops.add(silu_op());

  ops.add(elementwise_op({"softsign",
                          unary,
                          DTypeRule::Floating,
                          "x / (1 + abs(x))",
                          {"a = 1 + abs(x); dy / (a * a)"},
                          R"(`x / (1 + abs(x))`.

>>> ax.ops.softsign([-1.0, 0.0, 3.0])
Tensor([-0.5 ,  0.  ,  0.75], dtype=float32))"}));

  ops.add(elementwise_op({"hard_sigmoid",
                          unary,
                          DTypeRule::Floating,
                          "minimum(maximum(x / 6 + 0.5, 0), 1)",
                          {"where(logical_and(y > 0, y < 1), dy / 6, 0)"},
                          R"(`x / 6 + 0.5` limited to the interval from 0 to 1.

>>> ax.ops.hard_sigmoid([-3.0, 0.0, 3.0])
Tensor([0. , 0.5, 1. ], dtype=float32))"}));
}

}  // namespace addax
