// The operations of scalar expressions in the class T: float, double or long. Comparisons give 1 or
// 0 in T.

inline T op_maximum(T a, T b) { return a > b || a != a ? a : b; }
inline T op_minimum(T a, T b) { return a < b || a != a ? a : b; }
inline T op_equal(T a, T b) { return a == b; }
inline T op_not_equal(T a, T b) { return a != b; }
inline T op_less(T a, T b) { return a < b; }
inline T op_less_equal(T a, T b) { return a <= b; }
inline T op_greater(T a, T b) { return a > b; }
inline T op_greater_equal(T a, T b) { return a >= b; }
inline T op_logical_and(T a, T b) { return a != 0 && b != 0; }
inline T op_logical_or(T a, T b) { return a != 0 || b != 0; }
inline T op_logical_not(T a) { return a == 0; }
inline T op_where(T condition, T a, T b) { return condition != 0 ? a : b; }
inline T op_isnan(T a) { return a != a; }
inline T op_sign(T a) { return a > 0 ? (T)1 : a < 0 ? (T)-1 : a; }

#ifdef CLASS_int64

// Integers wrap; quotients round towards minus infinity, and by 0 are 0.
inline T op_add(T a, T b) { return (T)((ulong)a + (ulong)b); }
inline T op_subtract(T a, T b) { return (T)((ulong)a - (ulong)b); }
inline T op_multiply(T a, T b) { return (T)((ulong)a * (ulong)b); }
inline T op_negative(T a) { return (T)(-(ulong)a); }
inline T op_abs(T a) { return (T)abs(a); }
inline T op_floor(T a) { return a; }
inline T op_ceil(T a) { return a; }
inline T op_round(T a) { return a; }
inline T op_isfinite(T a) { return 1; }
inline T op_floor_divide(T a, T b) {
  if (b == 0) return 0;
  if (b == -1) return op_negative(a);
  const T quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}
inline T op_mod(T a, T b) {
  if (b == 0 || b == -1) return 0;
  const T rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline T op_power(T base, T exponent) {
  if (exponent < 0) return base == 1 ? 1 : base != -1 ? 0 : exponent % 2 != 0 ? -1 : 1;
  T result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = op_multiply(result, base);
    base = op_multiply(base, base);
  }
  return result;
}
#define LOWEST LONG_MIN
#define HIGHEST LONG_MAX

#else

inline T op_add(T a, T b) { return a + b; }
inline T op_subtract(T a, T b) { return a - b; }
inline T op_multiply(T a, T b) { return a * b; }
inline T op_divide(T a, T b) { return a / b; }
inline T op_negative(T a) { return -a; }
inline T op_abs(T a) { return fabs(a); }
inline T op_floor(T a) { return floor(a); }
inline T op_ceil(T a) { return ceil(a); }
inline T op_round(T a) { return rint(a); }
inline T op_isfinite(T a) { return a - a == 0; }
inline T op_exp(T a) { return exp(a); }
inline T op_expm1(T a) { return expm1(a); }
inline T op_log(T a) { return log(a); }
inline T op_log1p(T a) { return log1p(a); }
inline T op_sqrt(T a) { return sqrt(a); }
inline T op_rsqrt(T a) { return 1 / sqrt(a); }
inline T op_sin(T a) { return sin(a); }
inline T op_cos(T a) { return cos(a); }
inline T op_tan(T a) { return tan(a); }
inline T op_tanh(T a) { return tanh(a); }
inline T op_arctan(T a) { return atan(a); }
inline T op_arctan2(T a, T b) { return atan2(a, b); }
inline T op_erf(T a) { return erf(a); }
inline T op_power(T a, T b) { return pow(a, b); }
// As NumPy's % and //: the remainder has the divisor's sign, and a == b * (a // b) + a % b.
inline T op_mod(T a, T b) {
  const T rest = fmod(a, b);
  if (rest == 0) return copysign((T)0, b);
  return (b < 0) != (rest < 0) ? rest + b : rest;
}
inline T op_floor_divide(T a, T b) {
  if (b == 0) return a / b;
  const T rest = fmod(a, b);
  T quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return copysign((T)0, a / b);
  const T whole = floor(quotient);
  return quotient - whole > (T)0.5 ? whole + 1 : whole;
}
#define LOWEST (-(T)INFINITY)
#define HIGHEST ((T)INFINITY)

#endif

#define FOLD_sum op_add
#define FOLD_prod op_multiply
#define FOLD_max op_maximum
#define FOLD_min op_minimum
#define IDENTITY_sum ((T)0)
#define IDENTITY_prod ((T)1)
#define IDENTITY_max LOWEST
#define IDENTITY_min HIGHEST
