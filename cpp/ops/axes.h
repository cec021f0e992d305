#pragma once

#include "core/shape.h"
#include "ops/attr.h"

namespace addax {

// `axes` are sorted and non-negative, as `resolve_attrs` leaves them.

// The shape without the axes, or with 1 in their place.
Shape reduced_shape(const Shape& shape, const Ints& axes, bool keepdims);

// How many elements are reduced to one.
int64_t reduced_count(const Shape& shape, const Ints& axes);

// All axes but the last.
Ints leading_axes(const Shape& shape);

// The shape with one extent replaced.
Shape with_extent(const Shape& shape, int axis, int64_t extent);

Ints to_ints(const Shape& shape);

}  // namespace addax
