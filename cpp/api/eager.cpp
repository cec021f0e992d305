#include "api/eager.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "api/devices.h"
#include "api/errors.h"
#include "api/trace.h"
#include "ops/registry.h"

namespace addax {
namespace {

const std::shared_ptr<Variable>* as_variable(const Operand& operand) {
  return std::get_if<std::shared_ptr<Variable>>(&operand.source);
}
const Tensor* as_tensor(const Operand& operand) { return std::get_if<Tensor>(&operand.source); }

// Where the operands are; the default device when all are numbers.
Device& common_device(const OpDef& op, std::span<const Operand> inputs) {
  Device* device = nullptr;
  for (const Operand& operand : inputs) {
    Device* here = nullptr;
    if (const Tensor* tensor = as_tensor(operand)) {
      if (tensor->is_traced()) {
        throw TracedValueError("[" + op.name + "] a traced tensor of '" + tensor->trace()->name() +
                               "' was used outside of its trace; it is valid in the traced "
                               "function only: return what is needed");
      }
      here = &tensor->device();
    }
    if (const auto* variable = as_variable(operand)) here = &(*variable)->device();
    if (here == nullptr) continue;
    if (device != nullptr && device != here) {
      throw InvalidArgumentError("[" + op.name + "] inputs are on " + device->name() + " and on " +
                                 here->name() + "; move one with x.to(device)");
    }
    device = here;
  }
  return device != nullptr ? *device : default_device();
}

template <typename T>
void append(std::string& key, const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The call as the program sees it: the types of its inputs and the dtypes they are converted to.
struct Signature {
  std::vector<TensorType> types;
  std::vector<DType> dtypes;
};

Signature signature_of(const OpDef& op, std::span<const Operand> inputs) {
  std::vector<OperandType> operands;
  operands.reserve(inputs.size());
  for (const Operand& operand : inputs) operands.push_back(operand.operand_type());
  Signature signature{{}, promoted_dtypes(op, operands)};
  signature.types.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (const Tensor* tensor = as_tensor(inputs[i])) {
      signature.types.push_back(tensor->type());
    } else if (const auto* variable = as_variable(inputs[i])) {
      signature.types.push_back((*variable)->type());
    } else {
      signature.types.push_back({signature.dtypes[i], Shape()});
    }
  }
  return signature;
}

std::string cache_key(const OpDef& op, const Attrs& attrs, const Signature& signature,
                      const Device& device) {
  std::string key;
  key.reserve(64 + 16 * signature.types.size());
  append(key, &op);
  append(key, &device);
  for (size_t i = 0; i < signature.types.size(); ++i) {
    const TensorType& type = signature.types[i];
    append(key, type.dtype);
    append(key, signature.dtypes[i]);
    append(key, static_cast<uint8_t>(type.shape.rank()));
    for (const int64_t extent : type.shape) append(key, extent);
  }
  if (!attrs.empty()) key += attrs.to_string();
  return key;
}

Graph graph_of_call(const OpDef& op, const Attrs& attrs, const Signature& signature) {
  Graph graph(op.name);
  std::vector<Value> values;
  for (size_t i = 0; i < signature.types.size(); ++i) {
    values.push_back(graph.add_input("x" + std::to_string(i), signature.types[i]));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = convert_operand(graph, values[i], signature.dtypes[i]);
  }
  for (const Value output : graph.emit(op, attrs, values)) graph.add_output(output);
  return graph;
}

// Inputs' buffers; scalars are written to new ones in the dtype that the op takes. Variables are
// held by `locks` from here on.
std::vector<Buffer> bind_inputs(std::span<const Operand> inputs, const Signature& signature,
                                Device& device, std::optional<VariableLocks>& locks) {
  std::vector<VariableLocks::Request> requests;
  for (const Operand& operand : inputs) {
    if (const auto* variable = as_variable(operand)) requests.push_back({variable->get(), false});
  }
  if (!requests.empty()) locks.emplace(requests);
  std::vector<Buffer> buffers;
  buffers.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (const Tensor* tensor = as_tensor(inputs[i])) {
      buffers.push_back(tensor->buffer());
    } else if (const auto* variable = as_variable(inputs[i])) {
      buffers.push_back(VariableLocks::buffer(**variable));
    } else {
      const Literal literal =
          scalar_literal(std::get<Scalar>(inputs[i].source), signature.dtypes[i]);
      buffers.push_back(Tensor::from_literal(literal, device).buffer());
    }
  }
  return buffers;
}

std::vector<Tensor> run_program(Program& program, std::span<const Operand> inputs,
                                const Signature& signature) {
  Device& device = program.device();
  const Graph& graph = program.graph();
  std::vector<Buffer> outputs;
  std::vector<Tensor> results;
  outputs.reserve(graph.outputs().size());
  results.reserve(graph.outputs().size());
  for (const Value output : graph.outputs()) {
    const TensorType& type = graph.type(output);
    outputs.push_back(device.alloc(type.bytes()));
    results.emplace_back(device, outputs.back(), type);
  }
  std::optional<VariableLocks> locks;
  const std::vector<Buffer> bound = bind_inputs(inputs, signature, device, locks);
  program.run(bound, {}, outputs);
  return results;
}

// Reshaping a concrete tensor moves nothing: the same buffer under another shape.
Tensor reshape_concrete(const OpDef& op, const Tensor& x, Attrs attrs) {
  const std::array types{x.type()};
  attrs = resolve_attrs(op, std::move(attrs), types);
  return x.with_shape(infer_types(op, attrs, types).front().shape);
}

std::vector<Tensor> run_eagerly(const OpDef& op, std::span<const Operand> inputs, Attrs attrs) {
  if (op.name == "reshape" && inputs.size() == 1) {
    if (const Tensor* tensor = as_tensor(inputs[0])) {
      return {reshape_concrete(op, *tensor, std::move(attrs))};
    }
  }
  Device& device = common_device(op, inputs);
  const Signature signature = signature_of(op, inputs);
  const std::shared_ptr<Program> program = program_cache().get_or_compile(
      cache_key(op, attrs, signature, device),
      [&] { return Program::compile(graph_of_call(op, attrs, signature), device); });
  return run_program(*program, inputs, signature);
}
}  // namespace

