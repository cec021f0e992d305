// Where a contraction finds its operands: matrices in a batch that broadcasts.

typedef struct {
  Domain batch;
  Steps a_batch, b_batch;
  int a_m, a_k, b_k, b_n;  // steps
} Geometry;

typedef int Place;

#define A_ZEROS 0

inline Place a_row(const Geometry g, const int batch, const int m) {
  return place(batch, g.batch, g.a_batch) + m * g.a_m;
}
inline Place a_column(const Geometry g, const int k) { return k * g.a_k; }
inline int find_a(const Geometry g, const Place row, const Place column) { return row + column; }
inline int a_step(const Geometry g) { return g.a_k; }

inline int find_b(const Geometry g, const int batch, const int k, const int n) {
  return place(batch, g.batch, g.b_batch) + k * g.b_k + n * g.b_n;
}
inline int b_step(const Geometry g) { return g.b_k; }
