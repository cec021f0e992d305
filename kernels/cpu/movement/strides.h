#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/shape.h"

namespace addax::cpu {

// A tensor seen through strides in elements, outermost axis first; a stride of 0 repeats, a
// negative one runs backwards.
struct StridedView {
  std::vector<int64_t> dims;
  std::vector<int64_t> strides;

  int64_t size() const;
  bool is_contiguous() const;  // dense and row-major
  bool is_uniform() const;     // one element, repeated
};

// Drops axes of extent 1 and merges neighbours that one stride can walk. Never empty: at least one
// axis remains.
StridedView collapse(const StridedView& view);

// `shape` broadcast to `domain`, right-aligned. Throws ShapeError when it does not fit.
StridedView broadcast_view(const Shape& shape, const Shape& domain);

// The view's axes in the order `axes`.
StridedView permute(const StridedView& view, const std::vector<int>& axes);

// Walks a collapsed view in row-major order from any position.
class StridedCursor {
 public:
  StridedCursor(const StridedView& view, int64_t position);

  int64_t offset() const { return offset_; }  // of the current element
  // Elements left on the inner axis.
  int64_t run() const { return view_.dims.back() - index_[view_.dims.size() - 1]; }
  // Moves on by `count` <= run() elements.
  void advance(int64_t count);

 private:
  const StridedView& view_;
  std::array<int64_t, kMaxRank> index_;
  int64_t offset_ = 0;
};

}  // namespace addax::cpu
