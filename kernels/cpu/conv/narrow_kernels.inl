// Convolution in narrow groups of one ISA level; see simd.inl.
#pragma once

#include <algorithm>
#include <array>

#include "cpu/conv/narrow_kernels.h"
#include "cpu/isa/simd.inl"

namespace addax::cpu::ADDAX_ISA {
namespace {

// Pixels that are worked on together: their sums, and themselves, stay in registers.
constexpr int kMostPixels = ADDAX_VECTOR_BYTES == 64 ? 8 : 4;

// Vectors of sums that a correlation keeps in registers.
constexpr int kMostSums = 8;
constexpr int kMostVectors = 4;

template <int kGroup>
using Channels = std::make_integer_sequence<int, kGroup>;

template <class T, int kGroup, int kChannel, size_t... kLane>
inline Vec<T> spread(Vec<T> v, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(v, v, static_cast<int>(kLane / kGroup * kGroup + kChannel)...);
}

// In every lane of a group, the group's lane kChannel.
template <class T, int kGroup, int kChannel>
inline Vec<T> spread(Vec<T> v) {
  return spread<T, kGroup, kChannel>(v, std::make_index_sequence<kWidth<T>>());
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
struct Contraction {
  NarrowRun run;
  const T* x;
  const T* w;
  T* y;
  Finish<T> finish;
};

// The channels from c on, as many as there are lanes, of kPixels pixels from i on.
template <class T, int kPixels, class Lanes, int... kChannel>
inline void contract_vector(const Contraction<T>& all, int64_t i, int64_t c, Lanes lanes,
                            std::integer_sequence<int, kChannel...>) {
  constexpr int kGroup = sizeof...(kChannel);
  const int64_t step = all.run.source_step;
  Vec<T> sums[kPixels] = {};
  for (int64_t t = 0; t < all.run.num_taps; ++t) {
    const T* from = all.x + all.run.taps[t].source + i * step + c;
    const T* weights = all.w + all.run.taps[t].weight + c;
    Vec<T> pixels[kPixels];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) pixels[p] = load_up_to(from + p * step, lanes);
    const auto add = [&](auto channel) {
      const Vec<T> weight = load_up_to(weights + channel * all.run.channels, lanes);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        sums[p] += spread<T, kGroup, decltype(channel)::value>(pixels[p]) * weight;
      }
    };
    (add(std::integral_constant<int, kChannel>()), ...);
  }
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) {
    const int64_t at = (i + p) * all.run.target_step + c;
    store_up_to(all.y + at, finished(sums[p], all.finish, at, c, lanes, all.y), lanes);
  }
}

template <class T, int kGroup, int kPixels>
void contract_pixels(const Contraction<T>& all, int64_t i) {
  constexpr std::integral_constant<int64_t, kWidth<T>> kWhole;
  const int64_t channels = all.run.channels;
  int64_t c = 0;
  for (; c + kWhole <= channels; c += kWhole) {
    contract_vector<T, kPixels>(all, i, c, kWhole, Channels<kGroup>());
  }
  for (int p = 0; p < kPixels && c < channels; ++p) {
    contract_vector<T, 1>(all, i + p, c, channels - c, Channels<kGroup>());
  }
}

template <class T>
using ContractPixels = void (*)(const Contraction<T>&, int64_t);

// By the number of pixels less one.
template <class T, int kGroup, int... kPixels>
constexpr std::array<ContractPixels<T>, sizeof...(kPixels)> pixel_table(
    std::integer_sequence<int, kPixels...>) {
  return {contract_pixels<T, kGroup, kPixels + 1>...};
}

template <class T, int kGroup>
void contract_group(const Contraction<T>& all) {
  constexpr auto kTable = pixel_table<T, kGroup>(std::make_integer_sequence<int, kMostPixels>());
  const int64_t parts = (all.run.count + kMostPixels - 1) / kMostPixels;
  for (int64_t part = 0, i = 0; part < parts; ++part) {
    const int64_t end = all.run.count * (part + 1) / parts;
    kTable[static_cast<size_t>(end - i - 1)](all, i);
    i = end;
  }
}

// The channels from c on, as many as there are lanes in each of kVectors vectors.
template <class T, int kVectors, class Lanes, int... kChannel>
inline void correlate_vectors(const NarrowRun& run, const T* x, const T* dy, T* dw, Lanes lanes,
                              std::integer_sequence<int, kChannel...>) {
  constexpr int kGroup = sizeof...(kChannel);
  Vec<T> sums[kGroup][kVectors] = {};
  for (int64_t i = 0; i < run.count; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vec<T> pixel = load_up_to(x + i * run.source_step + v * kWidth<T>, lanes);
      const Vec<T> gradient = load_up_to(dy + i * run.target_step + v * kWidth<T>, lanes);
      ((sums[kChannel][v] += spread<T, kGroup, kChannel>(pixel) * gradient), ...);
    }
  }
#pragma GCC unroll 8
  for (int channel = 0; channel < kGroup; ++channel) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      T* target = dw + channel * run.channels + v * kWidth<T>;
      store_up_to(target, load_up_to(target, lanes) + sums[channel][v], lanes);
    }
  }
}

template <class T, int kGroup>
void correlate_group(const NarrowRun& arguments, const T* x, const T* dy, T* dw) {
  const NarrowRun run = arguments;
  constexpr std::integral_constant<int64_t, kWidth<T>> kWhole;
  constexpr int kVectors = std::min(kMostSums / kGroup, kMostVectors);
  int64_t c = 0;
  for (; c + kVectors * kWhole <= run.channels; c += kVectors * kWhole) {
    correlate_vectors<T, kVectors>(run, x + c, dy + c, dw + c, kWhole, Channels<kGroup>());
  }
  for (; c + kWhole <= run.channels; c += kWhole) {
    correlate_vectors<T, 1>(run, x + c, dy + c, dw + c, kWhole, Channels<kGroup>());
  }
  if (c < run.channels) {
    correlate_vectors<T, 1>(run, x + c, dy + c, dw + c, run.channels - c, Channels<kGroup>());
  }
}

// Calls f(integral constant of the channels of a group).
template <class T, int kGroup = 1, class F>
inline void with_group(int64_t group, const F& f) {
  if constexpr (kGroup == 1 || kGroup < kWidth<T>) {
    if (group == kGroup) return f(std::integral_constant<int, kGroup>());
    with_group<T, 2 * kGroup>(group, f);
  }
}

template <class T>
void contract(const NarrowRun& run, const T* x, const T* w, T* y, const Finish<T>& finish) {
  with_group<T>(run.group, [&](auto group) {
    contract_group<T, decltype(group)::value>({run, x, w, y, finish});
  });
}

template <class T>
void correlate(const NarrowRun& run, const T* x, const T* dy, T* dw) {
  with_group<T>(run.group,
                [&](auto group) { correlate_group<T, decltype(group)::value>(run, x, dy, dw); });
}

}  // namespace

constinit const NarrowKernels<float> kNarrowF32 = {kWidth<float>, contract<float>,
                                                   correlate<float>};
constinit const NarrowKernels<double> kNarrowF64 = {kWidth<double>, contract<double>,
                                                    correlate<double>};

}  // namespace addax::cpu::ADDAX_ISA
