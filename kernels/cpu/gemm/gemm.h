#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/gemm/gemm_kernels.h"
#include "cpu/isa/isa.h"
#include "cpu/runtime/scratch.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// One leading dimension of a batched product; strides in elements, 0 to use one matrix for all.
struct GemmBatch {
  int64_t extent = 1;
  int64_t a = 0;
  int64_t b = 0;
  int64_t c = 0;
};

// C[m, n] = A[m, k] * B[k, n], once for every index of `batch` (outermost dimension first). Element
// A[i, p] lies at i * a_row + p * a_k, B[p, j] at p * b_k + j * b_col, C[i, j] at i * c_row + j.
// A, B and C may have any such strides, but C must not overlap itself, A or B.
struct GemmShape {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  int64_t a_row = 0;
  int64_t a_k = 1;
  int64_t b_k = 0;
  int64_t b_col = 1;
  int64_t c_row = 0;
  std::vector<GemmBatch> batch = {};
};

// Dense row-major operands: A stored [m, k], or [k, m] with trans_a; B stored [k, n], or [n, k]
// with trans_b.
GemmShape dense_gemm(int64_t m, int64_t n, int64_t k, bool trans_a = false, bool trans_b = false);

// Pointers of one product and what happens to it; scale and bias serve every batch.
template <class T>
struct GemmArgs {
  const T* a = nullptr;
  const T* b = nullptr;
  T* c = nullptr;
  Finish<T> finish;
};

// How a product is cut into stages and chunks (see Stage). Made once for a shape, then used from
// any number of threads. One stage, or two when k is split: partial products, then their sum in
// order.
template <class T>
class GemmPlan {
 public:
  explicit GemmPlan(GemmShape shape, Isa isa = active_isa());

  const std::vector<Stage>& stages() const { return stages_; }
  ScratchNeeds scratch() const;
  std::size_t workspace_bytes() const;
  double flops() const { return 2.0 * batches_ * shape_.m * shape_.n * shape_.k; }

  // Stages in order; the chunks of one stage in any order, on any thread. `workspace` is shared by
  // all of them and aligned to kWorkspaceAlignment.
  void run(const GemmArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  struct Offsets {
    int64_t a, b, c;
  };

  void fold_batches();
  void split(double chunks_wanted);
  bool packs(int64_t rows) const;
  Offsets batch_offsets(int64_t batch) const;
  int64_t part_row() const;
  T* part(void* workspace, int64_t batch, int64_t k_part) const;
  void run_products(const GemmArgs<T>& args, int64_t chunk, void* workspace) const;
  void run_sums(const GemmArgs<T>& args, int64_t chunk, void* workspace) const;
  void multiply(const T* a, const T* b, Range rows, Range cols, Range steps, T* c, int64_t c_row,
                const Finish<T>& finish) const;

  GemmShape shape_;
  const GemmKernels<T>* kernels_;
  int64_t batches_ = 1;
  int64_t batch_chunks_ = 1;
  int64_t k_parts_ = 1;
  int64_t row_chunks_ = 1;
  int64_t col_chunks_ = 1;
  int64_t sum_chunks_ = 1;
  std::vector<Stage> stages_;
};

extern template class GemmPlan<float>;
extern template class GemmPlan<double>;

}  // namespace addax::cpu
