// Instructions, folds and the table of one ISA level; see simd.inl.
#pragma once

#include <cmath>

#include "cpu/convert.inl"
#include "cpu/math_f32.inl"
#include "cpu/simd.inl"
#include "cpu/tape_ops.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

using D = Vec<double>;
using L = Vec<int64_t>;

inline D select(L mask, D a, D b) { return mask ? a : b; }
inline L select(L mask, L a, L b) { return mask ? a : b; }
inline L is_nan(D x) { return x != x; }
inline L is_nan(L) { return L{}; }
inline D abs(D x) { return bits_as<D>(bits_as<L>(x) & INT64_MAX); }
inline L abs(L x) {
  const L sign = x >> 63;
  return bits_as<L>(bits_as<Vec<uint64_t>>(x ^ sign) - bits_as<Vec<uint64_t>>(sign));
}
inline D round_even(D x) {
  const D magnitude = abs(x);
  const D rounded = (magnitude + 0x1p52) - 0x1p52;
  const D sign = bits_as<D>(bits_as<L>(x) & INT64_MIN);
  const D signed_result = bits_as<D>(bits_as<L>(rounded) | bits_as<L>(sign));
  return select(magnitude < 0x1p52, signed_result, x);
}

template <class V>
inline V one_where(decltype(V{} < V{}) mask) {
  return select(mask, V{} + 1, V{});
}

// Integers wrap.
inline F add(F a, F b) { return a + b; }
inline D add(D a, D b) { return a + b; }
inline L add(L a, L b) { return bits_as<L>(bits_as<Vec<uint64_t>>(a) + bits_as<Vec<uint64_t>>(b)); }
inline F subtract(F a, F b) { return a - b; }
inline D subtract(D a, D b) { return a - b; }
inline L subtract(L a, L b) {
  return bits_as<L>(bits_as<Vec<uint64_t>>(a) - bits_as<Vec<uint64_t>>(b));
}
inline F multiply(F a, F b) { return a * b; }
inline D multiply(D a, D b) { return a * b; }
inline L multiply(L a, L b) {
  return bits_as<L>(bits_as<Vec<uint64_t>>(a) * bits_as<Vec<uint64_t>>(b));
}

struct Add {
  template <class V>
  static V apply(V a, V b) {
    return add(a, b);
  }
};
struct Subtract {
  template <class V>
  static V apply(V a, V b) {
    return subtract(a, b);
  }
};
struct Multiply {
  template <class V>
  static V apply(V a, V b) {
    return multiply(a, b);
  }
};
struct Divide {
  template <class V>
  static V apply(V a, V b) {
    return a / b;
  }
};
// NaN wins, as in NumPy.
struct Maximum {
  template <class V>
  static V apply(V a, V b) {
    return select((a > b) | is_nan(a), a, b);
  }
};
struct Minimum {
  template <class V>
  static V apply(V a, V b) {
    return select((a < b) | is_nan(a), a, b);
  }
};
struct Equal {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>(a == b);
  }
};
struct NotEqual {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>(a != b);
  }
};
struct Less {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>(a < b);
  }
};
struct LessEqual {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>(a <= b);
  }
};
struct Greater {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>(a > b);
  }
};
struct GreaterEqual {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>(a >= b);
  }
};
struct LogicalAnd {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>((a != 0) & (b != 0));
  }
};
struct LogicalOr {
  template <class V>
  static V apply(V a, V b) {
    return one_where<V>((a != 0) | (b != 0));
  }
};
struct LogicalNot {
  template <class V>
  static V apply(V a) {
    return one_where<V>(a == 0);
  }
};
struct Where {
  template <class V>
  static V apply(V condition, V a, V b) {
    return select(condition != 0, a, b);
  }
};
struct Negative {
  static F apply(F a) { return -a; }
  static D apply(D a) { return -a; }
  static L apply(L a) { return subtract(L{}, a); }
};
struct Abs {
  template <class V>
  static V apply(V a) {
    return abs(a);
  }
};
struct Sign {
  template <class V>
  static V apply(V a) {
    return select(a > 0, V{} + 1, select(a < 0, V{} - 1, select(is_nan(a), a, V{})));
  }
};
struct Sqrt {
  template <class V>
  static V apply(V a) {
    return square_root(a);
  }
};
struct Rsqrt {
  template <class V>
  static V apply(V a) {
    return 1 / square_root(a);
  }
};
struct Floor {
  template <class V>
  static V apply(V a) {
    const V r = round_even(a);
    return select(r > a, r - 1, r);
  }
};
struct Ceil {
  template <class V>
  static V apply(V a) {
    const V r = round_even(a);
    return select(r < a, r + 1, r);
  }
};
struct Round {
  template <class V>
  static V apply(V a) {
    return round_even(a);
  }
};
struct IsNan {
  template <class V>
  static V apply(V a) {
    return one_where<V>(is_nan(a));
  }
};
struct IsFinite {
  template <class V>
  static V apply(V a) {
    return one_where<V>((a - a) == 0);
  }
};
struct One {
  template <class V>
  static V apply(V) {
    return V{} + 1;
  }
};
struct Identity {
  template <class V>
  static V apply(V a) {
    return a;
  }
};
struct Exp {
  static F apply(F a) { return exp(a); }
};
struct Expm1 {
  static F apply(F a) { return expm1(a); }
};
struct Log {
  static F apply(F a) { return log(a); }
};
struct Log1p {
  static F apply(F a) { return log1p(a); }
};
struct Tanh {
  static F apply(F a) { return tanh(a); }
};
struct Erf {
  static F apply(F a) { return erf(a); }
};

