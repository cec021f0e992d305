#include "opencl/map_reduce/loop_source.h"

#include <algorithm>
#include <array>

#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"

namespace addax::opencl {
namespace {

constexpr std::array<const char*, 3> kRuns = {"outer", "row", "column"};

std::string numbered(const char* name, size_t i) { return name + std::to_string(i); }

// Behind the axes that make up `extent`.
size_t end_of(const Dims& dims, size_t begin, int64_t extent) {
  size_t end = begin;
  for (int64_t covered = 1; covered != extent; ++end) covered *= dims[end];
  return end;
}

}  // namespace

bool LoopSource::is_strided(const MapReduce::Input& input) {
  return !input.view.is_uniform() && (!input.view.is_dense() || input.view.offset != 0);
}

// The strided inputs' views, and the domain's own.
std::vector<View*> LoopSource::strided() {
  std::vector<View*> views;
  for (MapReduce::Input& input : loop_.inputs) {
    if (is_strided(input)) views.push_back(&input.view);
  }
  if (!views.empty()) {
    domain_ = dense_view(views.front()->dims);
    views.push_back(&domain_);
  }
  return views;
}

LoopSource LoopSource::of_reduction(MapReduce loop) {
  LoopSource source(std::move(loop));
  const auto views = source.strided();
  if (views.empty() || source.loop_.extents.elements() == 0) return source;
  const Dims& dims = source.domain_.dims;
  const size_t outer = end_of(dims, 0, source.loop_.extents.outer);
  const size_t row = end_of(dims, outer, source.loop_.extents.reduced);
  source.ends_ = {outer, row, dims.size()};
  collapse_runs(views, source.ends_);
  return source;
}

LoopSource LoopSource::of_map(MapReduce loop) {
  LoopSource source(std::move(loop));
  const auto views = source.strided();
  if (views.empty()) return source;
  collapse(views);
  const size_t rank = source.domain_.dims.size();
  source.ends_ = {rank - std::min<size_t>(rank, 2), rank - std::min<size_t>(rank, 1), rank};
  return source;
}

std::string LoopSource::preamble(const Limits& limits) const {
  return opencl::preamble(limits, loop_.compute) + std::string(sources::scalar_ops) + "\n";
}

std::string LoopSource::parameters() const {
  std::string text = is_strided() ? ", const Domain domain" : "";
  for (size_t i = 0; i < loop_.inputs.size(); ++i) {
    text += ", TENSOR(" + numbered("x", i) + ")";
    if (is_strided(loop_.inputs[i])) text += ", const Steps " + numbered("steps", i);
  }
  return text;
}

void LoopSource::pass(Launch& launch) const {
  if (is_strided()) launch.value(cl_domain(domain_));
  for (const MapReduce::Input& input : loop_.inputs) {
    launch.tensor(input.tensor);
    if (is_strided(input)) launch.value(cl_steps(input.view));
  }
}

// The position on each axis, p<axis>: a run of several is taken apart.
std::string LoopSource::positions() const {
  std::string text;
  size_t begin = 0;
  for (size_t run = 0; run < ends_.size(); ++run) {
    std::string rest = kRuns[run];
    for (size_t axis = ends_[run]; axis-- > begin;) {
      const std::string extent = "domain.dims[" + std::to_string(axis) + "]";
      text.append("  const int ").append(numbered("p", axis)).append(" = ").append(rest);
      if (axis != begin) text.append(" % ").append(extent);
      text += ";\n";
      if (axis == begin) break;
      text.append("  const int ").append(numbered("rest", axis)).append(" = ").append(rest);
      text.append(" / ").append(extent).append(";\n");
      rest = numbered("rest", axis);
    }
    begin = ends_[run];
  }
  return text;
}

std::string LoopSource::index(size_t number) const {
  const MapReduce::Input& input = loop_.inputs[number];
  if (input.view.is_uniform()) return "0";
  if (!is_strided(input)) return "i";
  const std::string steps = numbered("steps", number);
  std::string text = steps + ".offset";
  for (size_t axis = 0; axis < input.view.dims.size(); ++axis) {
    if (input.view.steps[axis] == 0) continue;
    text += " + " + numbered("p", axis) + " * " + steps + ".steps[" + std::to_string(axis) + "]";
  }
  return text;
}

std::string LoopSource::evaluate() const {
  return positions() + statements(loop_.expr, loop_.compute, [&](size_t i) {
           return load(dtype_of(loop_.inputs[i].tensor), numbered("x", i), index(i));
         });
}

}  // namespace addax::opencl
