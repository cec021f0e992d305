#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

#include "core/dtype.h"

namespace addax {

inline constexpr int kMaxRank = 8;

// Extents of a dense row-major tensor, at most kMaxRank of them, each >= 0.
// Constructors throw ShapeError on a negative extent, a higher rank, or more than 2^62 elements.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  int64_t num_elements() const;
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  auto begin() const { return dims().begin(); }
  auto end() const { return dims().end(); }

  // Row-major strides in elements.
  std::array<int64_t, kMaxRank> strides() const;

  // "(2, 3)", as NumPy prints it.
  std::string to_string() const;

  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// NumPy's broadcasting rule; nothing when the shapes do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

// What the graph knows of a value.
struct TensorType {
  DType dtype = DType::Float32;
  Shape shape;

  size_t bytes() const { return static_cast<size_t>(shape.num_elements()) * size_of(dtype); }
  std::string to_string() const;  // "f32[32,784]"
  bool operator==(const TensorType&) const = default;
};

}  // namespace addax
