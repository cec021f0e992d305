#pragma once

#include <cstdint>
#include <span>
#include <tuple>

#include "cpu/gemm/contraction_types.h"
#include "cpu/isa/isa.h"

namespace addax::cpu {

// Of so many rows, an element for each column: a number near their mean, and the sums of the
// differences from it and of their squares. Of no rows they are undefined.
template <class S>
struct Moments {
  int64_t rows = 0;
  S* shift = nullptr;
  S* sum = nullptr;
  S* squares = nullptr;

  // Those of the columns from `col` on.
  Moments from(int64_t col) const { return {rows, shift + col, sum + col, squares + col}; }
};

// Sums over rows at one ISA level. Differences of near numbers are exact, or rounded in relation to
// themselves, so that deviations lose nothing by lying far from zero (T. F. Chan, G. H. Golub and
// R. J. LeVeque, Algorithms for computing the sample variance: analysis and recommendations, The
// American Statistician 37, 1983, on shifted data). The shift is the mean of a part's first 32 or
// more rows; that of m out of n rows lies within sqrt(n / m) deviations of that of all, so what
// cancels in the part's variance is at most n / m times it, and most often next to nothing.
template <class T>
struct MomentsKernels {
  // Takes in x [rows, cols], whose rows lie x_row elements apart. rows > 0.
  void (*add)(const T* x, int64_t x_row, int64_t rows, int64_t cols, Moments<Sum<T>>& moments);
  // Mean and variance of all the rows of the parts, of which there is one at least, none of no
  // rows; columns from `first` on.
  void (*finish)(std::span<const Moments<Sum<T>>> parts, int64_t first, int64_t cols, Sum<T>* mean,
                 Sum<T>* variance);
};

// Those of one ISA level.
using MomentsTable =
    std::tuple<MomentsKernels<float>, MomentsKernels<double>, MomentsKernels<BFloat16>>;
namespace portable {
extern const MomentsTable kMoments;
}
namespace avx2 {
extern const MomentsTable kMoments;
}
namespace avx512 {
extern const MomentsTable kMoments;
}

}  // namespace addax::cpu
