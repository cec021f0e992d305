#include "api/executable.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>

#include "graph/samples.h"
#include "runtime/step_loop.h"

namespace addax {
namespace {

std::vector<Tensor> as_tensors(std::span<const Buffer> buffers, const Graph& graph,
                               Device& device) {
  std::vector<Tensor> tensors;
  tensors.reserve(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    tensors.emplace_back(device, buffers[i], graph.type(graph.outputs()[i]));
  }
  return tensors;
}

}  // namespace

Executable::Executable(Graph source, std::shared_ptr<Program> program, Device& device,
                       std::vector<std::shared_ptr<Variable>> variables, std::vector<bool> written)
    : source_(std::move(source)),
      program_(std::move(program)),
      device_(device),
      variables_(std::move(variables)) {
  requests_.reserve(variables_.size());
  for (size_t i = 0; i < variables_.size(); ++i) {
    requests_.push_back({variables_[i].get(), written[i]});
  }
}

const Graph& Executable::graph() const { return program_->graph(); }

std::vector<Buffer> Executable::input_buffers(std::span<const Tensor> inputs,
                                              Device& device) const {
  const std::vector<Value>& expected = graph().inputs();
  if (inputs.size() != expected.size()) {
    throw InvalidArgumentError("[" + graph().name() + "] takes " + std::to_string(expected.size()) +
                               " inputs, got " + std::to_string(inputs.size()));
  }
  std::vector<Buffer> buffers;
  buffers.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueInfo& info = graph().info(expected[i]);
    const TensorType& type = inputs[i].type();
    if (type != info.type) {
      const std::string message = "[" + graph().name() + "] input '" + info.name + "' must be " +
                                  info.type.to_string() + ", got " + type.to_string();
      if (type.shape != info.type.shape) throw ShapeError(message);
      throw DTypeError(message);
    }
    buffers.push_back(inputs[i].to(device).buffer());
  }
  return buffers;
}

std::vector<Buffer> Executable::output_buffers(Device& device) const {
  std::vector<Buffer> buffers;
  buffers.reserve(graph().outputs().size());
  for (const Value output : graph().outputs()) {
    buffers.push_back(device.alloc(graph().type(output).bytes()));
  }
  return buffers;
}

std::vector<Buffer> Executable::state_buffers() const {
  std::vector<Buffer> buffers;
  buffers.reserve(variables_.size());
  for (const auto& variable : variables_) buffers.push_back(VariableLocks::buffer(*variable));
  return buffers;
}

std::vector<Tensor> Executable::run(std::span<const Tensor> inputs) {
  const std::vector<Buffer> bound = input_buffers(inputs, device_);
  const std::vector<Buffer> outputs = output_buffers(device_);
  const VariableLocks locks(requests_);
  program_->run(bound, state_buffers(), outputs);
  return as_tensors(outputs, graph(), device_);
}

std::vector<Tensor> Executable::run_steps(std::span<const Tensor> inputs, uint64_t n_steps,
                                          const Progress& progress, double interval,
                                          uint64_t* steps_done) {
  Bindings bindings;
  bindings.inputs = input_buffers(inputs, device_);
  bindings.outputs = output_buffers(device_);
  const std::vector<Buffer> outputs = bindings.outputs;
  const VariableLocks locks(requests_);
  bindings.states = state_buffers();

  StepLoop loop;
  loop.start(program_, std::move(bindings), n_steps);
  const auto pause = std::chrono::milliseconds(
      std::clamp<int64_t>(static_cast<int64_t>(interval * 1e3), 1, 60'000));
  std::exception_ptr failure;
  while (!loop.wait_for(pause)) {
    try {
      if (failure == nullptr && progress && !progress(loop.steps_done())) loop.request_stop();
    } catch (...) {
      failure = std::current_exception();
      loop.request_stop();
    }
  }
  const uint64_t done = loop.finish();
  if (failure != nullptr) std::rethrow_exception(failure);
  if (steps_done != nullptr) *steps_done = done;
  return done == 0 ? std::vector<Tensor>() : as_tensors(outputs, graph(), device_);
}

std::unique_ptr<Rehearsal> Executable::rehearse(std::span<const Tensor> inputs,
                                                Device& device) const {
  std::vector<Tensor> states;
  states.reserve(variables_.size());
  for (const auto& variable : variables_) states.push_back(variable->stored());
  return std::make_unique<Rehearsal>(program_for(device), input_buffers(inputs, device),
                                     std::move(states), output_buffers(device));
}

std::unique_ptr<Executable> Executable::rebind(std::vector<std::shared_ptr<Variable>> variables,
                                               Device& device) const {
  const std::string where = "[" + graph().name() + "] ";
  if (variables.size() != variables_.size()) {
    throw InvalidArgumentError(where + "has " + std::to_string(variables_.size()) +
                               " variables, got " + std::to_string(variables.size()) +
                               " in their place");
  }
  for (size_t i = 0; i < variables.size(); ++i) {
    const Variable& own = *variables_[i];
    const Variable& other = *variables[i];
    if (other.type() != own.type() || &other.device() != &device) {
      throw InvalidArgumentError(where + "variable '" + own.name() + "' must be " +
                                 own.type().to_string() + " on " + device.name() + ", got " +
                                 other.type().to_string() + " on " + other.device().name());
    }
  }
  return std::make_unique<Executable>(source_, program_for(device), device, std::move(variables),
                                      written());
}

std::unique_ptr<Executable> Executable::with_samples(size_t drawn, int64_t samples) const {
  std::optional<Graph> source = addax::with_samples(source_, drawn, samples);
  std::optional<Graph> optimized = addax::with_samples(graph(), drawn, samples);
  if (!source || !optimized) return nullptr;
  return std::make_unique<Executable>(*std::move(source),
                                      Program::compile_optimized(*std::move(optimized), device_),
                                      device_, variables_, written());
}

std::vector<bool> Executable::written() const {
  std::vector<bool> written;
  written.reserve(requests_.size());
  for (const VariableLocks::Request& request : requests_) written.push_back(request.write);
  return written;
}

std::shared_ptr<Program> Executable::program_for(Device& device) const {
  return &device == &device_ ? program_ : Program::compile(source_, device);
}

}  // namespace addax
