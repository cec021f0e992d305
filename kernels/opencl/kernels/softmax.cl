// Softmax along the middle axis of x [outer, extent, inner], and cross-entropy with labels: a
// work-group of GROUP items per line.

// What all items have, joined: FOLD(a, b) in a tree.
#define JOIN(parts, mine, FOLD)                                           \
  (parts)[get_local_id(0)] = (mine);                                      \
  for (int half_ = GROUP / 2; half_ > 0; half_ /= 2) {                    \
    barrier(CLK_LOCAL_MEM_FENCE);                                         \
    if (get_local_id(0) < half_) {                                        \
      (parts)[get_local_id(0)] =                                          \
          FOLD((parts)[get_local_id(0)], (parts)[get_local_id(0) + half_]); \
    }                                                                     \
  }                                                                       \
  barrier(CLK_LOCAL_MEM_FENCE)

#define AT(k) (first + (k) * inner)
#define LINE(k) ((T)LOAD_X(ADDRESS(x), AT(k)))

// The line's maximum and the sum of exp(x - maximum), as `largest` and `total`.
#define REDUCE_LINE                                                               \
  SHARED T maxima[GROUP];                                                         \
  SHARED T sums[GROUP];                                                           \
  const int item = get_local_id(0);                                               \
  const int line = get_group_id(0);                                               \
  const int first = line / inner * extent * inner + line % inner;                 \
  T highest = -(T)INFINITY;                                                       \
  for (int k = item; k < extent; k += GROUP) highest = op_maximum(highest, LINE(k)); \
  JOIN(maxima, highest, op_maximum);                                              \
  const T largest = maxima[0];                                                    \
  T sum = 0;                                                                      \
  for (int k = item; k < extent; k += GROUP) sum += exp(LINE(k) - largest);       \
  JOIN(sums, sum, op_add);                                                        \
  const T total = sums[0]

#ifdef SOFTMAX
__kernel void softmax(RECORD, const int extent, const int inner, TENSOR(x), TENSOR(y)) {
  RETURN_IF_FAILED;
  REDUCE_LINE;
  for (int k = item; k < extent; k += GROUP) {
    const T shifted = LINE(k) - largest;
    STORE_Y(ADDRESS(y), AT(k), LOGARITHM ? shifted - log(total) : exp(shifted) / total);
  }
}
#endif

#ifdef CROSS_ENTROPY
__kernel void cross_entropy(RECORD, const int extent, const int inner, TENSOR(x), TENSOR(labels),
                            TENSOR(y)) {
  RETURN_IF_FAILED;
  REDUCE_LINE;
  if (item != 0) return;
  // The difference first: it is small where the loss is.
  const T chosen = LINE((int)LOAD_LABEL(ADDRESS(labels), line));
  STORE_Y(ADDRESS(y), line, log(total) + (largest - chosen));
}
#endif

#ifdef CROSS_ENTROPY_GRAD
__kernel void cross_entropy_grad(RECORD, const int extent, const int inner, TENSOR(x),
                                 TENSOR(labels), TENSOR(dloss), TENSOR(y)) {
  RETURN_IF_FAILED;
  REDUCE_LINE;
  const int label = (int)LOAD_LABEL(ADDRESS(labels), line);
  const T weight = (T)LOAD_WEIGHT(ADDRESS(dloss), line);
  const T scale = weight / total;
  for (int k = item; k < extent; k += GROUP) {
    const T share = exp(LINE(k) - largest) * scale;
    STORE_Y(ADDRESS(y), AT(k), k == label ? share - weight : share);
  }
}
#endif
