#include "opencl/lowering/render.h"

#include <array>
#include <bit>

#include "core/error.h"
#include "opencl/lowering/sources.h"

namespace addax::opencl {
namespace {

std::string c_type(DType compute) {
  return compute == DType::Float32 ? "float" : compute == DType::Float64 ? "double" : "long";
}

// By its bits: exact, and good for infinities and NaN.
std::string number(double value, DType compute) {
  if (compute == DType::Float32) {
    return "as_float(" + std::to_string(std::bit_cast<uint32_t>(static_cast<float>(value))) + "u)";
  }
  if (compute == DType::Float64) {
    return "as_double(" + std::to_string(std::bit_cast<uint64_t>(value)) + "ul)";
  }
  return "(long)" + std::to_string(static_cast<uint64_t>(static_cast<int64_t>(value))) + "ul";
}

// scalar_ops.cl has every operation for floats; for integers it lacks these.
bool integers_have(ScalarOp op) {
  switch (op) {
    case ScalarOp::Divide:
    case ScalarOp::Arctan2:
    case ScalarOp::Exp:
    case ScalarOp::Expm1:
    case ScalarOp::Log:
    case ScalarOp::Log1p:
    case ScalarOp::Sqrt:
    case ScalarOp::Rsqrt:
    case ScalarOp::Sin:
    case ScalarOp::Cos:
    case ScalarOp::Tan:
    case ScalarOp::Tanh:
    case ScalarOp::Arctan:
    case ScalarOp::Erf:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::string preamble(const Limits& limits, DType compute) {
  std::string text = limits.has_double ? "#define HAS_DOUBLE\n" : "";
  text += "#define CLASS_" + std::string(name(compute)) + "\n";
  return text + define("T", c_type(compute)) + std::string(sources::types);
}

std::string define(std::string_view name, std::string_view value) {
  return "#define " + std::string(name) + " " + std::string(value) + "\n";
}

std::string define(std::string_view name, int64_t value) {
  return define(name, std::to_string(value));
}

std::string define_group(int64_t items) {
  return define("GROUP", items) + define("SHARED", items > 1 ? "__local" : "__private");
}

std::string load(DType dtype, const std::string& tensor, const std::string& index) {
  return "LOAD_" + std::string(name(dtype)) + "(ADDRESS(" + tensor + "), " + index + ")";
}

std::string store(DType dtype, const std::string& tensor, const std::string& index,
                  const std::string& value) {
  return "STORE_" + std::string(name(dtype)) + "(ADDRESS(" + tensor + "), " + index + ", " + value +
         ")";
}

std::string statement(const ScalarInstruction& instruction, size_t number_of, DType compute) {
  const std::string begin = "  const T v" + std::to_string(number_of) + " = ";
  if (instruction.op == ScalarOp::Constant) {
    return begin + number(instruction.value, compute) + ";\n";
  }
  if (compute == DType::Int64 && !integers_have(instruction.op)) {
    throw UnsupportedError(std::string(op_name(instruction.op)) +
                           " is not defined for integers; cast to a floating dtype first");
  }
  std::string text = begin + "op_" + std::string(op_name(instruction.op)) + "(";
  const std::array<int32_t, 3> operands = {instruction.a, instruction.b, instruction.c};
  for (int i = 0; i < arity(instruction.op); ++i) {
    text += (i == 0 ? "v" : ", v") + std::to_string(operands[static_cast<size_t>(i)]);
  }
  return text + ");\n";
}

}  // namespace addax::opencl
