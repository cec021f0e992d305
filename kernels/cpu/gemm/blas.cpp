#include "cpu/gemm/blas.h"

#if !defined(ADDAX_OPENBLAS_PREFIX)
#define ADDAX_OPENBLAS_PREFIX
#endif
#define ADDAX_CONCAT_(a, b) a##b
#define ADDAX_CONCAT(a, b) ADDAX_CONCAT_(a, b)
#define ADDAX_BLAS(symbol) ADDAX_CONCAT(ADDAX_OPENBLAS_PREFIX, symbol)

extern "C" {
void ADDAX_BLAS(cblas_sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                             const float* a, int lda, const float* b, int ldb, float beta, float* c,
                             int ldc);
void ADDAX_BLAS(cblas_dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                             const double* a, int lda, const double* b, int ldb, double beta,
                             double* c, int ldc);
void ADDAX_BLAS(openblas_set_num_threads)(int threads);
}

namespace addax::cpu {
namespace {

constexpr int kRowMajor = 101;
constexpr int kNoTrans = 111;
constexpr int kTrans = 112;

void use_one_thread_per_call() {
  static const bool done = [] {
    ADDAX_BLAS(openblas_set_num_threads)(1);
    return true;
  }();
  static_cast<void>(done);
}

// BLAS demands a leading dimension of at least the row's length even where only one row is read.
int leading(int64_t stride, int64_t columns) {
  return static_cast<int>(stride < columns ? columns : stride);
}

template <class T, class Gemm>
void call(Gemm gemm, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const T* a,
          int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  use_one_thread_per_call();
  gemm(kRowMajor, trans_a ? kTrans : kNoTrans, trans_b ? kTrans : kNoTrans, static_cast<int>(m),
       static_cast<int>(n), static_cast<int>(k), T{1}, a, leading(lda, trans_a ? m : k), b,
       leading(ldb, trans_b ? k : n), beta, c, leading(ldc, n));
}

}  // namespace

void blas_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const float* a,
               int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  call(ADDAX_BLAS(cblas_sgemm), trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

void blas_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const double* a,
               int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc) {
  call(ADDAX_BLAS(cblas_dgemm), trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace addax::cpu
