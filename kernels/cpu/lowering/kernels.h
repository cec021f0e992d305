#pragma once

#include "cpu/lowering/node.h"
#include "cpu/runtime/kernel.h"

// The kernels' factories, one pair for each family: `accepts_x` looks at dtypes, shapes and
// attributes only, `make_x` compiles a node that was accepted. What the ops mean is said in their
// records.
namespace addax::cpu {

// elementwise.cpp
bool accepts_fused(const Node& node);
KernelPtr make_fused(const Node& node);
bool accepts_elementwise(const Node& node);  // any op whose record has an expression
KernelPtr make_elementwise(const Node& node);

// reduce.cpp: sum max min prod any all (a mean is better decomposed: its sum fuses with what it is
// taken of)
bool accepts_reduce(const Node& node);
KernelPtr make_reduce(const Node& node);

// arg_reduce.cpp: argmax argmin
bool accepts_arg_reduce(const Node& node);
KernelPtr make_arg_reduce(const Node& node);

// sort.cpp
bool accepts_sort(const Node& node);
KernelPtr make_sort(const Node& node);
KernelPtr make_argsort(const Node& node);
KernelPtr make_top_k(const Node& node);

// movement.cpp: copy reshape broadcast_to slice pad concatenate flip
bool accepts_movement(const Node& node);
KernelPtr make_copy(const Node& node);
KernelPtr make_broadcast_to(const Node& node);
KernelPtr make_slice(const Node& node);
KernelPtr make_pad(const Node& node);
KernelPtr make_concatenate(const Node& node);
KernelPtr make_flip(const Node& node);
// A constant's data came with the program.
bool accepts_constant(const Node& node);
KernelPtr make_constant(const Node& node);

// transpose.cpp
bool accepts_transpose(const Node& node);
KernelPtr make_transpose(const Node& node);

// iota.cpp
bool accepts_iota(const Node& node);
KernelPtr make_iota(const Node& node);

// take.cpp, scatter_add.cpp
bool accepts_take(const Node& node);
KernelPtr make_take(const Node& node);
bool accepts_scatter_add(const Node& node);
KernelPtr make_scatter_add(const Node& node);

// check_range.cpp
bool accepts_check_range(const Node& node);
KernelPtr make_check_range(const Node& node);

// softmax.cpp: softmax log_softmax
bool accepts_softmax(const Node& node);
KernelPtr make_softmax(const Node& node);

// cross_entropy.cpp: sparse_softmax_cross_entropy and its gradient
bool accepts_cross_entropy(const Node& node);
KernelPtr make_cross_entropy(const Node& node);
KernelPtr make_cross_entropy_grad(const Node& node);

// random.cpp
bool accepts_random(const Node& node);
KernelPtr make_random_uniform(const Node& node);
KernelPtr make_random_normal(const Node& node);
bool accepts_batch_indices(const Node& node);
KernelPtr make_batch_indices(const Node& node);

// optimizer.cpp
bool accepts_optimizer(const Node& node);
KernelPtr make_adam(const Node& node);
KernelPtr make_sgd(const Node& node);

// matmul.cpp: matmul matmul_epilogue
bool accepts_matmul(const Node& node);
KernelPtr make_matmul(const Node& node);

// convolution.cpp: conv2d conv2d_epilogue and the gradients
bool accepts_conv2d(const Node& node);
bool accepts_conv2d_input_grad(const Node& node);
bool accepts_conv2d_input_grad_epilogue(const Node& node);
bool accepts_conv2d_filter_grad(const Node& node);
KernelPtr make_conv2d(const Node& node);
KernelPtr make_conv2d_input_grad(const Node& node);
KernelPtr make_conv2d_filter_grad(const Node& node);
// The kernel of a batch_moments node and of the convolution right before it, whose output it takes;
// null where there is none, or where its chunks do not make moments.
KernelPtr make_conv2d_with_moments(const Node& moments);

// batch_moments.cpp
bool accepts_batch_moments(const Node& node);
KernelPtr make_batch_moments(const Node& node);

// pooling.cpp: max_pool2d avg_pool2d and their gradients
bool accepts_pool(const Node& node);
KernelPtr make_pool(const Node& node);
KernelPtr make_pool_grad(const Node& node);

}  // namespace addax::cpu
