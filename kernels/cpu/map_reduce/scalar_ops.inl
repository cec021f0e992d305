// Scalar operations on vectors of one ISA level; see simd.inl.
#pragma once

#include <cmath>

#include "cpu/isa/math_f32.inl"
#include "cpu/isa/simd.inl"

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

// One value at a time: what has no vector code.
template <class T, T (*kFunction)(T)>
struct EachLane {
  __attribute__((noinline)) static Vec<T> apply(Vec<T> a) {
    for (int64_t i = 0; i < kWidth<T>; ++i) a[i] = kFunction(a[i]);
    return a;
  }
};
template <class T, T (*kFunction)(T, T)>
struct EachPair {
  __attribute__((noinline)) static Vec<T> apply(Vec<T> a, Vec<T> b) {
    for (int64_t i = 0; i < kWidth<T>; ++i) a[i] = kFunction(a[i], b[i]);
    return a;
  }
};

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

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
