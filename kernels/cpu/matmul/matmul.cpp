#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "core/error.h"
#include "cpu/gemm/epilogue.h"
#include "cpu/gemm/gemm.h"
#include "cpu/lowering/kernels.h"
#include "cpu/matmul/matmul_shape.h"
#include "cpu/matmul/pair_matmul.h"

namespace addax::cpu {
namespace {

template <class T>
class Matmul : public ContractionKernel {
 public:
  explicit Matmul(const Node& node)
      : plan_(matmul_shape(node)), a_(node.input(0)), b_(node.input(1)), c_(node.output()) {
    add_plan(plan_);
    add_epilogue(node);
  }

 private:
  void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const override {
    GemmArgs<T> args;
    args.a = context.data<const T>(a_);
    args.b = context.data<const T>(b_);
    args.c = context.data<T>(c_);
    args.finish = finish<T>(context);
    plan_.run(args, stage, chunk, context.workspace);
  }

  GemmPlan<T> plan_;
  Tensor a_, b_, c_;
};

// 16-bit operands without kernels of their own are widened to float32 first, and the result is
// narrowed once.
class NarrowMatmul : public ContractionKernel {
 public:
  explicit NarrowMatmul(const Node& node)
      : plan_(matmul_shape(node)),
        tensors_{node.input(0), node.input(1), node.output()},
        ops_(tape_ops(active_isa()).f32) {
    size_t end = round_up(plan_.workspace_bytes());
    for (size_t i = 0; i < 3; ++i) {
      wide_[i] = end;
      end += round_up(static_cast<size_t>(tensors_[i].size()) * sizeof(float));
    }
    workspace_bytes_ = end;
    add_copy_stage(tensors_[0].size());
    add_copy_stage(tensors_[1].size());
    add_plan(plan_);
    add_copy_stage(tensors_[2].size());
    add_epilogue(node, false);
  }

 private:
  void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const override {
    const size_t narrowing = 2 + plan_.stages().size();
    if (stage < 2) {
      copy(context, stage, stage, chunk);
    } else if (stage < narrowing) {
      GemmArgs<float> args;
      args.a = wide(context, 0);
      args.b = wide(context, 1);
      args.c = wide(context, 2);
      plan_.run(args, stage - 2, chunk, context.workspace);
    } else {
      copy(context, 2, stage, chunk);
    }
  }

  static size_t round_up(size_t bytes) {
    return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
  }
  void add_copy_stage(int64_t elements) {
    add_stage(chunks_for(elements, 16384), bytes_cost(6 * elements));
  }

  float* wide(const RunContext& context, size_t which) const {
    return reinterpret_cast<float*>(context.workspace + wide_[which]);
  }

  void copy(const RunContext& context, size_t which, size_t stage, int64_t chunk) const {
    const Tensor& tensor = tensors_[which];
    const Range range = even_share(tensor.size(), stages_[stage].chunks, chunk);
    auto* narrow = context.data<uint16_t>(tensor) + range.begin;
    float* values = wide(context, which) + range.begin;
    const auto dtype = static_cast<size_t>(tensor.dtype);
    if (which < 2) {
      ops_.load[dtype](narrow, values, range.size());
    } else {
      ops_.store[dtype](values, narrow, range.size());
    }
  }

  GemmPlan<float> plan_;
  Tensor tensors_[3];
  size_t wide_[3];
  const ClassOps& ops_;
};

// Integers: plain loops; products and sums wrap.
template <class T>
class IntegerMatmul : public ContractionKernel {
 public:
  explicit IntegerMatmul(const Node& node)
      : shape_(matmul_shape(node)), a_(node.input(0)), b_(node.input(1)), c_(node.output()) {
    for (const GemmBatch& batch : shape_.batch) rows_ *= batch.extent;
    rows_ *= shape_.m;
    const double work = 2.0 * static_cast<double>(rows_) * static_cast<double>(shape_.n) *
                        static_cast<double>(shape_.k);
    const int64_t per_row = shape_.n * shape_.k;
    add_stage(std::min(chunks_for(rows_ * std::max<int64_t>(per_row, 1), 1 << 18),
                       std::max<int64_t>(rows_, 1)),
              16 * work);
    add_epilogue(node, false);
  }

 private:
  void run_contraction(const RunContext& context, size_t, int64_t chunk) const override {
    const Range rows = even_share(rows_, stages_[0].chunks, chunk);
    for (int64_t row = rows.begin; row < rows.end; ++row) multiply_row(context, row);
  }

  void multiply_row(const RunContext& context, int64_t row) const {
    const T* a = context.data<const T>(a_) + row % shape_.m * shape_.a_row;
    const T* b = context.data<const T>(b_);
    T* c = context.data<T>(c_) + row * shape_.n;
    int64_t index = row / shape_.m;
    for (size_t i = shape_.batch.size(); i-- > 0;) {
      const GemmBatch& batch = shape_.batch[i];
      a += index % batch.extent * batch.a;
      b += index % batch.extent * batch.b;
      index /= batch.extent;
    }
    for (int64_t j = 0; j < shape_.n; ++j) {
      uint64_t sum = 0;
      for (int64_t p = 0; p < shape_.k; ++p) {
        sum += static_cast<uint64_t>(a[p * shape_.a_k]) *
               static_cast<uint64_t>(b[p * shape_.b_k + j * shape_.b_col]);
      }
      c[j] = static_cast<T>(sum);
    }
  }

  GemmShape shape_;
  Tensor a_, b_, c_;
  int64_t rows_ = 1;
};

}  // namespace

bool accepts_matmul(const Node& node) { return node.output().dtype != DType::Bool; }

KernelPtr make_matmul(const Node& node) {
  if (multiplies_pairs(node)) return make_pair_matmul(node);
  switch (node.output().dtype) {
    case DType::Float32:
      return std::make_unique<Matmul<float>>(node);
    case DType::Float64:
      return std::make_unique<Matmul<double>>(node);
    case DType::Float16:
    case DType::BFloat16:
      return std::make_unique<NarrowMatmul>(node);
    case DType::UInt8:
      return std::make_unique<IntegerMatmul<uint8_t>>(node);
    case DType::Int8:
      return std::make_unique<IntegerMatmul<int8_t>>(node);
    case DType::Int32:
      return std::make_unique<IntegerMatmul<int32_t>>(node);
    case DType::Int64:
      return std::make_unique<IntegerMatmul<int64_t>>(node);
    default:
      throw UnsupportedError(node.message("has no kernel for bool"));
  }
}

}  // namespace addax::cpu
