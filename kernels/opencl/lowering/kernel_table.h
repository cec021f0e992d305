#pragma once

#include <string_view>

#include "opencl/lowering/lowering.h"

namespace addax::opencl {

using LowerFn = void (*)(Lowering& to);

// What turns nodes of this op into launches; null when there is nothing.
LowerFn find_lowering(std::string_view op);

// The families. Each takes the node, or refuses it by `Lowering::refuse`.

void lower_fused(Lowering& to);        // map_reduce/elementwise.cpp
void lower_elementwise(Lowering& to);  // any op whose record has an expression
void lower_reduce(Lowering& to);       // map_reduce/reduce.cpp: sum max min prod any all
void lower_arg_reduce(Lowering& to);   // kernels/gather.cpp: argmax argmin

// kernels/movement.cpp
void lower_copy(Lowering& to);  // copy reshape
void lower_broadcast_to(Lowering& to);
void lower_transpose(Lowering& to);
void lower_slice(Lowering& to);
void lower_pad(Lowering& to);
void lower_concatenate(Lowering& to);
void lower_flip(Lowering& to);
void lower_constant(Lowering& to);

// kernels/gather.cpp
void lower_iota(Lowering& to);
void lower_take(Lowering& to);
void lower_scatter_add(Lowering& to);
void lower_check_range(Lowering& to);

void lower_argsort(Lowering& to);  // kernels/sort.cpp

void lower_matmul(Lowering& to);  // contraction/matmul.cpp: matmul matmul_epilogue

// contraction/conv.cpp: conv2d conv2d_epilogue and the gradients
void lower_conv2d(Lowering& to);
void lower_conv2d_input_grad(Lowering& to);
void lower_conv2d_filter_grad(Lowering& to);

// kernels/pool.cpp: max_pool2d avg_pool2d and their gradients
void lower_pool(Lowering& to);
void lower_pool_grad(Lowering& to);

// kernels/softmax.cpp: softmax log_softmax, sparse_softmax_cross_entropy and its gradient
void lower_softmax(Lowering& to);
void lower_cross_entropy(Lowering& to);
void lower_cross_entropy_grad(Lowering& to);

// kernels/random.cpp
void lower_random_uniform(Lowering& to);
void lower_random_normal(Lowering& to);
void lower_batch_indices(Lowering& to);

// kernels/optimizer.cpp
void lower_adam(Lowering& to);
void lower_sgd(Lowering& to);

}  // namespace addax::opencl
