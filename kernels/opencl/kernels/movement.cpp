#include <algorithm>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/lowering/view.h"

namespace addax::opencl {
namespace {

// The elements that `from` shows of `x` go to where `into` shows them of `y`.
void add_move(Lowering& to, const Tensor& x, View from, const Tensor& y, View into) {
  constexpr const char* kItems[] = {"", "uchar", "ushort", "", "uint", "", "", "", "ulong"};
  to.require(x.dtype == y.dtype, "takes elements of one dtype");
  const int64_t count = elements(from.dims);
  collapse({&from, &into});
  Launch launch(preamble(to.limits, DType::Int64) +
                    define("ITEM", kItems[plugin::size_of(x.dtype)]) +
                    std::string(sources::movement),
                "move");
  launch.extent(count).value(cl_domain(from));
  launch.tensor(x).value(cl_steps(from)).tensor(y).value(cl_steps(into));
  to.add_over({count}, std::move(launch));
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
