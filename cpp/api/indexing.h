#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "api/tensor.h"

namespace addax {

struct SliceIndex {
  std::optional<int64_t> begin;
  std::optional<int64_t> end;
  int64_t step = 1;
};
struct NewAxis {};
struct EllipsisIndex {};

// One item of `x[...]`. A tensor item holds integer positions along its axis.
using IndexItem = std::variant<int64_t, SliceIndex, NewAxis, EllipsisIndex, Tensor>;

// NumPy's basic indexing, and integer arrays on one axis or on adjacent ones. Negative positions
// count from the end. Throws OutOfRangeError for an integer beyond its axis, ShapeError for too
// many items, DTypeError for a boolean mask (the result's shape would depend on the numbers).
Tensor index(const Tensor& x, std::span<const IndexItem> items);

}  // namespace addax
