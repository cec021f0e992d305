#pragma once

#include <string>

#include "ops/op_def.h"

namespace addax {

// What `infer` functions are written with. Every message begins with the op's name in brackets.
[[noreturn]] void shape_error(const OpCall& call, const std::string& text);
[[noreturn]] void dtype_error(const OpCall& call, const std::string& text);
[[noreturn]] void argument_error(const OpCall& call, const std::string& text);

// Throw unless input `index` is as said.
void require_rank(const OpCall& call, size_t index, int rank);
void require_min_rank(const OpCall& call, size_t index, int rank);
void require_shape(const OpCall& call, size_t index, const Shape& shape);
void require_dtype(const OpCall& call, size_t index, DType dtype);
void require_floating(const OpCall& call, size_t index);
void require_integer(const OpCall& call, size_t index);
void require_number(const OpCall& call, size_t index);  // not bool

// Throws unless inputs [first, last) have the dtype of input `first`; returns it.
DType require_same_dtype(const OpCall& call, size_t first, size_t last);

// Checks the inputs' dtypes by the op's rule and returns the result's. Not for DTypeRule::Any.
DType apply_dtype_rule(const OpCall& call);

// The shape that all inputs broadcast to.
Shape broadcast_inputs(const OpCall& call);

// Throws unless the Ints attribute has `count` numbers, each at least `least`.
void require_ints(const OpCall& call, std::string_view attr, size_t count, int64_t least);

// The shape that an Ints attribute states; a ShapeError of the op if it is none.
Shape shape_attr(const OpCall& call, std::string_view attr);

// "x" or, for repeated inputs, "xs[2]".
std::string input_name(const OpCall& call, size_t index);
std::string to_string(const Ints& ints);  // "(2, 3)"

}  // namespace addax
