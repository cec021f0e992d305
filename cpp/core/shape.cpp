#include "core/shape.h"

#include <algorithm>

#include "core/error.h"

namespace addax {

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    throw ShapeError("a shape has at most " + std::to_string(kMaxRank) + " dimensions, got " +
                     std::to_string(dims.size()));
  }
  rank_ = static_cast<int>(dims.size());
  std::copy(dims.begin(), dims.end(), dims_.begin());
  constexpr int64_t kMaxElements = int64_t{1} << 62;
  int64_t total = 1;
  for (int64_t d : dims) {
    if (d < 0) throw ShapeError("a dimension cannot be negative, got " + to_string());
    if (d > 1 && total > kMaxElements / d) {
      throw ShapeError("more than 2^62 elements in shape " + to_string());
    }
    total *= std::max<int64_t>(d, 1);
  }
}

int64_t Shape::num_elements() const {
  int64_t n = 1;
  for (int64_t d : *this) n *= d;
  return n;
}

std::array<int64_t, kMaxRank> Shape::strides() const {
  std::array<int64_t, kMaxRank> strides{};
  int64_t step = 1;
  for (int i = rank_ - 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = step;
    step *= (*this)[i];
  }
  return strides;
}

std::string Shape::to_string() const {
  std::string text = "(";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string((*this)[i]);
  }
  return text + (rank_ == 1 ? ",)" : ")");
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<int64_t, kMaxRank> dims{};
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank());
    const int ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a[ia];
    const int64_t db = ib < 0 ? 1 : b[ib];
    if (da != db && da != 1 && db != 1) return std::nullopt;
    dims[static_cast<size_t>(i)] = da == 1 ? db : da;
  }
  return Shape(std::span<const int64_t>(dims.data(), static_cast<size_t>(rank)));
}

std::string TensorType::to_string() const {
  std::string text(short_name(dtype));
  text += '[';
  for (int i = 0; i < shape.rank(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + ']';
}

}  // namespace addax
