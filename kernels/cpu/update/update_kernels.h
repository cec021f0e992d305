#pragma once

#include <cstdint>

#include "cpu/isa/isa.h"

namespace addax::cpu {

// One run of a parameter with its gradient and slots; outputs may be the inputs themselves.
template <class T>
struct AdamRun {
  const T* p;
  const T* g;
  const T* m;
  const T* v;
  T* new_p;
  T* new_m;
  T* new_v;
  int64_t n;
};

// m += (g - m) * keep_1; v += (g * g - v) * keep_2; p -= p * decay, then
// p -= rate * m / (sqrt(v) + epsilon).
template <class T>
struct AdamNumbers {
  T keep_1;  // 1 - beta_1
  T keep_2;  // 1 - beta_2
  T rate;
  T epsilon;
  T decay;
};

// `v` and `new_v` are null without momentum.
template <class T>
struct SgdRun {
  const T* p;
  const T* g;
  const T* v;
  T* new_p;
  T* new_v;
  int64_t n;
};

// v = momentum * v - rate * g; p -= p * decay, then p += v, or with `nesterov`
// p += momentum * v - rate * g.
template <class T>
struct SgdNumbers {
  T rate;
  T momentum;
  T decay;
  bool nesterov;
};

// Float32 Adam takes the processor's reciprocal estimates with one Newton step each where it has
// them: the update then differs from the exact one by less than a millionth of itself.
struct UpdateKernels {
  void (*adam_f32)(const AdamRun<float>&, const AdamNumbers<float>&);
  void (*adam_f64)(const AdamRun<double>&, const AdamNumbers<double>&);
  void (*sgd_f32)(const SgdRun<float>&, const SgdNumbers<float>&);
  void (*sgd_f64)(const SgdRun<double>&, const SgdNumbers<double>&);
};

const UpdateKernels& update_kernels(Isa isa);

namespace portable {
extern const UpdateKernels kUpdateKernels;
}
namespace avx2 {
extern const UpdateKernels kUpdateKernels;
}
namespace avx512 {
extern const UpdateKernels kUpdateKernels;
}

}  // namespace addax::cpu
