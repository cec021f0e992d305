#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "addax/device.hpp"

namespace addax::null_device {

using plugin::element;

// What is wrong with a graph; becomes the status of the call.
using Problem = plugin::Failure;

using Dims = std::vector<int64_t>;

struct Type {
  int32_t dtype = ADX_FLOAT32;
  Dims dims;

  int rank() const { return static_cast<int>(dims.size()); }
  int64_t elements() const;
  uint64_t bytes() const;
  std::string to_string() const;  // "float32(2, 3)"
  bool operator==(const Type&) const = default;
};

bool is_floating(int32_t dtype);
bool is_integer(int32_t dtype);

// The dtype and extents of a tensor; a Problem when they are impossible.
Type type_of(const adx_tensor& tensor);

// One node with its types and attributes. Failures are Problems that begin with "[op]".
class Node {
 public:
  Node(const adx_graph& graph, int32_t index);

  std::string_view op() const { return raw_->op; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  const Type& input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  const std::vector<Type>& inputs() const { return inputs_; }
  const std::vector<Type>& outputs() const { return outputs_; }

  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool flag(std::string_view name) const { return attr(name, ADX_ATTR_BOOL).i != 0; }
  int64_t integer(std::string_view name) const { return attr(name, ADX_ATTR_INT).i; }
  double number(std::string_view name) const { return attr(name, ADX_ATTR_FLOAT).f; }
  std::string text(std::string_view name) const { return attr(name, ADX_ATTR_STRING).s; }
  Dims ints(std::string_view name) const;
  // `count` of them, each at least `low`.
  Dims ints(std::string_view name, size_t count, int64_t low) const;
  int32_t dtype(std::string_view name) const;
  int axis(std::string_view name, int rank) const;  // in [0, rank)

  void require(bool holds, adx_code code, const std::string& what) const {
    if (!holds) fail(code, what);
  }
  void expect_inputs(int count) const;
  void expect_rank(int i, int rank) const;
  // All inputs from `first` on have this dtype.
  void expect_dtype(int first, int32_t dtype) const;
  void expect_floating(int i) const;
  void expect_integer(int i) const;
  [[noreturn]] void fail(adx_code code, const std::string& what) const;

 private:
  const adx_attr* find(std::string_view name) const;
  const adx_attr& attr(std::string_view name, adx_attr_kind kind) const;

  const adx_node* raw_;
  std::vector<Type> inputs_;
  std::vector<Type> outputs_;
};

}  // namespace addax::null_device
