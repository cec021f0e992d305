#pragma once

#include <cstdint>

#include "core/float16.h"

namespace addax::cpu {

// Two bfloat16 that follow each other along k. The instructions for them add two products at once.
struct BFloat16Pair {
  BFloat16 first;
  BFloat16 second;
};

// What a contraction of elements T multiplies, how many elements of k one factor holds, and what
// it sums in.
template <class T>
struct ContractionTypes {
  using Factor = T;
  using Sum = T;
  static constexpr int64_t kDepth = 1;
};
template <>
struct ContractionTypes<BFloat16> {
  using Factor = BFloat16Pair;
  using Sum = float;
  static constexpr int64_t kDepth = 2;
};

template <class T>
using Factor = typename ContractionTypes<T>::Factor;
template <class T>
using Sum = typename ContractionTypes<T>::Sum;
template <class T>
inline constexpr int64_t kFactorDepth = ContractionTypes<T>::kDepth;

}  // namespace addax::cpu
