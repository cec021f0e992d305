#include "cpu/pool.h"

#include <algorithm>

namespace addax::cpu {
namespace {

// Channels of one chunk of a gradient where there are few images.
constexpr int64_t kChannelBlock = 64;

// Elements read and written, with one comparison or addition for each tap.
template <class T>
double cost_of(const PoolShape& shape, double passes_over_x) {
  const double images = static_cast<double>(shape.batch * shape.channels);
  const double in = images * static_cast<double>(shape.height.in * shape.width.in);
  const double out = images * static_cast<double>(shape.height.out() * shape.width.out());
  const double window = static_cast<double>(shape.height.kernel * shape.width.kernel);
  return kFlopsPerByte * sizeof(T) * (passes_over_x * in + out) + out * window;
}

int64_t chunks_for_cost(double cost, int64_t units) {
  return floor_pow2(std::min({cost / kSerialCost, kMaxChunks, static_cast<double>(units)}));
}

// Offsets of a window's taps from its image, in row-major order of the window.
void window_offsets(const PoolShape& shape, const AxisRun& row, const AxisRun& col,
                    std::vector<int64_t>& offsets) {
  offsets.clear();
  for (const AxisTap& y : row.taps) {
    for (const AxisTap& x : col.taps) {
      offsets.push_back((y.source * shape.width.in + x.source) * shape.channels);
    }
  }
}

// How many of the first positions of the input belong to one window each; 0 where windows overlap
// or leave gaps.
int64_t tiled(const ConvAxis& axis) {
  if (axis.stride != axis.kernel || axis.dilation != 1) return 0;
  return std::min(axis.in, axis.out() * axis.stride - axis.pad_before);
}

PoolRun pool_run(const PoolShape& shape, const AxisRun& col, const std::vector<int64_t>& offsets) {
  return {.offsets = offsets.data(),
          .taps = static_cast<int64_t>(offsets.size()),
          .count = col.count,
          .source_step = col.source_step * shape.channels,
          .target_step = shape.channels,
          .channels = shape.channels};
}

}  // namespace

template <>
const PoolKernels<float>& pool_kernels<float>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return kPoolAvx512F32;
  if (isa == Isa::Avx2) return kPoolAvx2F32;
#else
  static_cast<void>(isa);
#endif
  return kPoolPortableF32;
}

template <>
const PoolKernels<double>& pool_kernels<double>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return kPoolAvx512F64;
  if (isa == Isa::Avx2) return kPoolAvx2F64;
#else
  static_cast<void>(isa);
#endif
  return kPoolPortableF64;
}

template <class T>
PoolPlan<T>::PoolPlan(PoolKind kind, const PoolShape& shape, Isa isa)
    : shape_(shape),
      forward_(kind == PoolKind::Max ? pool_kernels<T>(isa).max : pool_kernels<T>(isa).average),
      rows_(forward_runs(shape.height, false)),
      cols_(forward_runs(shape.width, true)) {
  const int64_t units = shape.batch * static_cast<int64_t>(rows_.size());
  const double cost = cost_of<T>(shape, 1);
  const int64_t chunks = units == 0 ? 0 : chunks_for_cost(cost, units);
  stages_ = {Stage{chunks, cost, divides(chunks, shape.batch)}};
}

template <class T>
void PoolPlan<T>::run(const PoolArgs<T>& args, std::size_t, int64_t chunk, void*) const {
  const int64_t rows = static_cast<int64_t>(rows_.size());
  const Range units = even_share(shape_.batch * rows, stages_[0].chunks, chunk);
  const int64_t out_row = shape_.width.out() * shape_.channels;
  const int64_t in_image = shape_.height.in * shape_.width.in * shape_.channels;
  std::vector<int64_t> offsets;
  for (int64_t unit = units.begin; unit < units.end; ++unit) {
    const T* x = args.x + unit / rows * in_image;
    T* y = args.y + unit * out_row;
    for (const AxisRun& col : cols_) {
      window_offsets(shape_, rows_[static_cast<std::size_t>(unit % rows)], col, offsets);
      forward_(pool_run(shape_, col, offsets), x, y + col.first * shape_.channels);
    }
  }
}

