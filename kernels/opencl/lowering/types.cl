// What all programs begin with: the run's record, tensors as arguments, loads and stores of the
// dtypes.

#ifdef HAS_DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#pragma OPENCL FP_CONTRACT OFF

// The first failed value check of a run (of integers, all of them); once it is there, the later
// kernels of the run do nothing.
typedef struct {
  long value;
  long index;
  int node;  // 0: none; else one more than its number in the graph
  uint step;
} Record;

// `restrict`: what a kernel stores is not the record, whatever its type, so that a loop over items
// may look at it once.
#define RECORD __global Record* restrict record
#define RETURN_IF_FAILED \
  if (record->node != 0) return

#define TENSOR(name) __global uchar *name##_base, const ulong name##_at
#define ADDRESS(name) (name##_base + name##_at)

// Row-major positions of a domain, and where they are in a tensor.
typedef struct {
  int dims[8];
  int rank;
} Domain;
typedef struct {
  int steps[8];
  int offset;
} Steps;

inline int place(int position, Domain domain, Steps steps) {
  int at = steps.offset;
  for (int axis = domain.rank - 1; axis >= 0; --axis) {
    at += position % domain.dims[axis] * steps.steps[axis];
    position /= domain.dims[axis];
  }
  return at;
}

// LOAD_<dtype>(address, index) is a number; STORE_<dtype>(address, index, number) rounds it to
// nearest even, truncates it towards zero, wraps it, or asks whether it is 0, as `cast` does.
#define LOAD_bool(p, i) ((int)((p)[i] != 0))
#define LOAD_uint8(p, i) ((p)[i])
#define LOAD_int8(p, i) (((const __global char*)(p))[i])
#define LOAD_int32(p, i) (((const __global int*)(p))[i])
#define LOAD_int64(p, i) (((const __global long*)(p))[i])
#define LOAD_float16(p, i) vload_half(i, (const __global half*)(p))
#define LOAD_bfloat16(p, i) as_float((uint)((const __global ushort*)(p))[i] << 16)
#define LOAD_float32(p, i) (((const __global float*)(p))[i])
#define LOAD_float64(p, i) (((const __global double*)(p))[i])

#define STORE_bool(p, i, v) ((p)[i] = (v) != 0)
#define STORE_uint8(p, i, v) ((p)[i] = (uchar)(int)(v))
#define STORE_int8(p, i, v) (((__global char*)(p))[i] = (char)(int)(v))
#define STORE_int32(p, i, v) (((__global int*)(p))[i] = (int)(v))
#define STORE_int64(p, i, v) (((__global long*)(p))[i] = (long)(v))
#define STORE_float16(p, i, v) vstore_half_rte(NARROW(v), i, (__global half*)(p))
#define STORE_bfloat16(p, i, v) (((__global ushort*)(p))[i] = brain(NARROW(v)))
#define STORE_float32(p, i, v) (((__global float*)(p))[i] = (float)(v))
#define STORE_float64(p, i, v) (((__global double*)(p))[i] = (double)(v))

inline ushort brain(float x) {
  const uint bits = as_uint(x);
  const uint rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (ushort)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
}

#ifdef HAS_DOUBLE
// Rounds to odd: a second rounding, to fewer bits, then gives what one rounding would have given.
inline float narrow_to_odd(double x) {
  const float nearest = (float)x;
  const double back = nearest;
  const uint bits = as_uint(nearest);
  if (back == x || x != x || (bits & 1u) != 0) return nearest;
  return as_float((back > x) == (x > 0) ? bits - 1u : bits + 1u);
}
#endif

// What numbers of the program's class T become on their way to 16 bits.
#if defined(HAS_DOUBLE) && !defined(CLASS_float32)
#define NARROW(v) narrow_to_odd((double)(v))
#else
#define NARROW(v) ((float)(v))
#endif
