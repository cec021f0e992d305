#include "cpu/conv/narrow_filter.h"

#include <algorithm>

namespace addax::cpu {
namespace {

constexpr double kMaxParts = 16;

// Sums over fewer pixels spend their time on dw; this many images at once are better. Depthwise,
// the loads count, which are better neighbours.
constexpr int64_t kLongRow = 12;
constexpr int64_t kManyImages = 16;

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
NarrowFilter<T>::NarrowFilter(const ConvShape& shape, Isa isa)
    : shape_(joined_rows(shape)),
      kernels_(narrow_kernels<T>(isa)),
      sums_(gemm_kernels<T>(isa)),
      group_(shape.in_channels / shape.groups) {
  over_images_ = group_ > 1 && shape_.width.out() < kLongRow && shape_.batch >= kManyImages;
  const auto images = static_cast<double>(shape_.batch);
  const auto channels = static_cast<double>(shape_.in_channels);
  flops_ = 2.0 * images * channels * static_cast<double>(group_) * reached(shape_.height) *
           reached(shape_.width);
  const auto pixels = static_cast<double>(shape_.height.in * shape_.width.in +
                                          shape_.height.out() * shape_.width.out());
  const double cost = flops_ + kFlopsPerByte * sizeof(T) * images * channels * pixels;
  const double most =
      over_images_ ? images / kManyImages : images * static_cast<double>(shape_.height.out());
  parts_ = floor_pow2(std::min({cost / kSerialCost, most, kMaxParts}));
  stages_ = {Stage{parts_, cost}};
  if (parts_ > 1) {
    const double weights = static_cast<double>(weight_rows()) * channels;
    stages_.push_back(
        Stage{1, kFlopsPerByte * sizeof(T) * weights * static_cast<double>(parts_ + 1)});
  }
}

template <class T>
std::size_t NarrowFilter<T>::workspace_bytes() const {
  if (parts_ == 1) return 0;
  return sizeof(T) * static_cast<std::size_t>(parts_ * weight_rows() * shape_.in_channels);
}

template <class T>
void NarrowFilter<T>::run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk,
                          void* workspace) const {
  const int64_t channels = shape_.in_channels;
  const int64_t size = weight_rows() * channels;
  if (stage == 1) {
    sums_.reduce(static_cast<const T*>(workspace), parts_, size, channels, args.dw, channels,
                 weight_rows(), channels, Finish<T>{.accumulate = args.accumulate});
    return;
  }
  T* dw = parts_ == 1 ? args.dw : static_cast<T*>(workspace) + chunk * size;
  if (parts_ > 1 || !args.accumulate) std::fill_n(dw, size, T{0});
  const int64_t out_rows = shape_.height.out();
  if (over_images_) {
    const Range images = even_share(shape_.batch, parts_, chunk);
    for (int64_t out_y = 0; out_y < out_rows; ++out_y) run_row(args, images, out_y, dw);
  } else {
    const Range rows = even_share(shape_.batch * out_rows, parts_, chunk);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      const int64_t image = row / out_rows;
      run_row(args, {image, image + 1}, row % out_rows, dw);
    }
  }
}

// Adds what one row of outputs of each image contributes to every tap.
template <class T>
void NarrowFilter<T>::run_row(const ConvFilterArgs<T>& args, Range images, int64_t out_y,
                              T* dw) const {
  const ConvAxis& height = shape_.height;
  const ConvAxis& width = shape_.width;
  const int64_t channels = shape_.in_channels;
  const int64_t in_image = height.in * width.in * channels;
  const int64_t out_image = height.out() * width.out() * channels;
  NarrowRun run = {.taps = nullptr,
                   .num_taps = 0,
                   .count = images.size(),
                   .source_step = over_images_ ? in_image : width.stride * channels,
                   .target_step = over_images_ ? out_image : channels,
                   .channels = channels,
                   .group = group_};
  for (int64_t ky = 0; ky < height.kernel; ++ky) {
    const Range reach = tap_reach(height, ky);
    if (out_y < reach.begin || out_y >= reach.end) continue;
    const int64_t in_row = input_position(height, out_y, ky) * width.in;
    for (int64_t kx = 0; kx < width.kernel; ++kx) {
      const Range cols = tap_reach(width, kx);
      if (!over_images_) run.count = cols.size();
      const int64_t cols_at_once = over_images_ ? 1 : run.count;
      for (int64_t out_x = cols.begin; out_x < cols.end; out_x += cols_at_once) {
        const int64_t in_pixel = in_row + input_position(width, out_x, kx);
        const int64_t out_pixel = out_y * width.out() + out_x;
        kernels_.correlate(run, args.x + images.begin * in_image + in_pixel * channels,
                           args.dy + images.begin * out_image + out_pixel * channels,
                           dw + (ky * width.kernel + kx) * group_ * channels);
      }
    }
  }
}

template class NarrowFilter<float>;
template class NarrowFilter<double>;

}  // namespace addax::cpu
