#include "ops/elementwise.h"

namespace addax {

void register_logic_ops(OpRegistryBuilder& ops) {
  const std::vector<std::string> unary = {"x"};
  const std::vector<std::string> binary = {"x1", "x2"};

  ops.add(elementwise_op({"equal",
                          binary,
                          DTypeRule::Compare,
                          "x1 == x2",
                          {},
                          R"(True where the elements are equal.

>>> ax.ops.equal([1.0, 2.0], [1.0, 3.0])
Tensor([ True, False], dtype=bool))"}));

  ops.add(elementwise_op({"not_equal",
                          binary,
                          DTypeRule::Compare,
                          "x1 != x2",
                          {},
                          R"(True where the elements differ.

>>> ax.ops.not_equal([1.0, 2.0], [1.0, 3.0])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"less",
                          binary,
                          DTypeRule::Compare,
                          "x1 < x2",
                          {},
                          R"(True where `x1` is smaller.

>>> ax.ops.less([1.0, 2.0], [1.0, 3.0])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"less_equal",
                          binary,
                          DTypeRule::Compare,
                          "x1 <= x2",
                          {},
                          R"(True where `x1` is smaller or equal.

>>> ax.ops.less_equal([1.0, 4.0], [1.0, 3.0])
Tensor([ True, False], dtype=bool))"}));

  ops.add(elementwise_op({"greater",
                          binary,
                          DTypeRule::Compare,
                          "x1 > x2",
                          {},
                          R"(True where `x1` is larger.

>>> ax.ops.greater([1.0, 4.0], [1.0, 3.0])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"greater_equal",
                          binary,
                          DTypeRule::Compare,
                          "x1 >= x2",
                          {},
                          R"(True where `x1` is larger or equal.

>>> ax.ops.greater_equal([1.0, 2.0], [1.0, 3.0])
Tensor([ True, False], dtype=bool))"}));

  ops.add(elementwise_op({"logical_and",
                          binary,
                          DTypeRule::Logical,
                          "logical_and(x1, x2)",
                          {},
                          R"(True where both are.

>>> ax.ops.logical_and([True, True], [True, False])
Tensor([ True, False], dtype=bool))"}));

  ops.add(elementwise_op({"logical_or",
                          binary,
                          DTypeRule::Logical,
                          "logical_or(x1, x2)",
                          {},
                          R"(True where at least one is.

>>> ax.ops.logical_or([False, True], [False, False])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"logical_xor",
                          binary,
                          DTypeRule::Logical,
                          "x1 != x2",
                          {},
                          R"(True where exactly one is.

>>> ax.ops.logical_xor([True, True], [True, False])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"logical_not",
                          unary,
                          DTypeRule::Logical,
                          "logical_not(x)",
                          {},
                          R"(True where `x` is not.

>>> ax.ops.logical_not([True, False])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"isnan",
                          unary,
                          DTypeRule::Any,
                          "isnan(x)",
                          {},
                          R"(True where `x`, which is floating, is not a number.

>>> ax.ops.isnan([1.0, float("nan")])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"isinf",
                          unary,
                          DTypeRule::Any,
                          "logical_not(logical_or(isfinite(x), isnan(x)))",
                          {},
                          R"(True where `x`, which is floating, is infinite.

>>> ax.ops.isinf([1.0, float("-inf")])
Tensor([False,  True], dtype=bool))"}));

  ops.add(elementwise_op({"isfinite",
                          unary,
                          DTypeRule::Any,
                          "isfinite(x)",
                          {},
                          R"(True where `x`, which is floating, is neither infinite nor NaN.

>>> ax.ops.isfinite([1.0, float("nan")])
Tensor([ True, False], dtype=bool))"}));

  ops.add(elementwise_op({"where",
                          {"condition", "x1", "x2"},
                          DTypeRule::Where,
                          "where(condition, x1, x2)",
                          {"", "where(condition, dy, 0)", "where(condition, 0, dy)"},
                          R"(`x1` where the condition is True, else `x2`.

>>> ax.ops.where([True, False], [1.0, 2.0], [3.0, 4.0])
Tensor([1., 4.], dtype=float32))"}));
}

}  // namespace addax
