#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "addax/device.hpp"
#include "opencl/device.h"
#include "opencl/tuning/tile_parameters.h"

namespace addax::opencl {

using plugin::Node;
using plugin::Tensor;

// The number of the step within the run, as a uint.
struct StepNumber {};

// Memory that launches of one node hand on to each other, as a tensor; all nodes share it.
struct Scratch {
  uint64_t offset;
  uint64_t bytes;
};

// One kernel put into the queue. The kernel's first argument is always the run's record (types.cl);
// a tensor is two arguments there, TENSOR(name).
class Launch {
 public:
  // `source` is the program's text behind types.cl.
  Launch(std::string source, std::string kernel)
      : source_(std::move(source)), kernel_(std::move(kernel)) {}

  Launch& tensor(const Tensor& tensor) {
    arguments_.emplace_back(tensor.id);
    return *this;
  }
  template <class T>
  Launch& value(const T& value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    arguments_.emplace_back(std::vector<std::byte>(bytes, bytes + sizeof value));
    return *this;
  }
  Launch& extent(int64_t extent) { return value(static_cast<int32_t>(extent)); }
  Launch& bytes(std::vector<std::byte> bytes) {
    arguments_.emplace_back(std::move(bytes));
    return *this;
  }
  Launch& scratch(Scratch scratch) {
    arguments_.emplace_back(scratch);
    return *this;
  }
  Launch& step_number() {
    arguments_.emplace_back(StepNumber{});
    return *this;
  }
  // As many items as `extents`, in work-groups of `group` items, the last of which may overhang.
  Launch& over(std::vector<int64_t> extents, std::vector<int64_t> group);

  using Argument = std::variant<int32_t, std::vector<std::byte>, StepNumber, Scratch>;

  const std::string& source() const { return source_; }
  const std::string& kernel() const { return kernel_; }
  const std::vector<Argument>& arguments() const { return arguments_; }
  const std::vector<size_t>& global() const { return global_; }
  const std::vector<size_t>& local() const { return local_; }
  uint64_t parameter_bytes() const;

 private:
  std::string source_;
  std::string kernel_;
  std::vector<Argument> arguments_;
  std::vector<size_t> global_;
  std::vector<size_t> local_;
};

// Turns one node into launches. It needs no queue and compiles nothing, so that `supports` asks it,
// too: what it refuses is what the device does not do.
class Lowering {
 public:
  Lowering(const Limits& limits_in, const TileSource& tiles_in, const Node& node_in,
           int32_t index_in)
      : limits(limits_in), tiles(tiles_in), node(node_in), index(index_in) {}

  // Adds a launch, unless it has no items.
  void add(Launch launch);
  // Items along up to 3 axes, the innermost first, in groups of the usual size.
  void add_over(const std::vector<int64_t>& items, Launch launch);
  // Memory beside what was asked for before. Refuses the node where the device has not as much.
  Scratch scratch(uint64_t bytes);

  [[noreturn]] void refuse(std::string_view why) const;
  void require(bool holds, std::string_view why) const {
    if (!holds) refuse(why);
  }

  const Limits& limits;
  const TileSource& tiles;
  const Node& node;
  const int32_t index;
  std::vector<Launch> launches;

 private:
  uint64_t scratch_bytes_ = 0;
};

// The launches of a node. Throws plugin::Failure, ADX_UNSUPPORTED for a node that the device does
// not take.
std::vector<Launch> lower(const Limits& limits, const TileSource& tiles, const Node& node,
                          int32_t index);

// "[matmul] text; called with float32(2, 3) float32(3, 4)".
std::string describe(const Node& node, std::string_view text);

// Runs `body`; a failure is told with the node.
template <class Body>
auto at_node(const Node& node, const Body& body) {
  try {
    return body();
  } catch (plugin::Failure& failure) {
    failure.text = describe(node, failure.text);
    throw;
  }
}

}  // namespace addax::opencl
