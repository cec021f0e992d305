#include "cpu/conv/narrow_taps.h"

#include <algorithm>

namespace addax::cpu {
namespace {

// Runs shorter than this leave registers empty; this many images at once fill them. Depthwise, the
// loads count, which are better neighbours.
constexpr int64_t kLongRun = 12;
constexpr int64_t kManyImages = 16;

int64_t longest(const std::vector<AxisRun>& runs) {
  int64_t count = 0;
  for (const AxisRun& run : runs) count = std::max(count, run.count);
  return count;
}

}  // namespace

template <>
const NarrowKernels<float>& narrow_kernels<float>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kNarrowF32;
  if (isa == Isa::Avx2) return avx2::kNarrowF32;
#else
  static_cast<void>(isa);
#endif
  return portable::kNarrowF32;
}

template <>
const NarrowKernels<double>& narrow_kernels<double>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kNarrowF64;
  if (isa == Isa::Avx2) return avx2::kNarrowF64;
#else
  static_cast<void>(isa);
#endif
  return portable::kNarrowF64;
}

template <class T>
NarrowTaps<T>::NarrowTaps(const TapProblem& problem, Isa isa)
    : problem_(problem),
      kernels_(narrow_kernels<T>(isa)),
      group_(problem.target.channels / problem.groups),
      packs_(group_ > 1 && problem.weights.col != 1),
      rows_(problem.runs(problem.height, false)),
      cols_(problem.runs(problem.width, true)) {
  if (group_ > 1 && longest(cols_) < kLongRun && problem.batch >= kManyImages) {
    cols_ = problem.runs(problem.width, false);
    images_at_once_ = kManyImages;
  }
  double row_taps = 0, col_taps = 0;
  for (const AxisRun& run : rows_) row_taps += static_cast<double>(run.taps.size());
  for (const AxisRun& run : cols_) col_taps += static_cast<double>(run.taps.size() * run.count);
  const auto images = static_cast<double>(problem.batch);
  const auto channels = static_cast<double>(problem.target.channels);
  flops_ = 2.0 * images * row_taps * col_taps * channels * static_cast<double>(group_);
  const auto pixels = [](const TapImage& image) {
    return static_cast<double>(image.height * image.width);
  };
  const double moved = images * channels * (pixels(problem.source) + pixels(problem.target));
  const double cost = flops_ + kFlopsPerByte * sizeof(T) * moved;
  const double most = std::min({cost / kSerialCost, kMaxChunks, static_cast<double>(units())});
  if (packs_) stages_.push_back({1, kFlopsPerByte * static_cast<double>(workspace_bytes())});
  stages_.push_back({units() == 0 ? 0 : floor_pow2(most), cost});
}

template <class T>
std::size_t NarrowTaps<T>::workspace_bytes() const {
  if (!packs_) return 0;
  const int64_t taps = problem_.height.kernel * problem_.width.kernel;
  return sizeof(T) * static_cast<std::size_t>(taps * weights_per_tap());
}

template <class T>
int64_t NarrowTaps<T>::units() const {
  return ceil_div(problem_.batch, images_at_once_) * static_cast<int64_t>(rows_.size());
}

template <class T>
void NarrowTaps<T>::run(const TapArgs<T>& args, std::size_t stage, int64_t chunk,
                        void* workspace) const {
  T* packed = static_cast<T*>(workspace);
  if (packs_ && stage == 0) {
    pack(args.weights, packed);
  } else {
    contract(args, packs_ ? packed : args.weights, chunk);
  }
}

template <class T>
void NarrowTaps<T>::pack(const T* weights, T* packed) const {
  const TapWeights& w = problem_.weights;
  const int64_t taps = problem_.height.kernel * problem_.width.kernel;
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t depth = 0; depth < group_; ++depth) {
      for (int64_t group = 0; group < problem_.groups; ++group) {
        const T* from = weights + tap * w.tap + group * w.group + depth * w.depth;
        for (int64_t col = 0; col < group_; ++col) *packed++ = from[col * w.col];
      }
    }
  }
}

template <class T>
void NarrowTaps<T>::contract(const TapArgs<T>& args, const T* weights, int64_t chunk) const {
  const Range share = even_share(units(), stages_.back().chunks, chunk);
  for (int64_t unit = share.begin; unit < share.end; ++unit) contract_unit(args, weights, unit);
}

template <class T>
void NarrowTaps<T>::contract_unit(const TapArgs<T>& args, const T* weights, int64_t unit) const {
  const TapImage& source = problem_.source;
  const TapImage& target = problem_.target;
  const int64_t channels = target.channels;
  const int64_t source_image = source.height * source.width * channels;
  const int64_t target_image = target.height * target.width * channels;
  const int64_t rows = static_cast<int64_t>(rows_.size());
  const AxisRun& row = rows_[static_cast<std::size_t>(unit % rows)];
  const int64_t image = unit / rows * images_at_once_;
  const bool over_images = images_at_once_ > 1;
  std::vector<NarrowTap> taps;
  for (const AxisRun& col : cols_) {
    taps.clear();
    for (const AxisTap& y : row.taps) {
      for (const AxisTap& x : col.taps) {
        taps.push_back({(y.source * source.width + x.source) * channels,
                        (y.tap * problem_.width.kernel + x.tap) * weights_per_tap()});
      }
    }
    const int64_t first = image * target_image + (row.first * target.width + col.first) * channels;
    kernels_.contract(
        {.taps = taps.data(),
         .num_taps = static_cast<int64_t>(taps.size()),
         .count = over_images ? std::min(images_at_once_, problem_.batch - image) : col.count,
         .source_step = over_images ? source_image : col.source_step * channels,
         .target_step = over_images ? target_image : col.step * channels,
         .channels = channels,
         .group = group_},
        args.source + image * source_image, weights, args.target + first, args.finish.at(first, 0));
  }
}

template class NarrowTaps<float>;
template class NarrowTaps<double>;

}  // namespace addax::cpu