template <class T, class Op>
void unary(void* to, Operand a, Operand, Operand, int64_t n) {
  T* out = static_cast<T*>(to);
  const T* x = static_cast<const T*>(a.data);
  for (int64_t i = 0; i < n; i += kWidth<T>) store(out + i, Op::apply(load(x + (i & a.step))));
}

template <class T, class Op>
void binary(void* to, Operand a, Operand b, Operand, int64_t n) {
  T* out = static_cast<T*>(to);
  const T* x = static_cast<const T*>(a.data);
  const T* y = static_cast<const T*>(b.data);
  for (int64_t i = 0; i < n; i += kWidth<T>) {
    store(out + i, Op::apply(load(x + (i & a.step)), load(y + (i & b.step))));
  }
}

template <class T, class Op>
void ternary(void* to, Operand a, Operand b, Operand c, int64_t n) {
  T* out = static_cast<T*>(to);
  const T* x = static_cast<const T*>(a.data);
  const T* y = static_cast<const T*>(b.data);
  const T* z = static_cast<const T*>(c.data);
  for (int64_t i = 0; i < n; i += kWidth<T>) {
    store(out + i,
          Op::apply(load(x + (i & a.step)), load(y + (i & b.step)), load(z + (i & c.step))));
  }
}

// One value at a time: what has no vector code.
template <class T, T (*kFunction)(T)>
void each(void* to, Operand a, Operand, Operand, int64_t n) {
  T* out = static_cast<T*>(to);
  const T* x = static_cast<const T*>(a.data);
  for (int64_t i = 0; i < n; ++i) out[i] = kFunction(x[i & a.step]);
}

template <class T, T (*kFunction)(T, T)>
void each_pair(void* to, Operand a, Operand b, Operand, int64_t n) {
  T* out = static_cast<T*>(to);
  const T* x = static_cast<const T*>(a.data);
  const T* y = static_cast<const T*>(b.data);
  for (int64_t i = 0; i < n; ++i) out[i] = kFunction(x[i & a.step], y[i & b.step]);
}

// As NumPy's % and //: the remainder has the divisor's sign, and a == b * floor_divide + mod.
template <class T>
T mod(T a, T b) {
  T m = __builtin_fmod(a, b);
  if (m != 0) {
    if ((b < 0) != (m < 0)) m += b;
  } else {
    m = __builtin_copysign(T{0}, b);
  }
  return m;
}

