#include "cpu/conv/conv_filter.h"

#include <algorithm>

namespace addax::cpu {
namespace {

// Rows of dw that one block makes at most: a multiple of every tile's rows.
constexpr int64_t kUnitRows = 96;

// Sums run along rows of pixels; where rows are shorter than this they run over the images instead.
constexpr int64_t kShortRow = 5;
constexpr int64_t kManyImages = 16;

// Pixels that a part sums at least, bytes of all partial results together, and number of parts at
// most.
constexpr int64_t kMinPartPixels = 256;
constexpr double kMaxPartBytes = 8 << 20;
constexpr double kMaxParts = 16;

// Weights of which as many parts are summed as there are chunks: they stay in L1.
constexpr double kFewWeightBytes = 4 << 10;

// x and dy of the images, or of the band of one image, that all units of a chunk visit before the
// next: half of L2. Fewer pixels would make visiting dw too dear.
int64_t visit_bytes() { return l2_share(2, 1); }
constexpr int64_t kMinVisitPixels = 128;

// A piece is whole rows, at most this many bytes of them or one tile's: an optimizer that takes it
// reads it in L2, and the weights and slots beside it in long runs.
int64_t piece_bytes() { return l2_share(10, 1); }

}  // namespace

template <class T, class R>
FilterContraction<T, R>::FilterContraction(const ConvShape& shape, Isa isa)
    : FilterContraction(joined_images(shape), isa,
                        {1, input_size(joined_images(shape)), output_size(joined_images(shape))}) {}

template <class T, class R>
FilterContraction<T, R>::FilterContraction(const ConvShape& shape, Isa isa,
                                           const FilterLayout& layout)
    : shape_(joined_rows(shape)),
      layout_(layout),
      kernels_(&gemm_kernels<T>(isa)),
      depth_(shape.in_channels / shape.groups),
      cols_(shape.out_channels / shape.groups),
      panels_per_group_(ceil_div(cols_, kernels_->panel)),
      bundles_(shape.batch / layout.bundle) {
  over_images_ =
      layout_.bundle == 1 && shape_.width.out() < kShortRow && shape_.batch >= kManyImages;
  units_ = make_units(kUnitRows);
  plan();
  if (has_partial_sums() || shape_.groups != 1) return;
  const int64_t rows = piece_bytes() / std::max<int64_t>(1, cols_ * int64_t{sizeof(Sum<T>)});
  const int64_t tiles = std::max<int64_t>(1, rows / kernels_->tile_rows);
  pieces_ = make_units(std::min(kUnitRows, tiles * kernels_->tile_rows));
}

template <class T, class R>
int64_t FilterContraction<T, R>::weight_rows() const {
  return shape_.height.kernel * shape_.width.kernel * depth_;
}

template <class T, class R>
std::vector<typename FilterContraction<T, R>::Unit> FilterContraction<T, R>::make_units(
    int64_t rows) const {
  std::vector<Unit> units;
  // Without horizontal padding all taps of a kernel row meet the same outputs, and lie beside each
  // other in x.
  const bool joins_taps = shape_.groups == 1 && shape_.width.dilation == 1 &&
                          shape_.width.pad_before == 0 && shape_.width.pad_after == 0;
  const int64_t joined = joins_taps ? shape_.width.kernel : 1;
  const int64_t channels = joined * depth_;
  for (int64_t group = 0; group < shape_.groups; ++group) {
    for (int64_t ky = 0; ky < shape_.height.kernel; ++ky) {
      for (int64_t kx = 0; kx < shape_.width.kernel; kx += joined) {
        for (int64_t channel = 0; channel < channels; channel += rows) {
          units.push_back({.group = group,
                           .tap_row = ky,
                           .tap_col = kx,
                           .channel = channel,
                           .first = (ky * shape_.width.kernel + kx) * depth_ + channel,
                           .rows = std::min(rows, channels - channel)});
        }
      }
    }
  }
  return units;
}

template <class T, class R>
void FilterContraction<T, R>::plan() {
  const auto pairs = [](const ConvAxis& axis) {
    int64_t sum = 0;
    for (int64_t tap = 0; tap < axis.kernel; ++tap) sum += tap_reach(axis, tap).size();
    return static_cast<double>(sum);
  };
  const double weights = static_cast<double>(weight_rows() * shape_.out_channels);
  const double images = static_cast<double>(shape_.batch);
  flops_ = 2.0 * kFactorDepth<T> * images * pairs(shape_.height) * pairs(shape_.width) *
           static_cast<double>(depth_ * shape_.out_channels);
  if (weights == 0) {
    stages_ = {Stage{0, 0}};
    return;
  }

  const int64_t out_pixels = shape_.height.out() * shape_.width.out();
  const int64_t bundle_size = layout_.x_bundle + layout_.bundle * layout_.dy_image;
  const int64_t bundle_pixels = layout_.bundle * out_pixels;
  const double bundles = static_cast<double>(bundles_);
  const double moved = bundles * static_cast<double>(bundle_size) + weights;
  const double cost = flops_ + kFlopsPerByte * sizeof(Factor<T>) * moved;
  const int64_t wanted = floor_pow2(std::min(cost / kSerialCost, kMaxChunks));
  const auto shares = [&](double most) { return std::min(wanted, floor_pow2(most)); };

  const double weight_bytes = sizeof(Sum<T>) * weights;
  const double image_chunks = most_image_chunks(sizeof(Factor<T>) * (moved - weights));
  parts_ = floor_pow2(std::min(
      {cost / kSerialCost, bundles, images * double(out_pixels) / kMinPartPixels,
       kMaxPartBytes / weight_bytes, weight_bytes <= kFewWeightBytes ? image_chunks : kMaxParts}));
  const int64_t rest = std::max<int64_t>(1, wanted / parts_);
  unit_chunks_ = std::min(rest, shares(static_cast<double>(units_.size())));
  panel_chunks_ = std::min(rest / unit_chunks_, shares(double(panels_per_group_)));

  const int64_t bundle_bytes = bundle_size * int64_t{sizeof(Factor<T>)};
  const int64_t visit = std::max(visit_bytes() / std::max<int64_t>(1, bundle_bytes),
                                 ceil_div(kMinVisitPixels, std::max<int64_t>(1, bundle_pixels)));
  bundles_at_once_ = std::clamp<int64_t>(visit, 1, std::max<int64_t>(1, bundles_));
  if (bundles_at_once_ == 1) {
    bands_ = std::clamp<int64_t>(ceil_div(bundle_bytes, visit_bytes()), 1,
                                 std::max<int64_t>(1, bundle_pixels / kMinVisitPixels));
  }

  const bool by_images =
      parts_ > 1 && unit_chunks_ * panel_chunks_ == 1 && divides(parts_, bundles_);
  stages_ = {Stage{parts_ * unit_chunks_ * panel_chunks_, cost, by_images}};
  if (has_partial_sums()) {
    const double sum_cost =
        kFlopsPerByte * sizeof(Sum<T>) * weights * static_cast<double>(parts_ + 1);
    sum_chunks_ = floor_pow2(
        std::min({sum_cost / kSerialCost, static_cast<double>(weight_rows()), kMaxChunks}));
    stages_.push_back(Stage{sum_chunks_, sum_cost});
  }
}

template <class T, class R>
std::size_t FilterContraction<T, R>::workspace_bytes() const {
  if (!has_partial_sums()) return 0;
  return sizeof(Sum<T>) * static_cast<std::size_t>(parts_ * weight_rows() * shape_.out_channels);
}

template <class T, class R>
ScratchNeeds FilterContraction<T, R>::scratch() const {
  ScratchNeeds needs;
  needs.add(Scratch::Gather, kernels_->gather_bytes);
  return needs;
}

template <class T, class R>
void FilterContraction<T, R>::run(const Args& args, std::size_t stage, int64_t chunk,
                                  void* workspace) const {
  if (stage == 0) {
    run_parts(args, chunk, workspace);
    return;
  }
  const Range rows = even_share(weight_rows(), sum_chunks_, chunk);
  const int64_t first = rows.begin * shape_.out_channels;
  const auto reduce = reduce_kernel<T, R>(*kernels_);
  reduce(static_cast<const Sum<T>*>(workspace) + first, parts_, weight_rows() * shape_.out_channels,
         shape_.out_channels, args.dw + first, shape_.out_channels, rows.size(),
         shape_.out_channels, Finish<R>{.accumulate = args.accumulate});
}

template <class T, class R>
void FilterContraction<T, R>::run_parts(const Args& args, int64_t chunk, void* workspace) const {
  const Range panels = even_share(panels_per_group_, panel_chunks_, chunk % panel_chunks_);
  chunk /= panel_chunks_;
  const Range units =
      even_share(static_cast<int64_t>(units_.size()), unit_chunks_, chunk % unit_chunks_);
  const int64_t part = chunk / unit_chunks_;
  const Range bundles = even_share(bundles_, parts_, part);

  auto* dw = static_cast<Sum<T>*>(workspace) + part * weight_rows() * shape_.out_channels;
  bool accumulate = false;
  if constexpr (std::is_same_v<R, Sum<T>>) {
    if (!has_partial_sums()) {
      dw = args.dw;
      accumulate = args.accumulate;
    }
  }
  for_each_visit(bundles, accumulate, [&](const Visit& visit, bool adds) {
    for (int64_t u = units.begin; u < units.end; ++u) {
      const Unit& unit = units_[static_cast<std::size_t>(u)];
      const int64_t col = unit.group * cols_ + panels.begin * kernels_->panel;
      const Rows rows = {dw + unit.first * shape_.out_channels + col, shape_.out_channels};
      run_unit(args, unit, visit, panels, rows, adds);
    }
  });
}

template <class T, class R>
template <class Visitor>
void FilterContraction<T, R>::for_each_visit(Range bundles, bool accumulate,
                                             const Visitor& visitor) const {
  int64_t bundle = bundles.begin;
  do {  // a batch of no images still has the gradient zero
    const Range at_once = {bundle, std::min(bundles.end, bundle + bundles_at_once_)};
    for (int64_t band = 0; band < bands_; ++band) {
      visitor(Visit{at_once, band}, accumulate);
      accumulate = true;
    }
    bundle += bundles_at_once_;
  } while (bundle < bundles.end);
}

template <class T, class R>
typename FilterContraction<T, R>::Piece FilterContraction<T, R>::piece(int64_t index) const {
  const Unit& unit = pieces_[static_cast<std::size_t>(index)];
  return {unit.first * cols_, unit.rows * cols_};
}

template <class T, class R>
void FilterContraction<T, R>::run_piece(const Args& args, int64_t index, Sum<T>* out,
                                        Ahead& ahead) const {
  const Unit& unit = pieces_[static_cast<std::size_t>(index)];
  for_each_visit({0, bundles_}, false, [&](const Visit& visit, bool accumulate) {
    run_unit(args, unit, visit, {0, panels_per_group_}, {out, cols_}, accumulate, &ahead);
  });
}

// The pixels that a unit sums over: offsets into x and dy.
template <class T, class R>
std::vector<Segment> FilterContraction<T, R>::segments(const Unit& unit, const Visit& visit) const {
  const ConvAxis& height = shape_.height;
  const ConvAxis& width = shape_.width;
  const Range bundles = visit.bundles;
  Range rows = tap_reach(height, unit.tap_row);
  Range cols = tap_reach(width, unit.tap_col);
  // An image is cut into bands of rows; rows that were joined to one, into parts of that.
  const bool joined = height.out() == 1;
  Range& cut = joined ? cols : rows;
  const Range band = even_share((joined ? width : height).out(), bands_, visit.band);
  cut = {std::max(cut.begin, band.begin), std::min(cut.end, band.end)};
  std::vector<Segment> segments;
  if (rows.size() <= 0 || cols.size() <= 0) return segments;
  const auto add = [&](int64_t bundle, int64_t y, int64_t x, int64_t count) {
    const int64_t in_y = y * height.stride - height.pad_before + unit.tap_row * height.dilation;
    const int64_t in_x = x * width.stride - width.pad_before + unit.tap_col * width.dilation;
    const int64_t in_pixel = in_y * width.in + in_x, out_pixel = y * width.out() + x;
    segments.push_back(
        {bundle * layout_.x_bundle + in_pixel * shape_.in_channels * layout_.bundle,
         bundle * layout_.bundle * layout_.dy_image + out_pixel * shape_.out_channels, count});
  };
  if (over_images_) {
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      for (int64_t x = cols.begin; x < cols.end; ++x) add(bundles.begin, y, x, bundles.size());
    }
    return segments;
  }
  // Pixels of a row follow each other, unless the images of a bundle do.
  const int64_t step = layout_.bundle == 1 ? cols.size() : 1;
  const int64_t count = layout_.bundle == 1 ? cols.size() : layout_.bundle;
  segments.reserve(static_cast<std::size_t>(bundles.size() * rows.size() * (cols.size() / step)));
  for (int64_t bundle = bundles.begin; bundle < bundles.end; ++bundle) {
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      for (int64_t x = cols.begin; x < cols.end; x += step) add(bundle, y, x, count);
    }
  }
  return segments;
}

