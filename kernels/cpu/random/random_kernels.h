#pragma once

#include <cstdint>

#include "cpu/isa/isa.h"

namespace addax::cpu {

// A bijection of [0, n): a keyed Feistel network over the smallest even number of bits that covers
// n, whose cycles are walked until a number below n comes up.
struct Shuffle {
  int half_bits;  // of the network; 0 <= half_bits <= 31
  uint64_t n;     // 1 <= n <= 2^(2 half_bits)
  uint64_t seed;
  uint64_t stream;
};

struct RandomKernels {
  // The words of Philox blocks [first, first + count), four of each, in order.
  void (*philox)(uint64_t seed, uint64_t first, int64_t count, uint32_t* words);
  // Replaces each of `count` numbers below n by its image.
  void (*shuffle)(const Shuffle& shuffle, int64_t count, uint64_t* numbers);
};

const RandomKernels& random_kernels(Isa isa);

namespace portable {
extern const RandomKernels kRandomKernels;
}
namespace avx2 {
extern const RandomKernels kRandomKernels;
}
namespace avx512 {
extern const RandomKernels kRandomKernels;
}

}  // namespace addax::cpu