template <class T>
T floor_divide(T a, T b) {
  if (b == 0) return a / b;
  T m = __builtin_fmod(a, b);
  T quotient = (a - m) / b;
  if (m != 0 && (b < 0) != (m < 0)) quotient -= 1;
  if (quotient == 0) return __builtin_copysign(T{0}, a / b);
  const T whole = __builtin_floor(quotient);
  return quotient - whole > T{0.5} ? whole + 1 : whole;
}

// Division by zero gives 0, as in NumPy; the smallest integer divided by -1 wraps.
int64_t floor_divide_int(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int64_t>(-static_cast<uint64_t>(a));
  const int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

int64_t mod_int(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  const int64_t m = a % b;
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

int64_t power_int(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 1) return 1;
    if (base == -1) return exponent % 2 != 0 ? -1 : 1;
    return 0;
  }
  uint64_t result = 1, factor = static_cast<uint64_t>(base);
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<int64_t>(result);
}

float power(float a, float b) { return __builtin_powf(a, b); }
float arctan2(float a, float b) { return __builtin_atan2f(a, b); }
float sine(float a) { return __builtin_sinf(a); }
float cosine(float a) { return __builtin_cosf(a); }
float tangent(float a) { return __builtin_tanf(a); }
float arctangent(float a) { return __builtin_atanf(a); }
double power(double a, double b) { return __builtin_pow(a, b); }
double arctan2(double a, double b) { return __builtin_atan2(a, b); }
double sine(double a) { return __builtin_sin(a); }
double cosine(double a) { return __builtin_cos(a); }
double tangent(double a) { return __builtin_tan(a); }
double arctangent(double a) { return __builtin_atan(a); }
double exponential(double a) { return __builtin_exp(a); }
double exponential_less_one(double a) { return __builtin_expm1(a); }
double logarithm(double a) { return __builtin_log(a); }
double logarithm_plus_one(double a) { return __builtin_log1p(a); }
double hyperbolic_tangent(double a) { return __builtin_tanh(a); }
double error_function(double a) { return __builtin_erf(a); }

// Lanes that a fold keeps apart: as many bytes at every level, hence the same sums.
template <class T>
constexpr int64_t kLanes = 256 / static_cast<int64_t>(sizeof(T));

template <class T, class Op>
void fold(const void* from, int64_t n, void* to) {
  constexpr int64_t kVectors = kLanes<T> / kWidth<T>;
  const T* x = static_cast<const T*>(from);
  Vec<T> lanes[kVectors];
  for (auto& lane : lanes) lane = broadcast(Op::template identity<T>());
  const int64_t whole = n - n % kLanes<T>;
  for (int64_t i = 0; i < whole; i += kLanes<T>) {
    for (int64_t v = 0; v < kVectors; ++v) {
      lanes[v] = Op::apply(lanes[v], load(x + i + v * kWidth<T>));
    }
  }
  alignas(kMaxVectorBytes) T rest[kLanes<T>];
  if (whole < n) {
    for (int64_t v = 0; v < kVectors; ++v) {
      store(rest + v * kWidth<T>, broadcast(Op::template identity<T>()));
    }
    for (int64_t i = whole; i < n; ++i) rest[i - whole] = x[i];
    for (int64_t v = 0; v < kVectors; ++v) {
      lanes[v] = Op::apply(lanes[v], load(rest + v * kWidth<T>));
    }
  }
  for (int64_t half = kVectors / 2; half > 0; half /= 2) {
    for (int64_t v = 0; v < half; ++v) lanes[v] = Op::apply(lanes[v], lanes[v + half]);
  }
  const auto apply = [](Vec<T> a, Vec<T> b) { return Op::apply(a, b); };
  *static_cast<T*>(to) = combine_lanes<T>(lanes[0], apply)[0];
}

