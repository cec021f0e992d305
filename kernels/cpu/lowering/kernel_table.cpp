#include "cpu/lowering/kernel_table.h"

#include <algorithm>
#include <array>

#include "cpu/lowering/kernels.h"

namespace addax::cpu {
namespace {

constexpr KernelEntry kElementwise = {"", accepts_elementwise, make_elementwise};

// By name; elementwise ops need no entry of their own.
constexpr auto kEntries = std::to_array<KernelEntry>({
    {"adam", accepts_optimizer, make_adam},
    {"all", accepts_reduce, make_reduce},
    {"any", accepts_reduce, make_reduce},
    {"argmax", accepts_arg_reduce, make_arg_reduce},
    {"argmin", accepts_arg_reduce, make_arg_reduce},
    {"argsort", accepts_sort, make_argsort},
    {"avg_pool2d", accepts_pool, make_pool},
    {"avg_pool2d_grad", accepts_pool, make_pool_grad},
    {"batch_indices", accepts_batch_indices, make_batch_indices},
    {"batch_moments", accepts_batch_moments, make_batch_moments},
    {"broadcast_to", accepts_movement, make_broadcast_to},
    {"check_range", accepts_check_range, make_check_range},
    {"concatenate", accepts_movement, make_concatenate},
    {"constant", accepts_constant, make_constant},
    {"conv2d", accepts_conv2d, make_conv2d},
    {"conv2d_epilogue", accepts_conv2d, make_conv2d},
    {"conv2d_filter_grad", accepts_conv2d_filter_grad, make_conv2d_filter_grad},
    {"conv2d_input_grad", accepts_conv2d_input_grad, make_conv2d_input_grad},
    {"conv2d_input_grad_epilogue", accepts_conv2d_input_grad_epilogue, make_conv2d_input_grad},
    {"copy", accepts_movement, make_copy},
    {"flip", accepts_movement, make_flip},
    {"fused", accepts_fused, make_fused},
    {"iota", accepts_iota, make_iota},
    {"log_softmax", accepts_softmax, make_softmax},
    {"matmul", accepts_matmul, make_matmul},
    {"matmul_epilogue", accepts_matmul, make_matmul},
    {"max", accepts_reduce, make_reduce},
    {"max_pool2d", accepts_pool, make_pool},
    {"max_pool2d_argmax", accepts_pool, make_pool},
    {"max_pool2d_argmax_grad", accepts_pool, make_pool_grad},
    {"max_pool2d_grad", accepts_pool, make_pool_grad},
    {"min", accepts_reduce, make_reduce},
    {"pad", accepts_movement, make_pad},
    {"prod", accepts_reduce, make_reduce},
    {"random_normal", accepts_random, make_random_normal},
    {"random_uniform", accepts_random, make_random_uniform},
    {"reshape", accepts_movement, make_copy},
    {"scatter_add", accepts_scatter_add, make_scatter_add},
    {"sgd", accepts_optimizer, make_sgd},
    {"slice", accepts_movement, make_slice},
    {"softmax", accepts_softmax, make_softmax},
    {"sort", accepts_sort, make_sort},
    {"sparse_softmax_cross_entropy", accepts_cross_entropy, make_cross_entropy},
    {"sparse_softmax_cross_entropy_grad", accepts_cross_entropy, make_cross_entropy_grad},
    {"sum", accepts_reduce, make_reduce},
    {"take", accepts_take, make_take},
    {"top_k", accepts_sort, make_top_k},
    {"transpose", accepts_transpose, make_transpose},
});
static_assert(std::is_sorted(kEntries.begin(), kEntries.end(),
                             [](const auto& a, const auto& b) { return a.op < b.op; }));

}  // namespace

const KernelEntry* find_kernel(const Node& node) {
  const auto found =
      std::lower_bound(kEntries.begin(), kEntries.end(), node.op(),
                       [](const KernelEntry& entry, std::string_view op) { return entry.op < op; });
  const bool listed = found != kEntries.end() && found->op == node.op();
  const KernelEntry* entry = listed ? &*found : &kElementwise;
  return entry->accepts(node) ? entry : nullptr;
}

}  // namespace addax::cpu
