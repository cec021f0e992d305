// Softmax over rows at one ISA level; see simd.inl.
#pragma once

#include "cpu/isa/math_f32.inl"
#include "cpu/isa/simd.inl"
#include "cpu/softmax/softmax_kernels.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

inline Vec<double> exp(Vec<double> x) {
  for (int64_t i = 0; i < kWidth<double>; ++i) x[i] = __builtin_exp(x[i]);
  return x;
}

// A NaN may be lost here: its exponential makes the sum of its row NaN.
template <class T>
inline Vec<T> larger(Vec<T> a, Vec<T> b) {
  return a > b ? a : b;
}

template <class T>
inline T largest_of(Vec<T> v) {
  return combine_lanes<T>(v, [](Vec<T> a, Vec<T> b) { return larger<T>(a, b); })[0];
}

template <class T>
inline T sum_of(Vec<T> v) {
  return combine_lanes<T>(v, [](Vec<T> a, Vec<T> b) { return a + b; })[0];
}

// Long rows are added up in runs, so that a sum's error does not grow with their length.
template <class T>
constexpr int64_t kRun = 64 * kWidth<T>;

template <class T>
void exponentials(const T* x, int64_t rows, int64_t cols, T* e, T* maxima, T* sums) {
  const T lowest = static_cast<T>(-__builtin_inf());
  for (int64_t row = 0; row < rows; ++row, x += cols, e += cols) {
    Vec<T> greatest = broadcast(lowest);
    for_vectors<T>(cols, [&](int64_t i, int64_t count) {
      greatest = larger<T>(greatest, load_up_to(x + i, count, lowest));
    });
    const T maximum = largest_of<T>(greatest);
    Vec<T> total = {};
    for (int64_t begin = 0; begin < cols; begin += kRun<T>) {
      Vec<T> run = {};
      const int64_t n = cols - begin < kRun<T> ? cols - begin : kRun<T>;
      for_vectors<T>(n, [&](int64_t i, int64_t count) {
        const Vec<T> value = exp(load_up_to(x + begin + i, count, lowest) - maximum);
        store_up_to(e + begin + i, value, count);
        run += value;
      });
      total += run;
    }
    maxima[row] = maximum;
    sums[row] = sum_of<T>(total);
  }
}

template <class T>
void scale(T* x, int64_t rows, int64_t cols, const T* factors) {
  for (int64_t row = 0; row < rows; ++row, x += cols) {
    for_vectors<T>(cols, [&](int64_t i, int64_t count) {
      store_up_to<T>(x + i, load_up_to(x + i, count) * factors[row], count);
    });
  }
}

template <class T>
void shift(T* x, int64_t rows, int64_t cols, const T* offsets) {
  for (int64_t row = 0; row < rows; ++row, x += cols) {
    for_vectors<T>(cols, [&](int64_t i, int64_t count) {
      store_up_to<T>(x + i, load_up_to(x + i, count) - offsets[row], count);
    });
  }
}

}  // namespace

constinit const SoftmaxKernels<float> kSoftmaxF32 = {exponentials<float>, scale<float>,
                                                     shift<float>};
constinit const SoftmaxKernels<double> kSoftmaxF64 = {exponentials<double>, scale<double>,
                                                      shift<double>};

}  // namespace addax::cpu::ADDAX_ISA
