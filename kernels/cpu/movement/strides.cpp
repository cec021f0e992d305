#include "cpu/movement/strides.h"

#include "core/error.h"

namespace addax::cpu {

int64_t StridedView::size() const {
  int64_t product = 1;
  for (int64_t dim : dims) product *= dim;
  return product;
}

bool StridedView::is_contiguous() const {
  int64_t expected = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (dims[i] != 1 && strides[i] != expected) return false;
    expected *= dims[i];
  }
  return true;
}

bool StridedView::is_uniform() const {
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1 && strides[i] != 0) return false;
  }
  return true;
}

StridedView collapse(const StridedView& view) {
  StridedView result;
  for (size_t i = 0; i < view.dims.size(); ++i) {
    const int64_t dim = view.dims[i], stride = view.strides[i];
    if (dim == 1) continue;
    if (!result.dims.empty() && result.strides.back() == stride * dim) {
      result.dims.back() *= dim;
      result.strides.back() = stride;
    } else {
      result.dims.push_back(dim);
      result.strides.push_back(stride);
    }
  }
  if (result.dims.empty()) result = {{1}, {1}};
  return result;
}

StridedView broadcast_view(const Shape& shape, const Shape& domain) {
  StridedView view;
  const auto strides = shape.strides();
  const int lead = domain.rank() - shape.rank();
  for (int axis = 0; axis < domain.rank(); ++axis) {
    const int own = axis - lead;
    view.dims.push_back(domain[axis]);
    const bool repeats = own < 0 || shape[own] == 1;
    if (!repeats && shape[own] != domain[axis]) {
      throw ShapeError("shape " + shape.to_string() + " does not broadcast to " +
                       domain.to_string());
    }
    view.strides.push_back(repeats ? 0 : strides[static_cast<size_t>(own)]);
  }
  if (lead < 0) {
    throw ShapeError("shape " + shape.to_string() + " does not broadcast to " + domain.to_string());
  }
  return view;
}

StridedView permute(const StridedView& view, const std::vector<int>& axes) {
  StridedView result;
  for (int axis : axes) {
    result.dims.push_back(view.dims[static_cast<size_t>(axis)]);
    result.strides.push_back(view.strides[static_cast<size_t>(axis)]);
  }
  return result;
}

StridedCursor::StridedCursor(const StridedView& view, int64_t position) : view_(view) {
  for (size_t i = view.dims.size(); i-- > 0;) {
    index_[i] = position % view.dims[i];
    position /= view.dims[i];
    offset_ += index_[i] * view.strides[i];
  }
}

void StridedCursor::advance(int64_t count) {
  size_t axis = view_.dims.size() - 1;
  index_[axis] += count;
  offset_ += count * view_.strides[axis];
  while (axis > 0 && index_[axis] == view_.dims[axis]) {
    offset_ -= view_.dims[axis] * view_.strides[axis];
    index_[axis] = 0;
    --axis;
    ++index_[axis];
    offset_ += view_.strides[axis];
  }
}

}  // namespace addax::cpu
