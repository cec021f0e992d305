#include "cpu/gemm/gemm.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// Steps of k between two visits of a block of C: a panel of 64 columns of B then takes an eighth of
// L2.
int64_t steps_per_pass() { return l2_share(8, 64 * sizeof(float)); }

// Up to this many rows k is split rather than C, so that a chunk owns whole rows of B, the weight.
constexpr int64_t kFewRows = 64;
constexpr int64_t kOwnerParts = 4;
constexpr int64_t kMinOwnerSteps = 64;

// Otherwise k is split only where C has too few tiles to go round.
constexpr int64_t kEnoughChunks = 16;
constexpr int64_t kMinPartSteps = 256;

// B is read in place up to this distance of its rows, and by this few rows of A; otherwise the
// reuse pays for packing a panel.
constexpr int64_t kDirectRowBytes = 2048;
constexpr int64_t kDirectRows = 48;

// A chunk of this many rows amortises its own packing of B.
constexpr int64_t kPackingRows = 192;

// Share `index` of `count` elements, cut at multiples of `unit`.
Range share_of_units(int64_t count, int64_t unit, int64_t chunks, int64_t index) {
  const Range units = even_share(ceil_div(count, unit), chunks, index);
  return {std::min(count, units.begin * unit), std::min(count, units.end * unit)};
}

}  // namespace

template <>
const GemmKernels<float>& gemm_kernels<float>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return kGemmAvx512;
  if (isa == Isa::Avx2) return kGemmAvx2;
#else
  static_cast<void>(isa);
#endif
  return kGemmPortableF32;
}

template <>
const GemmKernels<BFloat16>& gemm_kernels<BFloat16>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Amx) return gemm_amx();
  if (has_bfloat16_kernels(isa)) return kGemmAvx512Bf16;
#endif
  throw UnsupportedError("no contraction kernels of bfloat16 at " + std::string(name(isa)));
}

template <>
const GemmKernels<double>& gemm_kernels<double>(Isa) {
  return kGemmPortableF64;
}

GemmShape dense_gemm(int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b) {
  return {.m = m,
          .n = n,
          .k = k,
          .a_row = trans_a ? 1 : k,
          .a_k = trans_a ? m : 1,
          .b_k = trans_b ? 1 : n,
          .b_col = trans_b ? k : 1,
          .c_row = n};
}

template <class T>
GemmPlan<T>::GemmPlan(GemmShape shape, Isa isa)
    : shape_(std::move(shape)), kernels_(&gemm_kernels<T>(isa)) {
  fold_batches();
  for (const GemmBatch& dim : shape_.batch) batches_ *= dim.extent;
  const int64_t m = shape_.m, n = shape_.n, k = shape_.k;
  if (batches_ == 0 || m == 0 || n == 0) {
    stages_ = {Stage{0, 0}};
    return;
  }

  const double bytes = sizeof(T) * (double(m) * k + double(k) * n + double(m) * n) * batches_;
  const double cost = flops() + kFlopsPerByte * bytes;
  const double wanted = std::clamp(cost / kSerialCost, 1.0, kMaxChunks);
  if (static_cast<double>(batches_) >= wanted) {
    batch_chunks_ = floor_pow2(wanted);
  } else {
    batch_chunks_ = batches_;
    split(wanted / static_cast<double>(batches_));
  }
  stages_ = {Stage{batch_chunks_ * k_parts_ * row_chunks_ * col_chunks_, cost}};
  if (k_parts_ > 1) {
    const double sum_cost = kFlopsPerByte * sizeof(T) * (k_parts_ + 1) * static_cast<double>(m) * n;
    sum_chunks_ = floor_pow2(std::min({sum_cost / kSerialCost, double(m), kMaxChunks}));
    stages_.push_back(Stage{batches_ * sum_chunks_, sum_cost * batches_});
  }
}

// A batch that shares B and whose matrices A and C follow each other is one product with more rows.
template <class T>
void GemmPlan<T>::fold_batches() {
  while (!shape_.batch.empty()) {
    const GemmBatch& last = shape_.batch.back();
    const bool follows =
        last.b == 0 && last.a == shape_.m * shape_.a_row && last.c == shape_.m * shape_.c_row;
    if (last.extent != 1 && !follows) return;
    shape_.m *= last.extent;
    shape_.batch.pop_back();
  }
}

// Cuts one product into about `chunks_wanted` chunks.
template <class T>
void GemmPlan<T>::split(double chunks_wanted) {
  const int64_t wanted = floor_pow2(chunks_wanted);
  const int64_t m = shape_.m, n = shape_.n, k = shape_.k;
  const int64_t panels = ceil_div(n, kernels_->panel);
  const int64_t max_cols = std::max<int64_t>(1, panels);

  if (m <= kFewRows && shape_.b_col == 1) {
    k_parts_ = std::min({wanted, kOwnerParts, floor_pow2(double(k) / kMinOwnerSteps)});
  } else {
    const int64_t rows_each = packs(m) ? kPackingRows : kernels_->tile_rows;
    row_chunks_ = std::min(wanted, floor_pow2(double(m) / rows_each));
  }
  col_chunks_ = std::min(wanted / (k_parts_ * row_chunks_), floor_pow2(double(max_cols)));
  if (k_parts_ == 1) {
    const double left = static_cast<double>(std::min(wanted, kEnoughChunks)) /
                        static_cast<double>(row_chunks_ * col_chunks_);
    k_parts_ = std::min(floor_pow2(left), floor_pow2(double(k) / kMinPartSteps));
  }
}

template <class T>
bool GemmPlan<T>::packs(int64_t rows) const {
  if (!kernels_->needs_unit_columns) return false;
  if (shape_.b_col != 1) return true;
  return shape_.b_k * int64_t{sizeof(T)} > kDirectRowBytes && rows > kDirectRows;
}

