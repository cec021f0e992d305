#pragma once

#include "cpu/lowering/node.h"
#include "cpu/runtime/kernel.h"

namespace addax::cpu {

// Products of bfloat16 matrices by the convolution kernels: rows are pixels, columns channels, and
// a product with a transposed matrix is a gradient of one without.

// Whether a matmul node is such a product at the active level: one matrix b (a may have batch
// dimensions), at most one of the two transposed, and whole pairs to contract.
bool multiplies_pairs(const Node& node);
KernelPtr make_pair_matmul(const Node& node);

}  // namespace addax::cpu
