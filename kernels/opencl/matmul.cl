// Loaders of a contraction: matrices in a batch that broadcasts.

typedef struct {
  Domain batch;
  Steps a_batch, b_batch;
  int a_m, a_k, b_k, b_n;  // steps
} Geometry;

inline T load_a(const __global uchar* a, const Geometry g, const int batch, const int m,
                const int k) {
  return (T)LOAD_A(a, place(batch, g.batch, g.a_batch) + m * g.a_m + k * g.a_k);
}

inline T load_b(const __global uchar* b, const Geometry g, const int batch, const int k,
                const int n) {
  return (T)LOAD_B(b, place(batch, g.batch, g.b_batch) + k * g.b_k + n * g.b_n);
}
