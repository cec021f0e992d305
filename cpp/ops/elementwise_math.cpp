#include "ops/elementwise.h"

namespace addax {

// Gradients are stated in terms of the result where they can be: the operand need not be kept then.
void register_math_ops(OpRegistryBuilder& ops) {
  const std::vector<std::string> unary = {"x"};

  ops.add(elementwise_op({"exp",
                          unary,
                          DTypeRule::Floating,
                          "exp(x)",
                          {"dy * y"},
                          R"(Exponential function.

>>> ax.ops.exp([0.0, -1000.0])
Tensor([1., 0.], dtype=float32))"}));

  ops.add(elementwise_op({"expm1",
                          unary,
                          DTypeRule::Floating,
                          "expm1(x)",
                          {"dy * (y + 1)"},
                          R"(`exp(x) - 1`, exact for small `x` too.

>>> ax.ops.expm1([0.0, -1000.0])
Tensor([ 0., -1.], dtype=float32))"}));

  ops.add(elementwise_op({"log",
                          unary,
                          DTypeRule::Floating,
                          "log(x)",
                          {"dy / x"},
                          R"(Natural logarithm.

>>> ax.ops.log([1.0, 0.0])
Tensor([  0., -inf], dtype=float32))"}));

  ops.add(elementwise_op({"log1p",
                          unary,
                          DTypeRule::Floating,
                          "log1p(x)",
                          {"dy / (1 + x)"},
                          R"(`log(1 + x)`, exact for small `x` too.

>>> ax.ops.log1p([0.0, -1.0])
Tensor([  0., -inf], dtype=float32))"}));

  ops.add(elementwise_op({"sqrt",
                          unary,
                          DTypeRule::Floating,
                          "sqrt(x)",
                          {"0.5 * dy / y"},
                          R"(Square root.

>>> ax.ops.sqrt([4.0, 9.0])
Tensor([2., 3.], dtype=float32))"}));

  ops.add(elementwise_op({"rsqrt",
                          unary,
                          DTypeRule::Floating,
                          "rsqrt(x)",
                          {"-0.5 * dy * y * y * y"},
                          R"(`1 / sqrt(x)`.

>>> ax.ops.rsqrt([4.0, 16.0])
Tensor([0.5 , 0.25], dtype=float32))"}));

  ops.add(elementwise_op({"sin",
                          unary,
                          DTypeRule::Floating,
                          "sin(x)",
                          {"dy * cos(x)"},
                          R"(Sine of an angle in radians.

>>> ax.ops.sin([0.0])
Tensor([0.], dtype=float32))"}));

  ops.add(elementwise_op({"cos",
                          unary,
                          DTypeRule::Floating,
                          "cos(x)",
                          {"-dy * sin(x)"},
                          R"(Cosine of an angle in radians.

>>> ax.ops.cos([0.0])
Tensor([1.], dtype=float32))"}));

  ops.add(elementwise_op({"tan",
                          unary,
                          DTypeRule::Floating,
                          "tan(x)",
                          {"dy * (1 + y * y)"},
                          R"(Tangent of an angle in radians.

>>> ax.ops.tan([0.0])
Tensor([0.], dtype=float32))"}));

  ops.add(elementwise_op({"tanh",
                          unary,
                          DTypeRule::Floating,
                          "tanh(x)",
                          {"dy * (1 - y * y)"},
                          R"(Hyperbolic tangent.

>>> ax.ops.tanh([0.0, 20.0])
Tensor([0., 1.], dtype=float32))"}));

  ops.add(elementwise_op({"arctan",
                          unary,
                          DTypeRule::Floating,
                          "arctan(x)",
                          {"dy / (1 + x * x)"},
                          R"(Inverse tangent in radians, in [-pi/2, pi/2].

>>> ax.ops.arctan([0.0])
Tensor([0.], dtype=float32))"}));

  ops.add(elementwise_op({"erf",
                          unary,
                          DTypeRule::Floating,
                          "erf(x)",
                          {"dy * 1.1283791670955126 * exp(-x * x)"},
                          R"(Error function.

>>> ax.ops.erf([0.0, 10.0])
Tensor([0., 1.], dtype=float32))"}));

  ops.add(elementwise_op({"floor",
                          unary,
                          DTypeRule::Floating,
                          "floor(x)",
                          {},
                          R"(The largest whole number not above `x`.

>>> ax.ops.floor([1.5, -1.5])
Tensor([ 1., -2.], dtype=float32))"}));

  ops.add(elementwise_op({"ceil",
                          unary,
                          DTypeRule::Floating,
                          "ceil(x)",
                          {},
                          R"(The smallest whole number not below `x`.

>>> ax.ops.ceil([1.5, -1.5])
Tensor([ 2., -1.], dtype=float32))"}));

  ops.add(elementwise_op({"round",
                          unary,
                          DTypeRule::Floating,
                          "round(x)",
                          {},
                          R"(The nearest whole number, the even one of two.

>>> ax.ops.round([1.5, 2.5, -0.4])
Tensor([ 2.,  2., -0.], dtype=float32))"}));
}

}  // namespace addax
