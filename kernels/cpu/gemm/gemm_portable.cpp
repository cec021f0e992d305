// Contractions by OpenBLAS, for float64 and for processors without kernels of their own.
#include <algorithm>

#include "cpu/gemm/blas.h"
#include "cpu/gemm/gemm_kernels.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// A matrix operand as BLAS takes it: rows of unit stride, or stored the other way round.
template <class T>
struct Matrix {
  const T* data;
  int64_t row;
  int64_t col;
};

// BLAS takes a matrix with one unit stride whose rows (or columns) do not overlap.
template <class T>
bool fits_blas(const Matrix<T>& x, int64_t rows, int64_t cols) {
  return (x.col == 1 && (x.row >= cols || rows == 1)) ||
         (x.row == 1 && (x.col >= rows || cols == 1));
}

// Operands that BLAS does not take are copied piece by piece: at most so many rows of A or columns
// of B, and so many steps.
constexpr int64_t kGatherWidth = 128;
constexpr int64_t kGatherSteps = 512;
constexpr int64_t kGatherSize = kGatherWidth * kGatherSteps;

template <class T>
Matrix<T> gathered(const Matrix<T>& x, int64_t rows, int64_t cols, T* out) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) out[i * cols + j] = x.data[i * x.row + j * x.col];
  }
  return {out, cols, 1};
}

template <class T>
Matrix<T> from(const Matrix<T>& x, int64_t row, int64_t col) {
  return {x.data + row * x.row + col * x.col, x.row, x.col};
}

template <class T>
void multiply_fitting(const Matrix<T>& a, const Matrix<T>& b, int64_t m, int64_t n, int64_t k,
                      T beta, T* c, int64_t c_row) {
  // A single row or column may have any distance to the next one that is not there.
  const bool trans_a = a.col != 1 || (a.row < k && m > 1);
  const bool trans_b = b.col != 1 || (b.row < n && k > 1);
  blas_gemm(trans_a, trans_b, m, n, k, a.data, trans_a ? a.col : a.row, b.data,
            trans_b ? b.col : b.row, beta, c, c_row);
}

template <class T>
void multiply(const Matrix<T>& a, const Matrix<T>& b, int64_t m, int64_t n, int64_t k, T beta, T* c,
              int64_t c_row) {
  const bool copy_a = !fits_blas(a, m, k), copy_b = !fits_blas(b, k, n);
  if (!copy_a && !copy_b) return multiply_fitting(a, b, m, n, k, beta, c, c_row);
  T* const room_a = thread_scratch<T>(Scratch::Gather, 2 * kGatherSize);
  T* const room_b = room_a + kGatherSize;
  const int64_t most_rows = copy_a ? kGatherWidth : m, most_cols = copy_b ? kGatherWidth : n;
  for (int64_t step = 0; step < k; step += kGatherSteps) {
    const int64_t steps = std::min(kGatherSteps, k - step);
    for (int64_t row = 0; row < m; row += most_rows) {
      const int64_t rows = std::min(most_rows, m - row);
      Matrix<T> left = from(a, row, step);
      if (copy_a) left = gathered(left, rows, steps, room_a);
      for (int64_t col = 0; col < n; col += most_cols) {
        const int64_t cols = std::min(most_cols, n - col);
        Matrix<T> right = from(b, step, col);
        if (copy_b) right = gathered(right, steps, cols, room_b);
        multiply_fitting(left, right, rows, cols, steps, step == 0 ? beta : T{1},
                         c + row * c_row + col, c_row);
      }
    }
  }
}

template <class T>
void apply(const Finish<T>& finish, T* c, int64_t c_row, int64_t rows, int64_t cols) {
  for (int64_t i = 0; i < rows; ++i) {
    T* row = c + i * c_row;
    if (finish.scale != nullptr) {
      for (int64_t j = 0; j < cols; ++j) row[j] *= finish.scale[j];
    }
    if (finish.bias != nullptr) {
      for (int64_t j = 0; j < cols; ++j) row[j] += finish.bias[j];
    }
    if (finish.residual != nullptr) {
      const T* residual = finish.residual + i * c_row;
      for (int64_t j = 0; j < cols; ++j) row[j] += residual[j];
    }
    if (finish.activation == Activation::Relu) {
      for (int64_t j = 0; j < cols; ++j) row[j] = row[j] < T{0} ? T{0} : row[j];
    }
    if (finish.mask != nullptr) {
      const T* mask = finish.mask + i * c_row;
      for (int64_t j = 0; j < cols; ++j) row[j] = mask[j] > T{0} ? row[j] : T{0};
    }
  }
}

template <class T>
void block(const Block<T>& x) {
  T beta = x.finish.accumulate ? T{1} : T{0};
  for (int64_t s = 0; s < x.num_segments; ++s) {
    const Segment& segment = x.segments[s];
    if (segment.k == 0) continue;
    multiply<T>({x.a + segment.a, x.a_row, x.a_k}, {x.b + segment.b, x.b_k, x.b_col}, x.rows,
                x.cols, segment.k, beta, x.c, x.c_row);
    beta = T{1};
  }
  if (beta == T{0}) {
    for (int64_t i = 0; i < x.rows; ++i) std::fill_n(x.c + i * x.c_row, x.cols, T{0});
  }
  apply(x.finish, x.c, x.c_row, x.rows, x.cols);
}

template <class T>
void pack(const T* b, int64_t b_k, int64_t b_col, int64_t k, int64_t cols, T* out) {
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < cols; ++j) out[i * cols + j] = b[i * b_k + j * b_col];
  }
}

template <class T>
void reduce(const T* parts, int64_t num_parts, int64_t part_stride, int64_t part_row, T* c,
            int64_t c_row, int64_t rows, int64_t cols, const Finish<T>& finish) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const T* part = parts + i * part_row + j;
      T sum = part[0];
      for (int64_t p = 1; p < num_parts; ++p) sum += part[p * part_stride];
      c[i * c_row + j] = finish.accumulate ? c[i * c_row + j] + sum : sum;
    }
  }
  apply(finish, c, c_row, rows, cols);
}

template <class T>
constexpr GemmKernels<T> kPortable = {
    .panel = 256,
    .vector = 1,
    .tile_rows = 16,
    .needs_unit_columns = false,
    .gather_bytes = 2 * kGatherSize* int64_t{sizeof(T)},
    .block = block<T>,
    .block_wide = block<T>,
    .pack = pack<T>,
    .pack_wide = pack<T>,
    .reduce = reduce<T>,
    .reduce_wide = reduce<T>,
};

}  // namespace

const GemmKernels<float> kGemmPortableF32 = kPortable<float>;
const GemmKernels<double> kGemmPortableF64 = kPortable<double>;

}  // namespace addax::cpu
