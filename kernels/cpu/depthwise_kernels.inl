// Depthwise convolution of one ISA level; see simd.inl.
#pragma once

#include "cpu/depthwise_kernels.h"
#include "cpu/simd.inl"

namespace addax::cpu::ADDAX_ISA {
namespace {

// Vectors of channels that are worked on together, so that a pixel's taps are looped over once for
// all of them.
constexpr int kUnroll = 4;

// Calls body(first channel, lanes, integral constant of the number of vectors) for all channels;
// only a last vector that stands alone has fewer lanes than kWidth.
template <class T, class Body>
inline void over_channels(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + kUnroll * kWidth<T> <= channels; c += kUnroll * kWidth<T>) {
    body(c, kWidth<T>, std::integral_constant<int, kUnroll>());
  }
  for_vectors<T>(channels - c, [&](int64_t offset, int64_t lanes) {
    body(c + offset, lanes, std::integral_constant<int, 1>());
  });
}

template <class T>
inline Vec<T> finished(Vec<T> sum, const Finish<T>& finish, int64_t at, int64_t c, int64_t lanes,
                       const T* y) {
  if (finish.accumulate) sum = load_up_to(y + at, lanes) + sum;
  if (finish.scale != nullptr) sum = sum * load_up_to(finish.scale + c, lanes);
  if (finish.bias != nullptr) sum = sum + load_up_to(finish.bias + c, lanes);
  if (finish.residual != nullptr) sum = sum + load_up_to(finish.residual + at, lanes);
  // A NaN is not less than zero and stays.
  if (finish.activation == Activation::Relu) sum = sum < Vec<T>{} ? Vec<T>{} : sum;
  if (finish.mask != nullptr) sum = load_up_to(finish.mask + at, lanes) > Vec<T>{} ? sum : Vec<T>{};
  return sum;
}

template <class T>
void contract(const DepthwiseRun& arguments, const T* x, const T* w, T* y, const Finish<T>& end) {
  const DepthwiseRun run = arguments;
  const Finish<T> finish = end;
  over_channels<T>(run.channels, [&](int64_t c, int64_t lanes, auto vectors) {
    constexpr int kVectors = decltype(vectors)::value;
    for (int64_t i = 0; i < run.count; ++i) {
      const T* source = x + i * run.source_step + c;
      Vec<T> sums[kVectors] = {};
      for (int64_t t = 0; t < run.num_taps; ++t) {
        const T* from = source + run.taps[t].source;
        const T* weight = w + run.taps[t].weight + c;
        for (int v = 0; v < kVectors; ++v) {
          sums[v] +=
              load_up_to(from + v * kWidth<T>, lanes) * load_up_to(weight + v * kWidth<T>, lanes);
        }
      }
      for (int v = 0; v < kVectors; ++v) {
        const int64_t channel = c + v * kWidth<T>;
        const int64_t at = i * run.target_step + channel;
        store_up_to(y + at, finished(sums[v], finish, at, channel, lanes, y), lanes);
      }
    }
  });
}

template <class T>
void correlate(const DepthwiseRun& arguments, const T* x, const T* dy, T* dw) {
  const DepthwiseRun run = arguments;
  over_channels<T>(run.channels, [&](int64_t c, int64_t lanes, auto vectors) {
    constexpr int kVectors = decltype(vectors)::value;
    Vec<T> sums[kVectors] = {};
    for (int64_t i = 0; i < run.count; ++i) {
      const T* from = x + i * run.source_step + c;
      const T* gradient = dy + i * run.target_step + c;
      for (int v = 0; v < kVectors; ++v) {
        sums[v] +=
            load_up_to(from + v * kWidth<T>, lanes) * load_up_to(gradient + v * kWidth<T>, lanes);
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      T* target = dw + c + v * kWidth<T>;
      store_up_to(target, load_up_to(target, lanes) + sums[v], lanes);
    }
  });
}

}  // namespace

constinit const DepthwiseKernels<float> kDepthwiseF32 = {contract<float>, correlate<float>};
constinit const DepthwiseKernels<double> kDepthwiseF64 = {contract<double>, correlate<double>};

}  // namespace addax::cpu::ADDAX_ISA
