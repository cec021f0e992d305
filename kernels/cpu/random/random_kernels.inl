// Philox4x32-10 on many counters at once, at one ISA level; see simd.inl and core/philox.h.
#pragma once

#include <cstdint>

#include "cpu/isa/simd.inl"
#include "cpu/random/random_kernels.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

using Wide = Vec<uint64_t>;

// Numbers that are worked on at once: enough to hide the latency of a multiplication.
constexpr int64_t kLanes = 16;
constexpr int64_t kVectors = kLanes / kWidth<uint64_t>;

constexpr uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
constexpr uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

// Products of the lanes' low halves.
inline Wide multiply_low(Wide a, uint32_t b) {
#if ADDAX_VECTOR_BYTES == 64 && defined(__AVX512F__)
  return bits_as<Wide>(
      _mm512_maskz_mul_epu32(0xff, bits_as<__m512i>(a), bits_as<__m512i>(broadcast(uint64_t{b}))));
#elif ADDAX_VECTOR_BYTES == 32 && defined(__AVX2__)
  return bits_as<Wide>(
      _mm256_mul_epu32(bits_as<__m256i>(a), bits_as<__m256i>(broadcast(uint64_t{b}))));
#else
  return (a & 0xffffffffu) * uint64_t{b};
#endif
}

// The four words of kLanes counters, each in the low half of a lane; high halves hold anything.
struct Counters {
  Wide word[4][kVectors];

  void encrypt(uint32_t key_0, uint32_t key_1) {
    constexpr int kRounds = 10;
    for (int round = 0; round < kRounds; ++round) {
      for (int64_t v = 0; v < kVectors; ++v) {
        const Wide even = multiply_low(word[0][v], 0xD2511F53u);
        const Wide odd = multiply_low(word[2][v], 0xCD9E8D57u);
        word[0][v] = (odd >> 32) ^ word[1][v] ^ uint64_t { key_0 };
        word[1][v] = odd;
        word[2][v] = (even >> 32) ^ word[3][v] ^ uint64_t { key_1 };
        word[3][v] = even;
      }
      key_0 += 0x9E3779B9u;
      key_1 += 0xBB67AE85u;
    }
  }
};

// 0, 1, ... in the lanes of vector `v`.
inline Wide lane_numbers(int64_t v) {
  Wide numbers;
  for (int64_t i = 0; i < kWidth<uint64_t>; ++i) {
    numbers[i] = static_cast<uint64_t>(v * kWidth<uint64_t> + i);
  }
  return numbers;
}

void philox(uint64_t seed, uint64_t first, int64_t count, uint32_t* words) {
  Counters counters;
  for (int64_t begin = 0; begin < count; begin += kLanes) {
    for (int64_t v = 0; v < kVectors; ++v) {
      const Wide block = lane_numbers(v) + (first + static_cast<uint64_t>(begin));
      counters.word[0][v] = block;
      counters.word[1][v] = block >> 32;
      counters.word[2][v] = Wide{};
      counters.word[3][v] = Wide{};
    }
    counters.encrypt(low(seed), high(seed));
    const int64_t n = count - begin < kLanes ? count - begin : kLanes;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < 4; ++k) {
        words[4 * (begin + i) + k] =
            low(counters.word[k][i / kWidth<uint64_t>][i % kWidth<uint64_t>]);
      }
    }
  }
}

// One pass of kLanes numbers through the network.
void permute(const Shuffle& shuffle, uint64_t* numbers) {
  constexpr uint64_t kRounds = 6;
  const uint64_t mask = (uint64_t{1} << shuffle.half_bits) - 1;
  Wide left[kVectors], right[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) {
    const Wide x = load(numbers + v * kWidth<uint64_t>);
    left[v] = x >> shuffle.half_bits;
    right[v] = x & mask;
  }
  Counters counters;
  for (uint64_t round = 0; round < kRounds; ++round) {
    for (int64_t v = 0; v < kVectors; ++v) {
      counters.word[0][v] = right[v];
      counters.word[1][v] = broadcast(round);
      counters.word[2][v] = broadcast(uint64_t{low(shuffle.stream)});
      counters.word[3][v] = broadcast(uint64_t{high(shuffle.stream)});
    }
    counters.encrypt(low(shuffle.seed), high(shuffle.seed));
    for (int64_t v = 0; v < kVectors; ++v) {
      const Wide next = left[v] ^ (counters.word[0][v] & mask);
      left[v] = right[v];
      right[v] = next;
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) {
    store(numbers + v * kWidth<uint64_t>, left[v] << shuffle.half_bits | right[v]);
  }
}

// Lanes that are done take the next number: all are busy until the numbers run out.
void shuffle_numbers(const Shuffle& shuffle, int64_t count, uint64_t* numbers) {
  uint64_t lanes[kLanes] = {};
  int64_t owner[kLanes];  // whose number a lane works on; -1: nobody's
  int64_t next = 0, busy = 0;
  for (int64_t i = 0; i < kLanes; ++i) {
    owner[i] = -1;
    if (next == count) continue;
    lanes[i] = numbers[next];
    owner[i] = next++;
    ++busy;
  }
  while (busy > 0) {
    permute(shuffle, lanes);
    for (int64_t i = 0; i < kLanes; ++i) {
      if (owner[i] < 0 || lanes[i] >= shuffle.n) continue;
      numbers[owner[i]] = lanes[i];
      if (next < count) {
        lanes[i] = numbers[next];
        owner[i] = next++;
      } else {
        owner[i] = -1;
        --busy;
      }
    }
  }
}

}  // namespace

constinit const RandomKernels kRandomKernels = {philox, shuffle_numbers};

}  // namespace addax::cpu::ADDAX_ISA
