// Elements that numbers in a tensor name: x and y are [outer, extent, inner] along the axis. The
// program says by LOAD_X, STORE_Y and LOAD_INDEX what the dtypes are.

#ifdef TAKE
__kernel void take(RECORD, const int rows, const int inner, const int extent, const int count,
                   TENSOR(x), TENSOR(indices), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int column = get_global_id(0), row = get_global_id(1);
  if (column >= inner || row >= rows) return;
  const int index = (int)LOAD_INDEX(ADDRESS(indices), row % count);
  const int from = (row / count * extent + index) * inner + column;
  STORE_Y(ADDRESS(y), row * inner + column, (T)LOAD_X(ADDRESS(x), from));
}
#endif

#ifdef SCATTER_ADD
// The indices are cut into segments of `share`. For each row of y a segment has a list of its own:
// the first of its positions that name the row, and from each the next. An item makes a segment's
// lists, so that they depend on nothing but the indices.
__kernel void clear_lists(RECORD, const int heads, TENSOR(first)) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i < heads) ((__global int*)ADDRESS(first))[i] = -1;
}

__kernel void make_lists(RECORD, const int segments, const int share, const int count,
                         const int extent, TENSOR(indices), TENSOR(first), TENSOR(next)) {
  RETURN_IF_FAILED;
  const int segment = get_global_id(0);
  if (segment >= segments) return;
  __global int* heads = (__global int*)ADDRESS(first) + segment * extent;
  __global int* nexts = (__global int*)ADDRESS(next);
  for (int k = min(count, (segment + 1) * share) - 1; k >= segment * share; --k) {
    const int row = (int)LOAD_INDEX(ADDRESS(indices), k);
    nexts[k] = heads[row];
    heads[row] = k;
  }
}

// An item per element of y adds what belongs there, in the order of the indices.
__kernel void scatter_add(RECORD, const int rows, const int inner, const int segments,
                          const int count, const int extent, TENSOR(x), TENSOR(first),
                          TENSOR(next), TENSOR(y)) {
  RETURN_IF_FAILED;
  const int column = get_global_id(0), row = get_global_id(1);
  if (column >= inner || row >= rows) return;
  const __global int* heads = (const __global int*)ADDRESS(first) + row % extent;
  const __global int* nexts = (const __global int*)ADDRESS(next);
  T total = 0;
  for (int segment = 0; segment < segments; ++segment) {
    for (int k = heads[segment * extent]; k >= 0; k = nexts[k]) {
      total += (T)LOAD_X(ADDRESS(x), (row / extent * count + k) * inner + column);
    }
  }
  STORE_Y(ADDRESS(y), row * inner + column, total);
}
#endif

#ifdef CHECK
// The first number outside [low, high), found by one work-group of GROUP items, becomes the run's
// record.
__kernel void check(RECORD, const uint step, const int node, const int count, const long low,
                    const long high, TENSOR(x)) {
  RETURN_IF_FAILED;
  SHARED int firsts[GROUP];
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
