// The contraction without local memory: each item multiplies elements of ROWS rows of a by vectors
// of b, which it loads from where they lie. At an edge an item shares rows or columns with its
// neighbour, so that it has all of them, and puts out its own. n_extent is at least COLUMNS.

// Adds `count` columns of a times rows of b; has_zeros is a constant: rows may be zero. Has to be
// inlined for the sums to stay in registers.
inline __attribute__((always_inline)) void add_run(
    Wide sums[ROWS][VECTORS], const int at_a[ROWS], const int a_steps, const int at_b,
    const int b_steps, const int count, const __global uchar* a, const __global uchar* b,
    const bool has_zeros) {
  for (int i = 0; i < count; ++i) {
    Wide row[VECTORS];
#pragma unroll
    for (int c = 0; c < VECTORS; ++c) {
      row[c] = WIDE_LOAD(B_DTYPE, b, at_b + i * b_steps + c * VECTOR);
    }
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      if (has_zeros && at_a[r] < 0) continue;
      const Wide element = (T)PASTE(LOAD_, A_DTYPE)(a, at_a[r] + i * a_steps);
#pragma unroll
      for (int c = 0; c < VECTORS; ++c) sums[r][c] = MULTIPLY_ADD(element, row[c], sums[r][c]);
    }
  }
}

__kernel void contract_direct(RECORD, const int m_extent, const int n_extent, const int k_extent,
                              const int run, const int split_k, const int y_batch,
                              const int y_row, const Geometry geometry, TENSOR(a), TENSOR(b),
                              TENSOR(y) EXTRAS) {
  RETURN_IF_FAILED;
  const int item = get_local_id(0);
  const int own_n = get_group_id(0) * TILE_N + item % ITEMS_N * COLUMNS;
  const int own_m = get_group_id(1) * TILE_M + item / ITEMS_N * ROWS;
  if (own_m >= m_extent || own_n >= n_extent) return;
  const int first_n = min(own_n, n_extent - COLUMNS);
  const int batch = get_group_id(2) / SPLITS;
  const int first_k = get_group_id(2) % SPLITS * split_k;
  const int end_k = min(k_extent, first_k + split_k);
  const int a_steps = a_step(geometry), b_steps = B_STEP;
  Place rows[ROWS];
  Wide sums[ROWS][VECTORS];
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    rows[r] = a_row(geometry, batch, min(own_m + r, m_extent - 1));
#pragma unroll
    for (int c = 0; c < VECTORS; ++c) sums[r][c] = 0;
  }
  for (int k = first_k; k < end_k;) {
    const int count = min(run - k % run, end_k - k);
    const Place column = a_column(geometry, k);
    int at_a[ROWS];
    bool is_whole = true;
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      at_a[r] = find_a(geometry, rows[r], column);
      is_whole = is_whole && (!A_ZEROS || at_a[r] >= 0);
    }
    const int at_b = FIND_B(k, first_n);
    if (is_whole) {
      add_run(sums, at_a, a_steps, at_b, b_steps, count, ADDRESS(a), ADDRESS(b), false);
    } else {
      add_run(sums, at_a, a_steps, at_b, b_steps, count, ADDRESS(a), ADDRESS(b), true);
    }
    k += count;
  }
  // In memory from here on, for loops that are not unrolled.
  T tile[ROWS][COLUMNS];
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
#pragma unroll
    for (int c = 0; c < VECTORS; ++c) WIDE_STORE(sums[r][c], tile[r] + c * VECTOR);
  }
  const int y_first = (int)get_group_id(2) * y_batch + first_n;
  const int column = y_first % y_row;
  for (int r = 0; r < min(ROWS, m_extent - own_m); ++r) {
    const int at = y_first + (own_m + r) * y_row;
    for (int n = own_n - first_n; n < COLUMNS; ++n) {
      finish(at + n, column + n, tile[r][n], ADDRESS(y) EXTRA_ARGUMENTS);
    }
  }
}
