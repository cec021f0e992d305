// Loaders of the three contractions that a 2-D convolution is made of; what im2col would copy is
// read where it lies. Groups of channels are the batch.
//   x [n, height.in, width.in, channels]   w [size.., in_per_group, out_channels]
//   y [n, height.out, width.out, out_channels]

typedef struct {
  WindowAxis height, width;
  int in_channels, out_channels, in_per_group, out_per_group;
} Geometry;

// The place in x of output pixel `pixel` under the filter's tap (row, column), or -1 in the padding.
inline int under_tap(const Geometry g, const int pixel, const int row, const int column) {
  const int image = pixel / (g.height.out * g.width.out);
  const int h = pixel / g.width.out % g.height.out * g.height.stride - g.height.low +
                row * g.height.dilation;
  const int w = pixel % g.width.out * g.width.stride - g.width.low + column * g.width.dilation;
  if (h < 0 || h >= g.height.in || w < 0 || w >= g.width.in) return -1;
  return ((image * g.height.in + h) * g.width.in + w) * g.in_channels;
}

#ifdef FORWARD
// y[pixel, o] = sum over (tap, c): x under the tap, times the filter.
inline T load_a(const __global uchar* x, const Geometry g, const int group, const int pixel,
                const int k) {
  const int tap = k / g.in_per_group;
  const int at = under_tap(g, pixel, tap / g.width.size, tap % g.width.size);
  return at < 0 ? (T)0 : (T)LOAD_A(x, at + group * g.in_per_group + k % g.in_per_group);
}

inline T load_b(const __global uchar* w, const Geometry g, const int group, const int k,
                const int o) {
  return (T)LOAD_B(w, k * g.out_channels + group * g.out_per_group + o);
}
#endif

#ifdef BY_INPUT
// The output position whose tap `tap` lies on input position `in`, or -1.
inline int over_tap(const WindowAxis axis, const int in, const int tap) {
  const int reach = in + axis.low - tap * axis.dilation;
  const int out = reach / axis.stride;
  return reach >= 0 && reach % axis.stride == 0 && out < axis.out ? out : -1;
}

// dx[pixel, c] = sum over (tap, o): dy where the tap lies on the pixel, times the filter.
inline T load_a(const __global uchar* dy, const Geometry g, const int group, const int pixel,
                const int k) {
  const int tap = k / g.out_per_group;
  const int image = pixel / (g.height.in * g.width.in);
  const int h = over_tap(g.height, pixel / g.width.in % g.height.in, tap / g.width.size);
  const int w = over_tap(g.width, pixel % g.width.in, tap % g.width.size);
  if (h < 0 || w < 0) return 0;
  const int at = ((image * g.height.out + h) * g.width.out + w) * g.out_channels;
  return (T)LOAD_A(dy, at + group * g.out_per_group + k % g.out_per_group);
}

inline T load_b(const __global uchar* w, const Geometry g, const int group, const int k,
                const int c) {
  const int tap = k / g.out_per_group;
  const int o = group * g.out_per_group + k % g.out_per_group;
  return (T)LOAD_B(w, (tap * g.in_per_group + c) * g.out_channels + o);
}
#endif

#ifdef BY_FILTER
// dw[(tap, c), o] = sum over pixels: x under the tap, times dy.
inline T load_a(const __global uchar* x, const Geometry g, const int group, const int m,
                const int pixel) {
  const int tap = m / g.in_per_group;
  const int at = under_tap(g, pixel, tap / g.width.size, tap % g.width.size);
  return at < 0 ? (T)0 : (T)LOAD_A(x, at + group * g.in_per_group + m % g.in_per_group);
}

inline T load_b(const __global uchar* dy, const Geometry g, const int group, const int pixel,
                const int o) {
  return (T)LOAD_B(dy, pixel * g.out_channels + group * g.out_per_group + o);
}
#endif