template <class T>
PoolGradPlan<T>::PoolGradPlan(PoolKind kind, const PoolShape& shape, Isa isa)
    : kind_(kind),
      shape_(shape),
      rows_(forward_runs(shape.height, false)),
      cols_(forward_runs(shape.width, true)) {
  const typename PoolKernels<T>::Gradients& kernels = kind == PoolKind::Max
                                                          ? pool_kernels<T>(isa).max_gradient
                                                          : pool_kernels<T>(isa).average_gradient;
  const int64_t rows = tiled(shape.height), cols = tiled(shape.width);
  const bool apart = rows > 0 && cols > 0;
  gradient_ = apart ? kernels.apart : kernels.overlapping;
  tiled_rows_ = apart ? rows : 0;
  tiled_cols_ = apart ? cols : 0;
  const double cost = cost_of<T>(shape, kind == PoolKind::Max ? 3 : 2);
  const int64_t blocks = ceil_div(shape.channels, kChannelBlock);
  const int64_t wanted = chunks_for_cost(cost, shape.batch * blocks);
  if (wanted > shape.batch) channel_blocks_ = blocks;
  const int64_t chunks = std::min(wanted, shape.batch * channel_blocks_);
  stages_ = {Stage{chunks, cost, divides(chunks, shape.batch)}};
}

template <class T>
void PoolGradPlan<T>::run(const PoolGradArgs<T>& args, std::size_t, int64_t chunk, void*) const {
  const Range units = even_share(shape_.batch * channel_blocks_, stages_[0].chunks, chunk);
  for (int64_t unit = units.begin; unit < units.end; ++unit) {
    const int64_t block = unit % channel_blocks_;
    const Range channels =
        channel_blocks_ == 1
            ? Range{0, shape_.channels}
            : Range{block * kChannelBlock, std::min(shape_.channels, (block + 1) * kChannelBlock)};
    run_block(args, unit / channel_blocks_, channels);
  }
}

template <class T>
void PoolGradPlan<T>::clear(T* dx, Range rows, Range cols, int64_t channels) const {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    T* pixel = dx + (row * shape_.width.in + cols.begin) * shape_.channels;
    if (channels == shape_.channels) {
      std::fill_n(pixel, cols.size() * channels, T{0});
      continue;
    }
    for (int64_t i = 0; i < cols.size(); ++i)
      std::fill_n(pixel + i * shape_.channels, channels, T{0});
  }
}

template <class T>
void PoolGradPlan<T>::run_block(const PoolGradArgs<T>& args, int64_t image, Range channels) const {
  const int64_t pixels = shape_.height.in * shape_.width.in;
  const int64_t first = image * pixels * shape_.channels + channels.begin;
  T* dx = args.dx + first;
  clear(dx, {0, tiled_rows_}, {tiled_cols_, shape_.width.in}, channels.size());
  clear(dx, {tiled_rows_, shape_.height.in}, {0, shape_.width.in}, channels.size());
  const T* x = kind_ == PoolKind::Max ? args.x + first : nullptr;
  const int64_t out_row = shape_.width.out() * shape_.channels;
  std::vector<int64_t> offsets;
  for (const AxisRun& row : rows_) {
    const int64_t y = image * shape_.height.out() + row.first;
    for (const AxisRun& col : cols_) {
      window_offsets(shape_, row, col, offsets);
      PoolRun run = pool_run(shape_, col, offsets);
      run.channels = channels.size();
      gradient_(run, x, args.dy + y * out_row + col.first * shape_.channels + channels.begin, dx);
    }
  }
}

template class PoolPlan<float>;
template class PoolPlan<double>;
template class PoolGradPlan<float>;
template class PoolGradPlan<double>;

}  // namespace addax::cpu
