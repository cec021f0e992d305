// The table of one ISA level; see simd.inl.
#pragma once

#include "cpu/map_reduce/convert.inl"
#include "cpu/map_reduce/fold.inl"
#include "cpu/map_reduce/scalar_ops.inl"
#include "cpu/map_reduce/tape_steps.inl"

namespace addax::cpu::ADDAX_ISA {
namespace {

constexpr size_t at(ScalarOp op) { return static_cast<size_t>(op); }

template <class T, class Op>
void add_reduction(ClassOps& c, ReduceKind kind) {
  const auto i = static_cast<size_t>(kind);
  c.fold[i] = fold<T, Op>;
  c.fold_columns[i] = fold_columns<T, Op>;
  c.accumulate[i] = step<T, Accumulate<Op>>();
}

template <class T>
void add_memory_steps(ClassOps& c) {
  visit_loads<T>([&]<class Item, ConvertFn kConvert>(DType dtype) {
    c.load[at(dtype)] = kConvert;
    c.load_tensor[at(dtype)] =
        steps_of<T>([](auto steps) { return steps.template load_tensor<Item, kConvert>; });
    c.prefetch[at(dtype)] = steps_of<T>([](auto steps) { return steps.template prefetch<Item>; });
  });
  visit_stores<T>([&]<class Item, ConvertFn kConvert>(DType dtype) {
    c.store[at(dtype)] = kConvert;
    c.store_tensor[at(dtype)] =
        steps_of<T>([](auto steps) { return steps.template store_tensor<Item, kConvert>; });
  });
  c.load_values = c.load_tensor[at(c.dtype)] = step<T, LoadValues>();
  c.store_values = c.store_tensor[at(c.dtype)] = step<T, StoreValues>();
}

// What all classes have.
template <class T>
ClassOps common_ops(DType dtype) {
  ClassOps c;
  c.dtype = dtype;
  c.run = run_steps<T>;
  c.end = steps_of<T>([](auto steps) { return steps.end; });
  c.square = step<T, Square>();
  c.ops[at(ScalarOp::Add)] = commutative<T, Add>();
  c.ops[at(ScalarOp::Subtract)] = binary<T, Subtract>();
  c.ops[at(ScalarOp::Multiply)] = commutative<T, Multiply>();
  c.ops[at(ScalarOp::Maximum)] = binary<T, Maximum>();
  c.ops[at(ScalarOp::Minimum)] = binary<T, Minimum>();
  c.ops[at(ScalarOp::Negative)] = unary<T, Negative>();
  c.ops[at(ScalarOp::Abs)] = unary<T, Abs>();
  c.ops[at(ScalarOp::Sign)] = unary<T, Sign>();
  c.ops[at(ScalarOp::Equal)] = binary<T, Equal>();
  c.ops[at(ScalarOp::NotEqual)] = binary<T, NotEqual>();
  c.ops[at(ScalarOp::Less)] = binary<T, Less>();
  c.ops[at(ScalarOp::LessEqual)] = binary<T, LessEqual>();
  c.ops[at(ScalarOp::Greater)] = binary<T, Greater>();
  c.ops[at(ScalarOp::GreaterEqual)] = binary<T, GreaterEqual>();
  c.ops[at(ScalarOp::LogicalAnd)] = binary<T, LogicalAnd>();
  c.ops[at(ScalarOp::LogicalOr)] = binary<T, LogicalOr>();
  c.ops[at(ScalarOp::LogicalNot)] = unary<T, LogicalNot>();
  c.ops[at(ScalarOp::Where)] = ternary<T, Where>();
  c.ops[at(ScalarOp::IsNan)] = unary<T, IsNan>();
  add_reduction<T, FoldSum>(c, ReduceKind::Sum);
  add_reduction<T, FoldMax>(c, ReduceKind::Max);
  add_reduction<T, FoldMin>(c, ReduceKind::Min);
  add_reduction<T, FoldProd>(c, ReduceKind::Prod);
  add_memory_steps<T>(c);
  return c;
}

template <class T>
ClassOps floating_ops(DType dtype) {
  ClassOps c = common_ops<T>(dtype);
  c.ops[at(ScalarOp::Divide)] = binary<T, Divide>();
  c.ops[at(ScalarOp::FloorDivide)] = binary<T, EachPair<T, floor_divide<T>>>();
  c.ops[at(ScalarOp::Mod)] = binary<T, EachPair<T, mod<T>>>();
  c.ops[at(ScalarOp::Power)] = binary<T, EachPair<T, power>>();
  c.ops[at(ScalarOp::Arctan2)] = binary<T, EachPair<T, arctan2>>();
  c.ops[at(ScalarOp::Sqrt)] = unary<T, Sqrt>();
  c.ops[at(ScalarOp::Rsqrt)] = unary<T, Rsqrt>();
  c.ops[at(ScalarOp::Sin)] = unary_in_turn<T, EachLane<T, sine>>();
  c.ops[at(ScalarOp::Cos)] = unary_in_turn<T, EachLane<T, cosine>>();
  c.ops[at(ScalarOp::Tan)] = unary_in_turn<T, EachLane<T, tangent>>();
  c.ops[at(ScalarOp::Arctan)] = unary_in_turn<T, EachLane<T, arctangent>>();
  c.ops[at(ScalarOp::Floor)] = unary<T, Floor>();
  c.ops[at(ScalarOp::Ceil)] = unary<T, Ceil>();
  c.ops[at(ScalarOp::Round)] = unary<T, Round>();
  c.ops[at(ScalarOp::IsFinite)] = unary<T, IsFinite>();
  return c;
}

TapeOps make_tape_ops() {
  TapeOps table;
  ClassOps& f32 = table.f32 = floating_ops<float>(DType::Float32);
  f32.ops[at(ScalarOp::Exp)] = unary_in_turn<float, Exp>();
  f32.ops[at(ScalarOp::Expm1)] = unary_in_turn<float, Expm1>();
  f32.ops[at(ScalarOp::Log)] = unary_in_turn<float, Log>();
  f32.ops[at(ScalarOp::Log1p)] = unary_in_turn<float, Log1p>();
  f32.ops[at(ScalarOp::Tanh)] = unary_in_turn<float, Tanh>();
  f32.ops[at(ScalarOp::Erf)] = unary_in_turn<float, Erf>();
  ClassOps& f64 = table.f64 = floating_ops<double>(DType::Float64);
  f64.ops[at(ScalarOp::Exp)] = unary_in_turn<double, EachLane<double, exponential>>();
  f64.ops[at(ScalarOp::Expm1)] = unary_in_turn<double, EachLane<double, exponential_less_one>>();
  f64.ops[at(ScalarOp::Log)] = unary_in_turn<double, EachLane<double, logarithm>>();
  f64.ops[at(ScalarOp::Log1p)] = unary_in_turn<double, EachLane<double, logarithm_plus_one>>();
  f64.ops[at(ScalarOp::Tanh)] = unary_in_turn<double, EachLane<double, hyperbolic_tangent>>();
  f64.ops[at(ScalarOp::Erf)] = unary_in_turn<double, EachLane<double, error_function>>();
  ClassOps& i64 = table.i64 = common_ops<int64_t>(DType::Int64);
  i64.ops[at(ScalarOp::FloorDivide)] = binary<int64_t, EachPair<int64_t, floor_divide_int>>();
  i64.ops[at(ScalarOp::Mod)] = binary<int64_t, EachPair<int64_t, mod_int>>();
  i64.ops[at(ScalarOp::Power)] = binary<int64_t, EachPair<int64_t, power_int>>();
  i64.ops[at(ScalarOp::Floor)] = unary<int64_t, Identity>();
  i64.ops[at(ScalarOp::Ceil)] = unary<int64_t, Identity>();
  i64.ops[at(ScalarOp::Round)] = unary<int64_t, Identity>();
  i64.ops[at(ScalarOp::IsFinite)] = unary<int64_t, One>();
  return table;
}

}  // namespace

const TapeOps& tape_ops() {
  static const TapeOps table = make_tape_ops();
  return table;
}

}  // namespace addax::cpu::ADDAX_ISA
