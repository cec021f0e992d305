// Elements of one tensor that go to places of another. ITEM is an unsigned type of their size.

__kernel void move(RECORD, const int count, const Domain domain, TENSOR(x), const Steps from,
                   TENSOR(y), const Steps to) {
  RETURN_IF_FAILED;
  const int i = get_global_id(0);
  if (i >= count) return;
  const __global ITEM* x = (const __global ITEM*)ADDRESS(x);
  __global ITEM* y = (__global ITEM*)ADDRESS(y);
  y[place(i, domain, to)] = x[place(i, domain, from)];
}
