// Optimizer steps of one ISA level; see simd.inl.
#pragma once

#include "cpu/isa/simd.inl"
#include "cpu/update/update_kernels.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

// rate / (sqrt(v) + epsilon).
template <class T>
inline Vec<T> adam_factor(Vec<T> v, const AdamNumbers<T>& numbers) {
  return numbers.rate / (square_root(v) + numbers.epsilon);
}

#if defined(__AVX2__)
inline Vec<float> rsqrt_estimate(Vec<float> x) {
#if ADDAX_VECTOR_BYTES == 64
  return bits_as<Vec<float>>(_mm512_maskz_rsqrt14_ps(0xffff, bits_as<__m512>(x)));
#else
  return bits_as<Vec<float>>(_mm256_rsqrt_ps(bits_as<__m256>(x)));
#endif
}

inline Vec<float> reciprocal_estimate(Vec<float> x) {
#if ADDAX_VECTOR_BYTES == 64
  return bits_as<Vec<float>>(_mm512_maskz_rcp14_ps(0xffff, bits_as<__m512>(x)));
#else
  return bits_as<Vec<float>>(_mm256_rcp_ps(bits_as<__m256>(x)));
#endif
}

template <>
inline Vec<float> adam_factor(Vec<float> v, const AdamNumbers<float>& numbers) {
  // A v of 0 must not meet the infinite root of its reciprocal.
  const Vec<float> tiny = broadcast(0x1p-126f);
  const Vec<float> safe = v > tiny ? v : tiny;
  Vec<float> y = rsqrt_estimate(safe);
  y = y * (1.5f - 0.5f * safe * y * y);
  const Vec<float> d = v * y + numbers.epsilon;
  Vec<float> z = reciprocal_estimate(d);
  z = z * (2.f - d * z);
  return numbers.rate * z;
}
#endif

template <class T>
struct AdamStep {
  Vec<T> p, m, v;
};

template <class T>
inline AdamStep<T> adam_step(Vec<T> p, Vec<T> g, Vec<T> m, Vec<T> v,
                             const AdamNumbers<T>& numbers) {
  m += (g - m) * numbers.keep_1;
  v += (g * g - v) * numbers.keep_2;
  p -= p * numbers.decay;
  return {p - m * adam_factor(v, numbers), m, v};
}

// Arguments are copied so that they stay in registers: a store might change what a reference
// refers to.
template <class T>
void adam(const AdamRun<T>& arguments, const AdamNumbers<T>& constants) {
  const AdamRun<T> run = arguments;
  const AdamNumbers<T> numbers = constants;
  int64_t i = 0;
  for (; i + kWidth<T> <= run.n; i += kWidth<T>) {
    const AdamStep<T> next =
        adam_step(load(run.p + i), load(run.g + i), load(run.m + i), load(run.v + i), numbers);
    store(run.new_p + i, next.p);
    store(run.new_m + i, next.m);
    store(run.new_v + i, next.v);
  }
  const int64_t rest = run.n - i;
  if (rest == 0) return;
  const AdamStep<T> next =
      adam_step(load_part(run.p + i, rest), load_part(run.g + i, rest), load_part(run.m + i, rest),
                load_part(run.v + i, rest), numbers);
  store_part(run.new_p + i, next.p, rest);
  store_part(run.new_m + i, next.m, rest);
  store_part(run.new_v + i, next.v, rest);
}

template <class T>
struct SgdStep {
  Vec<T> p, v;
};

template <class T>
inline SgdStep<T> sgd_step(Vec<T> p, Vec<T> g, Vec<T> v, const SgdNumbers<T>& numbers) {
  const Vec<T> next = numbers.momentum * v - numbers.rate * g;
  const Vec<T> change = numbers.nesterov ? numbers.momentum * next - numbers.rate * g : next;
  p -= p * numbers.decay;
  return {p + change, next};
}

template <class T>
void sgd(const SgdRun<T>& arguments, const SgdNumbers<T>& constants) {
  const SgdRun<T> run = arguments;
  const SgdNumbers<T> numbers = constants;
  const bool slots = run.v != nullptr;
  int64_t i = 0;
  for (; i + kWidth<T> <= run.n; i += kWidth<T>) {
    const Vec<T> v = slots ? load(run.v + i) : Vec<T>{};
    const SgdStep<T> next = sgd_step(load(run.p + i), load(run.g + i), v, numbers);
    store(run.new_p + i, next.p);
    if (slots) store(run.new_v + i, next.v);
  }
  const int64_t rest = run.n - i;
  if (rest == 0) return;
  const Vec<T> v = slots ? load_part(run.v + i, rest) : Vec<T>{};
  const SgdStep<T> next =
      sgd_step(load_part(run.p + i, rest), load_part(run.g + i, rest), v, numbers);
  store_part(run.new_p + i, next.p, rest);
  if (slots) store_part(run.new_v + i, next.v, rest);
}

}  // namespace

constinit const UpdateKernels kUpdateKernels = {adam<float>, adam<double>, sgd<float>, sgd<double>};

}  // namespace addax::cpu::ADDAX_ISA
