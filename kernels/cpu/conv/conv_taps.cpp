#include "cpu/conv/conv_taps.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <type_traits>
#include <utility>

#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// Rows shorter than this leave tiles unfilled at their ends; from kTileOverBatch images on, tiles
// over images are the better choice then.
constexpr int64_t kLongRun = 24;
constexpr int64_t kUncutRun = 12;
constexpr int64_t kTileOverBatch = 12;

// Images of one chunk that still fill tiles.
constexpr int64_t kImagesPerChunk = 24;

// Weights are read in place when their rows are this near to each other, or used by this few
// pixels; otherwise packing them pays.
constexpr int64_t kDirectRowBytes = 512;
constexpr int64_t kDirectPixels = 16;

// Where a layer has this many panels, and each is used by this few pixels, a chunk is best a range
// of panels, which it packs itself.
constexpr int64_t kOwnedPanels = 4;
constexpr int64_t kOwnedPixels = 512;

// Steps between two visits of a block: a panel of 64 columns then takes a quarter of L2.
int64_t steps_per_pass() { return l2_share(4, 64 * sizeof(float)); }

bool prefers_images(const std::vector<AxisRun>& merged, int64_t batch) {
  int64_t longest = 0;
  for (const AxisRun& run : merged) longest = std::max(longest, run.count);
  if (merged.size() == 1 && longest >= kUncutRun) return false;
  return batch >= kTileOverBatch && longest < kLongRun;
}

// Taps whose source channels and weights follow each other become one segment.
void add_segment(std::vector<Segment>& segments, const Segment& next, int64_t b_k) {
  if (!segments.empty()) {
    Segment& last = segments.back();
    if (last.a + last.k == next.a && last.b + last.k * b_k == next.b) {
      last.k += next.k;
      return;
    }
  }
  segments.push_back(next);
}

std::set<int64_t> used_taps(const std::vector<AxisRun>& runs) {
  std::set<int64_t> taps;
  for (const AxisRun& run : runs) {
    for (const AxisTap& tap : run.taps) taps.insert(tap.tap);
  }
  return taps;
}

// Runs a block in passes of bounded depth, so that its part of B stays in the cache over all rows.
// Results that are narrower than the sums can't be added to, and are made in one pass.
template <class T>
void run_in_passes(const GemmKernels<T>& kernels, const Block<T>& whole,
                   const std::vector<Segment>& segments) {
  const int64_t most = steps_per_pass();
  Block<T> block = whole;
  std::size_t begin = 0;
  do {
    std::size_t end = std::is_same_v<T, Sum<T>> ? begin : segments.size();
    for (int64_t steps = 0; end < segments.size() && steps < most; ++end) {
      steps += segments[end].k;
    }
    block.segments = segments.data() + begin;
    block.num_segments = static_cast<int64_t>(end - begin);
    block.finish = end == segments.size() ? whole.finish : Finish<T>{};
    block.finish.accumulate = begin > 0 || whole.finish.accumulate;
    kernels.block(block);
    begin = end;
  } while (begin < segments.size());
}

}  // namespace

template <class T, class W>
TapContraction<T, W>::TapContraction(const TapProblem& problem, Isa isa)
    : problem_(problem),
      kernels_(&gemm_kernels<T>(isa)),
      depth_(problem.source.channels / problem.groups / kFactorDepth<T>),
      cols_(problem.target.channels / problem.groups),
      panels_per_group_(ceil_div(cols_, kernels_->panel)) {
  row_runs_ = problem.runs(problem.height, false);
  col_runs_ = problem.runs(problem.width, true);
  over_images_ = prefers_images(col_runs_, problem.batch);
  std::copy_if(col_runs_.begin(), col_runs_.end(), std::back_inserter(bare_cols_),
               [](const AxisRun& run) { return run.taps.empty(); });
  if (over_images_) col_runs_ = problem.runs(problem.width, false);
  packing_ = choose_packing();
  if (packing_ != Packing::None) {
    for (int64_t y : used_taps(row_runs_)) {
      for (int64_t x : used_taps(col_runs_)) packed_taps_.push_back(y * problem.width.kernel + x);
    }
  }
  plan();
}

