#include "api/promotion.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "core/error.h"

namespace addax {
namespace {

enum class Kind : uint8_t { Bool, Integer, Floating };

Kind kind_of(DType dtype) {
  if (is_floating(dtype)) return Kind::Floating;
  return is_integer(dtype) ? Kind::Integer : Kind::Bool;
}

template <typename T>
bool fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

bool fits(int64_t value, DType dtype) {
  switch (dtype) {
    case DType::UInt8:
      return fits<uint8_t>(value);
    case DType::Int8:
      return fits<int8_t>(value);
    case DType::Int32:
      return fits<int32_t>(value);
    default:
      return true;
  }
}

// The dtype in which operands [first, last) meet: the strong ones by promote(), then weak ones only
// where their kind is greater than what the strong ones gave.
DType common_dtype(std::span<const OperandType> operands) {
  std::optional<DType> strong;
  std::optional<DType> weak;
  for (const OperandType& operand : operands) {
    std::optional<DType>& into = operand.weak ? weak : strong;
    into = into ? promote(*into, operand.dtype) : operand.dtype;
  }
  if (!strong) return *weak;
  if (weak && kind_of(*weak) > kind_of(*strong)) return *weak;
  return *strong;
}

}  // namespace

DType default_dtype(const Scalar& scalar) {
  if (std::holds_alternative<bool>(scalar)) return DType::Bool;
  if (std::holds_alternative<double>(scalar)) return DType::Float32;
  return fits<int32_t>(std::get<int64_t>(scalar)) ? DType::Int32 : DType::Int64;
}

Literal scalar_literal(const Scalar& scalar, DType dtype) {
  if (const double* number = std::get_if<double>(&scalar)) return scalar_literal(*number, dtype);
  if (const bool* flag = std::get_if<bool>(&scalar)) return scalar_literal(*flag ? 1 : 0, dtype);
  const int64_t integer = std::get<int64_t>(scalar);
  if (!fits(integer, dtype)) {
    throw OutOfRangeError("the integer " + std::to_string(integer) + " does not fit the dtype " +
                          std::string(name(dtype)) + " of the other operands; cast them first");
  }
  if (dtype != DType::Int64) return scalar_literal(static_cast<double>(integer), dtype);
  Literal literal{{DType::Int64, Shape()}, std::vector<std::byte>(sizeof(integer))};
  std::memcpy(literal.data.data(), &integer, sizeof(integer));
  return literal;
}

std::vector<DType> promoted_dtypes(const OpDef& op, std::span<const OperandType> operands) {
  std::vector<DType> dtypes(operands.size());
  std::transform(operands.begin(), operands.end(), dtypes.begin(),
                 [](const OperandType& operand) { return operand.dtype; });
  if (operands.empty()) return dtypes;
  switch (op.dtype_rule) {
    case DTypeRule::Any:
      break;
    case DTypeRule::Same:
    case DTypeRule::Compare:
      std::fill(dtypes.begin(), dtypes.end(), common_dtype(operands));
      break;
    case DTypeRule::Floating: {
      const DType common = common_dtype(operands);
      std::fill(dtypes.begin(), dtypes.end(), is_floating(common) ? common : DType::Float32);
      break;
    }
    case DTypeRule::Logical:
      std::fill(dtypes.begin(), dtypes.end(), DType::Bool);
      break;
    case DTypeRule::Where:
      dtypes[0] = DType::Bool;
      if (operands.size() > 1) {
        std::fill(dtypes.begin() + 1, dtypes.end(), common_dtype(operands.subspan(1)));
      }
      break;
  }
  return dtypes;
}

Value convert_operand(Emitter& emit, Value x, DType dtype) {
  const DType from = emit.dtype(x);
  if (from == dtype) return x;
  if (dtype == DType::Bool) return emit.call("not_equal", {x, emit.scalar(0, from)});
  return emit.cast(x, dtype);
}

}  // namespace addax
