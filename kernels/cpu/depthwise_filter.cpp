#include "cpu/depthwise_filter.h"

#include <algorithm>

namespace addax::cpu {
namespace {

constexpr double kMaxParts = 16;

// Outputs of one axis that its taps meet, added up.
double reached(const ConvAxis& axis) {
  int64_t sum = 0;
  for (int64_t tap = 0; tap < axis.kernel; ++tap) sum += tap_reach(axis, tap).size();
  return static_cast<double>(sum);
}

int64_t input_position(const ConvAxis& axis, int64_t output, int64_t tap) {
  return output * axis.stride - axis.pad_before + tap * axis.dilation;
}

}  // namespace

template <class T>
DepthwiseFilter<T>::DepthwiseFilter(const ConvShape& shape, Isa isa)
    : shape_(shape), kernels_(depthwise_kernels<T>(isa)), sums_(gemm_kernels<T>(isa)) {
  const auto images = static_cast<double>(shape.batch * shape.in_channels);
  flops_ = 2.0 * images * reached(shape.height) * reached(shape.width);
  const auto pixels = static_cast<double>(shape.height.in * shape.width.in +
                                          shape.height.out() * shape.width.out());
  const double cost = flops_ + kFlopsPerByte * sizeof(T) * images * pixels;
  const auto rows = static_cast<double>(shape.batch * shape.height.out());
  parts_ = floor_pow2(std::min({cost / kSerialCost, rows, kMaxParts}));
  stages_ = {Stage{parts_, cost}};
  if (parts_ > 1) {
    const double weights = static_cast<double>(taps() * shape.in_channels);
    stages_.push_back(
        Stage{1, kFlopsPerByte * sizeof(T) * weights * static_cast<double>(parts_ + 1)});
  }
}

template <class T>
std::size_t DepthwiseFilter<T>::workspace_bytes() const {
  if (parts_ == 1) return 0;
  return sizeof(T) * static_cast<std::size_t>(parts_ * taps() * shape_.in_channels);
}

template <class T>
void DepthwiseFilter<T>::run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk,
                             void* workspace) const {
  const int64_t channels = shape_.in_channels;
  const int64_t size = taps() * channels;
  if (stage == 1) {
    sums_.reduce(static_cast<const T*>(workspace), parts_, size, channels, args.dw, channels,
                 taps(), channels, Finish<T>{.accumulate = args.accumulate});
    return;
  }
  T* dw = parts_ == 1 ? args.dw : static_cast<T*>(workspace) + chunk * size;
  if (parts_ > 1 || !args.accumulate) std::fill_n(dw, size, T{0});
  run_part(args, chunk, dw);
}

template <class T>
void DepthwiseFilter<T>::run_part(const ConvFilterArgs<T>& args, int64_t part, T* dw) const {
  const ConvAxis& height = shape_.height;
  const ConvAxis& width = shape_.width;
  const int64_t channels = shape_.in_channels;
  const Range rows = even_share(shape_.batch * height.out(), parts_, part);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const int64_t image = row / height.out();
    const int64_t out_y = row % height.out();
    for (int64_t ky = 0; ky < height.kernel; ++ky) {
      const Range reach = tap_reach(height, ky);
      if (out_y < reach.begin || out_y >= reach.end) continue;
      const int64_t in_row = image * height.in + input_position(height, out_y, ky);
      for (int64_t kx = 0; kx < width.kernel; ++kx) {
        const Range cols = tap_reach(width, kx);
        if (cols.size() <= 0) continue;
        const int64_t in_col = input_position(width, cols.begin, kx);
        const DepthwiseRun run = {.taps = nullptr,
                                  .num_taps = 0,
                                  .count = cols.size(),
                                  .source_step = width.stride * channels,
                                  .target_step = channels,
                                  .channels = channels};
        kernels_.correlate(run, args.x + (in_row * width.in + in_col) * channels,
                           args.dy + (row * width.out() + cols.begin) * channels,
                           dw + (ky * width.kernel + kx) * channels);
      }
    }
  }
}

template class DepthwiseFilter<float>;
template class DepthwiseFilter<double>;

}  // namespace addax::cpu