template <class T, class W>
typename TapContraction<T, W>::Packing TapContraction<T, W>::choose_packing() const {
  const int64_t pixels = problem_.batch * problem_.target.height * problem_.target.width;
  if constexpr (std::is_same_v<W, Factor<T>>) {
    const TapWeights& w = problem_.weights;
    const bool direct =
        w.col == 1 && (w.depth * int64_t{sizeof(T)} <= kDirectRowBytes || pixels <= kDirectPixels);
    if (direct || !kernels_->needs_unit_columns) return Packing::None;
  }
  const bool owned = num_panels() >= kOwnedPanels && pixels <= kOwnedPixels;
  return owned ? Packing::Chunk : Packing::Stage;
}

template <class T, class W>
void TapContraction<T, W>::plan() {
  double row_taps = 0, col_taps = 0;
  for (const AxisRun& run : row_runs_) row_taps += static_cast<double>(run.taps.size());
  for (const AxisRun& run : col_runs_) col_taps += static_cast<double>(run.taps.size() * run.count);
  const double images = static_cast<double>(problem_.batch);
  const double matrix = static_cast<double>(depth_ * kFactorDepth<T> * problem_.target.channels);
  flops_ = 2.0 * images * row_taps * col_taps * matrix;

  const auto elements = [](const TapImage& image) {
    return static_cast<double>(image.height * image.width * image.channels);
  };
  const int64_t taps = problem_.height.kernel * problem_.width.kernel;
  const double weights = static_cast<double>(taps) * matrix;
  const double moved = images * (elements(problem_.source) + elements(problem_.target));
  const double cost = flops_ + kFlopsPerByte * sizeof(T) * (moved + weights);
  const double packing =
      kFlopsPerByte * (sizeof(T) + sizeof(W)) * static_cast<double>(packed_taps_.size()) * matrix;

  if (row_runs_.empty() || col_runs_.empty() || problem_.batch == 0 || num_panels() == 0) {
    stages_ = {Stage{0, 0}};
    return;
  }
  const int64_t wanted = floor_pow2(std::min(cost / kSerialCost, kMaxChunks));
  const int64_t panels = floor_pow2(static_cast<double>(num_panels()));
  if (packing_ == Packing::Chunk) {
    panel_chunks_ = std::min(wanted, panels);
    stages_ = {Stage{panel_chunks_, cost + packing}};
    return;
  }
  image_chunks_ = floor_pow2(std::min({cost / kSerialCost, most_image_chunks(sizeof(T) * moved),
                                       over_images_ ? images / kImagesPerChunk : images}));
  const int64_t rest = std::max<int64_t>(1, wanted / image_chunks_);
  row_chunks_ = std::min(rest, floor_pow2(static_cast<double>(row_runs_.size())));
  panel_chunks_ = std::min(rest / row_chunks_, panels);
  if (packing_ == Packing::Stage) stages_.push_back(Stage{num_panels(), packing});
  const bool by_images = row_chunks_ * panel_chunks_ == 1 && divides(image_chunks_, problem_.batch);
  stages_.push_back(Stage{image_chunks_ * row_chunks_ * panel_chunks_, cost, by_images});
}

template <class T, class W>
std::size_t TapContraction<T, W>::workspace_bytes() const {
  if (packing_ != Packing::Stage) return 0;
  return sizeof(Factor<T>) * static_cast<std::size_t>(num_panels() * packed_panel_size());
}

template <class T, class W>
ScratchNeeds TapContraction<T, W>::scratch() const {
  ScratchNeeds needs;
  needs.add(Scratch::Gather, kernels_->gather_bytes);
  if (packing_ == Packing::Chunk) {
    needs.add(Scratch::Panel, packed_panel_size() * int64_t{sizeof(Factor<T>)});
  }
  return needs;
}

template <class T, class W>
int64_t TapContraction<T, W>::packed_panel_size() const {
  return problem_.height.kernel * problem_.width.kernel * depth_ * kernels_->panel;
}

template <class T, class W>
typename TapContraction<T, W>::Panel TapContraction<T, W>::panel(int64_t index) const {
  const int64_t col = index % panels_per_group_ * kernels_->panel;
  return {index / panels_per_group_, col, std::min(kernels_->panel, cols_ - col)};
}

