#include "cpu/lowering/node.h"

#include "core/error.h"

namespace addax::cpu {
namespace {

Tensor tensor_at(const adx_graph& graph, int32_t index, std::string_view op) {
  if (index < 0 || index >= graph.num_tensors) {
    throw InvalidArgumentError("[" + std::string(op) + "] tensor " + std::to_string(index) +
                               " is outside the graph, which has " +
                               std::to_string(graph.num_tensors));
  }
  const adx_tensor& raw = element(graph.tensors, index);
  if (raw.rank < 0 || raw.rank > ADX_MAX_RANK || raw.dtype < 0 || raw.dtype >= kNumDTypes) {
    throw InvalidArgumentError("[" + std::string(op) + "] tensor " + std::to_string(index) +
                               " has rank " + std::to_string(raw.rank) + " and dtype code " +
                               std::to_string(raw.dtype));
  }
  return {index, static_cast<DType>(raw.dtype),
          Shape(std::span(raw.dims, static_cast<size_t>(raw.rank))), &raw};
}

}  // namespace

bool may_overlap(const Tensor& a, const Tensor& b) {
  if (a.raw->storage != b.raw->storage) return false;
  if (a.raw->storage == ADX_STORAGE_CONSTANT) return a.id == b.id;
  if (a.raw->storage == ADX_STORAGE_BINDING && a.raw->binding != b.raw->binding) return false;
  const auto bytes_a = static_cast<uint64_t>(a.bytes());
  const auto bytes_b = static_cast<uint64_t>(b.bytes());
  return a.raw->offset < b.raw->offset + bytes_b && b.raw->offset < a.raw->offset + bytes_a;
}

Node::Node(const adx_graph& graph, int32_t index)
    : graph_(&graph), index_(index), raw_(&element(graph.nodes, index)) {
  inputs_.reserve(static_cast<size_t>(raw_->num_inputs));
  outputs_.reserve(static_cast<size_t>(raw_->num_outputs));
  for (int32_t i = 0; i < raw_->num_inputs; ++i) {
    inputs_.push_back(tensor_at(graph, raw_->inputs[i], op()));
  }
  for (int32_t i = 0; i < raw_->num_outputs; ++i) {
    outputs_.push_back(tensor_at(graph, raw_->outputs[i], op()));
  }
}

double Node::bytes() const {
  double bytes = 0;
  for (const Tensor& tensor : inputs_) bytes += static_cast<double>(tensor.bytes());
  for (const Tensor& tensor : outputs_) bytes += static_cast<double>(tensor.bytes());
  return bytes;
}

std::string Node::message(const std::string& text) const {
  return "[" + std::string(op()) + "] " + text;
}

const adx_attr* Node::find(std::string_view name) const {
  for (int i = 0; i < raw_->num_attrs; ++i) {
    const adx_attr& candidate = attr(i);
    if (name == candidate.name) return &candidate;
  }
  return nullptr;
}

const adx_attr& Node::require(std::string_view name, adx_attr_kind kind) const {
  const adx_attr* found = find(name);
  if (found == nullptr) {
    throw InvalidArgumentError(message("the attribute '" + std::string(name) + "' is missing"));
  }
  if (found->kind != kind) {
    throw InvalidArgumentError(message("the attribute '" + std::string(name) + "' has kind " +
                                       std::to_string(found->kind) + " where kind " +
                                       std::to_string(kind) + " is needed"));
  }
  return *found;
}

bool Node::flag(std::string_view name) const { return require(name, ADX_ATTR_BOOL).i != 0; }

bool Node::flag(std::string_view name, bool otherwise) const {
  return has(name) ? flag(name) : otherwise;
}

int64_t Node::integer(std::string_view name) const { return require(name, ADX_ATTR_INT).i; }

int64_t Node::integer(std::string_view name, int64_t otherwise) const {
  return has(name) ? integer(name) : otherwise;
}

double Node::number(std::string_view name) const {
  const adx_attr* found = find(name);
  if (found != nullptr && found->kind == ADX_ATTR_INT) return static_cast<double>(found->i);
  return require(name, ADX_ATTR_FLOAT).f;
}

double Node::number(std::string_view name, double otherwise) const {
  return has(name) ? number(name) : otherwise;
}

std::string_view Node::text(std::string_view name) const {
  return require(name, ADX_ATTR_STRING).s;
}

std::vector<int64_t> Node::ints(std::string_view name) const {
  const adx_attr& found = require(name, ADX_ATTR_INTS);
  return {found.ints, found.ints + found.count};
}

DType Node::dtype(std::string_view name) const {
  return static_cast<DType>(require(name, ADX_ATTR_DTYPE).i);
}

}  // namespace addax::cpu
