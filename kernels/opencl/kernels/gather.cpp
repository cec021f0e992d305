#include "opencl/kernels/gather.h"

#include <algorithm>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/lowering/view.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

// A tensor's extents around one axis.
struct Axis {
  int64_t outer, extent, inner;
};

Axis split_at(const Dims& dims, int64_t axis) {
  const auto at = dims.begin() + axis;
  return {elements(Dims(dims.begin(), at)), *at, elements(Dims(at + 1, dims.end()))};
}

std::string typed(const char* macro, const Tensor& tensor) {
  return define(macro, std::string(macro).substr(0, std::string(macro).find('_') + 1) +
                           std::string(name(dtype_of(tensor))));
}

std::string program(const Lowering& to, const char* part, DType compute,
                    const std::string& definitions) {
  return preamble(to.limits, compute) + define(part, 1) + definitions +
         std::string(sources::gather);
}

void require_indices(const Lowering& to, const Tensor& indices) {
  to.require(is_integer(dtype_of(indices)), "takes integers as indices");
}

// How many indices make up a segment of a scatter: about as many as there are segments, unless the
// lists of so many rows would take too much memory.
int64_t segment_share(int64_t count, int64_t extent) {
  constexpr int64_t kMostHeads = int64_t{1} << 22;
  const int64_t most = std::max<int64_t>(kMostHeads / std::max<int64_t>(extent, 1), 1);
  int64_t segments = 1;
  while (segments * segments < count && 2 * segments <= most) segments *= 2;
  return std::max<int64_t>((count + segments - 1) / segments, 1);
}

}  // namespace

void add_check(Lowering& to, const Tensor& x, int64_t low, int64_t high) {
  const int64_t group = to.limits.group(to.limits.work_group, sizeof(int32_t));
  Launch launch(program(to, "CHECK", DType::Int64, typed("LOAD_X", x) + define_group(group)),
                "check");
  launch.step_number().value(to.index).extent(x.elements()).value(low).value(high).tensor(x);
  launch.over({x.elements() == 0 ? 0 : group}, {group});
  to.add(std::move(launch));
}

void lower_check_range(Lowering& to) {
  add_check(to, to.node.input(0), to.node.integer("low"), to.node.integer("high"));
  lower_copy(to);
}

void lower_take(Lowering& to) {
  const Tensor& x = to.node.input(0);
  const Tensor& indices = to.node.input(1);
  const Tensor& y = to.node.output();
  require_indices(to, indices);
  const Axis axis = split_at(x.dims, to.node.integer("axis"));
  add_check(to, indices, 0, axis.extent);
  const std::string definitions =
      typed("LOAD_X", x) + typed("LOAD_INDEX", indices) + typed("STORE_Y", y);
  Launch launch(program(to, "TAKE", cast_class(dtype_of(x), dtype_of(y)), definitions), "take");
  const int64_t rows = axis.outer * indices.elements();
  launch.extent(rows).extent(axis.inner).extent(axis.extent).extent(indices.elements());
  launch.tensor(x).tensor(indices).tensor(y);
  to.add_over({axis.inner, rows}, std::move(launch));
}

void lower_scatter_add(Lowering& to) {
  const Tensor& indices = to.node.input(0);
  const Tensor& updates = to.node.input(1);
  const Tensor& y = to.node.output();
  require_indices(to, indices);
  const Axis axis = split_at(y.dims, to.node.integer("axis"));
  add_check(to, indices, 0, axis.extent);
  const std::string definitions =
      typed("LOAD_X", updates) + typed("LOAD_INDEX", indices) + typed("STORE_Y", y);
  const int64_t count = indices.elements();
  const int64_t share = segment_share(count, axis.extent);
  const int64_t segments = (count + share - 1) / share;
  const std::string source = program(to, "SCATTER_ADD", compute_class(dtype_of(y)), definitions);
  const Scratch first = to.scratch(static_cast<uint64_t>(segments * axis.extent) * sizeof(int));
  const Scratch next = to.scratch(static_cast<uint64_t>(count) * sizeof(int));

  Launch clear(source, "clear_lists");
  clear.extent(segments * axis.extent).scratch(first);
  to.add_over({segments * axis.extent}, std::move(clear));

  Launch make(source, "make_lists");
  make.extent(segments).extent(share).extent(count).extent(axis.extent);
  make.tensor(indices).scratch(first).scratch(next);
  to.add_over({segments}, std::move(make));

  Launch add(source, "scatter_add");
  const int64_t rows = axis.outer * axis.extent;
  add.extent(rows).extent(axis.inner).extent(segments).extent(count).extent(axis.extent);
  add.tensor(updates).scratch(first).scratch(next).tensor(y);
  to.add_over({axis.inner, rows}, std::move(add));
}

void lower_arg_reduce(Lowering& to) {
  const Tensor& x = to.node.input(0);
  const Tensor& y = to.node.output();
  const Axis axis = split_at(x.dims, to.node.integer("axis"));
  const char* better = to.node.op() == "argmax" ? "((a) > (b))" : "((a) < (b))";
  Launch launch(program(to, "ARG_REDUCE", compute_class(dtype_of(x)),
                        typed("LOAD_X", x) + define("BETTER(a, b)", better)),
                "arg_reduce");
  launch.extent(y.elements()).extent(axis.extent).extent(axis.inner).tensor(x).tensor(y);
  to.add_over({y.elements()}, std::move(launch));
}

void lower_iota(Lowering& to) {
  const Tensor& y = to.node.output();
  const Axis axis = split_at(y.dims, to.node.integer("axis"));
  Launch launch(program(to, "IOTA", compute_class(dtype_of(y)), typed("STORE_Y", y)), "iota");
  launch.extent(y.elements()).extent(axis.extent).extent(axis.inner).tensor(y);
  to.add_over({y.elements()}, std::move(launch));
}

}  // namespace addax::opencl
