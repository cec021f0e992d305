#include "reference_emitter.h"

#include <algorithm>
#include <map>

#include "reference_primitives.h"

namespace addax::test {

Value ReferenceEmitter::add_value(Array array) {
  if (static_cast<int64_t>(array.data.size()) != array.type.shape.num_elements()) {
    throw InternalError("reference: " + array.type.to_string() + " with " +
                        std::to_string(array.data.size()) + " elements");
  }
  // Memory moves at every step, so that a reference kept across one is found by a sanitizer.
  std::vector<Array> moved;
  moved.reserve(values_.size() + 1);
  for (Array& value : values_) moved.push_back(std::move(value));
  moved.push_back(std::move(array));
  values_ = std::move(moved);
  return {static_cast<int32_t>(values_.size()) - 1};
}

Value ReferenceEmitter::input(const TensorType& type, std::vector<double> data) {
  return add_value({type, std::move(data)});
}

std::vector<Value> ReferenceEmitter::emit(const OpDef& op, Attrs attrs,
                                          std::span<const Value> inputs) {
  const std::vector<Value> operands(inputs.begin(), inputs.end());
  std::vector<TensorType> types;
  for (Value value : operands) types.push_back(type(value));
  const Attrs resolved = resolve_attrs(op, std::move(attrs), types);
  PrimitiveCall call{op, resolved, {}, infer_types(op, resolved, types)};
  for (Value value : operands) call.inputs.push_back(array(value));

  std::vector<Value> outputs;
  std::vector<std::vector<double>> results;
  if (!op.decompose && evaluate_primitive(call, results)) {
    primitives_.push_back(op.name);
    for (size_t i = 0; i < results.size(); ++i) {
      outputs.push_back(add_value({call.outputs[i], std::move(results[i])}));
    }
  } else if (op.decompose) {
    if (op.grad) ++hidden_;
    outputs = op.decompose({*this, op, resolved, operands});
    if (op.grad) --hidden_;
    if (outputs.size() != call.outputs.size()) {
      throw InternalError("[" + op.name + "] decomposes into another number of outputs");
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (type(outputs[i]) == call.outputs[i]) continue;
      throw InternalError("[" + op.name + "] decomposes into " + type(outputs[i]).to_string() +
                          ", inferred " + call.outputs[i].to_string());
    }
    // A name of its own for each output, since an identity may hand back an input.
    if (op.grad) {
      for (Value& output : outputs) output = add_value(array(output));
    }
  } else {
    throw InternalError("[" + op.name + "] has neither a reference nor a decomposition");
  }
  const bool differentiable = op.grad || !op.decompose;
  if (hidden_ == 0 && differentiable) steps_.push_back({&op, resolved, operands, outputs});
  return outputs;
}

std::vector<Value> ReferenceEmitter::gradients(Value y, Value dy, std::span<const Value> wrt) {
  std::map<int32_t, Value> adjoints = {{y.id, dy}};
  const auto adjoint = [&adjoints](Value value) {
    const auto found = adjoints.find(value.id);
    return found == adjoints.end() ? Value() : found->second;
  };
  const std::vector<Step> steps = steps_;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::vector<Value> output_grads;
    for (Value output : step->outputs) output_grads.push_back(adjoint(output));
    const bool reached = std::any_of(output_grads.begin(), output_grads.end(),
                                     [](Value grad) { return grad.valid(); });
    if (!reached || !step->op->grad) continue;
    const std::vector<Value> grads =
        step->op->grad({*this, *step->op, step->attrs, step->inputs, step->outputs, output_grads});
    if (grads.size() != step->inputs.size()) {
      throw InternalError("[" + step->op->name + "] gives another number of gradients");
    }
    for (size_t i = 0; i < grads.size(); ++i) {
      if (!grads[i].valid()) continue;
      const Value input = step->inputs[i];
      if (type(grads[i]) != type(input)) {
        throw InternalError("[" + step->op->name + "] gradient of " + type(input).to_string() +
                            " is " + type(grads[i]).to_string());
      }
      const Value known = adjoint(input);
      adjoints[input.id] = known.valid() ? add(known, grads[i]) : grads[i];
    }
  }
  std::vector<Value> results;
  for (Value value : wrt) results.push_back(adjoint(value));
  return results;
}

}  // namespace addax::test
