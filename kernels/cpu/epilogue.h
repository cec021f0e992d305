#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/gemm_kernels.h"
#include "cpu/kernel.h"
#include "cpu/tape.h"

namespace addax::cpu {

// What a contraction's kernel can do itself with a finished block: add a bias along the last axis, apply an
// activation, zero where a mask is not positive.
struct Epilogue {
  std::optional<int32_t> bias;  // tensors
  Activation activation = Activation::None;
  std::optional<int32_t> mask;
};

// Recognises a node's `epilogue` over i0, the accumulator, and the extras, which are the node's inputs from
// the third on; nothing when the text asks for more than Epilogue holds, or when a dtype differs from the
// output's.
std::optional<Epilogue> match_epilogue(const Node& node);

// The epilogue as an elementwise kernel that works in place on the node's output.
KernelPtr make_epilogue_kernel(const Node& node);

}  // namespace addax::cpu
