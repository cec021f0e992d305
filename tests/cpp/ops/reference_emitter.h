#pragma once

#include <string>
#include <vector>

#include "ops/op_def.h"

namespace addax::test {

// A tensor of doubles, whatever its dtype says; integers beyond 2^53 are not for this.
struct Array {
  TensorType type;
  std::vector<double> data;
};

// Evaluates ops as they are emitted, slowly and by their definitions: primitives element by
// element, composites by their decomposition. Every value's type is checked against `infer`.
// Nothing is rounded to float32 or narrower.
class ReferenceEmitter : public Emitter {
 public:
  Value input(const TensorType& type, std::vector<double> data);

  std::vector<Value> emit(const OpDef& op, Attrs attrs, std::span<const Value> inputs) override;
  const TensorType& type(Value value) const override { return array(value).type; }
  const Array& array(Value value) const { return values_[static_cast<size_t>(value.id)]; }
  const std::vector<double>& data(Value value) const { return array(value).data; }

  // Names of the primitives evaluated so far.
  const std::vector<std::string>& primitives() const { return primitives_; }

  // Reverse mode over everything emitted so far: gradients of the sum of `y` times `dy` with
  // respect to each of `wrt`, invalid where there is none. Composites without a gradient of their
  // own are differentiated through their decomposition.
  std::vector<Value> gradients(Value y, Value dy, std::span<const Value> wrt);

 private:
  struct Step {
    const OpDef* op;
    Attrs attrs;
    std::vector<Value> inputs;
    std::vector<Value> outputs;
  };

  Value add_value(Array array);

  std::vector<Array> values_;
  std::vector<Step> steps_;
  std::vector<std::string> primitives_;
  int hidden_ = 0;  // inside the decomposition of an op that has a gradient
};

}  // namespace addax::test
