// Elements that numbers in a tensor name: x and y are [outer, extent, inner] along the axis. The
// program says by LOAD_X, STORE_Y and LOAD_INDEX what the dtypes are.

#ifdef TAKE
__kernel void take(RECORD, const int items, const int extent, const int count, const int inner,
                   TENSOR(x), TENSOR(indices), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= items) return;
  const int row = i / inner;
  const int index = (int)LOAD_INDEX(ADDRESS(indices), row % count);
  const int from = (row / count * extent + index) * inner + i % inner;
  STORE_Y(ADDRESS(y), i, (T)LOAD_X(ADDRESS(x), from));
}
#endif

#ifdef SCATTER_ADD
// An item per element of y adds what belongs there, in the order of the indices.
__kernel void scatter_add(RECORD, const int items, const int extent, const int count,
                          const int inner, TENSOR(indices), TENSOR(x), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= items) return;
  const int row = i / inner;
  const int outer = row / extent;
  T total = 0;
  for (int k = 0; k < count; ++k) {
    if ((int)LOAD_INDEX(ADDRESS(indices), k) != row % extent) continue;
    total += (T)LOAD_X(ADDRESS(x), (outer * count + k) * inner + i % inner);
  }
  STORE_Y(ADDRESS(y), i, total);
}
#endif

#ifdef CHECK
// The first number outside [low, high), found by one work-group of GROUP items, becomes the run's
// record.
__kernel void check(RECORD, const uint step, const int node, const int count, const long low,
                    const long high, TENSOR(x)) {
  RETURN_IF_FAILED;
  __local int firsts[GROUP];
  const int item = get_local_id(0);
  int first = count;
  for (int i = item; i < count && first == count; i += GROUP) {
    const long number = LOAD_X(ADDRESS(x), i);
    if (number < low || number >= high) first = i;
  }
  firsts[item] = first;
  for (int half_ = GROUP / 2; half_ > 0; half_ /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < half_) firsts[item] = min(firsts[item], firsts[item + half_]);
  }
  if (item != 0 || firsts[0] == count) return;
  record->value = LOAD_X(ADDRESS(x), firsts[0]);
  record->index = firsts[0];
  record->step = step;
  record->node = node + 1;
}
#endif

#ifdef ARG_REDUCE
// The position of the first extreme of a line; the first NaN wins. BETTER(a, b) compares.
__kernel void arg_reduce(RECORD, const int items, const int extent, const int inner, TENSOR(x),
                         TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= items) return;
  const int first = i / inner * extent * inner + i % inner;
  T best = LOAD_X(ADDRESS(x), first);
  int position = 0;
  for (int k = 1; k < extent; ++k) {
    const T value = LOAD_X(ADDRESS(x), first + k * inner);
    if (BETTER(value, best) || (value != value && best == best)) {
      best = value;
      position = k;
    }
  }
  STORE_int32(ADDRESS(y), i, position);
}
#endif

#ifdef IOTA
__kernel void iota(RECORD, const int items, const int extent, const int inner, TENSOR(y)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i < items) STORE_Y(ADDRESS(y), i, (T)(i / inner % extent));
}
#endif
