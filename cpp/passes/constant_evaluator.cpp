#include "passes/constant_evaluator.h"

#include <cmath>
#include <cstring>

#include "ops/compute_class.h"
#include "ops/scalar_expr.h"

namespace addax {
namespace {

template <typename T>
T load(const Literal& literal, int64_t index) {
  if constexpr (std::is_same_v<T, int64_t>) {
    if (literal.type.dtype == DType::Int64) {
      int64_t value = 0;
      std::memcpy(&value, literal.data.data() + static_cast<size_t>(index) * sizeof value,
                  sizeof value);
      return value;
    }
  }
  return static_cast<T>(element(literal, index));
}

// Integers as devices hold them: 64 bits that wrap around.
int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }

std::optional<int64_t> integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return std::nullopt;
  uint64_t result = 1;
  uint64_t factor = static_cast<uint64_t>(base);
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result *= factor;
    factor *= factor;
  }
  return wrapped(result);
}

std::optional<int64_t> integer_division(ScalarOp op, int64_t a, int64_t b) {
  if (b == 0) return std::nullopt;
  if (b == -1) return op == ScalarOp::Mod ? 0 : wrapped(0 - static_cast<uint64_t>(a));
  const int64_t rest = a % b;
  const bool adjust = rest != 0 && (rest < 0) != (b < 0);
  if (op == ScalarOp::Mod) return adjust ? rest + b : rest;
  return a / b - (adjust ? 1 : 0);
}

std::optional<int64_t> apply(ScalarOp op, int64_t a, int64_t b, int64_t c) {
  const auto ua = static_cast<uint64_t>(a);
  const auto ub = static_cast<uint64_t>(b);
  switch (op) {
    case ScalarOp::Add:
      return wrapped(ua + ub);
    case ScalarOp::Subtract:
      return wrapped(ua - ub);
    case ScalarOp::Multiply:
      return wrapped(ua * ub);
    case ScalarOp::FloorDivide:
    case ScalarOp::Mod:
      return integer_division(op, a, b);
    case ScalarOp::Power:
      return integer_power(a, b);
    case ScalarOp::Maximum:
      return std::max(a, b);
    case ScalarOp::Minimum:
      return std::min(a, b);
    case ScalarOp::Negative:
      return wrapped(0 - ua);
    case ScalarOp::Abs:
      return a < 0 ? wrapped(0 - ua) : a;
    case ScalarOp::Sign:
      return (a > 0) - (a < 0);
    case ScalarOp::Equal:
      return a == b;
    case ScalarOp::NotEqual:
      return a != b;
    case ScalarOp::Less:
      return a < b;
    case ScalarOp::LessEqual:
      return a <= b;
    case ScalarOp::Greater:
      return a > b;
    case ScalarOp::GreaterEqual:
      return a >= b;
    case ScalarOp::LogicalAnd:
      return a != 0 && b != 0;
    case ScalarOp::LogicalOr:
      return a != 0 || b != 0;
    case ScalarOp::LogicalNot:
      return a == 0;
    case ScalarOp::Where:
      return a != 0 ? b : c;
    default:
      return std::nullopt;
  }
}

template <typename T>
requires std::is_floating_point_v<T> std::optional<T> apply(ScalarOp op, T a, T b, T c) {
  return static_cast<T>(evaluate(op, a, b, c));
}

template <typename T>
std::optional<T> run(const ScalarExpr& expr, std::span<const T> inputs) {
  std::vector<T> values;
  values.reserve(expr.code.size());
  const auto at = [&](int32_t index) {
    return index < 0 ? T{} : values[static_cast<size_t>(index)];
  };
  for (const ScalarInstruction& in : expr.code) {
    if (in.op == ScalarOp::Input) {
      values.push_back(inputs[static_cast<size_t>(in.value)]);
    } else if (in.op == ScalarOp::Constant) {
      values.push_back(static_cast<T>(in.value));
    } else if (const std::optional<T> value = apply(in.op, at(in.a), at(in.b), at(in.c))) {
      values.push_back(*value);
    } else {
      return std::nullopt;
    }
  }
  return at(expr.outputs[0]);
}

template <typename T>
void append_bytes(std::vector<std::byte>& data, T value) {
  const size_t size = data.size();
  data.resize(size + sizeof value);
  std::memcpy(data.data() + size, &value, sizeof value);
}

bool store(std::vector<std::byte>& data, int64_t value, DType dtype) {
  switch (dtype) {
    case DType::Bool:
      append_bytes<uint8_t>(data, value != 0);
      return true;
    case DType::UInt8:
      append_bytes(data, static_cast<uint8_t>(value));
      return true;
    case DType::Int8:
      append_bytes(data, static_cast<int8_t>(value));
      return true;
    case DType::Int32:
      append_bytes(data, static_cast<int32_t>(value));
      return true;
    case DType::Int64:
      append_bytes(data, value);
      return true;
    default:
      return false;
  }
}

template <typename T>
requires std::is_floating_point_v<T>
bool store(std::vector<std::byte>& data, T value, DType dtype) {
  if (is_integer(dtype)) {
    const double limit = std::ldexp(1.0, static_cast<int>(8 * size_of(dtype)) - 1);
    const double low = dtype == DType::UInt8 ? 0 : -limit;
    const double high = dtype == DType::UInt8 ? 256 : limit;
    const double whole = std::trunc(static_cast<double>(value));
    return whole >= low && whole < high && store(data, static_cast<int64_t>(whole), dtype);
  }
  const Literal stored = scalar_literal(static_cast<double>(value), dtype);
  data.insert(data.end(), stored.data.begin(), stored.data.end());
  return true;
}

// Flat index into an input of the element that meets element `index` of the result.
int64_t broadcast_index(const Shape& from, const Shape& to, int64_t index) {
  const auto strides = from.strides();
  const int missing = to.rank() - from.rank();
  int64_t result = 0;
  for (int axis = to.rank() - 1; axis >= missing; --axis) {
    const int64_t position = index % to[axis];
    index /= to[axis];
    if (from[axis - missing] != 1)
      result += position * strides[static_cast<size_t>(axis - missing)];
  }
  return result;
}

template <typename T>
std::optional<Literal> evaluate_as(const ScalarExpr& expr, std::span<const Literal* const> inputs,
                                   const TensorType& type) {
  Literal result{type, {}};
  result.data.reserve(type.bytes());
  std::vector<T> operands(inputs.size());
  for (int64_t i = 0; i < type.shape.num_elements(); ++i) {
    for (size_t k = 0; k < inputs.size(); ++k) {
      operands[k] = load<T>(*inputs[k], broadcast_index(inputs[k]->type.shape, type.shape, i));
    }
    const std::optional<T> value = run<T>(expr, operands);
    if (!value || !store(result.data, *value, type.dtype)) return std::nullopt;
  }
  return result;
}

}  // namespace

std::optional<Literal> evaluate_elementwise(const OpDef& op, const Attrs& attrs,
                                            std::span<const Literal* const> inputs,
                                            const TensorType& type) {
  const DType from = inputs.back()->type.dtype;  // `where` has its condition first
  const DType compute = op.name == "cast" ? cast_class(from, type.dtype) : compute_class(from);
  const ScalarExpr expr = scalar_expr(op, attrs);
  switch (compute) {
    case DType::Float64:
      return evaluate_as<double>(expr, inputs, type);
    case DType::Float32:
      return evaluate_as<float>(expr, inputs, type);
    default:
      return evaluate_as<int64_t>(expr, inputs, type);
  }
}

}  // namespace addax
