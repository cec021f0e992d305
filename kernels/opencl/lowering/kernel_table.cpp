#include "opencl/lowering/kernel_table.h"

#include <algorithm>
#include <array>

#include "ops/registry.h"

namespace addax::opencl {
namespace {

struct Entry {
  std::string_view op;
  LowerFn lower;
};

// By name; elementwise ops need no entry of their own.
constexpr auto kEntries = std::to_array<Entry>({
    {"adam", lower_adam},
    {"all", lower_reduce},
    {"any", lower_reduce},
    {"argmax", lower_arg_reduce},
    {"argmin", lower_arg_reduce},
    {"argsort", lower_argsort},
    {"avg_pool2d", lower_pool},
    {"avg_pool2d_grad", lower_pool_grad},
    {"batch_indices", lower_batch_indices},
    {"broadcast_to", lower_broadcast_to},
    {"check_range", lower_check_range},
    {"concatenate", lower_concatenate},
    {"constant", lower_constant},
    {"conv2d", lower_conv2d},
    {"conv2d_epilogue", lower_conv2d},
    {"conv2d_filter_grad", lower_conv2d_filter_grad},
    {"conv2d_input_grad", lower_conv2d_input_grad},
    {"conv2d_input_grad_epilogue", lower_conv2d_input_grad},
    {"copy", lower_copy},
    {"flip", lower_flip},
    {"fused", lower_fused},
    {"iota", lower_iota},
    {"log_softmax", lower_softmax},
    {"matmul", lower_matmul},
    {"matmul_epilogue", lower_matmul},
    {"max", lower_reduce},
    {"max_pool2d", lower_pool},
    {"max_pool2d_argmax", lower_pool},
    {"max_pool2d_argmax_grad", lower_pool_grad},
    {"max_pool2d_grad", lower_pool_grad},
    {"min", lower_reduce},
    {"pad", lower_pad},
    {"prod", lower_reduce},
    {"random_normal", lower_random_normal},
    {"random_uniform", lower_random_uniform},
    {"reshape", lower_copy},
    {"scatter_add", lower_scatter_add},
    {"sgd", lower_sgd},
    {"slice", lower_slice},
    {"softmax", lower_softmax},
    {"sparse_softmax_cross_entropy", lower_cross_entropy},
    {"sparse_softmax_cross_entropy_grad", lower_cross_entropy_grad},
    {"sum", lower_reduce},
    {"take", lower_take},
    {"transpose", lower_transpose},
});
static_assert(std::is_sorted(kEntries.begin(), kEntries.end(),
                             [](const Entry& a, const Entry& b) { return a.op < b.op; }));

}  // namespace

LowerFn find_lowering(std::string_view op) {
  const auto found =
      std::lower_bound(kEntries.begin(), kEntries.end(), op,
                       [](const Entry& entry, std::string_view name) { return entry.op < name; });
  if (found != kEntries.end() && found->op == op) return found->lower;
  const OpDef* const record = OpRegistry::instance().find(op);
  return record != nullptr && !record->expr.empty() ? lower_elementwise : nullptr;
}

}  // namespace addax::opencl