template <class T, class W>
void TapContraction<T, W>::run(const TapArgs<T, W>& args, std::size_t stage, int64_t chunk,
                               void* workspace) const {
  auto* packed = static_cast<Factor<T>*>(workspace);
  if (packing_ == Packing::Stage && stage == 0) {
    pack(args, panel(chunk), packed + chunk * packed_panel_size());
  } else {
    contract(args, chunk, packed);
  }
}

template <class T, class W>
void TapContraction<T, W>::pack(const TapArgs<T, W>& args, const Panel& panel,
                                Factor<T>* packed) const {
  const TapWeights& w = problem_.weights;
  const W* weights = args.weights + panel.group * w.group + panel.col * w.col;
  const int64_t size = depth_ * kernels_->packed_width(panel.cols);
  for (int64_t tap : packed_taps_) {
    pack_kernel<T, W> (*kernels_)(weights + tap * w.tap, w.depth, w.col, depth_ * kFactorDepth<T>,
                                  panel.cols, packed + tap * size);
  }
}

template <class T, class W>
Ahead TapContraction<T, W>::weights_of(const TapArgs<T, W>& args, const Panel& panel) const {
  const TapWeights& w = problem_.weights;
  const W* weights = args.weights + panel.group * w.group + panel.col * w.col;
  const int64_t depth = depth_ * kFactorDepth<T>;
  constexpr auto kItem = static_cast<int64_t>(sizeof(W));
  Ahead ahead;
  for (int64_t tap : packed_taps_) {
    if (w.col == 1) {
      ahead.add(weights + tap * w.tap, panel.cols * kItem, depth, w.depth * kItem);
    } else {
      ahead.add(weights + tap * w.tap, depth * kItem, panel.cols, w.col * kItem);
    }
  }
  return ahead;
}

template <class T, class W>
typename TapContraction<T, W>::Matrices TapContraction<T, W>::matrices(const TapArgs<T, W>& args,
                                                                       int64_t index,
                                                                       Factor<T>* packed) const {
  const Panel p = panel(index);
  if constexpr (std::is_same_v<W, Factor<T>>) {
    const TapWeights& w = problem_.weights;
    const T* weights = args.weights + p.group * w.group + p.col * w.col;
    if (packing_ == Packing::None) return {weights, w.tap, w.depth, w.col};
  }
  if (packing_ == Packing::Chunk) {
    packed = thread_scratch<Factor<T>>(Scratch::Panel, static_cast<size_t>(packed_panel_size()));
    pack(args, p, packed);
  } else {
    packed += index * packed_panel_size();
  }
  const int64_t width = kernels_->packed_width(p.cols);
  return {packed, depth_ * width, width, 1};
}

template <class T, class W>
void TapContraction<T, W>::contract(const TapArgs<T, W>& args, int64_t chunk,
                                    Factor<T>* packed) const {
  const int64_t part = chunk / panel_chunks_;
  const Range panels = even_share(num_panels(), panel_chunks_, chunk % panel_chunks_);
  const Moments<Sum<T>> moments =
      args.moments ? args.moments->part(args.parts, part) : Moments<Sum<T>>();
  for (int64_t i = panels.begin; i < panels.end; ++i) {
    const Matrices packed_panel = matrices(args, i, packed);
    Ahead ahead;
    if (packing_ == Packing::Chunk && i + 1 < num_panels()) ahead = weights_of(args, panel(i + 1));
    contract_panel(args, panel(i), packed_panel, images_of(part), rows_of(part), moments, ahead);
  }
  if (has_bare_pixels()) finish_bare(args, panels, images_of(part), rows_of(part));
}

// Image by image, all channels of neighbouring pixels together: without factors to reuse, the order
// of memory is best.
template <class T, class W>
void TapContraction<T, W>::finish_bare(const TapArgs<T, W>& args, Range panels, Range images,
                                       Range rows) const {
  if (panels.size() == 0) return;
  const TapImage& to = problem_.target;
  const auto channel_of = [&](const Panel& panel) { return panel.group * cols_ + panel.col; };
  const Panel last = panel(panels.end - 1);
  const int64_t channel = channel_of(panel(panels.begin));
  Block<T> block;
  block.cols = channel_of(last) + last.cols - channel;
  const AxisRun whole = {.first = 0, .step = 1, .count = to.width, .source_step = 1, .taps = {}};
  for (int64_t image = images.begin; image < images.end; ++image) {
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      const AxisRun& y = row_runs_[static_cast<std::size_t>(row)];
      const auto cols = y.taps.empty() ? std::span(&whole, 1) : std::span(bare_cols_);
      for (const AxisRun& x : cols) {
        const int64_t target =
            ((image * to.height + y.first) * to.width + x.first) * to.channels + channel;
        block.rows = x.count;
        block.c_row = x.step * to.channels;
        block.c = args.target + target;
        block.finish = args.finish.at(target, channel);
        kernels_->block(block);
      }
    }
  }
}

