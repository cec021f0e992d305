// One step of a parameter and its slots; what is put out may lie where it came from. A work-group
// of GROUP items takes a block of BLOCK elements, WIDTH at a time: V is a vector of as many.

#define ELEMENTS(name) ((__global T*)ADDRESS(name))

#define WORD_(a, b) a##b
#define WORD(a, b) WORD_(a, b)
#define V WORD(T, WIDTH)
#define VLOAD WORD(vload, WIDTH)
#define VSTORE WORD(vstore, WIDTH)

#define BLOCKS(size) (((size) + BLOCK - 1) / BLOCK)
#define FOR_EACH(at, block, size)                                                             \
  for (int at = (block) * BLOCK + (int)get_local_id(0) * WIDTH; at < min(size, (block + 1) * BLOCK); \
       at += GROUP * WIDTH)

inline V elements(const __global T* x, const int at, const int size) {
  if (at + WIDTH <= size) return VLOAD(0, x + at);
  T part[WIDTH] = {0};
  for (int i = at; i < size; ++i) part[i - at] = x[i];
  return VLOAD(0, part);
}

inline void put_out(const V value, __global T* y, const int at, const int size) {
  if (at + WIDTH <= size) {
    VSTORE(value, 0, y + at);
    return;
  }
  T part[WIDTH];
  VSTORE(value, 0, part);
  for (int i = at; i < size; ++i) y[i] = part[i - at];
}

inline void adam(const __global T* p, const __global T* g, const __global T* m, const __global T* v,
                 __global T* new_p, __global T* new_m, __global T* new_v, const int block,
                 const int size, const T rate, const T keep_1, const T keep_2, const T epsilon,
                 const T decay) {
  FOR_EACH(at, block, size) {
    const V old_p = elements(p, at, size), gradient = elements(g, at, size);
    const V old_m = elements(m, at, size), old_v = elements(v, at, size);
    const V mean = old_m + (gradient - old_m) * keep_1;
    const V square = old_v + (gradient * gradient - old_v) * keep_2;
    const V kept = old_p - old_p * decay;
    put_out(kept - mean * (rate / (sqrt(square) + epsilon)), new_p, at, size);
    put_out(mean, new_m, at, size);
    put_out(square, new_v, at, size);
  }
}

// 1 - beta^t as -expm1(t log(beta)), exact while beta^t is close to 1.
inline T adam_rate(const T rate, const long step, const T log_beta_1, const T log_beta_2) {
  const T t = (T)(step + 1);
  return rate * sqrt(-expm1(t * log_beta_2)) / -expm1(t * log_beta_1);
}

inline void sgd(const __global T* p, const __global T* g, __global T* new_p, const int block,
                const int size, const T rate, const T decay) {
  FOR_EACH(at, block, size) {
    const V old_p = elements(p, at, size);
    put_out(old_p - old_p * decay - rate * elements(g, at, size), new_p, at, size);
  }
}

inline void sgd_momentum(const __global T* p, const __global T* g, const __global T* v,
                         __global T* new_p, __global T* new_v, const int block, const int size,
                         const T rate, const T momentum, const T decay, const int nesterov) {
  FOR_EACH(at, block, size) {
    const V old_p = elements(p, at, size), push = rate * elements(g, at, size);
    const V velocity = momentum * elements(v, at, size) - push;
    const V change = nesterov ? momentum * velocity - push : velocity;
    put_out(old_p - old_p * decay + change, new_p, at, size);
    put_out(velocity, new_v, at, size);
  }
}