// kVectors vectors of columns, or part of one.
template <class T, class Op, int64_t kVectors>
inline void fold_columns_of(const T* x, int64_t rows, int64_t stride, int64_t count, T* to) {
  Vec<T> sums[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) sums[v] = load_up_to(to + v * kWidth<T>, count);
  for (int64_t row = 0; row < rows; ++row, x += stride) {
    for (int64_t v = 0; v < kVectors; ++v) {
      sums[v] = Op::apply(sums[v], load_up_to(x + v * kWidth<T>, count));
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) store_up_to<T>(to + v * kWidth<T>, sums[v], count);
}

template <class T, class Op>
void fold_columns(const void* from, int64_t rows, int64_t cols, void* to) {
  const T* x = static_cast<const T*>(from);
  T* sums = static_cast<T*>(to);
  constexpr int64_t kAtOnce = 4;
  int64_t i = 0;
  for (; i + kAtOnce * kWidth<T> <= cols; i += kAtOnce * kWidth<T>) {
    fold_columns_of<T, Op, kAtOnce>(x + i, rows, cols, kWidth<T>, sums + i);
  }
  for (; i + kWidth<T> <= cols; i += kWidth<T>) {
    fold_columns_of<T, Op, 1>(x + i, rows, cols, kWidth<T>, sums + i);
  }
  if (i < cols) fold_columns_of<T, Op, 1>(x + i, rows, cols, cols - i, sums + i);
}

struct FoldSum : Add {
  template <class T>
  static T identity() {
    return 0;
  }
};
struct FoldProd : Multiply {
  template <class T>
  static T identity() {
    return 1;
  }
};
struct FoldMax : Maximum {
  template <class T>
  static T identity() {
    if constexpr (static_cast<T>(0.5) != 0) return static_cast<T>(-__builtin_inf());
    return static_cast<T>(INT64_MIN);
  }
};
struct FoldMin : Minimum {
  template <class T>
  static T identity() {
    if constexpr (static_cast<T>(0.5) != 0) return static_cast<T>(__builtin_inf());
    return static_cast<T>(INT64_MAX);
  }
};

constexpr size_t at(ScalarOp op) { return static_cast<size_t>(op); }

// What all classes have.
template <class T>
ClassOps common_ops() {
  ClassOps c;
  c.ops[at(ScalarOp::Add)] = binary<T, Add>;
  c.ops[at(ScalarOp::Subtract)] = binary<T, Subtract>;
  c.ops[at(ScalarOp::Multiply)] = binary<T, Multiply>;
  c.ops[at(ScalarOp::Maximum)] = binary<T, Maximum>;
  c.ops[at(ScalarOp::Minimum)] = binary<T, Minimum>;
  c.ops[at(ScalarOp::Negative)] = unary<T, Negative>;
  c.ops[at(ScalarOp::Abs)] = unary<T, Abs>;
  c.ops[at(ScalarOp::Sign)] = unary<T, Sign>;
  c.ops[at(ScalarOp::Equal)] = binary<T, Equal>;
  c.ops[at(ScalarOp::NotEqual)] = binary<T, NotEqual>;
  c.ops[at(ScalarOp::Less)] = binary<T, Less>;
  c.ops[at(ScalarOp::LessEqual)] = binary<T, LessEqual>;
  c.ops[at(ScalarOp::Greater)] = binary<T, Greater>;
  c.ops[at(ScalarOp::GreaterEqual)] = binary<T, GreaterEqual>;
  c.ops[at(ScalarOp::LogicalAnd)] = binary<T, LogicalAnd>;
  c.ops[at(ScalarOp::LogicalOr)] = binary<T, LogicalOr>;
  c.ops[at(ScalarOp::LogicalNot)] = unary<T, LogicalNot>;
  c.ops[at(ScalarOp::Where)] = ternary<T, Where>;
  c.ops[at(ScalarOp::IsNan)] = unary<T, IsNan>;
  c.fold[static_cast<size_t>(ReduceKind::Sum)] = fold<T, FoldSum>;
  c.fold_columns[static_cast<size_t>(ReduceKind::Sum)] = fold_columns<T, FoldSum>;
  c.fold[static_cast<size_t>(ReduceKind::Max)] = fold<T, FoldMax>;
  c.fold_columns[static_cast<size_t>(ReduceKind::Max)] = fold_columns<T, FoldMax>;
  c.fold[static_cast<size_t>(ReduceKind::Min)] = fold<T, FoldMin>;
  c.fold_columns[static_cast<size_t>(ReduceKind::Min)] = fold_columns<T, FoldMin>;
  c.fold[static_cast<size_t>(ReduceKind::Prod)] = fold<T, FoldProd>;
  c.fold_columns[static_cast<size_t>(ReduceKind::Prod)] = fold_columns<T, FoldProd>;
  c.load = loads<T>();
  c.store = stores<T>();
  return c;
}

template <class T>
ClassOps floating_ops() {
  ClassOps c = common_ops<T>();
  c.ops[at(ScalarOp::Divide)] = binary<T, Divide>;
  c.ops[at(ScalarOp::FloorDivide)] = each_pair<T, floor_divide<T>>;
  c.ops[at(ScalarOp::Mod)] = each_pair<T, mod<T>>;
  c.ops[at(ScalarOp::Power)] = each_pair<T, power>;
  c.ops[at(ScalarOp::Arctan2)] = each_pair<T, arctan2>;
  c.ops[at(ScalarOp::Sqrt)] = unary<T, Sqrt>;
  c.ops[at(ScalarOp::Rsqrt)] = unary<T, Rsqrt>;
  c.ops[at(ScalarOp::Sin)] = each<T, sine>;
  c.ops[at(ScalarOp::Cos)] = each<T, cosine>;
  c.ops[at(ScalarOp::Tan)] = each<T, tangent>;
  c.ops[at(ScalarOp::Arctan)] = each<T, arctangent>;
  c.ops[at(ScalarOp::Floor)] = unary<T, Floor>;
  c.ops[at(ScalarOp::Ceil)] = unary<T, Ceil>;
  c.ops[at(ScalarOp::Round)] = unary<T, Round>;
  c.ops[at(ScalarOp::IsFinite)] = unary<T, IsFinite>;
  return c;
}

TapeOps make_tape_ops() {
  TapeOps table;
  ClassOps& f32 = table.f32 = floating_ops<float>();
  f32.ops[at(ScalarOp::Exp)] = unary<float, Exp>;
  f32.ops[at(ScalarOp::Expm1)] = unary<float, Expm1>;
  f32.ops[at(ScalarOp::Log)] = unary<float, Log>;
  f32.ops[at(ScalarOp::Log1p)] = unary<float, Log1p>;
  f32.ops[at(ScalarOp::Tanh)] = unary<float, Tanh>;
  f32.ops[at(ScalarOp::Erf)] = unary<float, Erf>;
  ClassOps& f64 = table.f64 = floating_ops<double>();
  f64.ops[at(ScalarOp::Exp)] = each<double, exponential>;
  f64.ops[at(ScalarOp::Expm1)] = each<double, exponential_less_one>;
  f64.ops[at(ScalarOp::Log)] = each<double, logarithm>;
  f64.ops[at(ScalarOp::Log1p)] = each<double, logarithm_plus_one>;
  f64.ops[at(ScalarOp::Tanh)] = each<double, hyperbolic_tangent>;
  f64.ops[at(ScalarOp::Erf)] = each<double, error_function>;
  ClassOps& i64 = table.i64 = common_ops<int64_t>();
  i64.ops[at(ScalarOp::FloorDivide)] = each_pair<int64_t, floor_divide_int>;
  i64.ops[at(ScalarOp::Mod)] = each_pair<int64_t, mod_int>;
  i64.ops[at(ScalarOp::Power)] = each_pair<int64_t, power_int>;
  i64.ops[at(ScalarOp::Floor)] = unary<int64_t, Identity>;
  i64.ops[at(ScalarOp::Ceil)] = unary<int64_t, Identity>;
  i64.ops[at(ScalarOp::Round)] = unary<int64_t, Identity>;
  i64.ops[at(ScalarOp::IsFinite)] = unary<int64_t, One>;
  return table;
}

}  // namespace

const TapeOps& tape_ops() {
  static const TapeOps table = make_tape_ops();
  return table;
}

}  // namespace addax::cpu::ADDAX_ISA
