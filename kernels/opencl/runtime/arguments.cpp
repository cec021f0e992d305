#include "opencl/runtime/arguments.h"

#include <algorithm>
#include <string>

#include "opencl/driver/error.h"
#include "opencl/runtime/objects.h"

namespace addax::opencl {
namespace {

using plugin::element;

constexpr uint64_t kConstantAlignment = 128;

}  // namespace

Arguments::Arguments(Device& device, const adx_graph& graph, cl_mem record) : record_(record) {
  std::vector<std::byte> constants;
  size_t bindings = 0;
  for (int32_t i = 0; i < graph.num_tensors; ++i) {
    const adx_tensor& tensor = element(graph.tensors, i);
    Place place{tensor.storage, tensor.binding, tensor.offset};
    if (tensor.storage == ADX_STORAGE_CONSTANT) {
      const Tensor type{
          i, static_cast<adx_dtype>(tensor.dtype), {tensor.dims, tensor.dims + tensor.rank}};
      place.offset =
          (constants.size() + kConstantAlignment - 1) / kConstantAlignment * kConstantAlignment;
      constants.resize(place.offset);
      const auto* data = static_cast<const std::byte*>(tensor.data);
      constants.insert(constants.end(), data, data + type.bytes());
    } else if (tensor.storage == ADX_STORAGE_BINDING) {
      bindings = std::max(bindings, static_cast<size_t>(tensor.binding) + 1);
    }
    places_.push_back(place);
  }
  constants_ = device.constants(constants);
  roots_.resize(1 + bindings);
}

Arguments::Root& Arguments::root_of(const Place& place) {
  return roots_[place.storage == ADX_STORAGE_ARENA ? 0 : static_cast<size_t>(place.binding) + 1];
}

void Arguments::add(const Node& node, const Launch& launch, cl_kernel kernel) {
  Parameter next{&node, kernel, 0, 0};
  set(next, sizeof(cl_mem), reinterpret_cast<const void*>(&record_));
  ++next.number;
  for (const Launch::Argument& argument : launch.arguments()) {
    if (const auto* bytes = std::get_if<std::vector<std::byte>>(&argument)) {
      set(next, bytes->size(), bytes->data());
      ++next.number;
    } else if (const auto* tensor = std::get_if<int32_t>(&argument)) {
      const Place& place = places_[static_cast<size_t>(*tensor)];
      next.offset = place.offset;
      if (place.storage == ADX_STORAGE_CONSTANT) {
        set_memory(next, constants_.get(), place.offset);
      } else {
        root_of(place).tensors.push_back(next);
      }
      next.number += 2;
    } else if (const auto* scratch = std::get_if<Scratch>(&argument)) {
      next.offset = scratch->offset;
      scratches_.push_back(next);
      scratch_bytes_ = std::max(scratch_bytes_, scratch->offset + scratch->bytes);
      next.number += 2;
    } else {
      step_numbers_.push_back(next);
      ++next.number;
    }
  }
}

void Arguments::share_scratch(const Device& device) {
  if (scratches_.empty()) return;
  scratch_ = device.allocate(std::max<uint64_t>(scratch_bytes_, 1));
  for (const Parameter& parameter : scratches_) {
    set_memory(parameter, scratch_.get(), parameter.offset);
  }
}

void Arguments::bind(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings) {
  if (static_cast<size_t>(num_bindings) + 1 < roots_.size()) {
    throw plugin::Failure{ADX_INVALID_ARGUMENT,
                          "binding " + std::to_string(num_bindings) + " is not given"};
  }
  bind(roots_[0], *arena);
  for (size_t i = 1; i < roots_.size(); ++i) {
    bind(roots_[i], element(bindings, static_cast<int64_t>(i) - 1));
  }
}

void Arguments::bind(Root& root, const adx_binding& binding) const {
  const adx_buffer* const buffer = binding.buffer;
  const uint64_t serial = buffer == nullptr ? kNoBuffer : buffer->serial;
  if (root.buffer == serial && root.offset == binding.offset) return;
  root.buffer = kNowhere;
  // Where there is no buffer, the tensors are empty and not read.
  const cl_mem memory = buffer == nullptr ? record_ : buffer->memory.get();
  for (const Parameter& tensor : root.tensors) {
    set_memory(tensor, memory, binding.offset + tensor.offset);
  }
  root.offset = binding.offset;
  root.buffer = serial;
}

void Arguments::set_step(uint32_t step) const {
  for (const Parameter& parameter : step_numbers_) set(parameter, sizeof step, &step);
}

void Arguments::set(const Parameter& parameter, size_t size, const void* value) {
  at_node(*parameter.node, [&] {
    check(api().clSetKernelArg(parameter.kernel, parameter.number, size, value), "clSetKernelArg");
  });
}

void Arguments::set_memory(const Parameter& parameter, cl_mem memory, uint64_t offset) {
  set(parameter, sizeof(cl_mem), reinterpret_cast<const void*>(&memory));
  Parameter at = parameter;
  ++at.number;
  const cl_ulong place = offset;
  set(at, sizeof place, &place);
}

}  // namespace addax::opencl
