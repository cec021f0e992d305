#include "opencl/contraction/contraction.h"
#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/lowering/view.h"

namespace addax::opencl {
namespace {

// As matmul.cl has it.
struct Geometry {
  ClDomain batch;
  ClSteps a_batch, b_batch;
  int32_t a_m, a_k, b_k, b_n;
};

// The extents in front of the last two.
Dims batch_of(const Dims& dims) { return {dims.begin(), dims.end() - 2}; }

// Where the matrices of a batch begin.
View batch_view(const Dims& dims, const Dims& batch) {
  View view = broadcast_view(batch_of(dims), batch);
  for (int64_t& step : view.steps) step *= dims[dims.size() - 2] * dims.back();
  return view;
}

}  // namespace

void lower_matmul(Lowering& to) {
  const Node& node = to.node;
  to.require(node.output().dtype != ADX_BOOL, "does not multiply bool");
  const Dims& a = node.input(0).dims;
  const Dims& b = node.input(1).dims;
  const Dims& y = node.output().dims;
  const bool transpose_a = node.flag("transpose_a");
  const bool transpose_b = node.flag("transpose_b");

  Contraction contraction;
  contraction.batch = elements(batch_of(y));
  contraction.m = y[y.size() - 2];
  contraction.n = y.back();
  contraction.k = a[transpose_a ? a.size() - 2 : a.size() - 1];
  contraction.y_batch = contraction.m * contraction.n;
  contraction.y_row = contraction.n;
  contraction.loaders = std::string(sources::matmul);
  contraction.a_rows_first = transpose_a;
  contraction.b_rows_first = transpose_b;
  contraction.run = contraction.k;
  contraction.a_span = transpose_a ? contraction.m : contraction.k;
  contraction.b_span = transpose_b ? contraction.k : contraction.n;

  View a_batch = batch_view(a, batch_of(y));
  View b_batch = batch_view(b, batch_of(y));
  collapse({&a_batch, &b_batch});
  const auto a_row = static_cast<int32_t>(a.back());
  const auto b_row = static_cast<int32_t>(b.back());
  const Geometry geometry = {cl_domain(a_batch),      cl_steps(a_batch),
                             cl_steps(b_batch),       transpose_a ? 1 : a_row,
                             transpose_a ? a_row : 1, transpose_b ? 1 : b_row,
                             transpose_b ? b_row : 1};
  add_contraction(to, contraction, geometry);
}

}  // namespace addax::opencl
