#include "api/indexing.h"

#include <algorithm>
#include <string>
#include <vector>

#include "api/eager.h"
#include "core/error.h"

namespace addax {
namespace {

// One axis of the input as basic indexing leaves it.
struct AxisCut {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t step = 1;
  bool flipped = false;  // cut from the reversed axis
  bool dropped = false;  // by an integer
};

int64_t wrap(int64_t position, int64_t extent, int axis) {
  const int64_t wrapped = position < 0 ? position + extent : position;
  if (wrapped < 0 || wrapped >= extent) {
    throw OutOfRangeError("[index] position " + std::to_string(position) +
                          " is out of range for axis " + std::to_string(axis) + " of extent " +
                          std::to_string(extent));
  }
  return wrapped;
}

// Python's rule for slice bounds. A negative step walks the reversed axis, where position p of the
// axis stands at extent - 1 - p.
AxisCut cut_slice(const SliceIndex& slice, int64_t extent) {
  if (slice.step == 0) throw InvalidArgumentError("[index] a slice's step cannot be zero");
  const bool back = slice.step < 0;
  const auto clamp = [&](int64_t bound) {
    if (bound < 0) bound += extent;
    return std::clamp<int64_t>(bound, back ? -1 : 0, back ? extent - 1 : extent);
  };
  const int64_t begin = slice.begin ? clamp(*slice.begin) : (back ? extent - 1 : 0);
  const int64_t end = slice.end ? clamp(*slice.end) : (back ? -1 : extent);
  AxisCut cut;
  cut.flipped = back;
  cut.begin = back ? extent - 1 - begin : begin;
  cut.end = std::max(cut.begin, back ? extent - 1 - end : end);
  // Beyond the extent every step takes one element; a huge one must not overflow.
  cut.step =
      std::clamp<int64_t>(slice.step, -std::max<int64_t>(extent, 1), std::max<int64_t>(extent, 1));
  if (back) cut.step = -cut.step;
  return cut;
}

void check_positions(const Tensor& positions) {
  if (positions.dtype() == DType::Bool) {
    throw DTypeError(
        "[index] a boolean mask selects a number of elements that depends on the data, but shapes "
        "must be known: use where(mask, x, other), or index in NumPy");
  }
  if (!is_integer(positions.dtype())) {
    throw DTypeError("[index] positions must be integers, got " +
                     std::string(name(positions.dtype())));
  }
}

// NumPy moves the axes of integer arrays to the front unless they, and integers beside them, stand
// next to each other; that is refused rather than imitated.
void check_adjacent(std::span<const IndexItem> expanded) {
  int runs = 0;
  bool arrays = false;
  bool inside = false;
  for (const IndexItem& item : expanded) {
    const bool array = std::holds_alternative<Tensor>(item);
    const bool advanced = array || std::holds_alternative<int64_t>(item);
    arrays = arrays || array;
    if (advanced && !inside) ++runs;
    inside = advanced;
  }
  if (arrays && runs > 1) {
    throw UnsupportedError(
        "[index] integer arrays, and integers beside them, must stand on adjacent axes; index in "
        "two steps instead");
  }
}

// `items` with the ellipsis written out as full slices, one item per axis and NewAxis.
std::vector<IndexItem> expand_ellipsis(std::span<const IndexItem> items, const Shape& shape) {
  int consumed = 0;
  int ellipses = 0;
  for (const IndexItem& item : items) {
    if (std::holds_alternative<EllipsisIndex>(item))
      ++ellipses;
    else if (!std::holds_alternative<NewAxis>(item))
      ++consumed;
  }
  if (ellipses > 1) throw InvalidArgumentError("[index] an index may hold one ellipsis only");
  if (consumed > shape.rank()) {
    throw ShapeError("[index] too many indices: " + std::to_string(consumed) + " for shape " +
                     shape.to_string());
  }
  const auto missing = static_cast<size_t>(shape.rank() - consumed);
  std::vector<IndexItem> expanded;
  for (const IndexItem& item : items) {
    if (std::holds_alternative<EllipsisIndex>(item)) {
      expanded.insert(expanded.end(), missing, SliceIndex{});
    } else {
      expanded.push_back(item);
    }
  }
  if (ellipses == 0) expanded.insert(expanded.end(), missing, SliceIndex{});
  return expanded;
}

Tensor apply_cuts(const Tensor& x, std::span<const AxisCut> cuts) {
  Ints flips;
  Ints begin;
  Ints end;
  Ints strides;
  bool whole = true;
  for (size_t axis = 0; axis < cuts.size(); ++axis) {
    const AxisCut& cut = cuts[axis];
    if (cut.flipped) flips.push_back(static_cast<int64_t>(axis));
    begin.push_back(cut.begin);
    end.push_back(cut.end);
    strides.push_back(cut.step);
    whole =
        whole && cut.begin == 0 && cut.step == 1 && cut.end == x.shape()[static_cast<int>(axis)];
  }
  Tensor y = flips.empty() ? x : apply("flip", {x}, {{"axes", flips}});
  if (whole) return y;
  return apply("slice", {y}, {{"begin", begin}, {"end", end}, {"strides", strides}});
}

// Positions along an axis of `extent`, negative ones resolved.
Tensor wrapped_positions(const Tensor& positions, int64_t extent) {
  const Tensor wide = cast(positions, DType::Int64);
  const Tensor negative = apply("less", {wide, Scalar(int64_t{0})});
  return apply("where", {negative, apply("add", {wide, Scalar(extent)}), wide});
}

}  // namespace

Tensor index(const Tensor& x, std::span<const IndexItem> items) {
  const std::vector<IndexItem> expanded = expand_ellipsis(items, x.shape());
  check_adjacent(expanded);
  std::vector<AxisCut> cuts;
  Ints shape;                     // of the result, before integer arrays are applied
  std::vector<Tensor> positions;  // of adjacent axes, from axis `first` of that result on
  int first = kNone;
  int last = kNone;
  for (const IndexItem& item : expanded) {
    if (std::holds_alternative<NewAxis>(item)) {
      shape.push_back(1);
      continue;
    }
    const int axis = static_cast<int>(cuts.size());
    const int64_t extent = x.shape()[axis];
    AxisCut cut{.begin = 0, .end = extent};
    if (const int64_t* position = std::get_if<int64_t>(&item)) {
      cut.begin = wrap(*position, extent, axis);
      cut.end = cut.begin + 1;
      cut.dropped = true;
    } else if (const SliceIndex* slice = std::get_if<SliceIndex>(&item)) {
      cut = cut_slice(*slice, extent);
    } else {
      const Tensor& tensor = std::get<Tensor>(item);
      check_positions(tensor);
      last = static_cast<int>(shape.size());
      if (positions.empty()) first = last;
      positions.push_back(wrapped_positions(tensor, extent));
    }
    if (!cut.dropped) shape.push_back((cut.end - cut.begin + cut.step - 1) / cut.step);
    cuts.push_back(cut);
  }
  Tensor y = reshape(apply_cuts(x, cuts), shape);
  if (positions.empty()) return y;

  Tensor flat = positions.front();
  if (positions.size() > 1) {
    // Several arrays address one axis made of theirs. `take` would only see a position beyond its
    // own axis when it leads beyond the merged one.
    flat = Tensor();
    for (size_t i = 0; i < positions.size(); ++i) {
      const int64_t extent = y.shape()[first + static_cast<int>(i)];
      const Tensor checked =
          apply("check_range", {positions[i]},
                {{"low", int64_t{0}}, {"high", extent}, {"what", std::string("index")}});
      flat = i == 0 ? checked : apply("add", {apply("multiply", {flat, Scalar(extent)}), checked});
    }
    Ints merged(shape.begin(), shape.begin() + first);
    int64_t product = 1;
    for (int axis = first; axis <= last; ++axis) product *= shape[static_cast<size_t>(axis)];
    merged.push_back(product);
    merged.insert(merged.end(), shape.begin() + last + 1, shape.end());
    y = reshape(y, merged);
  }
  return apply("take", {y, flat}, {{"axis", int64_t{first}}});
}

}  // namespace addax
