#include "api/trace.h"

#include "api/errors.h"
#include "core/error.h"
#include "graph/autodiff.h"

namespace addax {
namespace {

thread_local std::vector<std::shared_ptr<Trace>> open_traces;

std::string describe(const TensorType& type) {
  return std::string(name(type.dtype)) + " tensor of shape " + type.shape.to_string();
}

}  // namespace

void push_trace(std::shared_ptr<Trace> trace) { open_traces.push_back(std::move(trace)); }

void pop_trace(const Trace* trace) {
  if (open_traces.empty() || open_traces.back().get() != trace) {
    throw InvalidArgumentError(
        "[Trace] traces must be closed in reverse order and by the thread that opened them");
  }
  open_traces.pop_back();
}

TraceScope::TraceScope(std::shared_ptr<Trace> trace) { push_trace(std::move(trace)); }
TraceScope::~TraceScope() { open_traces.pop_back(); }

Trace* Trace::current() { return open_traces.empty() ? nullptr : open_traces.back().get(); }

void Trace::check_open() const {
  if (finished_) {
    throw TracedValueError("[Trace] the trace '" + name() + "' has ended and takes no more ops");
  }
}

Tensor Trace::wrap(Value value) { return Tensor(shared_from_this(), value, graph_.type(value)); }

Tensor Trace::input(const TensorType& type, std::string name) {
  check_open();
  return wrap(graph_.add_input(std::move(name), type));
}

Tensor Trace::constant(const void* data, const TensorType& type) {
  check_open();
  if (type.bytes() > kMaxConstantBytes) {
    throw TracedValueError("[Trace] a " + describe(type) + " (" + std::to_string(type.bytes()) +
                           " bytes) is too large for a constant of the traced function '" + name() +
                           "'; pass it as an argument or hold it in a Variable");
  }
  const auto* bytes = static_cast<const std::byte*>(data);
  return wrap(graph_.constant(Literal{type, std::vector<std::byte>(bytes, bytes + type.bytes())}));
}

Value Trace::capture(const Tensor& tensor) {
  for (size_t i = 0; i < captured_.size(); ++i) {
    const Tensor& known = captured_[i];
    if (known.buffer() == tensor.buffer() && known.type() == tensor.type()) {
      return captured_values_[i];
    }
  }
  const std::string name = "captured" + std::to_string(captured_.size());
  captured_.push_back(tensor);
  captured_values_.push_back(graph_.add_input(name, tensor.type()));
  return captured_values_.back();
}

Value Trace::value_of(const Tensor& tensor, std::string_view where) {
  if (tensor.trace().get() == this) return tensor.value();
  if (!tensor.is_traced() && captures_ == Captures::Inputs) return capture(tensor);
  const std::string prefix = "[" + std::string(where) + "] ";
  if (tensor.is_traced()) {
    throw TracedValueError(prefix + "a " + describe(tensor.type()) + " of the trace '" +
                           tensor.trace()->name() + "' was used in the trace '" + name() +
                           "'; traced tensors are valid in the function that made them only: "
                           "return what is needed and pass it as an argument");
  }
  throw TracedValueError(prefix + "the traced function '" + name() + "' uses a " +
                         describe(tensor.type()) +
                         " from outside, whose numbers would be frozen into the graph; pass it as "
                         "an argument or hold it in a Variable");
}

Value Trace::operand_value(const Operand& operand, DType dtype, std::string_view op) {
  if (const Scalar* scalar = std::get_if<Scalar>(&operand.source)) {
    return graph_.constant(scalar_literal(*scalar, dtype));
  }
  Value value;
  if (const auto* variable = std::get_if<std::shared_ptr<Variable>>(&operand.source)) {
    value = read_value(*variable);
  } else {
    value = value_of(std::get<Tensor>(operand.source), op);
  }
  return convert_operand(graph_, value, dtype);
}

std::vector<Tensor> Trace::emit(const OpDef& op, std::span<const Operand> inputs, Attrs attrs) {
  check_open();
  std::vector<OperandType> types;
  types.reserve(inputs.size());
  for (const Operand& operand : inputs) types.push_back(operand.operand_type());
  const std::vector<DType> dtypes = promoted_dtypes(op, types);
  std::vector<Value> values;
  values.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    values.push_back(operand_value(inputs[i], dtypes[i], op.name));
  }
  std::vector<Tensor> outputs;
  for (const Value output : graph_.emit(op, std::move(attrs), values)) {
    outputs.push_back(wrap(output));
  }
  return outputs;
}