template <class T>
int64_t GemmPlan<T>::part_row() const {
  return ceil_div(shape_.n, 16) * 16;
}

template <class T>
ScratchNeeds GemmPlan<T>::scratch() const {
  ScratchNeeds needs;
  needs.add(Scratch::Gather, kernels_->gather_bytes);
  if (packs(shape_.m)) {
    const int64_t steps = std::min(shape_.k, steps_per_pass());
    needs.add(Scratch::Panel, steps * kernels_->panel * int64_t{sizeof(T)});
  }
  return needs;
}

template <class T>
std::size_t GemmPlan<T>::workspace_bytes() const {
  if (k_parts_ == 1) return 0;
  return sizeof(T) * static_cast<std::size_t>(batches_ * k_parts_ * shape_.m * part_row());
}

template <class T>
T* GemmPlan<T>::part(void* workspace, int64_t batch, int64_t k_part) const {
  return static_cast<T*>(workspace) + (batch * k_parts_ + k_part) * shape_.m * part_row();
}

template <class T>
typename GemmPlan<T>::Offsets GemmPlan<T>::batch_offsets(int64_t batch) const {
  Offsets offsets{0, 0, 0};
  for (std::size_t i = shape_.batch.size(); i-- > 0;) {
    const GemmBatch& dim = shape_.batch[i];
    const int64_t index = batch % dim.extent;
    batch /= dim.extent;
    offsets.a += index * dim.a;
    offsets.b += index * dim.b;
    offsets.c += index * dim.c;
  }
  return offsets;
}

template <class T>
void GemmPlan<T>::run(const GemmArgs<T>& args, std::size_t stage, int64_t chunk,
                      void* workspace) const {
  if (stage == 0) {
    run_products(args, chunk, workspace);
  } else {
    run_sums(args, chunk, workspace);
  }
}

template <class T>
void GemmPlan<T>::run_products(const GemmArgs<T>& args, int64_t chunk, void* workspace) const {
  const int64_t col_chunk = chunk % col_chunks_;
  chunk /= col_chunks_;
  const int64_t row_chunk = chunk % row_chunks_;
  chunk /= row_chunks_;
  const int64_t k_part = chunk % k_parts_;
  const Range batches = even_share(batches_, batch_chunks_, chunk / k_parts_);
  const Range rows = share_of_units(shape_.m, kernels_->tile_rows, row_chunks_, row_chunk);
  const Range cols = share_of_units(shape_.n, kernels_->panel, col_chunks_, col_chunk);
  const Range steps = even_share(shape_.k, k_parts_, k_part);

  for (int64_t batch = batches.begin; batch < batches.end; ++batch) {
    const Offsets at = batch_offsets(batch);
    if (k_parts_ > 1) {
      multiply(args.a + at.a, args.b + at.b, rows, cols, steps, part(workspace, batch, k_part),
               part_row(), {});
      continue;
    }
    multiply(args.a + at.a, args.b + at.b, rows, cols, steps, args.c + at.c, shape_.c_row,
             args.finish.at(at.c, 0));
  }
}

// c[rows, cols] of the pointers given, which are those of the whole matrices.
template <class T>
void GemmPlan<T>::multiply(const T* a, const T* b, Range rows, Range cols, Range steps, T* c,
                           int64_t c_row, const Finish<T>& finish) const {
  const bool pack = packs(rows.size());
  const int64_t passes = std::max<int64_t>(1, ceil_div(steps.size(), steps_per_pass()));
  const int64_t width = pack ? kernels_->panel : cols.size();
  for (int64_t pass = 0; pass < passes; ++pass) {
    const Range part = even_share(steps.size(), passes, pass);
    const int64_t step = steps.begin + part.begin;
    const Segment segment = {0, 0, part.size()};
    for (int64_t col = cols.begin; col < cols.end; col += width) {
      Block<T> block;
      block.a = a + rows.begin * shape_.a_row + step * shape_.a_k;
      block.a_row = shape_.a_row;
      block.a_k = shape_.a_k;
      block.b = b + step * shape_.b_k + col * shape_.b_col;
      block.b_k = shape_.b_k;
      block.b_col = shape_.b_col;
      block.segments = &segment;
      block.num_segments = 1;
      block.c = c + rows.begin * c_row + col;
      block.c_row = c_row;
      block.rows = rows.size();
      block.cols = std::min(width, cols.end - col);
      if (pass == passes - 1) block.finish = finish.at(rows.begin * c_row + col, col);
      block.finish.accumulate = pass > 0 || finish.accumulate;
      if (pack) {
        const int64_t packed = kernels_->packed_width(block.cols);
        T* panel = thread_scratch<T>(Scratch::Panel, segment.k * kernels_->panel);
        kernels_->pack(block.b, block.b_k, block.b_col, segment.k, block.cols, panel);
        block.b = panel;
        block.b_k = packed;
        block.b_col = 1;
      }
      kernels_->block(block);
    }
  }
}

template <class T>
void GemmPlan<T>::run_sums(const GemmArgs<T>& args, int64_t chunk, void* workspace) const {
  const int64_t batch = chunk / sum_chunks_;
  const Range rows = even_share(shape_.m, sum_chunks_, chunk % sum_chunks_);
  const int64_t c = batch_offsets(batch).c + rows.begin * shape_.c_row;
  kernels_->reduce(part(workspace, batch, 0) + rows.begin * part_row(), k_parts_,
                   shape_.m * part_row(), part_row(), args.c + c, shape_.c_row, rows.size(),
                   shape_.n, args.finish.at(c, 0));
}

template class GemmPlan<float>;
template class GemmPlan<double>;

}  // namespace addax::cpu
