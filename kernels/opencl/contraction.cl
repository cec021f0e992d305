// y[batch, m, n] = finish(sum over k of a(batch, m, k) * b(batch, k, n)). A work-group makes one
// tile: it brings TILE_K columns of a and rows of b at a time into local memory, and each item sums
// ROWS x COLUMNS elements in registers. In front of this stand the loaders (load_a, load_b and
// their Geometry), `finish`, and the definitions of the tile.

#define ITEMS_M (TILE_M / ROWS)
#define ITEMS_N (TILE_N / COLUMNS)
#define ITEMS (ITEMS_M * ITEMS_N)

#if defined(CLASS_int64)
#define MULTIPLY_ADD(a, b, c) ((T)((ulong)(a) * (ulong)(b) + (ulong)(c)))
#elif defined(FP_FAST_FMAF)
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

__kernel void contract(RECORD, const int m_extent, const int n_extent, const int k_extent,
                       const int y_batch, const int y_row, const Geometry geometry, TENSOR(a),
                       TENSOR(b), TENSOR(y) EXTRAS) {
  RETURN_IF_FAILED;
  __local T a_tile[TILE_K][TILE_M];
  __local T b_tile[TILE_K][TILE_N];
  const int item = get_local_id(0);
  const int item_m = item / ITEMS_N, item_n = item % ITEMS_N;
  const int first_n = get_group_id(0) * TILE_N;
  const int first_m = get_group_id(1) * TILE_M;
  const int batch = get_group_id(2);
  T sums[ROWS][COLUMNS];
  for (int r = 0; r < ROWS; ++r) {
    for (int c = 0; c < COLUMNS; ++c) sums[r][c] = 0;
  }
  for (int first_k = 0; first_k < k_extent; first_k += TILE_K) {
    for (int i = item; i < TILE_M * TILE_K; i += ITEMS) {
      const int m = A_ROWS_FIRST ? i % TILE_M : i / TILE_K;
      const int k = A_ROWS_FIRST ? i / TILE_M : i % TILE_K;
      const bool inside = first_m + m < m_extent && first_k + k < k_extent;
      a_tile[k][m] = inside ? load_a(ADDRESS(a), geometry, batch, first_m + m, first_k + k) : (T)0;
    }
    for (int i = item; i < TILE_N * TILE_K; i += ITEMS) {
      const int n = B_ROWS_FIRST ? i / TILE_K : i % TILE_N;
      const int k = B_ROWS_FIRST ? i % TILE_K : i / TILE_N;
      const bool inside = first_n + n < n_extent && first_k + k < k_extent;
      b_tile[k][n] = inside ? load_b(ADDRESS(b), geometry, batch, first_k + k, first_n + n) : (T)0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < TILE_K; ++k) {
      T column[ROWS];
      for (int r = 0; r < ROWS; ++r) column[r] = a_tile[k][item_m + r * ITEMS_M];
      for (int c = 0; c < COLUMNS; ++c) {
        const T element = b_tile[k][item_n + c * ITEMS_N];
        for (int r = 0; r < ROWS; ++r) {
          sums[r][c] = MULTIPLY_ADD(column[r], element, sums[r][c]);
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int r = 0; r < ROWS; ++r) {
    for (int c = 0; c < COLUMNS; ++c) {
      const int m = first_m + item_m + r * ITEMS_M, n = first_n + item_n + c * ITEMS_N;
      if (m >= m_extent || n >= n_extent) continue;
      finish(batch * y_batch + m * y_row + n, sums[r][c], ADDRESS(y) EXTRA_ARGUMENTS);
    }
  }
}
