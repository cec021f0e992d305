#include "ops/checks.h"

#include <algorithm>

#include "core/error.h"

namespace addax {
namespace {

std::string dtype_of(const OpCall& call, size_t index) {
  return std::string(name(call.inputs[index].dtype));
}

}  // namespace

void shape_error(const OpCall& call, const std::string& text) {
  throw ShapeError("[" + call.op.name + "] " + text);
}
void dtype_error(const OpCall& call, const std::string& text) {
  throw DTypeError("[" + call.op.name + "] " + text);
}
void argument_error(const OpCall& call, const std::string& text) {
  throw InvalidArgumentError("[" + call.op.name + "] " + text);
}

std::string input_name(const OpCall& call, size_t index) {
  const std::vector<std::string>& names = call.op.inputs;
  if (!call.op.variadic || index + 1 < names.size()) return names[index];
  return names.back() + "[" + std::to_string(index + 1 - names.size()) + "]";
}

std::string to_string(const Ints& ints) {
  std::string text = "(";
  for (size_t i = 0; i < ints.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(ints[i]);
  }
  return text + (ints.size() == 1 ? ",)" : ")");
}

void require_rank(const OpCall& call, size_t index, int rank) {
  const Shape& shape = call.inputs[index].shape;
  if (shape.rank() == rank) return;
  shape_error(call, input_name(call, index) + " must have " + std::to_string(rank) +
                        " dimensions, got shape " + shape.to_string() + "; reshape it first");
}

void require_min_rank(const OpCall& call, size_t index, int rank) {
  const Shape& shape = call.inputs[index].shape;
  if (shape.rank() >= rank) return;
  shape_error(call, input_name(call, index) + " must have at least " + std::to_string(rank) +
                        " dimensions, got shape " + shape.to_string() + "; reshape it first");
}

void require_shape(const OpCall& call, size_t index, const Shape& shape) {
  if (call.inputs[index].shape == shape) return;
  shape_error(call, input_name(call, index) + " must have shape " + shape.to_string() + ", got " +
                        call.inputs[index].shape.to_string());
}

void require_dtype(const OpCall& call, size_t index, DType dtype) {
  if (call.inputs[index].dtype == dtype) return;
  dtype_error(call, input_name(call, index) + " must be " + std::string(name(dtype)) + ", got " +
                        dtype_of(call, index) + "; cast it first");
}

void require_floating(const OpCall& call, size_t index) {
  if (is_floating(call.inputs[index].dtype)) return;
  dtype_error(call, input_name(call, index) + " must be floating, got " + dtype_of(call, index) +
                        "; cast it to float32 first");
}

void require_integer(const OpCall& call, size_t index) {
  if (is_integer(call.inputs[index].dtype)) return;
  dtype_error(call, input_name(call, index) + " must be of an integer dtype, got " +
                        dtype_of(call, index) + "; cast it to int32 first");
}

void require_number(const OpCall& call, size_t index) {
  if (call.inputs[index].dtype != DType::Bool) return;
  dtype_error(call, input_name(call, index) + " is bool; use the logical ops, or cast it to int32");
}

DType require_same_dtype(const OpCall& call, size_t first, size_t last) {
  const DType dtype = call.inputs[first].dtype;
  for (size_t i = first + 1; i < last; ++i) {
    if (call.inputs[i].dtype == dtype) continue;
    dtype_error(call, input_name(call, first) + " is " + dtype_of(call, first) + " and " +
                          input_name(call, i) + " is " + dtype_of(call, i) + "; cast one of them");
  }
  return dtype;
}

DType apply_dtype_rule(const OpCall& call) {
  const size_t count = call.inputs.size();
  switch (call.op.dtype_rule) {
    case DTypeRule::Any:
      break;
    case DTypeRule::Same:
      return require_same_dtype(call, 0, count);
    case DTypeRule::Floating:
      for (size_t i = 0; i < count; ++i) require_floating(call, i);
      return require_same_dtype(call, 0, count);
    case DTypeRule::Compare:
      require_same_dtype(call, 0, count);
      return DType::Bool;
    case DTypeRule::Logical:
      for (size_t i = 0; i < count; ++i) {
        if (call.inputs[i].dtype == DType::Bool) continue;
        dtype_error(call, input_name(call, i) + " must be bool, got " + dtype_of(call, i) +
                              "; compare it with 0 first");
      }
      return DType::Bool;
    case DTypeRule::Where:
      if (call.inputs[0].dtype != DType::Bool) {
        dtype_error(call, input_name(call, 0) + " must be bool, got " + dtype_of(call, 0) +
                              "; compare it with 0 first");
      }
      return require_same_dtype(call, 1, count);
  }
  throw InternalError("[" + call.op.name + "] has no dtype rule to apply");
}

Shape broadcast_inputs(const OpCall& call) {
  Shape shape = call.inputs[0].shape;
  for (size_t i = 1; i < call.inputs.size(); ++i) {
    const std::optional<Shape> both = broadcast(shape, call.inputs[i].shape);
    if (!both) {
      shape_error(call, "shapes " + shape.to_string() + " and " + call.inputs[i].shape.to_string() +
                            " do not broadcast; aligned at the right, each pair of extents must be "
                            "equal or one of them 1: reshape or transpose an operand");
    }
    shape = *both;
  }
  return shape;
}

void require_ints(const OpCall& call, std::string_view attr, size_t count, int64_t least) {
  const Ints& ints = call.attrs.ints(attr);
  const bool fits = ints.size() == count &&
                    std::all_of(ints.begin(), ints.end(), [&](int64_t v) { return v >= least; });
  if (fits) return;
  argument_error(call, std::string(attr) + " must be " + std::to_string(count) +
                           " integers of at least " + std::to_string(least) + ", got " +
                           to_string(ints));
}

Shape shape_attr(const OpCall& call, std::string_view attr) {
  try {
    return Shape(call.attrs.ints(attr));
  } catch (const ShapeError& error) {
    shape_error(call, std::string(attr) + ": " + error.what());
  }
}

}  // namespace addax
