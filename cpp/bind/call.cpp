#include "bind/call.h"

#include "api/trace.h"

namespace addax::bind {

namespace py = pybind11;

bool CallGil::is_long(std::span<const Operand> inputs) {
  constexpr size_t kLongBytes = size_t{1} << 15;
  if (Trace::current() != nullptr) return false;
  size_t bytes = 0;
  for (const Operand& operand : inputs) {
    if (const auto* variable = std::get_if<std::shared_ptr<Variable>>(&operand.source)) {
      bytes += (*variable)->type().bytes();
    } else if (const Tensor* tensor = std::get_if<Tensor>(&operand.source)) {
      bytes += tensor->type().bytes();
    }
  }
  return bytes > kLongBytes;
}

std::vector<Tensor> call_all(const OpDef& op, std::span<const Operand> inputs, Attrs attrs) {
  const CallGil gil(inputs);
  return apply_all(op, inputs, std::move(attrs));
}

Tensor call(const OpDef& op, std::span<const Operand> inputs, Attrs attrs) {
  const CallGil gil(inputs);
  return apply(op, inputs, std::move(attrs));
}

py::object to_python(std::vector<Tensor> tensors) {
  if (tensors.size() == 1) return py::cast(std::move(tensors.front()));
  py::tuple result(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) result[i] = py::cast(std::move(tensors[i]));
  return result;
}

}  // namespace addax::bind
