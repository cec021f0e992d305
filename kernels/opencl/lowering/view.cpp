#include "opencl/lowering/view.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace addax::opencl {

int64_t elements(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

bool View::is_dense() const {
  int64_t expected = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (dims[i] != 1 && steps[i] != expected) return false;
    expected *= dims[i];
  }
  return true;
}

bool View::is_uniform() const {
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1 && steps[i] != 0) return false;
  }
  return true;
}

View dense_view(const Dims& dims) {
  View view{dims, Dims(dims.size(), 1)};
  for (size_t i = dims.size(); i-- > 1;) view.steps[i - 1] = view.steps[i] * dims[i];
  return view;
}

View broadcast_view(const Dims& dims, const Dims& domain) {
  const View own = dense_view(dims);
  const size_t lead = domain.size() - dims.size();
  View view{domain, Dims(domain.size(), 0)};
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) view.steps[lead + i] = own.steps[i];
  }
  return view;
}

View permute(const View& view, const std::vector<int>& axes) {
  View result{{}, {}, view.offset};
  for (int axis : axes) {
    result.dims.push_back(view.dims[static_cast<size_t>(axis)]);
    result.steps.push_back(view.steps[static_cast<size_t>(axis)]);
  }
  return result;
}

void collapse(std::vector<View*> views) {
  const Dims dims = views.front()->dims;
  std::vector<View> merged;
  for (const View* view : views) merged.push_back({{}, {}, view->offset});
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] == 1) continue;
    bool walks = !merged.front().dims.empty();
    for (size_t i = 0; walks && i < views.size(); ++i) {
      walks = merged[i].steps.back() == views[i]->steps[axis] * dims[axis];
    }
    for (size_t i = 0; i < views.size(); ++i) {
      if (walks) {
        merged[i].dims.back() *= dims[axis];
        merged[i].steps.back() = views[i]->steps[axis];
      } else {
        merged[i].dims.push_back(dims[axis]);
        merged[i].steps.push_back(views[i]->steps[axis]);
      }
    }
  }
  for (size_t i = 0; i < views.size(); ++i) *views[i] = std::move(merged[i]);
}

void collapse_runs(const std::vector<View*>& views, std::vector<size_t>& ends) {
  std::vector<View> joined;
  for (const View* view : views) joined.push_back({{}, {}, view->offset});
  size_t begin = 0;
  for (size_t& end : ends) {
    const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
    std::vector<View> runs;
    std::vector<View*> pointers;
    for (const View* view : views) {
      runs.push_back({Dims(view->dims.begin() + from, view->dims.begin() + to),
                      Dims(view->steps.begin() + from, view->steps.begin() + to)});
    }
    for (View& run : runs) pointers.push_back(&run);
    collapse(pointers);
    for (size_t i = 0; i < views.size(); ++i) {
      joined[i].dims.insert(joined[i].dims.end(), runs[i].dims.begin(), runs[i].dims.end());
      joined[i].steps.insert(joined[i].steps.end(), runs[i].steps.begin(), runs[i].steps.end());
    }
    begin = end;
    end = joined.front().dims.size();
  }
  for (size_t i = 0; i < views.size(); ++i) *views[i] = std::move(joined[i]);
}

ClDomain cl_domain(const View& view) {
  ClDomain domain{{}, static_cast<int32_t>(view.dims.size())};
  std::copy(view.dims.begin(), view.dims.end(), domain.dims.begin());
  return domain;
}

ClSteps cl_steps(const View& view) {
  ClSteps steps{{}, static_cast<int32_t>(view.offset)};
  std::copy(view.steps.begin(), view.steps.end(), steps.steps.begin());
  return steps;
}

}  // namespace addax::opencl
