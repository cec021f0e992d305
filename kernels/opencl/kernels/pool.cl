// Pooling over windows of images [n, height, width, channels], and its gradients: an item per WIDTH
// channels of a pixel of what is made, V. Padding never counts. With ARGMAX a max pool also puts out
// the positions of the maxima, and its gradient takes these in place of the images.

typedef struct {
  WindowAxis height, width;
  int channels;
} Geometry;

// Positions in a window are of type I, stored as bytes, and CHOOSE(a, b, c) is b where c holds.
#if WIDTH == 1
typedef T V;
typedef int I;
#define LOAD_V LOAD_X
#define STORE_V STORE_X
#define LOAD_POSITIONS(p, i) ((p)[i])
#define STORE_POSITIONS(p, i, v) ((p)[i] = (uchar)(v))
#define CHOOSE(a, b, c) ((c) ? (b) : (a))
#else
#define WORD_(a, b) a##b
#define WORD(a, b) WORD_(a, b)
typedef WORD(T, WIDTH) V;
typedef WORD(POSITION, WIDTH) I;
#define LOAD_V(p, i) WORD(vload, WIDTH)(0, (const __global T*)(p) + (i))
#define STORE_V(p, i, v) WORD(vstore, WIDTH)(v, 0, (__global T*)(p) + (i))
#define LOAD_POSITIONS(p, i) \
  WORD(WORD(convert_, POSITION), WIDTH)(WORD(vload, WIDTH)(0, (const __global uchar*)(p) + (i)))
#define STORE_POSITIONS(p, i, v) \
  WORD(vstore, WIDTH)(WORD(convert_uchar, WIDTH)(v), 0, (__global uchar*)(p) + (i))
#define CHOOSE(a, b, c) select(a, b, c)
#endif

typedef struct {
  int begin, end;
} Range;

// Where a window begins, and its part that lies on the input.
typedef struct {
  int first, begin, end;
} Reach;

inline Reach window_at(const WindowAxis axis, const int out) {
  const int first = out * axis.stride - axis.low;
  return (Reach){first, max(first, 0), min(first + axis.size, axis.in)};
}

// The windows that hold a position of the input.
inline Range windows_over(const WindowAxis axis, const int in) {
  const int reach = in + axis.low;
  const int begin = reach < axis.size ? 0 : (reach - axis.size) / axis.stride + 1;
  return (Range){begin, min(reach / axis.stride + 1, axis.out)};
}

inline int at(const Geometry g, const int height, const int width, const int image, const int h,
              const int w, const int channel) {
  return ((image * height + h) * width + w) * g.channels + channel;
}
#define INPUT_AT(image, h, w, channel) at(g, g.height.in, g.width.in, image, h, w, channel)
#define OUTPUT_AT(image, h, w, channel) at(g, g.height.out, g.width.out, image, h, w, channel)

// By rows, with padding counted.
inline int position_of(const Geometry g, const Reach rows, const Reach columns, const int h,
                       const int w) {
  return (h - rows.first) * g.width.size + w - columns.first;
}

#ifdef MAX
// The first largest element of each channel's window, and its position; NaN counts as largest.
typedef struct {
  V value;
  I position;
} Largest;

inline Largest largest(const __global uchar* x, const Geometry g, const int image, const Reach rows,
                       const Reach columns, const int channel) {
  Largest best = {LOAD_V(x, INPUT_AT(image, rows.begin, columns.begin, channel)),
                  (I)(position_of(g, rows, columns, rows.begin, columns.begin))};
  for (int h = rows.begin; h < rows.end; ++h) {
    for (int w = columns.begin; w < columns.end; ++w) {
      const V value = LOAD_V(x, INPUT_AT(image, h, w, channel));
      const I better = value > best.value || (value != value && best.value == best.value);
      best.value = CHOOSE(best.value, value, better);
      best.position = CHOOSE(best.position, (I)(position_of(g, rows, columns, h, w)), better);
    }
  }
  return best;
}
#endif

inline int elements_of(const Reach rows, const Reach columns) {
  return (rows.end - rows.begin) * (columns.end - columns.begin);
}

#ifdef FORWARD
#ifdef ARGMAX
#define AND_ARGMAX , TENSOR(argmax)
#else
#define AND_ARGMAX
#endif

// Items over the channels, the columns, and the rows of all images.
__kernel void pool(RECORD, const int images, const Geometry g, TENSOR(x),
                   TENSOR(y) AND_ARGMAX) {
  RETURN_IF_FAILED;
  const int channel = get_global_id(0) * WIDTH, column = get_global_id(1), line = get_global_id(2);
  if (channel >= g.channels || column >= g.width.out || line >= images * g.height.out) return;
  const int image = line / g.height.out, row = line % g.height.out;
  const Reach rows = window_at(g.height, row), columns = window_at(g.width, column);
#ifdef MAX
  const Largest best = largest(ADDRESS(x), g, image, rows, columns, channel);
  const V result = best.value;
#ifdef ARGMAX
  STORE_POSITIONS(ADDRESS(argmax), OUTPUT_AT(image, row, column, channel), best.position);
#endif
#else
  V result = 0;
  for (int h = rows.begin; h < rows.end; ++h) {
    for (int w = columns.begin; w < columns.end; ++w) {
      result += LOAD_V(ADDRESS(x), INPUT_AT(image, h, w, channel));
    }
  }
  result /= (T)elements_of(rows, columns);
#endif
  STORE_V(ADDRESS(y), OUTPUT_AT(image, row, column, channel), result);
}
#endif

#ifdef GRADIENT
// Each pixel of the input collects from the windows that hold it, in their order. `chosen` is the
// images, or the positions of the maxima.
__kernel void pool_grad(RECORD, const int images, const Geometry g, TENSOR(chosen), TENSOR(dy),
                        TENSOR(dx)) {
  RETURN_IF_FAILED;
  const int channel = get_global_id(0) * WIDTH, column = get_global_id(1), line = get_global_id(2);
  if (channel >= g.channels || column >= g.width.in || line >= images * g.height.in) return;
  const int image = line / g.height.in, row = line % g.height.in;
  const Range over_rows = windows_over(g.height, row);
  const Range over_columns = windows_over(g.width, column);
  V total = 0;
  for (int h = over_rows.begin; h < over_rows.end; ++h) {
    for (int w = over_columns.begin; w < over_columns.end; ++w) {
      const Reach rows = window_at(g.height, h), columns = window_at(g.width, w);
      const int window = OUTPUT_AT(image, h, w, channel);
      const V share = LOAD_V(ADDRESS(dy), window);
#ifdef MAX
#ifdef ARGMAX
      const I position = LOAD_POSITIONS(ADDRESS(chosen), window);
#else
      const I position = largest(ADDRESS(chosen), g, image, rows, columns, channel).position;
#endif
      const I here = position == (I)(position_of(g, rows, columns, row, column));
      total += CHOOSE((V)(0), share, here);
#else
      total += share / (T)elements_of(rows, columns);
#endif
    }
  }
  STORE_V(ADDRESS(dx), INPUT_AT(image, row, column, channel), total);
}
#endif
