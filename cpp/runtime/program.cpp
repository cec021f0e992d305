#include "runtime/program.h"

#include <mutex>
#include <vector>

#include "core/error.h"
#include "device/status.h"
#include "passes/memory_plan.h"
#include "passes/pipeline.h"
#include "runtime/arena_pool.h"
#include "runtime/flatten.h"
#include "runtime/host_services.h"
#include "runtime/program_log.h"
#include "runtime/value_check.h"

namespace addax {
namespace {

// A program of the device, owned.
class DeviceProgram {
 public:
  DeviceProgram(Device& device, const adx_graph& graph) : device_(device) {
    Status status;
    program_ = status.made(device.api().compile(device.handle(), &graph, status.get()), "compile",
                           device.name());
  }
  ~DeviceProgram() { device_.api().program_destroy(device_.handle(), program_); }
  DeviceProgram(const DeviceProgram&) = delete;
  DeviceProgram& operator=(const DeviceProgram&) = delete;

  adx_program* get() const { return program_; }

 private:
  Device& device_;
  adx_program* program_ = nullptr;
};

std::vector<bool> supported_nodes(const Graph& graph, Device& device) {
  std::vector<bool> supported(graph.nodes().size(), true);
  const FlatGraph flat(graph);
  std::vector<uint8_t> mask(flat.nodes().size());
  Status status;
  device.api().supports(device.handle(), &flat.get(), mask.data(), status.get());
  status.check(device.name());
  for (size_t i = 0; i < mask.size(); ++i) {
    supported[static_cast<size_t>(flat.nodes()[i])] = mask[i] != 0;
  }
  return supported;
}

std::vector<std::string> binding_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Value input : graph.inputs()) {
    names.push_back("input '" + graph.info(input).name + "'");
  }
  for (const State& state : graph.states()) {
    names.push_back("state '" + graph.info(state.value).name + "'");
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    names.push_back("output " + std::to_string(i));
  }
  return names;
}

}  // namespace

struct Program::Parts {
  // `flat` is made of `graph_in`.
  Parts(std::unique_ptr<const Graph> graph_in, Device& device_in, const FlatGraph& flat)
      : owned_graph(std::move(graph_in)),
        graph(*owned_graph),
        device(device_in),
        pool(ArenaPool::of(device_in)),
        compiled(device_in, flat.get()),
        node_ids(flat.nodes().begin(), flat.nodes().end()),
        arena_bytes(flat.get().arena_bytes) {
    for (int32_t i = 0; i < flat.get().num_nodes; ++i) flops += flat.get().nodes[i].flops;
    const auto add = [&](Value value) {
      bindings.push_back({sizeof(adx_binding), nullptr, 0});
      binding_bytes.push_back(graph.type(value).bytes());
    };
    for (const Value input : graph.inputs()) add(input);
    for (const State& state : graph.states()) add(state.value);
    for (const Value output : graph.outputs()) add(output);
  }

  void bind(size_t first, std::span<const Buffer> buffers, size_t expected, const char* what);
  [[noreturn]] void raise_binding(size_t number, const Buffer& buffer) const;
  [[noreturn]] void raise_failed_check(const StepControl& control) const;

  const std::unique_ptr<const Graph> owned_graph;
  const Graph& graph;
  Device& device;
  ArenaPool& pool;
  const DeviceProgram compiled;
  const std::vector<NodeId> node_ids;
  const uint64_t arena_bytes;
  double flops = 0;
  std::vector<uint64_t> binding_bytes;

  std::mutex mutex;  // held while the program runs
  std::vector<adx_binding> bindings;
};

void Program::Parts::bind(size_t first, std::span<const Buffer> buffers, size_t expected,
                          const char* what) {
  if (buffers.size() != expected) {
    throw InvalidArgumentError("[" + graph.name() + "] expected " + std::to_string(expected) + " " +
                               what + ", got " + std::to_string(buffers.size()));
  }
  for (size_t i = 0; i < expected; ++i) {
    const Buffer& buffer = buffers[i];
    if (!buffer || &buffer.device() != &device || buffer.bytes() < binding_bytes[first + i]) {
      raise_binding(first + i, buffer);
    }
    bindings[first + i].buffer = buffer.handle();
  }
}

