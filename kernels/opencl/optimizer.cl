// One element of a parameter and its slots; what is put out may lie where it came from.

#define ELEMENTS(name) ((__global T*)ADDRESS(name))

inline void adam(const __global T* p, const __global T* g, const __global T* m, const __global T* v,
                 __global T* new_p, __global T* new_m, __global T* new_v, const int i,
                 const T keep_1, const T keep_2, const T rate, const T epsilon, const T decay) {
  const T gradient = g[i];
  const T mean = m[i] + (gradient - m[i]) * keep_1;
  const T square = v[i] + (gradient * gradient - v[i]) * keep_2;
  const T kept = p[i] - p[i] * decay;
  new_p[i] = kept - mean * (rate / (sqrt(square) + epsilon));
  new_m[i] = mean;
  new_v[i] = square;
}

// 1 - beta^t as -expm1(t log(beta)), exact while beta^t is close to 1.
inline T adam_rate(const T rate, const long step, const T log_beta_1, const T log_beta_2) {
  const T t = (T)(step + 1);
  return rate * sqrt(-expm1(t * log_beta_2)) / -expm1(t * log_beta_1);
}

inline void sgd(const __global T* p, const __global T* g, __global T* new_p, const int i,
                const T rate, const T decay) {
  new_p[i] = p[i] - p[i] * decay - rate * g[i];
}

inline void sgd_momentum(const __global T* p, const __global T* g, const __global T* v,
                         __global T* new_p, __global T* new_v, const int i, const T rate,
                         const T momentum, const T decay, const int nesterov) {
  const T velocity = momentum * v[i] - rate * g[i];
  const T change = nesterov ? momentum * velocity - rate * g[i] : velocity;
  new_p[i] = p[i] - p[i] * decay + change;
  new_v[i] = velocity;
}
