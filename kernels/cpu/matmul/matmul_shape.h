#pragma once

#include "cpu/gemm/gemm.h"
#include "cpu/lowering/node.h"

namespace addax::cpu {

// The extents and element strides of a matmul node, its batches broadcast.
GemmShape matmul_shape(const Node& node);

}  // namespace addax::cpu
