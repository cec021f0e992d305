#include <algorithm>
#include <memory>
#include <vector>

#include "cpu/lowering/kernels.h"
#include "cpu/movement/strides.h"

namespace addax::cpu {
namespace {

// Rows and columns of a tile: its lines fill the cache lines that it touches on both sides.
constexpr int64_t kTile = 32;

// y's axes in order, with x's strides. Where x's innermost axis is not y's, the two axes are walked
// in tiles.
class Transpose : public Kernel {
 public:
  Transpose(const Tensor& x, const Tensor& y, const StridedView& x_by_y_axes)
      : x_(x), y_(y), view_(collapse(x_by_y_axes)), item_(static_cast<int64_t>(size_of(x.dtype))) {
    const int rank = static_cast<int>(view_.dims.size());
    int64_t step = 1;
    y_strides_.resize(view_.dims.size());
    for (int axis = rank - 1; axis >= 0; --axis) {
      y_strides_[static_cast<size_t>(axis)] = step;
      step *= view_.dims[static_cast<size_t>(axis)];
    }
    for (int axis = 0; axis < rank; ++axis) {
      if (view_.strides[static_cast<size_t>(axis)] == 1) unit_ = axis;
    }
    for (int axis = 0; axis < rank - 1; ++axis) {
      if (axis != unit_) outer_axes_.push_back(static_cast<size_t>(axis));
    }
    for (size_t axis : outer_axes_) outer_ *= view_.dims[axis];
    if (unit_ < rank - 1) {
      row_tiles_ = (view_.dims[static_cast<size_t>(unit_)] + kTile - 1) / kTile;
    }
    const int64_t tasks = outer_ * row_tiles_;
    add_stage(std::min(tasks, chunks_for(y.bytes(), 32 << 10)), 2 * bytes_cost(2 * y.bytes()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    switch (item_) {
      case 1:
        return run_typed<uint8_t>(context, chunk);
      case 2:
        return run_typed<uint16_t>(context, chunk);
      case 4:
        return run_typed<uint32_t>(context, chunk);
      default:
        return run_typed<uint64_t>(context, chunk);
    }
  }

 private:
  template <class T>
  void run_typed(const RunContext& context, int64_t chunk) const {
    const T* x = context.data<const T>(x_);
    T* y = context.data<T>(y_);
    const Range tasks = even_share(outer_ * row_tiles_, stages_[0].chunks, chunk);
    const size_t last = view_.dims.size() - 1;
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
      int64_t from = 0, to = 0, index = task / row_tiles_;
      for (size_t i = outer_axes_.size(); i-- > 0;) {
        const size_t axis = outer_axes_[i];
        const int64_t position = index % view_.dims[axis];
        index /= view_.dims[axis];
        from += position * view_.strides[axis];
        to += position * y_strides_[axis];
      }
      if (static_cast<size_t>(unit_) == last) {
        std::copy_n(x + from, view_.dims[last], y + to);
      } else {
        const int64_t begin = task % row_tiles_ * kTile;
        const int64_t end = std::min(begin + kTile, view_.dims[static_cast<size_t>(unit_)]);
        copy_tiles(x + from, y + to, begin, end);
      }
    }
  }

  // Positions [begin, end) of x's unit axis against all of y's unit axis.
  template <class T>
  void copy_tiles(const T* x, T* y, int64_t begin, int64_t end) const {
    const int64_t count = view_.dims.back(), x_stride = view_.strides.back();
    const int64_t y_stride = y_strides_[static_cast<size_t>(unit_)];
    for (int64_t tile = 0; tile < count; tile += kTile) {
      const int64_t tile_end = std::min(tile + kTile, count);
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t j = tile; j < tile_end; ++j) y[i * y_stride + j] = x[i + j * x_stride];
      }
    }
  }

  Tensor x_, y_;
  StridedView view_;
  int64_t item_;
  std::vector<int64_t> y_strides_;
  std::vector<size_t> outer_axes_;
  int unit_ = 0;  // the axis along which x is dense
  int64_t outer_ = 1;
  int64_t row_tiles_ = 1;
};

}  // namespace

bool accepts_transpose(const Node& node) { return node.input(0).dtype == node.output().dtype; }

KernelPtr make_transpose(const Node& node) {
  const Tensor& x = node.input(0);
  std::vector<int64_t> permutation = node.ints("permutation");
  if (permutation.empty()) {
    for (int axis = x.shape.rank() - 1; axis >= 0; --axis) permutation.push_back(axis);
  }
  const auto strides = x.shape.strides();
  StridedView view;
  for (int64_t axis : permutation) {
    view.dims.push_back(x.shape[static_cast<int>(axis)]);
    view.strides.push_back(strides[static_cast<size_t>(axis)]);
  }
  return std::make_unique<Transpose>(x, node.output(), view);
}

}  // namespace addax::cpu
