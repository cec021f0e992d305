#include "opencl/lowering/lowering.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/dtype.h"
#include "core/error.h"
#include "opencl/lowering/kernel_table.h"

namespace addax::opencl {
namespace {

constexpr int64_t kUsualGroup = 128;
constexpr uint64_t kScratchAlignment = 128;

std::string type_text(const Tensor& tensor) {
  std::string text = std::string(name(static_cast<DType>(tensor.dtype))) + "(";
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(tensor.dims[i]);
  }
  return text + ")";
}

void check_tensors(const Lowering& to, const std::vector<Tensor>& tensors) {
  for (const Tensor& tensor : tensors) {
    to.require(to.limits.has_double || tensor.dtype != ADX_FLOAT64, "the device has no float64");
    to.require(tensor.elements() <= std::numeric_limits<int32_t>::max() / 2,
               "a tensor has more elements than the kernels can count");
  }
}

}  // namespace

Launch& Launch::over(std::vector<int64_t> extents, std::vector<int64_t> group) {
  for (size_t i = 0; i < extents.size(); ++i) {
    global_.push_back(static_cast<size_t>((extents[i] + group[i] - 1) / group[i] * group[i]));
    local_.push_back(static_cast<size_t>(group[i]));
  }
  return *this;
}

uint64_t Launch::parameter_bytes() const {
  uint64_t bytes = sizeof(cl_mem);
  for (const Argument& argument : arguments_) {
    const auto* value = std::get_if<std::vector<std::byte>>(&argument);
    bytes += value != nullptr ? value->size() : sizeof(cl_mem) + sizeof(cl_ulong);
  }
  return bytes;
}

void Lowering::add(Launch launch) {
  require(launch.parameter_bytes() <= limits.parameter_bytes,
          "has more operands than a kernel of the device takes");
  const auto& global = launch.global();
  if (std::find(global.begin(), global.end(), size_t{0}) == global.end()) {
    launches.push_back(std::move(launch));
  }
}

void Lowering::add_over(const std::vector<int64_t>& items, Launch launch) {
  int64_t room = std::min(kUsualGroup, limits.work_group);
  std::vector<int64_t> group;
  for (size_t axis = 0; axis < items.size(); ++axis) {
    const auto covering = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(items[axis], 1)));
    const auto most = static_cast<int64_t>(std::bit_floor(limits.axis_items[axis]));
    group.push_back(std::min({static_cast<int64_t>(covering), most, room}));
    room /= group.back();
  }
  launch.over(items, std::move(group));
  add(std::move(launch));
}

Scratch Lowering::scratch(uint64_t bytes) {
  const Scratch made{scratch_bytes_, bytes};
  require(made.offset + made.bytes <= limits.largest_allocation,
          "needs more memory beside its tensors than the device allocates at once");
  scratch_bytes_ += (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
  return made;
}

void Lowering::refuse(std::string_view why) const {
  throw plugin::Failure{ADX_UNSUPPORTED, describe(node, why)};
}

std::string describe(const Node& node, std::string_view text) {
  std::string result = "[" + node.op() + "] " + std::string(text) + "; called with";
  for (const Tensor& input : node.inputs()) result += " " + type_text(input);
  return result;
}

std::vector<Launch> lower(const Limits& limits, const TileSource& tiles, const Node& node,
                          int32_t index) {
  Lowering to(limits, tiles, node, index);
  check_tensors(to, node.inputs());
  check_tensors(to, node.outputs());
  const LowerFn function = find_lowering(node.op());
  if (function == nullptr) to.refuse("the OpenCL device has no kernel for it");
  try {
    function(to);
  } catch (const UnsupportedError& error) {
    to.refuse(error.what());
  }
  return std::move(to.launches);
}

}  // namespace addax::opencl