template <class T, class W>
bool TapContraction<T, W>::has_bare_pixels() const {
  return !bare_cols_.empty() || std::any_of(row_runs_.begin(), row_runs_.end(),
                                            [](const AxisRun& run) { return run.taps.empty(); });
}

template <class T, class W>
Range TapContraction<T, W>::images_of(int64_t part) const {
  return even_share(problem_.batch, image_chunks_, part / row_chunks_);
}

template <class T, class W>
Range TapContraction<T, W>::rows_of(int64_t part) const {
  return even_share(static_cast<int64_t>(row_runs_.size()), row_chunks_, part % row_chunks_);
}

template <class T, class W>
std::vector<int64_t> TapContraction<T, W>::rows_of_parts() const {
  if (stages_.back().chunks == 0 || has_bare_pixels()) return {};
  int64_t width = 0;
  for (const AxisRun& run : col_runs_) width += run.count;
  std::vector<int64_t> rows;
  for (int64_t part = 0; part < image_chunks_ * row_chunks_; ++part) {
    rows.push_back(images_of(part).size() * rows_of(part).size() * width);
  }
  return rows;
}

template <class T, class W>
void TapContraction<T, W>::contract_panel(const TapArgs<T, W>& args, const Panel& panel,
                                          const Matrices& matrices, Range images, Range rows,
                                          Moments<Sum<T>> moments, Ahead& ahead) const {
  TapImage from = problem_.source;
  from.channels /= kFactorDepth<T>;
  const auto* source = reinterpret_cast<const Factor<T>*>(args.source);
  const TapImage& to = problem_.target;
  const int64_t from_image = from.height * from.width * from.channels;
  const int64_t to_image = to.height * to.width * to.channels;
  const int64_t channel = panel.group * cols_ + panel.col;
  std::vector<Segment> segments;
  segments.reserve(static_cast<std::size_t>(problem_.height.kernel * problem_.width.kernel));

  Block<T> block;
  block.a_k = 1;
  block.b = matrices.data;
  block.b_k = matrices.depth;
  block.b_col = matrices.col;
  block.cols = panel.cols;
  block.ahead = &ahead;
  if (args.moments) moments = moments.from(channel);

  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const AxisRun& y = row_runs_[static_cast<std::size_t>(row)];
    for (const AxisRun& x : col_runs_) {
      segments.clear();
      for (const AxisTap& ty : y.taps) {
        for (const AxisTap& tx : x.taps) {
          const int64_t tap = ty.tap * problem_.width.kernel + tx.tap;
          const int64_t pixel = ty.source * from.width + tx.source;
          add_segment(segments, {pixel * from.channels, tap * matrices.tap, depth_},
                      matrices.depth);
        }
      }
      if (segments.empty()) continue;
      const int64_t images_at_once = over_images_ ? images.size() : 1;
      block.rows = over_images_ ? images.size() : x.count;
      block.a_row = over_images_ ? from_image : x.source_step * from.channels;
      block.c_row = over_images_ ? to_image : x.step * to.channels;
      const int64_t target = (y.first * to.width + x.first) * to.channels + channel;
      for (int64_t image = images.begin; image < images.end; image += images_at_once) {
        block.a = source + image * from_image + panel.group * depth_;
        block.c = args.target + image * to_image + target;
        block.finish = args.finish.at(image * to_image + target, channel);
        run_in_passes(*kernels_, block, segments);
        if (args.moments) {
          args.moments->add(block.c, block.c_row, block.rows, block.cols, moments);
        }
      }
    }
  }
}

template class TapContraction<float>;
template class TapContraction<double>;
template class TapContraction<BFloat16>;
template class TapContraction<BFloat16, float>;

}  // namespace addax::cpu