void Program::Parts::raise_binding(size_t number, const Buffer& buffer) const {
  std::string text = "[" + graph.name() + "] " + binding_names(graph)[number] + " needs " +
                     std::to_string(binding_bytes[number]) + " bytes on " + device.name() +
                     ", got ";
  if (!buffer) {
    text += "an empty buffer";
  } else {
    text += std::to_string(buffer.bytes()) + " bytes on " + buffer.device().name();
  }
  throw InvalidArgumentError(text);
}

void Program::Parts::raise_failed_check(const StepControl& control) const {
  const auto failed = static_cast<size_t>(control.state().failed_node);
  if (failed >= node_ids.size()) {
    throw DeviceError("[" + device.name() + "] the device reported a failed check of node " +
                      std::to_string(failed) + ", which does not exist");
  }
  const Node& node = graph.nodes()[static_cast<size_t>(node_ids[failed])];
  throw ValueCheckError(describe_failed_check(graph, node, control.state().failed_index,
                                              control.state().failed_value, control.steps_done()));
}

std::shared_ptr<Program> Program::compile(Graph graph, Device& device) {
  start_runtime();
  const PassTarget target{
      .supports = [&device](const Graph& g) { return supported_nodes(g, device); }, .fuse = true};
  optimize(graph, target);
  const MemoryPlan plan = plan_memory(graph, device.properties().alignment);
  log_program(graph, plan, device.name());
  auto kept = std::make_unique<const Graph>(std::move(graph));
  const FlatGraph flat(*kept, plan);
  return std::make_shared<Program>(std::make_unique<Parts>(std::move(kept), device, flat));
}

Program::Program(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Program::~Program() = default;

uint64_t Program::run(std::span<const Buffer> inputs, std::span<const Buffer> states,
                      std::span<const Buffer> outputs, uint64_t n_steps, StepControl* control) {
  Parts& p = *parts_;
  const size_t num_inputs = p.graph.inputs().size();
  const size_t num_states = p.graph.states().size();
  const std::lock_guard lock(p.mutex);
  p.bind(0, inputs, num_inputs, "inputs");
  p.bind(num_inputs, states, num_states, "states");
  p.bind(num_inputs + num_states, outputs, p.graph.outputs().size(), "outputs");
  const ArenaPool::Lease lease = p.pool.borrow(p.arena_bytes);
  adx_binding arena{sizeof(adx_binding), nullptr, 0};
  if (p.arena_bytes > 0) arena.buffer = lease.arena().handle();

  StepControl own_control;
  StepControl& progress = control == nullptr ? own_control : *control;
  progress.begin();
  Status status;
  p.device.api().run(p.device.handle(), lease.queue(), p.compiled.get(), &arena, p.bindings.data(),
                     static_cast<int32_t>(p.bindings.size()), n_steps, progress.raw(),
                     status.get());
  const bool failed = !status.ok() && status.code() != ADX_INTERRUPTED;
  try {
    lease.synchronize();
  } catch (const Error&) {
    if (!failed) throw;  // else the run's own error says more
  }
  if (failed) status.check(p.device.name());
  if (progress.state().failed_node >= 0) p.raise_failed_check(progress);
  const uint64_t done = progress.steps_done();
  const bool may_be_fewer = progress.stop_requested() || status.code() == ADX_INTERRUPTED;
  if (done > n_steps || (done < n_steps && !may_be_fewer)) {
    throw DeviceError("[" + p.device.name() + "] the device says that it did " +
                      std::to_string(done) + " of " + std::to_string(n_steps) + " steps");
  }
  return done;
}

const Graph& Program::graph() const { return parts_->graph; }
Device& Program::device() const { return parts_->device; }
uint64_t Program::arena_bytes() const { return parts_->arena_bytes; }
int32_t Program::num_nodes() const { return static_cast<int32_t>(parts_->node_ids.size()); }
double Program::flops() const { return parts_->flops; }

}  // namespace addax
