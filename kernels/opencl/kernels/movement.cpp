#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/lowering/view.h"

namespace addax::opencl {
namespace {

// At least two axes, the first of which have one element.
void lead(View& view) {
  while (view.dims.size() < 2) {
    view.dims.insert(view.dims.begin(), 1);
    view.steps.insert(view.steps.begin(), 0);
  }
}

// The last axis's step in the kernel: vectors of neighbours take one that the compiler knows.
std::string define_column(const char* macro, const char* steps, const View& view) {
  const int64_t step = view.steps.back();
  const bool is_unit = step == 1 || step == -1;
  return define(macro, is_unit ? std::to_string(step) : std::string(steps) + ".steps[OUTER + 1]");
}

// Items over the last two axes and what is left. Those of a group that turns a matrix form a tile,
// which uses up lines of memory while they are at hand.
void add_over_last(Lowering& to, const View& from, const View& into, Launch launch) {
  constexpr int64_t kTileColumns = 8, kTileRows = 16;
  const size_t row = from.dims.size() - 2, column = row + 1;
  const Dims outer(from.dims.begin(), from.dims.end() - 2);
  const std::vector<int64_t> items = {from.dims[column], from.dims[row], elements(outer)};
  const bool turns = into.steps[column] == 1 && from.steps[column] != 1 && from.steps[row] == 1;
  const bool fits = items[0] >= kTileColumns && items[1] >= kTileRows &&
                    to.limits.work_group >= kTileColumns * kTileRows;
  if (!turns || !fits) return to.add_over(items, std::move(launch));
  launch.over(items, {kTileColumns, kTileRows, 1});
  to.add(std::move(launch));
}

// The elements that `from` shows of `x` go to where `into` shows them of `y`.
void add_move(Lowering& to, const Tensor& x, View from, const Tensor& y, View into) {
  constexpr const char* kItems[] = {"", "uchar", "ushort", "", "uint", "", "", "", "ulong"};
  to.require(x.dtype == y.dtype, "takes elements of one dtype");
  collapse({&from, &into});
  lead(from);
  lead(into);
  Launch launch(preamble(to.limits, DType::Int64) +
                    define("ITEM", kItems[plugin::size_of(x.dtype)]) +
                    define("OUTER", static_cast<int64_t>(from.dims.size() - 2)) +
                    define_column("FROM_COLUMN", "from", from) +
                    define_column("INTO_COLUMN", "into", into) + std::string(sources::movement),
                "move");
  launch.value(cl_domain(from)).tensor(x).value(cl_steps(from)).tensor(y).value(cl_steps(into));
  add_over_last(to, from, into, std::move(launch));
}

// What `from` shows of the input is the output.
void add_view(Lowering& to, View from) {
  View whole = dense_view(from.dims);
  add_move(to, to.node.input(0), std::move(from), to.node.output(), std::move(whole));
}

}  // namespace

// A constant's data came with the program.
void lower_constant(Lowering&) {}

void lower_copy(Lowering& to) { add_view(to, dense_view(to.node.input(0).dims)); }

void lower_broadcast_to(Lowering& to) {
  add_view(to, broadcast_view(to.node.input(0).dims, to.node.output().dims));
}

void lower_transpose(Lowering& to) {
  const auto axes = to.node.ints("permutation");
  add_view(to, permute(dense_view(to.node.input(0).dims), {axes.begin(), axes.end()}));
}

void lower_slice(Lowering& to) {
  View from = dense_view(to.node.input(0).dims);
  for (size_t axis = 0; axis < from.dims.size(); ++axis) {
    from.offset += to.node.ints("begin")[axis] * from.steps[axis];
    from.steps[axis] *= to.node.ints("strides")[axis];
  }
  from.dims = to.node.output().dims;
  add_view(to, std::move(from));
}

void lower_flip(Lowering& to) {
  View from = dense_view(to.node.input(0).dims);
  for (int64_t flipped : to.node.ints("axes")) {
    const auto axis = static_cast<size_t>(flipped);
    from.offset += (from.dims[axis] - 1) * from.steps[axis];
    from.steps[axis] = -from.steps[axis];
  }
  add_view(to, std::move(from));
}

void lower_concatenate(Lowering& to) {
  const auto axis = static_cast<size_t>(to.node.integer("axis"));
  const Tensor& y = to.node.output();
  int64_t position = 0;
  for (const Tensor& x : to.node.inputs()) {
    View into = dense_view(y.dims);
    into.dims = x.dims;
    into.offset = position * into.steps[axis];
    position += x.dims[axis];
    add_move(to, x, dense_view(x.dims), y, std::move(into));
  }
}

// The value everywhere, then the elements: number i of an axis goes to low + i * step, if that is
// within the result.
void lower_pad(Lowering& to) {
  const Tensor& x = to.node.input(0);
  const Tensor& y = to.node.output();
  add_move(to, to.node.input(1), broadcast_view({}, y.dims), y, dense_view(y.dims));
  View from = dense_view(x.dims);
  View into = dense_view(y.dims);
  for (size_t axis = 0; axis < from.dims.size(); ++axis) {
    const int64_t low = to.node.ints("low")[axis];
    const int64_t step = to.node.ints("interior")[axis] + 1;
    const int64_t room = into.dims[axis] - 1 - low;
    const int64_t first = low < 0 ? (-low + step - 1) / step : 0;
    const int64_t end = std::min(from.dims[axis], room < 0 ? 0 : room / step + 1);
    from.offset += first * from.steps[axis];
    into.offset += (low + first * step) * into.steps[axis];
    into.steps[axis] *= step;
    from.dims[axis] = into.dims[axis] = std::max<int64_t>(end - first, 0);
  }
  add_move(to, x, std::move(from), y, std::move(into));
}

}  // namespace addax::opencl
