#include "ops/attr.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/float16.h"

namespace addax {
namespace {

template <typename T>
void store(std::vector<std::byte>& data, T value) {
  const size_t begin = data.size();
  data.resize(begin + sizeof(T));
  std::memcpy(data.data() + begin, &value, sizeof(T));
}

template <typename T>
T load(const std::vector<std::byte>& data, int64_t index) {
  T value;
  std::memcpy(&value, data.data() + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
T saturate(double value) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) {
    return std::numeric_limits<T>::min();
  }
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
    return std::numeric_limits<T>::max();
  }
  return static_cast<T>(value);
}

void append(std::vector<std::byte>& data, double value, DType dtype) {
  const float single = static_cast<float>(value);
  switch (dtype) {
    case DType::Bool:
      return store(data, static_cast<uint8_t>(value != 0));
    case DType::UInt8:
      return store(data, saturate<uint8_t>(value));
    case DType::Int8:
      return store(data, saturate<int8_t>(value));
    case DType::Int32:
      return store(data, saturate<int32_t>(value));
    case DType::Int64:
      return store(data, saturate<int64_t>(value));
    case DType::Float16:
      return store(data, float_to_float16(single));
    case DType::BFloat16:
      return store(data, float_to_bfloat16(single));
    case DType::Float32:
      return store(data, single);
    case DType::Float64:
      return store(data, value);
  }
}

std::string number_text(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string hexadecimal(const std::vector<std::byte>& data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  for (std::byte b : data) {
    text += kDigits[std::to_integer<size_t>(b) >> 4];
    text += kDigits[std::to_integer<size_t>(b) & 15];
  }
  return text;
}

std::string literal_text(const Literal& literal) {
  constexpr int64_t kSmall = 8;
  const int64_t n = literal.type.shape.num_elements();
  std::string text = literal.type.to_string() + ":";
  if (n > kSmall) return text + hexadecimal(literal.data);
  text += '(';
  for (int64_t i = 0; i < n; ++i) {
    if (i > 0) text += ',';
    text += literal.type.dtype == DType::Int64 ? std::to_string(load<int64_t>(literal.data, i))
                                               : number_text(element(literal, i));
  }
  return text + ')';
}

struct ValuePrinter {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return number_text(value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(DType value) const { return std::string(short_name(value)); }
  std::string operator()(const std::shared_ptr<const Literal>& value) const {
    return value == nullptr ? "null" : literal_text(*value);
  }
  std::string operator()(const Ints& value) const {
    std::string text = "[";
    for (size_t i = 0; i < value.size(); ++i) {
      if (i > 0) text += ',';
      text += std::to_string(value[i]);
    }
    return text + ']';
  }
};

bool equal_values(const AttrValue& a, const AttrValue& b) {
  using LiteralPointer = std::shared_ptr<const Literal>;
  const LiteralPointer* left = std::get_if<LiteralPointer>(&a);
  const LiteralPointer* right = std::get_if<LiteralPointer>(&b);
  if (left == nullptr || right == nullptr || *left == nullptr || *right == nullptr) return a == b;
  return *left == *right || **left == **right;
}

}  // namespace

Literal scalar_literal(double value, DType dtype) {
  return make_literal({dtype, Shape()}, std::span(&value, 1));
}

Literal make_literal(const TensorType& type, std::span<const double> values) {
  Literal literal{type, {}};
  literal.data.reserve(type.bytes());
  for (double value : values) append(literal.data, value, type.dtype);
  return literal;
}

double element(const Literal& literal, int64_t index) {
  switch (literal.type.dtype) {
    case DType::Bool:
    case DType::UInt8:
      return load<uint8_t>(literal.data, index);
    case DType::Int8:
      return load<int8_t>(literal.data, index);
    case DType::Int32:
      return load<int32_t>(literal.data, index);
    case DType::Int64:
      return static_cast<double>(load<int64_t>(literal.data, index));
    case DType::Float16:
      return float16_to_float(load<uint16_t>(literal.data, index));
    case DType::BFloat16:
      return bfloat16_to_float(load<uint16_t>(literal.data, index));
    case DType::Float32:
      return load<float>(literal.data, index);
    case DType::Float64:
      return load<double>(literal.data, index);
  }
  return 0;
}

std::string_view kind_name(AttrKind kind) {
  constexpr std::array<std::string_view, 10> kNames = {
      "Bool", "Int", "Float", "String", "Ints", "DType", "Literal", "Axis", "Axes", "Shape"};
  return kNames[static_cast<size_t>(kind)];
}

std::string to_string(const AttrValue& value) { return std::visit(ValuePrinter(), value); }

const AttrValue& Attrs::at(std::string_view name) const {
  const auto found = items_.find(name);
  if (found != items_.end()) return found->second;
  throw InternalError("no attribute '" + std::string(name) + "' in " + to_string());
}

double Attrs::number(std::string_view name) const {
  const AttrValue& value = at(name);
  if (const int64_t* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}

bool Attrs::operator==(const Attrs& other) const {
  return std::equal(items_.begin(), items_.end(), other.items_.begin(), other.items_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first && equal_values(a.second, b.second);
                    });
}

std::string Attrs::to_string() const {
  if (items_.empty()) return {};
  std::string text = "{";
  for (const auto& [name, value] : items_) {
    if (text.size() > 1) text += ", ";
    text += name + "=" + addax::to_string(value);
  }
  return text + '}';
}

}  // namespace addax