OperandType Operand::operand_type() const {
  if (const Tensor* tensor = as_tensor(*this)) return {tensor->dtype(), weak};
  if (const auto* variable = as_variable(*this)) return {(*variable)->type().dtype, false};
  return {default_dtype(std::get<Scalar>(source)), true};
}

// Never destroyed: a device's driver may be gone when the process exits.
ProgramCache& program_cache() {
  static ProgramCache& cache = *std::make_unique<ProgramCache>().release();
  return cache;
}

std::vector<Tensor> apply_all(const OpDef& op, std::span<const Operand> inputs, Attrs attrs) {
  if (Trace* trace = Trace::current()) return trace->emit(op, inputs, std::move(attrs));
  return run_eagerly(op, inputs, std::move(attrs));
}

Tensor apply(const OpDef& op, std::span<const Operand> inputs, Attrs attrs) {
  std::vector<Tensor> outputs = apply_all(op, inputs, std::move(attrs));
  if (outputs.size() != 1) {
    throw InternalError("[" + op.name + "] has " + std::to_string(outputs.size()) +
                        " outputs where one was expected");
  }
  return std::move(outputs.front());
}

Tensor apply(std::string_view op, std::initializer_list<Operand> inputs, Attrs attrs) {
  return apply(OpRegistry::instance().at(op), std::span(inputs.begin(), inputs.size()),
               std::move(attrs));
}

std::vector<Tensor> apply_decomposed(const OpDef& op, std::span<const Operand> inputs,
                                     const Attrs& attrs) {
  Device& device = common_device(op, inputs);
  const Signature signature = signature_of(op, inputs);
  Graph graph = graph_of_call(op, attrs, signature);
  graph.expand([&op](const Node& node) { return node.op == &op; });
  const std::shared_ptr<Program> program = Program::compile(std::move(graph), device);
  return run_program(*program, inputs, signature);
}

double op_flops(const OpDef& op, std::span<const Operand> inputs, const Attrs& attrs) {
  const Graph graph = graph_of_call(op, attrs, signature_of(op, inputs));
  const Node& node = *graph.producer(graph.outputs().front());
  if (!op.flops)
    return static_cast<double>(graph.type(graph.outputs().front()).shape.num_elements());
  std::vector<TensorType> types;
  for (const Value input : node.inputs) types.push_back(graph.type(input));
  return op.flops(OpCall{op, node.attrs, types});
}

Tensor to_tensor(const Operand& operand) {
  if (const Tensor* tensor = as_tensor(operand)) return *tensor;
  if (const auto* variable = as_variable(operand)) return (*variable)->value();
  const Scalar& scalar = std::get<Scalar>(operand.source);
  const Literal literal = scalar_literal(scalar, default_dtype(scalar));
  return make_tensor(literal.data.data(), literal.type);
}

Tensor make_tensor(const void* data, const TensorType& type, Device* device) {
  if (Trace* trace = Trace::current()) return trace->constant(data, type);
  return Tensor::from_host(data, type, device != nullptr ? *device : default_device());
}

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return apply("cast", {x}, {{"dtype", dtype}});
}

Tensor reshape(const Tensor& x, Ints shape) {
  return apply("reshape", {x}, {{"shape", std::move(shape)}});
}

}  // namespace addax
