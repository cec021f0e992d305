// The contraction through local memory: a work-group brings TILE_K columns of a and rows of b at a
// time there, and each item sums ROWS x COLUMNS elements in registers. LANES_A and LANES_B
// neighbours are loaded at once: of rows or of columns, as they lie in memory.

#define ALONG_M(lane) (A_ROWS_FIRST ? (lane) : 0)
#define A_ALONG_K(lane) (A_ROWS_FIRST ? 0 : (lane))
#define ALONG_N(lane) (B_ROWS_FIRST ? 0 : (lane))
#define B_ALONG_K(lane) (B_ROWS_FIRST ? (lane) : 0)

// Keeps what neighbouring items write at a time out of each other's banks.
#define SPREAD 2

__kernel void contract_local(RECORD, const int m_extent, const int n_extent, const int k_extent,
                             const int run, const int split_k, const int y_batch,
                             const int y_row, const Geometry geometry, TENSOR(a), TENSOR(b),
                             TENSOR(y) EXTRAS) {
  RETURN_IF_FAILED;
  __local T a_tile[TILE_K][TILE_M + SPREAD];
  __local Wide b_tile[TILE_K][TILE_N / VECTOR];
  const int item = get_local_id(0);
  const int item_m = item / ITEMS_N, item_n = item % ITEMS_N;
  const int first_n = get_group_id(0) * TILE_N;
  const int first_m = get_group_id(1) * TILE_M;
  const int batch = get_group_id(2) / SPLITS;
  const int first_k = get_group_id(2) % SPLITS * split_k;
  const int end_k = min(k_extent, first_k + split_k);
  Wide sums[ROWS][VECTORS];
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
#pragma unroll
    for (int c = 0; c < VECTORS; ++c) sums[r][c] = 0;
  }
  for (int tile_k = first_k; tile_k < end_k; tile_k += TILE_K) {
    for (int i = item; i < TILE_M * TILE_K / LANES_A; i += ITEMS) {
      const int m = A_ROWS_FIRST ? i % (TILE_M / LANES_A) * LANES_A : i / (TILE_K / LANES_A);
      const int k = A_ROWS_FIRST ? i / (TILE_M / LANES_A) : i % (TILE_K / LANES_A) * LANES_A;
      T lanes[LANES_A];
      if (LANES_A == VECTOR && first_m + m + ALONG_M(VECTOR - 1) < m_extent &&
          tile_k + k + A_ALONG_K(VECTOR - 1) < end_k) {
        const int at = find_a(geometry, a_row(geometry, batch, first_m + m),
                            a_column(geometry, tile_k + k));
        const Wide there = at < 0 ? (Wide)0 : WIDE_LOAD(A_DTYPE, ADDRESS(a), max(at, 0));
        WIDE_STORE(there, lanes);
      } else {
        for (int lane = 0; lane < LANES_A; ++lane) {
          const int row = first_m + m + ALONG_M(lane), column = tile_k + k + A_ALONG_K(lane);
          const bool inside = row < m_extent && column < end_k;
          const int at = inside ? find_a(geometry, a_row(geometry, batch, row),
                                       a_column(geometry, column))
                                : -1;
          lanes[lane] = at < 0 ? (T)0 : (T)PASTE(LOAD_, A_DTYPE)(ADDRESS(a), at);
        }
      }
      for (int lane = 0; lane < LANES_A; ++lane) {
        a_tile[k + A_ALONG_K(lane)][m + ALONG_M(lane)] = lanes[lane];
      }
    }
    for (int i = item; i < TILE_N * TILE_K / LANES_B; i += ITEMS) {
      const int n = B_ROWS_FIRST ? i / (TILE_K / LANES_B) : i % (TILE_N / LANES_B) * LANES_B;
      const int k = B_ROWS_FIRST ? i % (TILE_K / LANES_B) * LANES_B : i / (TILE_N / LANES_B);
      T lanes[LANES_B];
      if (LANES_B == VECTOR && first_n + n + ALONG_N(VECTOR - 1) < n_extent &&
          tile_k + k + B_ALONG_K(VECTOR - 1) < end_k) {
        WIDE_STORE(WIDE_LOAD(B_DTYPE, ADDRESS(b), FIND_B(tile_k + k, first_n + n)), lanes);
      } else {
        for (int lane = 0; lane < LANES_B; ++lane) {
          const int column = first_n + n + ALONG_N(lane), row = tile_k + k + B_ALONG_K(lane);
          const bool inside = column < n_extent && row < end_k;
          lanes[lane] =
              inside ? (T)PASTE(LOAD_, B_DTYPE)(ADDRESS(b), FIND_B(row, column)) : (T)0;
        }
      }
      for (int lane = 0; lane < LANES_B; ++lane) {
        ((__local T*)b_tile[k + B_ALONG_K(lane)])[n + ALONG_N(lane)] = lanes[lane];
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < TILE_K; ++k) {
      T column[ROWS];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) column[r] = a_tile[k][item_m + r * ITEMS_M];
#pragma unroll
      for (int c = 0; c < VECTORS; ++c) {
        const Wide row = b_tile[k][item_n + c * ITEMS_N];
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
          sums[r][c] = MULTIPLY_ADD((Wide)column[r], row, sums[r][c]);
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const int y_first = (int)get_group_id(2) * y_batch;
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
#pragma unroll
    for (int c = 0; c < VECTORS; ++c) {
      const int m = first_m + item_m + r * ITEMS_M;
      const int n = first_n + (item_n + c * ITEMS_N) * VECTOR;
      if (m >= m_extent || n >= n_extent) continue;
      put(ADDRESS(y), y_first + m * y_row + n, (y_first + n) % y_row, 0, n_extent - n,
          sums[r][c] EXTRA_ARGUMENTS);
    }
  }
}
