#pragma once

#include <string>

#include "core/dtype.h"
#include "opencl/device.h"
#include "opencl/lowering/lowering.h"
#include "ops/scalar_expr.h"

// Source text of OpenCL C.
namespace addax::opencl {

inline DType dtype_of(const Tensor& tensor) { return static_cast<DType>(tensor.dtype); }

// What every program begins with: types.cl for the class `compute`, which T is from there on.
std::string preamble(const Limits& limits, DType compute);

// "#define NAME value" on a line of its own.
std::string define(std::string_view name, std::string_view value);
std::string define(std::string_view name, int64_t value);
// GROUP, the items of a work-group, and SHARED, the memory that they share; see Limits::group.
std::string define_group(int64_t items);

// "LOAD_float32(ADDRESS(x), index)", and the like.
std::string load(DType dtype, const std::string& tensor, const std::string& index);
std::string store(DType dtype, const std::string& tensor, const std::string& index,
                  const std::string& value);

// Statements that make v<i>, of type T, out of each instruction of the expression; `input(i)` is
// the text of input i. Throws UnsupportedError for an operation that the class does not have.
template <class Input>
std::string statements(const ScalarExpr& expr, DType compute, const Input& input);

// One statement: the value of one operation or constant.
std::string statement(const ScalarInstruction& instruction, size_t number, DType compute);

template <class Input>
std::string statements(const ScalarExpr& expr, DType compute, const Input& input) {
  std::string text;
  for (size_t i = 0; i < expr.code.size(); ++i) {
    const ScalarInstruction& instruction = expr.code[i];
    if (instruction.op == ScalarOp::Input) {
      text += "  const T v" + std::to_string(i) + " = (T)" +
              input(static_cast<size_t>(instruction.value)) + ";\n";
    } else {
      text += statement(instruction, i, compute);
    }
  }
  return text;
}

}  // namespace addax::opencl
