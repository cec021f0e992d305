// Where the three contractions that a 2-D convolution is made of find their operands; what im2col
// would copy is read where it lies. Groups of channels are the batch.
//   x [n, height.in, width.in, channels]   w [size.., in_per_group, out_channels]
//   y [n, height.out, width.out, out_channels]

typedef struct {
  WindowAxis height, width;
  int in_channels, out_channels, in_per_group, out_per_group;
} Geometry;

#if defined(PADDED) || defined(BY_INPUT)
#define A_ZEROS 1
#else
#define A_ZEROS 0
#endif

// The window over an output pixel, or how far a tap and channel lie inside it: they add up.
typedef struct {
  int at, h, w;
} Place;

inline Place window_over(const Geometry g, const int pixel) {
  const int line = pixel / g.width.out;
  const int h = line % g.height.out * g.height.stride - g.height.low;
  const int w = pixel % g.width.out * g.width.stride - g.width.low;
  const int image = line / g.height.out * g.height.in;
  return (Place){((image + h) * g.width.in + w) * g.in_channels, h, w};
}

inline Place in_window(const Geometry g, const int tap_channel) {
  const int tap = tap_channel / g.in_per_group;
  const int h = tap / g.width.size * g.height.dilation;
  const int w = tap % g.width.size * g.width.dilation;
  return (Place){(h * g.width.in + w) * g.in_channels + tap_channel % g.in_per_group, h, w};
}

// In x, or -1 in the padding.
inline int in_image(const Geometry g, const Place window, const Place inside) {
#ifdef PADDED
  const uint h = window.h + inside.h, w = window.w + inside.w;
  if (h >= (uint)g.height.in || w >= (uint)g.width.in) return -1;
#endif
  return window.at + inside.at;
}

#ifdef FORWARD
// y[pixel, o] = sum over (tap, c): x under the tap, times the filter.
inline Place a_row(const Geometry g, const int group, const int pixel) {
  Place window = window_over(g, pixel);
  window.at += group * g.in_per_group;
  return window;
}
inline Place a_column(const Geometry g, const int k) { return in_window(g, k); }
inline int find_a(const Geometry g, const Place row, const Place column) {
  return in_image(g, row, column);
}
inline int a_step(const Geometry g) { return 1; }

inline int find_b(const Geometry g, const int group, const int k, const int o) {
  return k * g.out_channels + group * g.out_per_group + o;
}
inline int b_step(const Geometry g) { return g.out_channels; }
#endif

#ifdef BY_INPUT
// dx[pixel, c] = sum over (tap, o): dy where the tap lies on the pixel, times the filter.
inline Place a_row(const Geometry g, const int group, const int pixel) {
  const int line = pixel / g.width.in;
  const int image = line / g.height.in * g.height.out * g.width.out;
  return (Place){image * g.out_channels + group * g.out_per_group,
                 line % g.height.in + g.height.low, pixel % g.width.in + g.width.low};
}
inline Place a_column(const Geometry g, const int k) {
  const int tap = k / g.out_per_group;
  return (Place){k % g.out_per_group, tap / g.width.size * g.height.dilation,
                 tap % g.width.size * g.width.dilation};
}

// The output position whose window reaches `reach` far, or -1.
inline int over(const WindowAxis axis, const int reach) {
  const int out = axis.stride == 1 ? reach : reach / axis.stride;
  return reach >= 0 && out * axis.stride == reach && out < axis.out ? out : -1;
}

inline int find_a(const Geometry g, const Place row, const Place column) {
  const int h = over(g.height, row.h - column.h), w = over(g.width, row.w - column.w);
  if (h < 0 || w < 0) return -1;
  return (h * g.width.out + w) * g.out_channels + row.at + column.at;
}
inline int a_step(const Geometry g) { return 1; }

inline int find_b(const Geometry g, const int group, const int k, const int c) {
  const int tap = k / g.out_per_group;
  const int o = group * g.out_per_group + k % g.out_per_group;
  return (tap * g.in_per_group + c) * g.out_channels + o;
}
inline int b_step(const Geometry g) { return 1; }
#endif

#ifdef BY_FILTER
// dw[(tap, c), o] = sum over pixels: x under the tap, times dy.
inline Place a_row(const Geometry g, const int group, const int tap_channel) {
  Place inside = in_window(g, tap_channel);
  inside.at += group * g.in_per_group;
  return inside;
}
inline Place a_column(const Geometry g, const int pixel) { return window_over(g, pixel); }
inline int find_a(const Geometry g, const Place row, const Place column) {
  return in_image(g, column, row);
}
inline int a_step(const Geometry g) { return g.width.stride * g.in_channels; }

inline int find_b(const Geometry g, const int group, const int pixel, const int o) {
  return pixel * g.out_channels + group * g.out_per_group + o;
}
inline int b_step(const Geometry g) { return g.out_channels; }
#endif
