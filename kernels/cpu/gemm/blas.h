#pragma once

#include <cstddef>
#include <cstdint>

namespace addax::cpu {

// C[m, n] = A[m, k] * B[k, n] + beta * C, row-major, by OpenBLAS on the calling thread. `trans_a`
// means that A is stored as [k, m], `trans_b` that B is stored as [n, k]; lda, ldb, ldc are the
// distances between stored rows in elements. May be called from many threads at once.
void blas_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const float* a,
               int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc);
void blas_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const double* a,
               int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc);

}  // namespace addax::cpu
