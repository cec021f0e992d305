// The second pass of a contraction whose k is split: the sum of the parts, always as the same tree.

__kernel void join(RECORD, const int m_extent, const int n_extent, const int y_batch,
                   const int y_row, TENSOR(parts), TENSOR(y) EXTRAS) {
  RETURN_IF_FAILED;
  const int own_n = get_global_id(0) * VECTOR, m = get_global_id(1), batch = get_global_id(2);
  if (own_n >= n_extent) return;
  const int n = min(own_n, n_extent - VECTOR);
  const int first = (batch * SPLITS * m_extent + m) * n_extent + n;
  Wide sums[SPLITS];
#pragma unroll
  for (int i = 0; i < SPLITS; ++i) {
    sums[i] = WIDE_LOAD(PARTS_DTYPE, ADDRESS(parts), first + i * m_extent * n_extent);
  }
#pragma unroll
  for (int count = SPLITS / 2; count > 0; count /= 2) {
#pragma unroll
    for (int i = 0; i < count; ++i) sums[i] += sums[i + count];
  }
  const int y_first = batch * y_batch + n;
  put(ADDRESS(y), y_first + m * y_row, y_first % y_row, own_n - n, VECTOR, sums[0] EXTRA_ARGUMENTS);
}
