#include "ops/emitter.h"

#include <numeric>

#include "core/error.h"
#include "ops/registry.h"

namespace addax {

std::vector<Value> Emitter::call_all(std::string_view op, std::span<const Value> inputs,
                                     Attrs attrs) {
  return emit(OpRegistry::instance().at(op), std::move(attrs), inputs);
}

Value Emitter::call(std::string_view op, std::initializer_list<Value> inputs, Attrs attrs) {
  const std::vector<Value> outputs =
      call_all(op, std::span(inputs.begin(), inputs.size()), std::move(attrs));
  if (outputs.size() != 1) {
    throw InternalError("[" + std::string(op) + "] has " + std::to_string(outputs.size()) +
                        " outputs; Emitter::call is for ops with one");
  }
  return outputs[0];
}

Value Emitter::constant(Literal literal) {
  return call("constant", {}, {{"value", std::make_shared<const Literal>(std::move(literal))}});
}

Value Emitter::scalar(double value, DType dtype) { return constant(scalar_literal(value, dtype)); }

Value Emitter::full(double value, const TensorType& type) {
  const TensorType wanted = type;
  return broadcast_to(scalar(value, wanted.dtype), wanted.shape);
}

Value Emitter::cast(Value x, DType dtype) {
  if (this->dtype(x) == dtype) return x;
  return call("cast", {x}, {{"dtype", dtype}});
}

Value Emitter::reshape(Value x, const Shape& shape) {
  if (this->shape(x) == shape) return x;
  return call("reshape", {x}, {{"shape", Ints(shape.begin(), shape.end())}});
}

Value Emitter::broadcast_to(Value x, const Shape& shape) {
  if (this->shape(x) == shape) return x;
  return call("broadcast_to", {x}, {{"shape", Ints(shape.begin(), shape.end())}});
}

Value Emitter::transpose(Value x, Ints permutation) {
  Ints identity(static_cast<size_t>(shape(x).rank()));
  std::iota(identity.begin(), identity.end(), 0);
  if (permutation == identity) return x;
  return call("transpose", {x}, {{"permutation", std::move(permutation)}});
}

Value Emitter::sum(Value x, Ints axes, bool keepdims) {
  if (axes.empty()) return x;
  return call("sum", {x}, {{"axes", std::move(axes)}, {"keepdims", keepdims}});
}

Value Emitter::sum_to(Value x, const Shape& shape) {
  const Shape wanted = shape;
  const Shape from = this->shape(x);
  const int leading = from.rank() - wanted.rank();
  Ints axes;
  for (int i = 0; i < from.rank(); ++i) {
    if (i < leading || (wanted[i - leading] == 1 && from[i] != 1)) axes.push_back(i);
  }
  return reshape(sum(x, std::move(axes), false), wanted);
}

}  // namespace addax
