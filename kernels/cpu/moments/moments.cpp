#include "cpu/moments/moments.h"

#include <algorithm>
#include <utility>

namespace addax::cpu {

namespace {

const MomentsTable& moments_table(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kMoments;
  if (isa == Isa::Avx2) return avx2::kMoments;
#endif
  static_cast<void>(isa);
  return portable::kMoments;
}

// Columns whose moments fill whole cache lines.
constexpr int64_t kColumns = 16;

// Vectors of columns in a part, and the operations for each column of it.
constexpr int64_t kVectors = 3;
constexpr double kFlops = 11;

}  // namespace

template <class T>
BatchMoments<T>::BatchMoments(std::vector<int64_t> rows, int64_t columns, Isa isa)
    : rows_(std::move(rows)),
      columns_(columns),
      kernels_(&std::get<MomentsKernels<T>>(moments_table(isa))) {
  const double moved = static_cast<double>(rows_.size()) * static_cast<double>(columns_);
  stage_.cost = moved * (kFlops + kVectors * sizeof(S) * kFlopsPerByte);
  const int64_t units = columns_ / kColumns;
  stage_.chunks =
      floor_pow2(std::min({stage_.cost / kSerialCost, static_cast<double>(units), kMaxChunks}));
}

template <class T>
std::size_t BatchMoments<T>::workspace_bytes() const {
  return kVectors * rows_.size() * static_cast<std::size_t>(columns_) * sizeof(S);
}

template <class T>
Moments<typename BatchMoments<T>::S> BatchMoments<T>::part(void* workspace, int64_t index) const {
  S* const shift = static_cast<S*>(workspace) + kVectors * index * columns_;
  return {0, shift, shift + columns_, shift + 2 * columns_};
}

template <class T>
void BatchMoments<T>::finish(void* workspace, int64_t chunk, S* mean, S* variance) const {
  const Range units = even_share(ceil_div(columns_, kColumns), stage_.chunks, chunk);
  const int64_t first = units.begin * kColumns;
  const int64_t cols = std::min(columns_, units.end * kColumns) - first;
  std::vector<Moments<S>> parts;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    parts.push_back(part(workspace, static_cast<int64_t>(i)));
    parts.back().rows = rows_[i];
  }
  kernels_->finish(parts, first, cols, mean, variance);
}

template class BatchMoments<float>;
template class BatchMoments<double>;
template class BatchMoments<BFloat16>;

}  // namespace addax::cpu
