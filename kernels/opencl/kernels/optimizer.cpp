#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "ops/registry.h"
#include "ops/update_groups.h"

namespace addax::opencl {
namespace {

// A work-group's share: GROUP items, each of which takes kVectors vectors of kWidth elements.
constexpr int64_t kMostItems = 64;
constexpr int64_t kWidth = 8;
constexpr int64_t kVectors = 4;

// What all parameters of an update share: scalar tensors and numbers, with the text that makes
// `numbers`, the last arguments of the step's function, out of them.
struct Update {
  std::string function;  // of optimizer.cl
  std::string numbers;
  std::string parameters;  // of the kernel
  std::string setup;
  std::vector<double> values;  // passed as T
};

class Optimizer {
 public:
  Optimizer(Lowering& to, Update update)
      : to_(to),
        update_(std::move(update)),
        groups_(groups_of(to.node)),
        dtype_(dtype_of(to.node.input(groups_.scalars))) {
    for (size_t i = groups_.scalars; i < to.node.inputs().size(); ++i) {
      to.require(dtype_of(to.node.input(i)) == dtype_, "takes tensors of one dtype");
    }
    to.require(is_wide(), "takes float32 and float64");
  }

  // One launch, or as few as the device's limit of arguments allows.
  void add() {
    constexpr uint64_t kTensorBytes = 16, kSharedBytes = 128;
    const uint64_t per_parameter = (2 * groups_.groups - 1) * kTensorBytes + sizeof(int32_t);
    const uint64_t room = to_.limits.parameter_bytes;
    to_.require(room >= kSharedBytes + per_parameter, "has more operands than a kernel takes");
    const size_t most = (room - kSharedBytes) / per_parameter;
    for (size_t first = 0; first < groups_.count; first += most) {
      add(first, std::min(groups_.count, first + most));
    }
  }

 private:
  static UpdateGroups groups_of(const Node& node) {
    return update_groups(OpRegistry::instance().at(node.op()), node.integer("count"),
                         node.inputs().size());
  }

  bool is_wide() const { return dtype_ == DType::Float32 || dtype_ == DType::Float64; }

  // The parameters [first, end): one after the other, in blocks of a work-group each.
  void add(size_t first, size_t end) {
    std::string kernel = "__kernel void update(RECORD" + update_.parameters;
    std::string body;
    int64_t blocks = 0;
    const int64_t group = to_.limits.group(kMostItems, size_of(dtype_));
    const int64_t block = group * kWidth * kVectors;
    for (size_t i = first; i < end; ++i) {
      const std::string number = std::to_string(i - first);
      const std::string size = "size" + number;
      std::string arguments;
      kernel += ", const int " + size;
      for (size_t operand = 0; operand < operands(i).size(); ++operand) {
        const std::string name = "x" + number + "_" + std::to_string(operand);
        kernel += ", TENSOR(" + name + ")";
        arguments += "ELEMENTS(" + name + "), ";
      }
      body.append("  if (block < BLOCKS(").append(size).append(")) {\n  ").append(update_.function);
      body.append("(").append(arguments).append("block, ").append(size).append(", ");
      body.append(update_.numbers).append(");\n  return;\n  }\n");
      body.append("  block -= BLOCKS(").append(size).append(");\n");
      blocks += (to_.node.input(groups_.input(0, i)).elements() + block - 1) / block;
    }
    Launch launch(preamble(to_.limits, dtype_) + define_group(group) + define("WIDTH", kWidth) +
                      define("BLOCK", block) + std::string(sources::optimizer) + kernel +
                      ") {\n  RETURN_IF_FAILED;\n  int block = get_group_id(0);\n" + update_.setup +
                      body + "}\n",
                  "update");
    for (size_t i = 0; i < groups_.scalars; ++i) launch.tensor(to_.node.input(i));
    for (double value : update_.values) {
      if (dtype_ == DType::Float64) {
        launch.value(value);
      } else {
        launch.value(static_cast<float>(value));
      }
    }
    for (size_t i = first; i < end; ++i) {
      launch.extent(to_.node.input(groups_.input(0, i)).elements());
      for (const Tensor* operand : operands(i)) launch.tensor(*operand);
    }
    launch.over({blocks * group}, {group});
    to_.add(std::move(launch));
  }

  // The parameter, its gradient, its slots; the new parameter, the new slots.
  std::vector<const Tensor*> operands(size_t i) const {
    std::vector<const Tensor*> tensors;
    for (size_t group = 0; group < groups_.groups; ++group) {
      tensors.push_back(&to_.node.input(groups_.input(group, i)));
    }
    for (size_t group = 0; group < groups_.groups; ++group) {
      if (group == UpdateGroups::kGradients) continue;
      tensors.push_back(&to_.node.output(groups_.output(group, i)));
    }
    return tensors;
  }

  Lowering& to_;
  Update update_;
  UpdateGroups groups_;
  DType dtype_;
};

}  // namespace

void lower_adam(Lowering& to) {
  const Node& node = to.node;
  const double beta_1 = node.number("beta_1");
  const double beta_2 = node.number("beta_2");
  Optimizer(to, {.function = "adam",
                 .numbers = "rates[0], keep_1, keep_2, epsilon, learning_rate * weight_decay",
                 .parameters = ", TENSOR(lr), TENSOR(step), const T keep_1, const T keep_2, "
                               "const T log_beta_1, const T log_beta_2, const T epsilon, "
                               "const T weight_decay",
                 .setup = "  const T learning_rate = LOAD_float32(ADDRESS(lr), 0);\n"
                          "  SHARED T rates[1];\n"
                          "  if (get_local_id(0) == 0) rates[0] = adam_rate(learning_rate, "
                          "LOAD_int64(ADDRESS(step), 0), log_beta_1, log_beta_2);\n"
                          "  barrier(CLK_LOCAL_MEM_FENCE);\n",
                 .values = {1 - beta_1, 1 - beta_2, std::log(beta_1), std::log(beta_2),
                            node.number("epsilon"), node.number("weight_decay")}})
      .add();
}

void lower_sgd(Lowering& to) {
  const Node& node = to.node;
  const bool has_velocity = node.number("momentum") != 0;
  const std::string nesterov = node.flag("nesterov") ? "1" : "0";
  Optimizer(to, {.function = has_velocity ? "sgd_momentum" : "sgd",
                 .numbers = has_velocity ? "rate, momentum, rate * weight_decay, " + nesterov
                                         : "rate, rate * weight_decay",
                 .parameters = ", TENSOR(lr), const T momentum, const T weight_decay",
                 .setup = "  const T rate = LOAD_float32(ADDRESS(lr), 0);\n",
                 .values = {node.number("momentum"), node.number("weight_decay")}})
      .add();
}

}  // namespace addax::opencl
