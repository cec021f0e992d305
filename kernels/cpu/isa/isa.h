#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace addax::cpu {

// Instruction levels that kernels are written for, in rising order: each level runs the levels
// below it.
//   Portable    plain C++ (and OpenBLAS for contractions)
//   Avx2        AVX2, FMA and F16C
//   Avx512      AVX-512 F, BW, DQ and VL
//   Avx512Bf16  AVX-512 with bfloat16 products
//   Amx         tile registers with bfloat16 products
enum class Isa { Portable, Avx2, Avx512, Avx512Bf16, Amx };

std::string_view name(Isa isa);

// Highest level that the processor has and whose registers the operating system saves, which it is
// asked to do for tile registers. From CPUID bits, never from the model.
Isa detected_isa();

// detected_isa(), capped by ADDAX_ISA=portable|avx2|avx512|avx512_bf16|amx. Any other value
// throws InvalidArgumentError. Read at every call, so a plan made earlier keeps its level.
Isa active_isa();

// Data-cache sizes in bytes of the core that asks first; typical values where the system does not
// tell.
struct CacheSizes {
  std::size_t l1;
  std::size_t l2;
  std::size_t l3;
};
const CacheSizes& cache_sizes();

// How many pieces of `bytes` fit into one part of L2 in `parts`. For blocking that changes no bits.
int64_t l2_share(int64_t parts, std::size_t bytes);

}  // namespace addax::cpu
