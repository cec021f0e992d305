// The positions that put lines of x [outer, extent, inner] in order, each element by its key and,
// where keys are equal, its position: a bitonic network whose comparisons all have the smaller one
// first, so that a line needs no padding to a power of two. The program says by LOAD_X what the
// dtype is, and by DESCENDING which way to sort.

// Unsigned numbers in the order of the values: -0 with +0, every NaN behind infinity.
#ifdef CLASS_float32
typedef uint Key;
inline Key ascending(float x) {
  const uint bits = as_uint(x);
  const uint magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0xffffffffu;
  return magnitude == bits ? bits | 0x80000000u : 0x80000000u - magnitude;
}
#else
typedef ulong Key;
#define SIGN 0x8000000000000000ul
#ifdef CLASS_float64
inline Key ascending(double x) {
  const ulong bits = as_ulong(x);
  const ulong magnitude = bits & ~SIGN;
  if (magnitude > 0x7ff0000000000000ul) return 0xfffffffffffffffful;
  return magnitude == bits ? bits | SIGN : SIGN - magnitude;
}
#else
inline Key ascending(long x) { return (ulong)x ^ SIGN; }
#endif
#endif

inline Key key_at(const __global uchar* x, int i) {
  const Key key = ascending((T)LOAD_X(x, i));
  return DESCENDING ? ~key : key;
}

inline int is_behind(Key a, int at_a, Key b, int at_b) {
  return a > b || (a == b && at_a > at_b);
}

// The first element of pair number `pair` in a step of the network, and the one that it is compared
// with: `distance` behind it, or where a block of twice that is merged first, mirrored in the block.
inline int first_of(int pair, int distance) {
  return pair / distance * 2 * distance + pair % distance;
}
inline int second_of(int first, int distance, int mirrored) {
  return first ^ (mirrored ? 2 * distance - 1 : distance);
}

#ifdef BLOCKS
// Sorts blocks of 2 * GROUP elements, a work-group each. Loops check `count` instead of ending there,
// which PoCL's vectorised work-groups miscompile.
__kernel void sort_blocks(RECORD, const int extent, const int blocks, const int inner, TENSOR(x),
                          TENSOR(y)) {
  RETURN_IF_FAILED;
  SHARED Key keys[2 * GROUP];
  SHARED int positions[2 * GROUP];
  const int item = get_local_id(0);
  const int line = get_group_id(0) / blocks;
  const int begin = get_group_id(0) % blocks * 2 * GROUP;
  const int count = min(2 * GROUP, extent - begin);
  const int base = line / inner * extent * inner + line % inner;
  for (int i = item; i < 2 * GROUP; i += GROUP) {
    if (i >= count) continue;
    keys[i] = key_at(ADDRESS(x), base + (begin + i) * inner);
    positions[i] = begin + i;
  }
  for (int size = 1; size < 2 * GROUP; size *= 2) {
    for (int distance = size; distance > 0; distance /= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      const int a = first_of(item, distance);
      const int b = second_of(a, distance, distance == size);
      if (b < count && is_behind(keys[a], positions[a], keys[b], positions[b])) {
        const Key key = keys[a];
        const int position = positions[a];
        keys[a] = keys[b];
        positions[a] = positions[b];
        keys[b] = key;
        positions[b] = position;
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = item; i < 2 * GROUP; i += GROUP) {
    if (i < count) STORE_int32(ADDRESS(y), base + (begin + i) * inner, positions[i]);
  }
}
#endif

#ifdef STEP
// One step of the network over lines of `pairs` pairs.
__kernel void sort_step(RECORD, const int items, const int extent, const int pairs, const int inner,
                        const int distance, const int mirrored, TENSOR(x), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= items) return;
  const int line = i / pairs;
  const int base = line / inner * extent * inner + line % inner;
  const int a = first_of(i % pairs, distance);
  const int b = second_of(a, distance, mirrored);
  if (b >= extent) return;
  const int at_a = LOAD_int32(ADDRESS(y), base + a * inner);
  const int at_b = LOAD_int32(ADDRESS(y), base + b * inner);
  const Key key_a = key_at(ADDRESS(x), base + at_a * inner);
  const Key key_b = key_at(ADDRESS(x), base + at_b * inner);
  if (!is_behind(key_a, at_a, key_b, at_b)) return;
  STORE_int32(ADDRESS(y), base + a * inner, at_b);
  STORE_int32(ADDRESS(y), base + b * inner, at_a);
}
#endif
