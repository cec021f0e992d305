// Elements of one tensor that go to places of another. ITEM is an unsigned type of their size, and
// OUTER the number of axes besides the last two, which are those of the items. Positions on these
// axes come first: where they are the same all over a work-group, compilers divide once for all.
// FROM_COLUMN and INTO_COLUMN are the last axis's steps, constants where they are 1 or -1.

__kernel void move(RECORD, const Domain domain, TENSOR(x), const Steps from, TENSOR(y),
                   const Steps into) {
  int source = from.offset, target = into.offset;
  int first = get_global_id(2);
#pragma unroll
  for (int axis = OUTER - 1; axis > 0; --axis) {
    const int position = first % domain.dims[axis];
    source += position * from.steps[axis];
    target += position * into.steps[axis];
    first /= domain.dims[axis];
  }
  RETURN_IF_FAILED;
  const int row = get_global_id(1), column = get_global_id(0);
  if (row >= domain.dims[OUTER] || column >= domain.dims[OUTER + 1]) return;
#if OUTER > 0
  if (first >= domain.dims[0]) return;
  source += first * from.steps[0];
  target += first * into.steps[0];
#endif
  source += row * from.steps[OUTER] + column * FROM_COLUMN;
  target += row * into.steps[OUTER] + column * INTO_COLUMN;
  ((__global ITEM*)ADDRESS(y))[target] = ((const __global ITEM*)ADDRESS(x))[source];
}
