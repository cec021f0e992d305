#include "device/conformance_graph.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "device/status.h"

namespace addax::conformance {
namespace {

constexpr uint64_t kAppended = 0x5A5A5A5A5A5A5A5A;
constexpr int kOverwritten = 0xA5;

template <class T>
Grown<T> grown(T known = {}) {
  known.struct_size = sizeof(Grown<T>);
  return {known, kAppended};
}

template <class Elements>
void overwrite_all(Elements& elements) {
  std::memset(elements.data(), kOverwritten, elements.size() * sizeof *elements.data());
}

}  // namespace

void Program::Destroy::operator()(adx_program* program) const {
  device->api().program_destroy(device->handle(), program);
}

Program::Program(Device& device, adx_program* program)
    : device_(device), program_(program, Destroy{&device}), control_(grown<adx_control>()) {}

void Program::run(const QueueLease& queue, const std::vector<adx_binding>& arena_and_bindings,
                  uint64_t n_steps) {
  std::vector<Grown<adx_binding>> places;
  for (const adx_binding& binding : arena_and_bindings) places.push_back(grown(binding));
  control_.known.steps_done = 0;
  control_.known.failed_node = -1;
  Status status;
  device_.api().run(device_.handle(), queue.get(), program_.get(), &places[0].known,
                    &places.data()[1].known, static_cast<int32_t>(places.size()) - 1, n_steps,
                    &control_.known, status.get());
  overwrite_all(places);
  queue.synchronize();
  status.check(device_.name());
}

int32_t Graph::tensor(adx_dtype dtype, const std::vector<int64_t>& dims, Place place) {
  adx_tensor tensor{};
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), tensor.dims);
  tensor.storage = place.storage;
  tensor.binding = place.binding;
  tensor.offset = place.offset;
  tensors_.push_back(grown(tensor));
  if (place.storage == ADX_STORAGE_BINDING) {
    num_bindings_ = std::max(num_bindings_, place.binding + 1);
  } else if (place.storage == ADX_STORAGE_ARENA) {
    uint64_t bytes = sizeof(float);
    for (const int64_t extent : dims) bytes *= static_cast<uint64_t>(extent);
    arena_bytes_ = std::max(arena_bytes_, place.offset + bytes);
  }
  return static_cast<int32_t>(tensors_.size()) - 1;
}

int32_t Graph::constant(const std::vector<float>& values) {
  constants_.push_back(values);
  const int32_t index =
      tensor(ADX_FLOAT32, {static_cast<int64_t>(values.size())}, {ADX_STORAGE_CONSTANT, 0, 0});
  tensors_.back().known.data = constants_.back().data();
  return index;
}

void Graph::node(const char* op, const std::vector<int32_t>& inputs, int32_t output,
                 const std::vector<Attribute>& attributes) {
  const auto text = [&](const char* characters) { return texts_.emplace_back(characters).c_str(); };
  std::vector<Grown<adx_attr>>& attrs = attributes_.emplace_back();
  for (const Attribute& attribute : attributes) {
    adx_attr attr{};
    attr.kind = attribute.kind;
    attr.name = text(attribute.name);
    attr.i = attribute.number;
    attr.s = text(attribute.text);
    attrs.push_back(grown(attr));
  }
  std::vector<int32_t>& operands = operands_.emplace_back(inputs);
  operands.push_back(output);
  adx_node node{};
  node.op = text(op);
  node.label = text("");
  node.inputs = operands.data();
  node.num_inputs = static_cast<int32_t>(inputs.size());
  node.outputs = operands.data() + inputs.size();
  node.num_outputs = 1;
  node.attrs = &attrs.data()->known;
  node.num_attrs = static_cast<int32_t>(attrs.size());
  nodes_.push_back(grown(node));
}

Grown<adx_graph> Graph::flat() const {
  adx_graph flat{};
  flat.tensors = &tensors_.data()->known;
  flat.num_tensors = static_cast<int32_t>(tensors_.size());
  flat.nodes = &nodes_.data()->known;
  flat.num_nodes = static_cast<int32_t>(nodes_.size());
  flat.num_bindings = num_bindings_;
  flat.arena_bytes = arena_bytes_;
  flat.name = "device-test";
  return grown(flat);
}

std::vector<uint8_t> Graph::supported(Device& device) {
  const Grown<adx_graph> graph = flat();
  std::vector<uint8_t> mask(nodes_.size());
  Status status;
  device.api().supports(device.handle(), &graph.known, mask.data(), status.get());
  status.check(device.name());
  return mask;
}

Program Graph::compile(Device& device) {
  const Grown<adx_graph> graph = flat();
  Status status;
  adx_program* const program = device.api().compile(device.handle(), &graph.known, status.get());
  overwrite();
  return {device, status.made(program, "compile", device.name())};
}

Program Graph::compile_supported(Device& device) {
  const std::vector<uint8_t> mask = supported(device);
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) {
      throw UnsupportedError("[" + std::string(nodes_[i].known.op) + "] the device refuses it");
    }
  }
  return compile(device);
}

void Graph::overwrite() {
  for (auto& operands : operands_) overwrite_all(operands);
  for (auto& constants : constants_) overwrite_all(constants);
  for (auto& attributes : attributes_) overwrite_all(attributes);
  for (auto& text : texts_) overwrite_all(text);
  overwrite_all(tensors_);
  overwrite_all(nodes_);
}

}  // namespace addax::conformance
