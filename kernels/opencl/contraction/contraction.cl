// y[batch, m, n] = finish(sum over k of a(batch, m, k) * b(batch, k, n)): what the kernels that do
// it share. In front of this stand the definitions of the tile, the loaders (matmul.cl, conv.cl),
// which say where an element lies, and `finish`, which stores a sum.
//
// a is found in two halves, since rows and columns repeat: find_a(a_row(batch, m), a_column(k)), or
// -1 for a zero. From there `a_step` leads on along k, as far as the run of `run` columns reaches
// that k lies in, and `b_step` in b.

#define ITEMS_M (TILE_M / ROWS)
#define ITEMS_N (TILE_N / COLUMNS)
#define ITEMS (ITEMS_M * ITEMS_N)
#define VECTORS (COLUMNS / VECTOR)

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#if VECTOR == 1
#define WIDE(name) name
#define WIDE_LOAD(dtype, p, i) PASTE(LOAD_, dtype)(p, i)
#define WIDE_STORE(value, lanes) (*(lanes) = (value))
#else
#define WIDE(name) PASTE(name, VECTOR)
#define WIDE_LOAD(dtype, p, i) WIDE(PASTE(convert_, T))(PASTE(WIDE_LOAD_, dtype)(p, i))
#define WIDE_STORE(value, lanes) WIDE(vstore)(value, 0, lanes)
#define WIDE_LOAD_OF(type, p, i) WIDE(vload)(0, (const __global type*)(p) + (i))
#define WIDE_LOAD_uint8(p, i) WIDE_LOAD_OF(uchar, p, i)
#define WIDE_LOAD_int8(p, i) WIDE_LOAD_OF(char, p, i)
#define WIDE_LOAD_int32(p, i) WIDE_LOAD_OF(int, p, i)
#define WIDE_LOAD_int64(p, i) WIDE_LOAD_OF(long, p, i)
#define WIDE_LOAD_float16(p, i) WIDE(vload_half)(0, (const __global half*)(p) + (i))
#define WIDE_LOAD_bfloat16(p, i) \
  WIDE(as_float)(WIDE(convert_uint)(WIDE_LOAD_OF(ushort, p, i)) << 16)
#define WIDE_LOAD_float32(p, i) WIDE_LOAD_OF(float, p, i)
#define WIDE_LOAD_float64(p, i) WIDE_LOAD_OF(double, p, i)
#endif
typedef WIDE(T) Wide;

#ifdef CLASS_int64
#define MULTIPLY_ADD(a, b, c) \
  WIDE(as_long)(WIDE(as_ulong)(a) * WIDE(as_ulong)(b) + WIDE(as_ulong)(c))
#elif defined(FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) mad(a, b, c)
#endif

// b where it lies, or as contraction_pack.cl left it.
#ifdef B_PACKED
#define FIND_B(k, n) ((batch * k_extent + (k)) * n_extent + (n))
#define B_STEP n_extent
#else
#define FIND_B(k, n) find_b(geometry, batch, k, n)
#define B_STEP b_step(geometry)
#endif

// Puts out the lanes from `first` to `end` of sums whose lane 0 belongs at `at`, in this column.
inline void put(__global uchar* y, const int at, const int column, const int first, const int end,
                const Wide sums EXTRAS) {
#ifdef PLAIN_STORE
  if (first <= 0 && end >= VECTOR) {
    WIDE_STORE(sums, (__global T*)y + at);
    return;
  }
#endif
  T lanes[VECTOR];
  WIDE_STORE(sums, lanes);
  if (first <= 0 && end >= VECTOR) {
    for (int i = 0; i < VECTOR; ++i) finish(at + i, column + i, lanes[i], y EXTRA_ARGUMENTS);
  } else {
    for (int i = max(first, 0); i < min(end, VECTOR); ++i) {
      finish(at + i, column + i, lanes[i], y EXTRA_ARGUMENTS);
    }
  }
}
