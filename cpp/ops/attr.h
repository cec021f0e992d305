#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "core/shape.h"

namespace addax {

// The data of a constant: dense, row-major, `type.bytes()` long.
struct Literal {
  TensorType type;
  std::vector<std::byte> data;

  bool operator==(const Literal&) const = default;
};

// One number as a rank-0 literal of `dtype`; rounded to nearest, truncated towards zero and
// saturated for integers, `value != 0` for bool.
Literal scalar_literal(double value, DType dtype);

// A literal of the given values in row-major order, as many as the shape has, rounded likewise.
Literal make_literal(const TensorType& type, std::span<const double> values);

// The element at a row-major index, as a double.
double element(const Literal& literal, int64_t index);

using Ints = std::vector<int64_t>;
using AttrValue =
    std::variant<bool, int64_t, double, std::string, Ints, DType, std::shared_ptr<const Literal>>;

// What an attribute holds and how a caller may write it.
//   Axis    one axis; negative counts from the end; resolved against the first input's rank
//   Axes    several axes; null means all of them; resolved and sorted likewise
//   Shape   Ints in which one -1 stands for "what is left"
enum class AttrKind : uint8_t { Bool, Int, Float, String, Ints, DType, Literal, Axis, Axes, Shape };

// "Float", for messages; one value as it stands in Attrs::to_string.
std::string_view kind_name(AttrKind kind);
std::string to_string(const AttrValue& value);

// Named attributes of one call, ordered by name.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<const std::string, AttrValue>> items) : items_(items) {}

  bool has(std::string_view name) const { return items_.find(name) != items_.end(); }
  void set(std::string name, AttrValue value) { items_[std::move(name)] = std::move(value); }
  const AttrValue& at(std::string_view name) const;

  bool flag(std::string_view name) const { return std::get<bool>(at(name)); }
  int64_t integer(std::string_view name) const { return std::get<int64_t>(at(name)); }
  double number(std::string_view name) const;  // Float or Int
  const std::string& text(std::string_view name) const { return std::get<std::string>(at(name)); }
  const Ints& ints(std::string_view name) const { return std::get<Ints>(at(name)); }
  DType dtype(std::string_view name) const { return std::get<DType>(at(name)); }
  const Literal& literal(std::string_view name) const {
    return *std::get<std::shared_ptr<const Literal>>(at(name));
  }

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }
  bool operator==(const Attrs& other) const;

  // "{axes=[0,1], keepdims=true}"; empty text when there are none. Stable: it serves as a cache
  // key.
  std::string to_string() const;

 private:
  std::map<std::string, AttrValue, std::less<>> items_;
};

}  // namespace addax