Trace::StateEntry& Trace::state(const std::shared_ptr<Variable>& variable) {
  const auto [found, inserted] = state_index_.try_emplace(variable.get(), states_.size());
  if (inserted) {
    check_open();
    const Value entry = graph_.add_state(variable->name(), variable->type());
    states_.push_back({variable, entry, entry});
  }
  return states_[found->second];
}

Value Trace::read_value(const std::shared_ptr<Variable>& variable) {
  StateEntry& entry = state(variable);
  entry.read = true;
  return entry.current;
}

Tensor Trace::read(const std::shared_ptr<Variable>& variable) { return wrap(read_value(variable)); }

void Trace::write(const std::shared_ptr<Variable>& variable, const Tensor& value) {
  check_open();
  StateEntry& entry = state(variable);
  entry.current = value_of(value, "assign");
  entry.read = false;
}

std::vector<Tensor> Trace::gradients(const Tensor& loss, std::span<const Operand> wrt) {
  check_open();
  std::vector<Value> values;
  for (const Operand& operand : wrt) {
    if (const auto* variable = std::get_if<std::shared_ptr<Variable>>(&operand.source)) {
      const StateEntry& entry = state(*variable);
      if (!entry.read && !(entry.current == entry.entry)) {
        throw InvalidArgumentError("[gradients] the variable '" + (*variable)->name() +
                                   "' was assigned after the loss was computed from it; take the "
                                   "gradients first");
      }
      values.push_back(entry.current);
    } else if (const Tensor* tensor = std::get_if<Tensor>(&operand.source)) {
      values.push_back(value_of(*tensor, "gradients"));
    } else {
      throw InvalidArgumentError(
          "[gradients] can be taken with respect to tensors and variables, "
          "not numbers");
    }
  }
  std::vector<Tensor> gradients;
  for (const Value value : addax::gradients(graph_, value_of(loss, "gradients"), values)) {
    gradients.push_back(wrap(value));
  }
  return gradients;
}

void Trace::push_label(std::string_view text) {
  labels_.push_back(labels_.empty() ? std::string(text) : labels_.back() + "/" + std::string(text));
  graph_.set_label(labels_.back());
}

void Trace::pop_label() {
  if (!labels_.empty()) labels_.pop_back();
  graph_.set_label(labels_.empty() ? "" : labels_.back());
}

std::unique_ptr<Executable> Trace::finish(std::span<const Tensor> outputs, Device& device) {
  check_open();
  for (const Tensor& output : outputs) graph_.add_output(value_of(output, name()));
  std::vector<std::shared_ptr<Variable>> variables;
  std::vector<bool> written;
  for (const StateEntry& entry : states_) {
    if (&entry.variable->device() != &device) {
      throw InvalidArgumentError("[" + name() + "] is compiled for " + device.name() +
                                 ", but the variable '" + entry.variable->name() + "' lives on " +
                                 entry.variable->device().name());
    }
    if (!(entry.current == entry.entry)) graph_.set_next(entry.entry, entry.current);
    variables.push_back(entry.variable);
    written.push_back(!(entry.current == entry.entry));
  }
  finished_ = true;
  states_.clear();
  return std::make_unique<Executable>(graph_, Program::compile(graph_, device), device,
                                      std::move(variables), std::move(written));
}

}  // namespace addax
