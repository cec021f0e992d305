// Pooling over windows of images [n, height, width, channels], and its gradients: an item per
// element of what is made. Padding never counts.

typedef struct {
  WindowAxis height, width;
  int channels;
} Geometry;

// The part of a window that lies on the input.
typedef struct {
  int begin, end;
} Range;

inline Range window_at(const WindowAxis axis, const int out) {
  const int first = out * axis.stride - axis.low;
  return (Range){max(first, 0), min(first + axis.size, axis.in)};
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

#ifdef MAX
// Where the first largest element of a window is; NaN counts as largest.
inline int largest(const __global uchar* x, const Geometry g, const int image, const Range rows,
                   const Range columns, const int channel) {
  int best_at = INPUT_AT(image, rows.begin, columns.begin, channel);
  T best = LOAD_X(x, best_at);
  for (int h = rows.begin; h < rows.end; ++h) {
    for (int w = columns.begin; w < columns.end; ++w) {
      const int here = INPUT_AT(image, h, w, channel);
      const T value = LOAD_X(x, here);
      if (value > best || (value != value && best == best)) {
        best = value;
        best_at = here;
      }
    }
  }
  return best_at;
}
#endif

inline int elements_of(const Range rows, const Range columns) {
  return (rows.end - rows.begin) * (columns.end - columns.begin);
}

#ifdef FORWARD
__kernel void pool(RECORD, const int count, const Geometry g, TENSOR(x), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= count) return;
  const int channel = i % g.channels, pixel = i / g.channels;
  const int image = pixel / (g.height.out * g.width.out);
  const Range rows = window_at(g.height, pixel / g.width.out % g.height.out);
  const Range columns = window_at(g.width, pixel % g.width.out);
#ifdef MAX
  const T result = LOAD_X(ADDRESS(x), largest(ADDRESS(x), g, image, rows, columns, channel));
#else
  T total = 0;
  for (int h = rows.begin; h < rows.end; ++h) {
    for (int w = columns.begin; w < columns.end; ++w) {
      total += LOAD_X(ADDRESS(x), INPUT_AT(image, h, w, channel));
    }
  }
  const T result = total / elements_of(rows, columns);
#endif
  STORE_X(ADDRESS(y), i, result);
}
#endif

#ifdef GRADIENT
// An element of the input collects from the windows that hold it, in their order.
__kernel void pool_grad(RECORD, const int count, const Geometry g, TENSOR(x), TENSOR(dy),
                        TENSOR(dx)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= count) return;
  const int channel = i % g.channels, pixel = i / g.channels;
  const int image = pixel / (g.height.in * g.width.in);
  const Range over_rows = windows_over(g.height, pixel / g.width.in % g.height.in);
  const Range over_columns = windows_over(g.width, pixel % g.width.in);
  T total = 0;
  for (int h = over_rows.begin; h < over_rows.end; ++h) {
    for (int w = over_columns.begin; w < over_columns.end; ++w) {
      const Range rows = window_at(g.height, h), columns = window_at(g.width, w);
      const T share = LOAD_X(ADDRESS(dy), OUTPUT_AT(image, h, w, channel));
#ifdef MAX
      if (largest(ADDRESS(x), g, image, rows, columns, channel) == i) total += share;
#else
      total += share / elements_of(rows, columns);
#endif
    }
  }
  STORE_X(ADDRESS(dx), i, total);
}
#endif
