#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/float16.h"
#include "cpu/gemm/contraction_types.h"
#include "cpu/isa/isa.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// A test that runs once for every ISA level; levels that this processor lacks are skipped by name.
class EveryIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > detected_isa()) {
      GTEST_SKIP() << "this processor has no " << name(GetParam());
    }
  }
};

inline std::string isa_name(const testing::TestParamInfo<Isa>& info) {
  return std::string(name(info.param));
}

inline auto every_isa() {
  return testing::Values(Isa::Portable, Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16, Isa::Amx);
}

// Elements of any type as the numbers that they are, and numbers rounded to a type.
inline double number(double x) { return x; }
inline double number(BFloat16 x) { return bfloat16_to_float(x.bits); }

template <class T>
T rounded(double x) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return {float_to_bfloat16(static_cast<float>(x))};
  } else {
    return static_cast<T>(x);
  }
}

template <class T>
std::vector<T> random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& x : values) x = rounded<T>(uniform(generator));
  return values;
}

// Equal bit for bit, so that NaN equals itself and zero does not equal minus zero.
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// Memory that plans ask for, filled with NaN so that a read before a write shows.
class Workspace {
 public:
  explicit Workspace(std::size_t bytes)
      : data_(static_cast<float*>(::operator new[](bytes, kAlign))) {
    for (std::size_t i = 0; i < bytes / sizeof(float); ++i) {
      data_.get()[i] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  void* data() { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlign{kWorkspaceAlignment};
  struct Free {
    void operator()(float* p) const { ::operator delete[](p, kAlign); }
  };
  std::unique_ptr<float, Free> data_;
};

// Runs every stage with its chunks in reverse order, on two threads in turn: chunks must not depend
// on each other, nor write what another one touches, which thread sanitizer sees.
template <class Plan, class Args>
void run_backwards(const Plan& plan, const Args& args, void* workspace) {
  for (std::size_t stage = 0; stage < plan.stages().size(); ++stage) {
    const auto every_other = [&, stage](int64_t last) {
      for (int64_t chunk = last; chunk >= 0; chunk -= 2) plan.run(args, stage, chunk, workspace);
    };
    const int64_t chunks = plan.stages()[stage].chunks;
    std::jthread other;
    if (chunks > 1) other = std::jthread(every_other, chunks - 2);
    every_other(chunks - 1);
  }
}

// How far a sum of `terms` random terms, whose squares add up to `squares`, may be from the exact
// one. The partial sums of n terms of size s and random sign wander like sqrt(i) * s; each addition
// rounds its partial sum by up to eps / 2, uniformly. The errors' variance is then (eps * s * n)^2
// / 24, and with n * s^2 = squares the bound below is eight standard deviations and more. Fewer
// roundings (FMA, blocks) only make the error smaller.
template <class T>
double sum_tolerance(int64_t terms, double squares) {
  const double epsilon = std::numeric_limits<Sum<T>>::epsilon();
  return 2 * epsilon * std::sqrt(static_cast<double>(terms) * squares);
}

// The same for a sum that is then rounded from its type to T, a bfloat16 with 8 significant bits.
template <class T>
double rounded_sum_tolerance(int64_t terms, double squares, double value) {
  const double error = sum_tolerance<T>(terms, squares);
  return std::is_same_v<T, Sum<T>> ? error : error + 0x1p-8 * (std::abs(value) + error);
}

}  // namespace addax::cpu
