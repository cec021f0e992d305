// Draws of a generator's state {seed, counter}: Philox 4x32 with 10 rounds, the bits that the CPU
// draws.

inline uint4 philox(ulong key, uint4 counter) {
  uint key_0 = (uint)key, key_1 = (uint)(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint even = 0xD2511F53u, odd = 0xCD9E8D57u;
    counter = (uint4)(mul_hi(counter.z, odd) ^ counter.y ^ key_0, counter.z * odd,
                      mul_hi(counter.x, even) ^ counter.w ^ key_1, counter.x * even);
    key_0 += 0x9E3779B9u;
    key_1 += 0xBB67AE85u;
  }
  return counter;
}

inline void draw(const __global ulong* state, int block, uint words[4]) {
  const ulong counter = state[1] + (ulong)block;
  const uint4 drawn = philox(state[0], (uint4)((uint)counter, (uint)(counter >> 32), 0, 0));
  words[0] = drawn.x;
  words[1] = drawn.y;
  words[2] = drawn.z;
  words[3] = drawn.w;
}

// A number in [0, 1).
inline T unit(uint word) { return (T)(int)(word >> 8) * (T)0x1p-24f; }

__kernel void advance(RECORD, const int blocks, TENSOR(state), TENSOR(next)) {
  RETURN_IF_FAILED;
  const __global ulong* from = (const __global ulong*)ADDRESS(state);
  __global ulong* to = (__global ulong*)ADDRESS(next);
  const ulong counter = from[1] + (ulong)blocks;
  to[0] = from[0];
  to[1] = counter;
}

#ifdef UNIFORM
// An item makes the numbers of one block.
__kernel void draw_uniform(RECORD, const int count, const T low, const T span, TENSOR(state),
                      TENSOR(y)) {
  RETURN_IF_FAILED;
  const int block = get_global_id(0);
  uint words[4];
  draw((const __global ulong*)ADDRESS(state), block, words);
  for (int i = 0; i < 4 && 4 * block + i < count; ++i) {
    const T scaled = unit(words[i]) * span;
    STORE_Y(ADDRESS(y), 4 * block + i, low + scaled);
  }
}
#endif

#ifdef NORMAL
// Quotients of polynomials, lowest power first, after Wichura's algorithm AS 241.
inline double rational(const double x, __constant double* above, __constant double* below) {
  double numerator = above[7], denominator = below[6];
  for (int i = 6; i >= 0; --i) numerator = numerator * x + above[i];
  for (int i = 5; i >= 0; --i) denominator = denominator * x + below[i];
  return numerator / (denominator * x + 1);
}

__constant double kCentreAbove[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                     1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                     4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                     3.3430575583588128105e+4, 2.5090809287301226727e+3};
__constant double kCentreBelow[7] = {4.2313330701600911252e+1, 6.8718700749205790830e+2,
                                     5.3941960214247511077e+3, 2.1213794301586595867e+4,
                                     3.9307895800092710610e+4, 2.8729085735721942674e+4,
                                     5.2264952788528545610e+3};
__constant double kFlankAbove[8] = {1.42343711074968357734e0,   4.63033784615654529590e0,
                                    5.76949722146069140550e0,   3.64784832476320460504e0,
                                    1.27045825245236838258e0,   2.41780725177450611770e-1,
                                    2.27238449892691845833e-2,  7.74545014278341407640e-4};
__constant double kFlankBelow[7] = {2.05319162663775882187e0,  1.67638483018380384940e0,
                                    6.89767334985100004550e-1, 1.48103976427480074590e-1,
                                    1.51986665636164571966e-2, 5.47593808499534494600e-4,
                                    1.05075007164441684324e-9};
__constant double kTailAbove[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                   1.78482653991729133580e0,  2.96560571828504891230e-1,
                                   2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                   2.71155556874348757815e-5, 2.01033439929228813265e-7};
__constant double kTailBelow[7] = {5.99832206555887937690e-1, 1.36929880922735805310e-1,
                                   1.48753612908506148525e-2, 7.86869131145613259100e-4,
                                   1.84631831751005468180e-5, 1.42151175831644588870e-7,
                                   2.04426310338993978564e-15};

inline double normal_quantile(double p) {
  const double q = p - 0.5;
  if (fabs(q) <= 0.425) return q * rational(0.180625 - q * q, kCentreAbove, kCentreBelow);
  const double r = sqrt(-log(q < 0 ? p : 1 - p));
  const double z = r <= 5 ? rational(r - 1.6, kFlankAbove, kFlankBelow)
                          : rational(r - 5, kTailAbove, kTailBelow);
  return copysign(z, q);
}

// `beyond` is the share of the distribution that is cut off at either end.
__kernel void draw_normal(RECORD, const int count, const double mean, const double stddev,
                     const double beyond, TENSOR(state), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int block = get_global_id(0);
  uint words[4];
  draw((const __global ulong*)ADDRESS(state), block, words);
  for (int i = 0; i < 4 && 4 * block + i < count; ++i) {
    const double p = unit(words[i]) + 0x1p-25;
    const double z = normal_quantile(beyond + p * (1 - 2 * beyond));
    STORE_Y(ADDRESS(y), 4 * block + i, mean + stddev * z);
  }
}
#endif

#ifdef BATCH_INDICES
// Positions of a batch must be within [0, n): the first one that is not becomes the run's record.
__kernel void check_batch(RECORD, const uint step, const int node, const long n, const int batch,
                          TENSOR(cursor)) {
  RETURN_IF_FAILED;
  const long first = *(const __global long*)ADDRESS(cursor) * batch;
  if (first >= 0 && first + batch <= n) return;
  const long index = first < 0 ? 0 : max(n - first, (long)0);
  record->value = first + index;
  record->index = index;
  record->step = step;
  record->node = node + 1;
}

// An item makes one index: the image of its position under a keyed Feistel network over 2 *
// half_bits bits, applied until a number below n comes up.
__kernel void batch_indices(RECORD, const long n, const int batch, const int half_bits,
                            const int shuffle, TENSOR(cursor), TENSOR(state), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= batch) return;
  ulong number = (ulong)(*(const __global long*)ADDRESS(cursor) * batch + i);
  const __global ulong* key = (const __global ulong*)ADDRESS(state);
  const ulong mask = ((ulong)1 << half_bits) - 1;
  for (bool done = shuffle == 0; !done; done = number < (ulong)n) {
    ulong left = number >> half_bits, right = number & mask;
    for (uint round = 0; round < 6; ++round) {
      const uint4 counter = (uint4)((uint)right, round, (uint)key[1], (uint)(key[1] >> 32));
      const ulong next = left ^ ((ulong)philox(key[0], counter).x & mask);
      left = right;
      right = next;
    }
    number = left << half_bits | right;
  }
  ((__global ulong*)ADDRESS(y))[i] = number;
}
#endif
