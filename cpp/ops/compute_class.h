#pragma once

#include "core/dtype.h"

namespace addax {

// The type that elementwise arithmetic on operands of `dtype` happens in: float64 for float64,
// float32 for narrower floating types, int64 for integers and bool.
constexpr DType compute_class(DType dtype) {
  switch (dtype) {
    case DType::Float64:
      return DType::Float64;
    case DType::Float16:
    case DType::BFloat16:
    case DType::Float32:
      return DType::Float32;
    default:
      return DType::Int64;
  }
}

// The type in which `cast` converts: floating if either side is, so that nothing is lost on the
// way.
constexpr DType cast_class(DType from, DType to) {
  const DType a = compute_class(from);
  const DType b = compute_class(to);
  if (a == DType::Float64 || b == DType::Float64) return DType::Float64;
  return a == DType::Float32 || b == DType::Float32 ? DType::Float32 : DType::Int64;
}

}  // namespace addax
