#include "cpu/depthwise.h"

#include <algorithm>

namespace addax::cpu {

template <>
const DepthwiseKernels<float>& depthwise_kernels<float>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kDepthwiseF32;
  if (isa == Isa::Avx2) return avx2::kDepthwiseF32;
#else
  static_cast<void>(isa);
#endif
  return portable::kDepthwiseF32;
}

template <>
const DepthwiseKernels<double>& depthwise_kernels<double>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kDepthwiseF64;
  if (isa == Isa::Avx2) return avx2::kDepthwiseF64;
#else
  static_cast<void>(isa);
#endif
  return portable::kDepthwiseF64;
}

template <class T>
DepthwiseTaps<T>::DepthwiseTaps(const TapProblem& problem, Isa isa)
    : problem_(problem),
      kernels_(depthwise_kernels<T>(isa)),
      rows_(problem.runs(problem.height, false)),
      cols_(problem.runs(problem.width, true)) {
  double row_taps = 0, col_taps = 0;
  for (const AxisRun& run : rows_) row_taps += static_cast<double>(run.taps.size());
  for (const AxisRun& run : cols_) col_taps += static_cast<double>(run.taps.size() * run.count);
  const auto channels = static_cast<double>(problem.target.channels);
  flops_ = 2.0 * static_cast<double>(problem.batch) * row_taps * col_taps * channels;
  const auto pixels = [](const TapImage& image) {
    return static_cast<double>(image.height * image.width);
  };
  const double moved = static_cast<double>(problem.batch) * channels *
                       (pixels(problem.source) + pixels(problem.target));
  const double cost = flops_ + kFlopsPerByte * sizeof(T) * moved;
  const int64_t units = problem.batch * static_cast<int64_t>(rows_.size());
  const double most = std::min({cost / kSerialCost, kMaxChunks, static_cast<double>(units)});
  stages_ = {Stage{units == 0 ? 0 : floor_pow2(most), cost}};
}

template <class T>
void DepthwiseTaps<T>::run(const TapArgs<T>& args, std::size_t, int64_t chunk, void*) const {
  const auto& [source, target] = std::pair(problem_.source, problem_.target);
  const int64_t channels = target.channels;
  const int64_t rows = static_cast<int64_t>(rows_.size());
  const Range units = even_share(problem_.batch * rows, stages_[0].chunks, chunk);
  std::vector<DepthwiseTap> taps;
  for (int64_t unit = units.begin; unit < units.end; ++unit) {
    const int64_t image = unit / rows;
    const AxisRun& row = rows_[static_cast<std::size_t>(unit % rows)];
    const T* x = args.source + image * source.height * source.width * channels;
    for (const AxisRun& col : cols_) {
      taps.clear();
      for (const AxisTap& y : row.taps) {
        for (const AxisTap& x_tap : col.taps) {
          taps.push_back({(y.source * source.width + x_tap.source) * channels,
                          (y.tap * problem_.width.kernel + x_tap.tap) * channels});
        }
      }
      const int64_t first =
          ((image * target.height + row.first) * target.width + col.first) * channels;
      kernels_.contract({.taps = taps.data(),
                         .num_taps = static_cast<int64_t>(taps.size()),
                         .count = col.count,
                         .source_step = col.source_step * channels,
                         .target_step = col.step * channels,
                         .channels = channels},
                        x, args.weights, args.target + first, args.finish.at(first, 0));
    }
  }
}

template class DepthwiseTaps<float>;
template class DepthwiseTaps<double>;

}  // namespace addax::cpu
