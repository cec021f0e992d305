#include "cpu/pool/pool.h"

#include <algorithm>

namespace addax::cpu {
namespace {

// Channels of one chunk of a gradient where there are few images.
constexpr int64_t kChannelBlock = 64;

struct Work {
  double bytes;  // of elements read and written
  double cost;   // with one comparison or addition for each tap
};

template <class T>
Work work_of(const PoolShape& shape, double passes_over_x) {
  const double images = static_cast<double>(shape.batch * shape.channels);
  const double in = images * static_cast<double>(shape.height.in * shape.width.in);
  const double out = images * static_cast<double>(shape.height.out() * shape.width.out());
  const double window = static_cast<double>(shape.height.kernel * shape.width.kernel);
  const double bytes = sizeof(T) * (passes_over_x * in + out);
  return {bytes, kFlopsPerByte * bytes + out * window};
}

int64_t chunks_for(const Work& work, int64_t units) {
  return floor_pow2(std::min(
      {work.cost / kSerialCost, most_image_chunks(work.bytes), static_cast<double>(units)}));
}

// The taps of a window beside padding, by rows.
struct Taps {
  std::vector<int64_t> offsets;    // from its image, in elements
  std::vector<int32_t> positions;  // in the window

  void set(const PoolShape& shape, const AxisRun& row, const AxisRun& col) {
    offsets.clear();
    positions.clear();
    for (const AxisTap& y : row.taps) {
      for (const AxisTap& x : col.taps) {
        offsets.push_back((y.source * shape.width.in + x.source) * shape.channels);
        positions.push_back(static_cast<int32_t>(y.tap * shape.width.kernel + x.tap));
      }
    }
  }
};

// How many of the first positions of the input belong to one window each; 0 where windows overlap
// or leave gaps.
int64_t tiled(const ConvAxis& axis) {
  if (axis.stride != axis.kernel || axis.dilation != 1) return 0;
  return std::min(axis.in, axis.out() * axis.stride - axis.pad_before);
}

PoolRun pool_run(const PoolShape& shape, const AxisRun& col, const Taps& taps) {
  return {.offsets = taps.offsets.data(),
          .positions = taps.positions.data(),
          .taps = static_cast<int64_t>(taps.offsets.size()),
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
      argmax_(pool_kernels<T>(isa).max_argmax),
      rows_(forward_runs(shape.height, false)),
      cols_(forward_runs(shape.width, true)) {
  const int64_t units = shape.batch * static_cast<int64_t>(rows_.size());
  const Work work = work_of<T>(shape, 1);
  const int64_t chunks = units == 0 ? 0 : chunks_for(work, units);
  stages_ = {Stage{chunks, work.cost, divides(chunks, shape.batch)}};
}

template <class T>
void PoolPlan<T>::run(const PoolArgs<T>& args, std::size_t, int64_t chunk, void*) const {
  const int64_t rows = static_cast<int64_t>(rows_.size());
  const Range units = even_share(shape_.batch * rows, stages_[0].chunks, chunk);
  const int64_t out_row = shape_.width.out() * shape_.channels;
  const int64_t in_image = shape_.height.in * shape_.width.in * shape_.channels;
  Taps taps;
  for (int64_t unit = units.begin; unit < units.end; ++unit) {
    const T* x = args.x + unit / rows * in_image;
    for (const AxisRun& col : cols_) {
      taps.set(shape_, rows_[static_cast<std::size_t>(unit % rows)], col);
      const PoolRun run = pool_run(shape_, col, taps);
      const int64_t target = unit * out_row + col.first * shape_.channels;
      if (args.argmax != nullptr) {
        argmax_(run, x, args.y + target, args.argmax + target);
      } else {
        forward_(run, x, args.y + target);
      }
    }
  }
}

template <class T>
PoolGradPlan<T>::PoolGradPlan(PoolKind kind, const PoolShape& shape, Isa isa)
    : shape_(shape),
      rows_(forward_runs(shape.height, false)),
      cols_(forward_runs(shape.width, true)) {
  const PoolKernels<T>& kernels = pool_kernels<T>(isa);
  const auto& gradient = kind == PoolKind::Max ? kernels.max_gradient : kernels.average_gradient;
  const auto& by_argmax = kernels.argmax_gradient;
  const int64_t rows = tiled(shape.height), cols = tiled(shape.width);
  const bool apart = rows > 0 && cols > 0;
  gradient_ = apart ? gradient.apart : gradient.overlapping;
  argmax_gradient_ = apart ? by_argmax.apart : by_argmax.overlapping;
  tiled_rows_ = apart ? rows : 0;
  tiled_cols_ = apart ? cols : 0;
  const Work work = work_of<T>(shape, kind == PoolKind::Max ? 3 : 2);
  const int64_t blocks = ceil_div(shape.channels, kChannelBlock);
  const int64_t wanted = chunks_for(work, shape.batch * blocks);
  if (wanted > shape.batch) channel_blocks_ = blocks;
  const int64_t chunks = std::min(wanted, shape.batch * channel_blocks_);
  stages_ = {Stage{chunks, work.cost, divides(chunks, shape.batch)}};
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
  const T* x = args.x != nullptr ? args.x + first : nullptr;
  const int64_t out_row = shape_.width.out() * shape_.channels;
  Taps taps;
  for (const AxisRun& row : rows_) {
    const int64_t y = image * shape_.height.out() + row.first;
    for (const AxisRun& col : cols_) {
      taps.set(shape_, row, col);
      PoolRun run = pool_run(shape_, col, taps);
      run.channels = channels.size();
      const int64_t window = y * out_row + col.first * shape_.channels + channels.begin;
      if (args.argmax != nullptr) {
        argmax_gradient_(run, args.argmax + window, args.dy + window, dx);
      } else {
        gradient_(run, x, args.dy + window, dx);
      }
    }
  }
}

template class PoolPlan<float>;
template class PoolPlan<double>;
template class PoolGradPlan<float>;
template class PoolGradPlan<double>;

}  // namespace addax::cpu