template <class T, class R>
void FilterContraction<T, R>::run_unit(const Args& args, const Unit& unit, const Visit& visit,
                                       Range panels, const Rows& rows, bool accumulate,
                                       Ahead* ahead) const {
  const std::vector<Segment> pixels = segments(unit, visit);
  for (int64_t i = panels.begin; i < panels.end; ++i) {
    const int64_t col = i * kernels_->panel;
    const int64_t channel = unit.group * cols_ + col;
    Block<T, Sum<T>> block;
    block.a = args.x + (unit.group * depth_ + unit.channel) * layout_.bundle;
    block.a_row = layout_.bundle;
    block.a_k = over_images_          ? layout_.x_bundle
                : layout_.bundle == 1 ? shape_.width.stride * shape_.in_channels
                                      : 1;
    block.b = args.dy + channel;
    const bool images_follow = over_images_ || layout_.bundle > 1;
    block.b_k = images_follow ? layout_.dy_image : shape_.out_channels;
    block.segments = pixels.data();
    block.num_segments = static_cast<int64_t>(pixels.size());
    block.c = rows.data + (i - panels.begin) * kernels_->panel;
    block.c_row = rows.step;
    block.rows = unit.rows;
    block.cols = std::min(kernels_->panel, cols_ - col);
    block.finish.accumulate = accumulate;
    block.ahead = ahead;
    kernels_->block_wide(block);
  }
}

template class FilterContraction<float>;
template class FilterContraction<double>;
template class FilterContraction<BFloat16>;
template class FilterContraction<BFloat16, float>;

}  // namespace addax::cpu
