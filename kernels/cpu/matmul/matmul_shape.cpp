#include "cpu/matmul/matmul_shape.h"

namespace addax::cpu {

GemmShape matmul_shape(const Node& node) {
  const Tensor& a = node.input(0);
  const Tensor& b = node.input(1);
  const Tensor& c = node.output();
  const int rank = c.shape.rank();
  const bool trans_a = node.flag("transpose_a", false);
  const bool trans_b = node.flag("transpose_b", false);
  const int64_t k = a.shape[a.shape.rank() - (trans_a ? 2 : 1)];
  GemmShape shape = dense_gemm(c.shape[rank - 2], c.shape[rank - 1], k, trans_a, trans_b);
  const auto c_strides = c.shape.strides();
  const auto batch_stride = [&](const Tensor& operand, int axis) {
    const int own = axis - (rank - operand.shape.rank());
    if (own < 0 || operand.shape[own] == 1) return int64_t{0};
    return operand.shape.strides()[static_cast<size_t>(own)];
  };
  for (int axis = 0; axis < rank - 2; ++axis) {
    shape.batch.push_back({c.shape[axis], batch_stride(a, axis), batch_stride(b, axis),
                           c_strides[static_cast<size_t>(axis)]});
  }
  return shape;
}

}  // namespace addax::cpu
