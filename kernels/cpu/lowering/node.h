#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "addax/device.h"
#include "core/dtype.h"
#include "core/shape.h"

namespace addax::cpu {

// Element `index` of an array of ABI structs, whose stride is what the sender's header says.
template <class T>
const T& element(const T* first, int64_t index) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(first) +
                                     index * static_cast<int64_t>(first->struct_size));
}

// A tensor of the graph: `id` is its index there, and at run time in RunContext::tensors.
struct Tensor {
  int32_t id = -1;
  DType dtype = DType::Float32;
  Shape shape;
  const adx_tensor* raw = nullptr;

  int64_t size() const { return shape.num_elements(); }
  int64_t bytes() const { return size() * static_cast<int64_t>(size_of(dtype)); }
};

// Whether two tensors may share bytes: the same part of the arena or of one binding.
bool may_overlap(const Tensor& a, const Tensor& b);

// One node of a graph with its tensors and attributes. Valid as long as the graph is.
class Node {
 public:
  // Throws InvalidArgumentError when an index leaves the graph, ShapeError for an impossible shape.
  Node(const adx_graph& graph, int32_t index);

  const adx_graph& graph() const { return *graph_; }
  int32_t index() const { return index_; }
  std::string_view op() const { return raw_->op; }
  std::string_view label() const { return raw_->label ? raw_->label : ""; }
  double flops() const { return raw_->flops; }
  double bytes() const;  // of its inputs and outputs

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  const Tensor& input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  const Tensor& output(int i = 0) const { return outputs_[static_cast<size_t>(i)]; }
  std::span<const Tensor> inputs() const { return inputs_; }
  std::span<const Tensor> outputs() const { return outputs_; }

  // Attributes by name; those without a default throw InvalidArgumentError when they are missing,
  // and all do when the kind differs. An Int is accepted where a Float is asked for.
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool flag(std::string_view name) const;
  bool flag(std::string_view name, bool otherwise) const;
  int64_t integer(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double number(std::string_view name) const;
  double number(std::string_view name, double otherwise) const;
  std::string_view text(std::string_view name) const;
  std::vector<int64_t> ints(std::string_view name) const;
  DType dtype(std::string_view name) const;
  const adx_attr* find(std::string_view name) const;
  int num_attrs() const { return raw_->num_attrs; }
  const adx_attr& attr(int i) const { return element(raw_->attrs, i); }

  // "[op] text", the way every message about a node begins.
  std::string message(const std::string& text) const;

 private:
  const adx_attr& require(std::string_view name, adx_attr_kind kind) const;

  const adx_graph* graph_;
  int32_t index_;
  const adx_node* raw_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
};

}  // namespace addax::cpu
