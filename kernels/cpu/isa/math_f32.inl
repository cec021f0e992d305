// Float32 functions on whole vectors. The polynomials are minimax fits of our own (iteratively
// reweighted least squares on Chebyshev nodes); the reductions are the classic ones of W. J. Cody
// and W. Waite, "Software Manual for the Elementary Functions", 1980. The tests hold every function
// to 4 units in the last place of the exact result; most stay within 2.
#pragma once

#include "cpu/isa/simd.inl"

namespace addax::cpu::ADDAX_ISA {
namespace {

using F = Vec<float>;
using I = Vec<int32_t>;

inline F select(I mask, F a, F b) { return mask ? a : b; }
inline F abs(F x) { return bits_as<F>(bits_as<I>(x) & 0x7fffffff); }
inline F copy_sign(F magnitude, F sign) {
  return bits_as<F>((bits_as<I>(magnitude) & 0x7fffffff) |
                    (bits_as<I>(sign) & static_cast<int32_t>(0x80000000)));
}
inline I is_nan(F x) { return x != x; }

// Nearest integer, ties to even: adding 2^23 leaves no bits for a fraction.
inline F round_even(F x) {
  const F magnitude = abs(x);
  const F rounded = (magnitude + 0x1p23f) - 0x1p23f;
  return select(magnitude < 0x1p23f, copy_sign(rounded, x), x);
}

// 2^n for n in [-126, 127].
inline F power_of_two(I n) { return bits_as<F>((n + 127) << 23); }

// e^r - 1 - r for |r| <= log(2) / 2.
inline F exp_tail(F r) {
  F p = r * 1.381421927e-03f + 8.368899114e-03f;
  p = p * r + 4.166840762e-02f;
  p = p * r + 1.666651964e-01f;
  p = p * r + 4.999999404e-01f;
  return p * r * r;
}

// x = n log(2) + r. log(2) in two parts, of which the first times n is exact.
struct ExpReduction {
  F n;
  F r;
};
inline ExpReduction reduce_exp(F x) {
  const F n = round_even(x * 1.44269504f);
  return {n, (x - n * 0.693359375f) - n * -2.12194440e-4f};
}

inline F exp(F x) {
  x = select(x > 89.f, broadcast(89.f), x);
  x = select(x < -104.f, broadcast(-104.f), x);
  const auto [n, r] = reduce_exp(x);
  const I whole = __builtin_convertvector(n, I);
  const I half = whole >> 1;  // 2^n itself may be subnormal or infinite
  return (1.f + (r + exp_tail(r))) * power_of_two(half) * power_of_two(whole - half);
}

inline F expm1(F x) {
  const F clamped = select(x < -18.f, broadcast(-18.f), select(x > 89.f, broadcast(89.f), x));
  const auto [n, r] = reduce_exp(clamped);
  const I whole = __builtin_convertvector(n, I);
  const I most = whole > 126 ? I{} + 126 : whole;
  const F scale = power_of_two(most);
  const F result = scale * (r + exp_tail(r)) + (scale - 1.f);
  const F rest = power_of_two(whole - most);
  return select(x == 0.f, x, result * rest);
}

// log(1 + y) - y for sqrt(1/2) - 1 <= y <= sqrt(2) - 1.
inline F log_tail(F y) {
  F p = y * 6.744550169e-02f + -1.167480871e-01f;
  p = p * y + 1.188860089e-01f;
  p = p * y + -1.240575537e-01f;
  p = p * y + 1.421951950e-01f;
  p = p * y + -1.666798592e-01f;
  p = p * y + 2.000211924e-01f;
  p = p * y + -2.500000894e-01f;
  p = p * y + 3.333331347e-01f;
  const F z = y * y;
  return p * y * z - 0.5f * z;
}

inline F log(F x) {
  const I subnormal = x < 0x1p-126f;
  const F scaled = select(subnormal, x * 0x1p25f, x);
  constexpr uint32_t kSqrtHalf = 0x3f3504f3;
  const I shifted = bits_as<I>(bits_as<Vec<uint32_t>>(scaled) - kSqrtHalf);
  const I exponent = shifted >> 23;
  const F y = bits_as<F>((shifted & 0x7fffff) + static_cast<int32_t>(kSqrtHalf)) - 1.f;
  const F e = __builtin_convertvector(exponent, F) - select(subnormal, broadcast(25.f), F{});
  F result = y + (log_tail(y) + e * -2.12194440e-4f) + e * 0.693359375f;
  result = select(x > 0x1.fffffep127f, x, result);
  result = select(x == 0.f, broadcast(-__builtin_inff()), result);
  return select((x < 0.f) | is_nan(x), broadcast(__builtin_nanf("")), result);
}

inline F log1p(F x) {
  const F u = 1.f + x;
  const F lost = x - (u - 1.f);  // what rounding took from 1 + x
  const F result = log(u) + lost / u;
  return select((u == 1.f), x, select((u > 0x1.fffffep127f) | (u <= 0.f), log(u), result));
}

inline F tanh(F x) {
  const F magnitude = abs(x);
  const F z = x * x;
  F p = z * -5.704522133e-03f + 2.063868754e-02f;
  p = p * z + -5.373959616e-02f;
  p = p * z + 1.333144158e-01f;
  p = p * z + -3.333328068e-01f;
  const F small = x + x * (z * p);
  const F large = 1.f - 2.f / (exp(magnitude + magnitude) + 1.f);
  return select(magnitude < 0.625f, small, copy_sign(large, x));
}

inline F erf(F x) {
  const F magnitude = abs(x);
  const F z = x * x;
  F p = z * 8.707683446e-05f + -8.217921713e-04f;
  p = p * z + 5.207283888e-03f;
  p = p * z + -2.686177753e-02f;
  p = p * z + 1.128373593e-01f;
  p = p * z + -3.761263490e-01f;
  p = p * z + 1.283791661e-01f;
  const F small = x + x * p;
  const F t = select(magnitude > 3.95f, broadcast(3.95f), magnitude);
  F q = t * 2.001785106e-05f + -4.221791460e-04f;  // -log(1 - erf(t))
  q = q * t + 4.112456925e-03f;
  q = q * t + -2.496770769e-02f;
  q = q * t + 1.080497950e-01f;
  q = q * t + 6.335520148e-01f;
  q = q * t + 1.129415631e+00f;
  q = q * t + -1.545031264e-04f;
  const F large = select(is_nan(x), x, copy_sign(1.f - exp(-q), x));
  return select(magnitude < 0.86f, small, large);
}

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
