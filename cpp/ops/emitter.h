#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "ops/attr.h"

namespace addax {

struct OpDef;

// A handle to a value of the graph under construction.
struct Value {
  int32_t id = -1;
  bool valid() const { return id >= 0; }
  bool operator==(const Value&) const = default;
};

// Appends ops to a graph: what gradients and decompositions are written against. Every call checks
// its input by the op's `infer` and throws typed errors.
class Emitter {
 public:
  virtual ~Emitter() = default;

  // `attrs` need not be resolved: unstated ones take their defaults. References that `type`
  // returned may dangle afterwards.
  virtual std::vector<Value> emit(const OpDef& op, Attrs attrs, std::span<const Value> inputs) = 0;
  virtual const TensorType& type(Value value) const = 0;

  const Shape& shape(Value value) const { return type(value).shape; }
  DType dtype(Value value) const { return type(value).dtype; }

  // Looks the op up by name. `call` is for ops with one output.
  std::vector<Value> call_all(std::string_view op, std::span<const Value> inputs, Attrs attrs = {});
  Value call(std::string_view op, std::initializer_list<Value> inputs, Attrs attrs = {});

  Value constant(Literal literal);
  Value scalar(double value, DType dtype);
  // A tensor of `type` filled with one number, as a broadcast scalar.
  Value full(double value, const TensorType& type);

  Value add(Value a, Value b) { return call("add", {a, b}); }
  Value subtract(Value a, Value b) { return call("subtract", {a, b}); }
  Value multiply(Value a, Value b) { return call("multiply", {a, b}); }
  Value divide(Value a, Value b) { return call("divide", {a, b}); }
  Value maximum(Value a, Value b) { return call("maximum", {a, b}); }
  Value negative(Value a) { return call("negative", {a}); }
  Value where(Value condition, Value a, Value b) { return call("where", {condition, a, b}); }

  // These return `x` itself when there is nothing to do.
  Value cast(Value x, DType dtype);
  Value reshape(Value x, const Shape& shape);
  Value broadcast_to(Value x, const Shape& shape);
  Value transpose(Value x, Ints permutation);
  Value sum(Value x, Ints axes, bool keepdims);
  // Sums `x` over the axes along which `shape` was broadcast to x's shape; the gradient of
  // broadcasting.
  Value sum_to(Value x, const Shape& shape);
};

}  // namespace addax
