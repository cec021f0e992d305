#include "ops/elementwise.h"

namespace addax {

void register_arithmetic_ops(OpRegistryBuilder& ops) {
  const std::vector<std::string> unary = {"x"};
  const std::vector<std::string> binary = {"x1", "x2"};

  ops.add(elementwise_op({"add",
                          binary,
                          DTypeRule::Same,
                          "x1 + x2",
                          {"dy", "dy"},
                          R"(Sum, element by element.

>>> ax.ops.add([1.0, 2.0], [3.0, 4.0])
Tensor([4., 6.], dtype=float32))"}));

  ops.add(elementwise_op({"subtract",
                          binary,
                          DTypeRule::Same,
                          "x1 - x2",
                          {"dy", "-dy"},
                          R"(Difference, element by element.

>>> ax.ops.subtract([1.0, 2.0], [3.0, 1.0])
Tensor([-2.,  1.], dtype=float32))"}));

  ops.add(elementwise_op({"multiply",
                          binary,
                          DTypeRule::Same,
                          "x1 * x2",
                          {"dy * x2", "dy * x1"},
                          R"(Product, element by element.

>>> ax.ops.multiply([1.0, 2.0], [3.0, 4.0])
Tensor([3., 8.], dtype=float32))",
                          {},
                          true}));

  ops.add(elementwise_op({"divide",
                          binary,
                          DTypeRule::Floating,
                          "x1 / x2",
                          {"dy / x2", "-dy * y / x2"},
                          R"(Quotient, element by element; integers become float32 first.

>>> ax.ops.divide([1.0, 3.0], [2.0, 4.0])
Tensor([0.5 , 0.75], dtype=float32))"}));

  ops.add(elementwise_op({"floor_divide",
                          binary,
                          DTypeRule::Same,
                          "x1 // x2",
                          {},
                          R"(Quotient rounded towards minus infinity.

>>> ax.ops.floor_divide([7.0, -7.0], [2.0, 2.0])
Tensor([ 3., -4.], dtype=float32))"}));

  ops.add(elementwise_op({"mod",
                          binary,
                          DTypeRule::Same,
                          "x1 % x2",
                          {"dy", "-dy * floor(x1 / x2)"},
                          R"(Remainder of `floor_divide`, with the sign of the divisor.

>>> ax.ops.mod([7.0, -7.0], [3.0, 3.0])
Tensor([1., 2.], dtype=float32))"}));

  // Where x2 is 0 the derivative is 0 even at x1 = 0, and the inner `where` keeps 0 * inf out of
  // the second derivative. The one by x2 is taken as 0 for x1 <= 0, where log has no value.
  ops.add(elementwise_op({"power",
                          binary,
                          DTypeRule::Same,
                          "power(x1, x2)",
                          {"where(x2 == 0, 0, dy * x2 * power(x1, where(x2 == 0, 1, x2 - 1)))",
                           "dy * y * log(where(x1 > 0, x1, 1))"},
                          R"(`x1` raised to the power `x2`.

>>> ax.ops.power([2.0, 3.0], [3.0, 2.0])
Tensor([8., 9.], dtype=float32))"}));

  ops.add(elementwise_op({"maximum",
                          binary,
                          DTypeRule::Same,
                          "maximum(x1, x2)",
                          {"where(x1 > x2, dy, where(x1 == x2, 0.5 * dy, 0))",
                           "where(x2 > x1, dy, where(x1 == x2, 0.5 * dy, 0))"},
                          R"(The larger of two elements; NaN if either is. Ties share the gradient.

>>> ax.ops.maximum([1.0, 5.0], [3.0, 4.0])
Tensor([3., 5.], dtype=float32))",
                          {},
                          true}));

  ops.add(elementwise_op({"minimum",
                          binary,
                          DTypeRule::Same,
                          "minimum(x1, x2)",
                          {"where(x1 < x2, dy, where(x1 == x2, 0.5 * dy, 0))",
                           "where(x2 < x1, dy, where(x1 == x2, 0.5 * dy, 0))"},
                          R"(The smaller of two elements; NaN if either is. Ties share the gradient.

>>> ax.ops.minimum([1.0, 5.0], [3.0, 4.0])
Tensor([1., 4.], dtype=float32))",
                          {},
                          true}));

  ops.add(elementwise_op({"arctan2",
                          binary,
                          DTypeRule::Floating,
                          "arctan2(x1, x2)",
                          {"dy * x2 / (x1 * x1 + x2 * x2)", "-dy * x1 / (x1 * x1 + x2 * x2)"},
                          R"(Angle of the point (`x2`, `x1`) in radians, in [-pi, pi].

>>> ax.ops.arctan2([0.0, 0.0], [1.0, 2.0])
Tensor([0., 0.], dtype=float32))"}));

  ops.add(elementwise_op({"negative",
                          unary,
                          DTypeRule::Same,
                          "-x",
                          {"-dy"},
                          R"(`-x`.

>>> ax.ops.negative([1.0, -2.0])
Tensor([-1.,  2.], dtype=float32))"}));

  ops.add(elementwise_op({"abs",
                          unary,
                          DTypeRule::Same,
                          "abs(x)",
                          {"dy * sign(x)"},
                          R"(Absolute value; its gradient at 0 is 0.

>>> ax.ops.abs([-1.5, 2.0])
Tensor([1.5, 2. ], dtype=float32))"}));

  ops.add(elementwise_op({"sign",
                          unary,
                          DTypeRule::Same,
                          "sign(x)",
                          {},
                          R"(-1, 0 or 1 by the sign; NaN stays NaN.

>>> ax.ops.sign([-3.0, 0.0, 2.0])
Tensor([-1.,  0.,  1.], dtype=float32))"}));

  ops.add(elementwise_op({"square",
                          unary,
                          DTypeRule::Same,
                          "x * x",
                          {"2 * dy * x"},
                          R"(`x` times itself.

>>> ax.ops.square([1.0, -3.0])
Tensor([1., 9.], dtype=float32))"}));

  ops.add(elementwise_op({"reciprocal",
                          unary,
                          DTypeRule::Floating,
                          "1 / x",
                          {"-dy * y * y"},
                          R"(`1 / x`.

>>> ax.ops.reciprocal([2.0, -4.0])
Tensor([ 0.5 , -0.25], dtype=float32))"}));

  ops.add(elementwise_op({"clip",
                          unary,
                          DTypeRule::Same,
                          "minimum(maximum(x, x_min), x_max)",
                          {"where(logical_and(x >= x_min, x <= x_max), dy, 0)"},
                          R"(`x` limited to the interval from `x_min` to `x_max`.

>>> ax.ops.clip([-2.0, 0.5, 3.0], x_min=0.0, x_max=1.0)
Tensor([0. , 0.5, 1. ], dtype=float32))",
                          {{"x_min", AttrKind::Float, {}, "Least value of the result."},
                           {"x_max", AttrKind::Float, {}, "Greatest value of the result."}}}));

  ops.add(elementwise_op({"stop_gradient",
                          unary,
                          DTypeRule::Same,
                          "x",
                          {},
                          R"(`x` itself, taken as a constant by differentiation.

>>> ax.ops.stop_gradient([1.0, 2.0])
Tensor([1., 2.], dtype=float32))",
                          {},
                          true}));
}

}  // namespace addax
