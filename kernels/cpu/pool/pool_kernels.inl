// Pooling loops, compiled once for each ISA level by the file that includes this one. Everything is
// local to that file, so that no function of one level can stand in for that of another.
#pragma once

#include <limits>
#include <type_traits>

#include "cpu/pool/pool_kernels.h"

namespace addax::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

// Channels are worked on as vectors of a level's width and, at the end, one by one. In both cases
// V is what holds them and Index what holds integers as wide.
template <class T>
struct Vector {
  typedef T V __attribute__((vector_size(kVectorBytes)));
  typedef std::conditional_t<sizeof(T) == 4, int32_t, int64_t> Index
      __attribute__((vector_size(kVectorBytes)));
  typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / sizeof(T))));
  static constexpr int64_t kLanes = kVectorBytes / sizeof(T);

  static Bytes narrow(Index index) { return __builtin_convertvector(index, Bytes); }
  static Index widen(Bytes bytes) { return __builtin_convertvector(bytes, Index); }
};

template <class T>
struct Single {
  using V = T;
  using Index = int64_t;
  using Bytes = uint8_t;
  static constexpr int64_t kLanes = 1;

  static Bytes narrow(Index index) { return static_cast<Bytes>(index); }
  static Index widen(Bytes bytes) { return bytes; }
};

template <class V, class T>
inline V load(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}

template <class V, class T>
inline void store(T* p, const V& v) {
  __builtin_memcpy(p, &v, sizeof(V));
}

template <class T>
constexpr T kLowest = -std::numeric_limits<T>::infinity();

template <class T, class Body>
inline void over_channels(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + Vector<T>::kLanes <= channels; c += Vector<T>::kLanes) body(c, Vector<T>());
  for (; c < channels; ++c) body(c, Single<T>());
}

template <class T>
void max(const PoolRun& run, const T* x, T* y) {
  for (int64_t i = 0; i < run.count; ++i) {
    const T* source = x + i * run.source_step;
    T* target = y + i * run.target_step;
    over_channels<T>(run.channels, [&](int64_t c, auto lanes) {
      using V = typename decltype(lanes)::V;
      V largest = V{} + kLowest<T>;
      for (int64_t t = 0; t < run.taps; ++t) {
        const V tap = load<V>(source + run.offsets[t] + c);
        const V ordered = tap > largest ? tap : largest;
        largest = tap == tap ? ordered : tap;  // a NaN stays
      }
      store(target + c, largest);
    });
  }
}

template <class T>
void average(const PoolRun& run, const T* x, T* y) {
  const T count = static_cast<T>(run.taps > 0 ? run.taps : 1);
  for (int64_t i = 0; i < run.count; ++i) {
    const T* source = x + i * run.source_step;
    T* target = y + i * run.target_step;
    over_channels<T>(run.channels, [&](int64_t c, auto lanes) {
      using V = typename decltype(lanes)::V;
      V sum = {};
      for (int64_t t = 0; t < run.taps; ++t) sum += load<V>(source + run.offsets[t] + c);
      store<V>(target + c, sum / count);
    });
  }
}

// What a window adds to its element of dx, or is all that this element gets.
template <bool kAdds, class V, class T>
inline void give(T* dx, const V& share) {
  if constexpr (kAdds) {
    store<V>(dx, load<V>(dx) + share);
  } else {
    store<V>(dx, share);
  }
}

// A window's first maximum, or its first NaN, and that tap's position.
template <class Lanes>
struct Largest {
  typename Lanes::V value;
  typename Lanes::Index position;
};

template <class Lanes, class T>
inline Largest<Lanes> largest_of(const PoolRun& run, const T* source) {
  using V = typename Lanes::V;
  using Index = typename Lanes::Index;
  V largest = load<V>(source + run.offsets[0]);
  Index where = Index{} + run.positions[0];
  for (int64_t t = 1; t < run.taps; ++t) {
    const Index at = Index{} + run.positions[t];
    const V tap = load<V>(source + run.offsets[t]);
    const Index ordered = tap > largest ? at : where;
    const Index place = tap == tap ? ordered : at;
    where = largest == largest ? place : where;
    const V larger = tap > largest ? tap : largest;
    largest = tap == tap ? larger : tap;
  }
  return {largest, where};
}

// Gives dy to the tap at `position` and nothing to the others.
template <class Lanes, bool kAdds, class T>
inline void give_to(const PoolRun& run, typename Lanes::Index position, const T* dy, T* dx) {
  using V = typename Lanes::V;
  using Index = typename Lanes::Index;
  const V dy_here = load<V>(dy);
  for (int64_t t = 0; t < run.taps; ++t) {
    const Index at = Index{} + run.positions[t];
    give<kAdds, V>(dx + run.offsets[t], position == at ? dy_here : V{});
  }
}

template <class T>
void max_argmax(const PoolRun& run, const T* x, T* y, uint8_t* argmax) {
  for (int64_t i = 0; i < run.count; ++i) {
    over_channels<T>(run.channels, [&](int64_t c, auto lanes) {
      using Lanes = decltype(lanes);
      Largest<Lanes> largest = {typename Lanes::V{} + kLowest<T>, {}};
      if (run.taps > 0) largest = largest_of<Lanes>(run, x + i * run.source_step + c);
      store(y + i * run.target_step + c, largest.value);
      store(argmax + i * run.target_step + c, Lanes::narrow(largest.position));
    });
  }
}

template <class T, bool kAdds>
void max_gradient(const PoolRun& run, const T* x, const T* dy, T* dx) {
  if (run.taps == 0) return;
  for (int64_t i = 0; i < run.count; ++i) {
    over_channels<T>(run.channels, [&](int64_t c, auto lanes) {
      using Lanes = decltype(lanes);
      const auto largest = largest_of<Lanes>(run, x + i * run.source_step + c);
      give_to<Lanes, kAdds>(run, largest.position, dy + i * run.target_step + c,
                            dx + i * run.source_step + c);
    });
  }
}

template <class T, bool kAdds>
void argmax_gradient(const PoolRun& run, const uint8_t* argmax, const T* dy, T* dx) {
  for (int64_t i = 0; i < run.count; ++i) {
    over_channels<T>(run.channels, [&](int64_t c, auto lanes) {
      using Lanes = decltype(lanes);
      const int64_t window = i * run.target_step + c;
      const auto position = Lanes::widen(load<typename Lanes::Bytes>(argmax + window));
      give_to<Lanes, kAdds>(run, position, dy + window, dx + i * run.source_step + c);
    });
  }
}

template <class T, bool kAdds>
void average_gradient(const PoolRun& run, const T*, const T* dy, T* dx) {
  const T count = static_cast<T>(run.taps);
  for (int64_t i = 0; i < run.count; ++i) {
    const T* gradient = dy + i * run.target_step;
    T* target = dx + i * run.source_step;
    over_channels<T>(run.channels, [&](int64_t c, auto lanes) {
      using V = typename decltype(lanes)::V;
      const V share = load<V>(gradient + c) / count;
      for (int64_t t = 0; t < run.taps; ++t) give<kAdds, V>(target + run.offsets[t] + c, share);
    });
  }
}

template <class T>
constexpr PoolKernels<T> kPoolTable = {
    .max = max<T>,
    .max_argmax = max_argmax<T>,
    .average = average<T>,
    .max_gradient = {max_gradient<T, true>, max_gradient<T, false>},
    .argmax_gradient = {argmax_gradient<T, true>, argmax_gradient<T, false>},
    .average_gradient = {average_gradient<T, true>, average_gradient<T, false>}};

}  // namespace
}  // namespace addax::cpu
