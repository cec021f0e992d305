/* Stands in for the OpenCL loader: hands every call on to it, and fails those that it is told to.
 * A process loads it by ADDAX_OPENCL_LIBRARY, and by ctypes what stands below under "For tests". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { kMostFunctions = 64 };
typedef struct {
  const char* name;
  atomic_long successes;
} Function;

static Function functions[kMostFunctions];
static atomic_int num_functions;
static char victim[64];
static atomic_long calls_left;
static atomic_int failure_code;
static atomic_int failures;

static void* find(const char* name) {
  static void* library;
  if (library == NULL) library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  void* const function = library == NULL ? NULL : dlsym(library, name);
  if (function == NULL) abort();
  return function;
}

/* Whether this call is to fail: from the one that was asked for on, all do. */
static int fails(const char* name) {
  if (atomic_load(&failure_code) == 0) return 0;
  if (strncmp(name, victim, strlen(victim)) != 0) return 0;
  if (atomic_fetch_sub(&calls_left, 1) > 1) return 0;
  atomic_fetch_add(&failures, 1);
  return 1;
}

static Function* made(const char* name) {
  Function* const function = &functions[atomic_fetch_add(&num_functions, 1)];
  function->name = name;
  return function;
}

/* Functions that return a status. */
#define STATUS(name, parameters, arguments)                             \
  __attribute__((visibility("default"))) int32_t name parameters {      \
    if (fails(#name)) return atomic_load(&failure_code);                \
    const int32_t code = ((int32_t(*) parameters)name##_real)arguments; \
    if (code == 0) atomic_fetch_add(&name##_function->successes, 1);    \
    return code;                                                        \
  }
/* Functions that return an object, and their status by the last argument. */
#define OBJECT(name, parameters, arguments)                               \
  __attribute__((visibility("default"))) void* name parameters {          \
    if (fails(#name)) {                                                   \
      *code = atomic_load(&failure_code);                                 \
      return NULL;                                                        \
    }                                                                     \
    void* const object = ((void*(*)parameters)name##_real)arguments;      \
    if (object != NULL) atomic_fetch_add(&name##_function->successes, 1); \
    return object;                                                        \
  }

/* clang-format off */
#define NAMES(X) \
  X(clGetPlatformIDs) X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateContext) \
  X(clReleaseContext) X(clCreateBuffer) X(clReleaseMemObject) X(clCreateCommandQueue) \
  X(clReleaseCommandQueue) X(clFlush) X(clFinish) X(clEnqueueReadBuffer) \
  X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer) X(clEnqueueFillBuffer) \
  X(clEnqueueNDRangeKernel) X(clEnqueueMarkerWithWaitList) X(clEnqueueBarrierWithWaitList) \
  X(clWaitForEvents) X(clGetEventInfo) X(clGetEventProfilingInfo) X(clReleaseEvent) \
  X(clCreateProgramWithSource) X(clCreateProgramWithBinary) X(clGetProgramInfo) \
  X(clBuildProgram) X(clGetProgramBuildInfo) X(clReleaseProgram) X(clCreateKernel) \
  X(clSetKernelArg) X(clReleaseKernel)
/* clang-format on */

#define DECLARE(name)       \
  static void* name##_real; \
  static Function* name##_function;
NAMES(DECLARE)

__attribute__((constructor)) static void start(void) {
#define FIND(name)           \
  name##_real = find(#name); \
  name##_function = made(#name);
  NAMES(FIND)
}

typedef void* Object;
typedef const void* Events;

STATUS(clGetPlatformIDs, (uint32_t n, Object* out, uint32_t* count), (n, out, count))
STATUS(clGetDeviceIDs, (Object p, uint64_t t, uint32_t n, Object* out, uint32_t* c),
       (p, t, n, out, c))
STATUS(clGetDeviceInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s), (o, w, n, to, s))
OBJECT(clCreateContext,
       (const void* p, uint32_t n, const Object* d, void* f, void* u, int32_t* code),
       (p, n, d, f, u, code))
STATUS(clReleaseContext, (Object o), (o))
OBJECT(clCreateBuffer, (Object c, uint64_t f, size_t n, void* from, int32_t* code),
       (c, f, n, from, code))
STATUS(clReleaseMemObject, (Object o), (o))
OBJECT(clCreateCommandQueue, (Object c, Object d, uint64_t f, int32_t* code), (c, d, f, code))
STATUS(clReleaseCommandQueue, (Object o), (o))
STATUS(clFlush, (Object q), (q))
STATUS(clFinish, (Object q), (q))
STATUS(clEnqueueReadBuffer,
       (Object q, Object m, uint32_t b, size_t at, size_t n, void* to, uint32_t w, Events l,
        Object* e),
       (q, m, b, at, n, to, w, l, e))
STATUS(clEnqueueWriteBuffer,
       (Object q, Object m, uint32_t b, size_t at, size_t n, const void* from, uint32_t w, Events l,
        Object* e),
       (q, m, b, at, n, from, w, l, e))
STATUS(clEnqueueCopyBuffer,
       (Object q, Object a, Object b, size_t i, size_t j, size_t n, uint32_t w, Events l,
        Object* e),
       (q, a, b, i, j, n, w, l, e))
STATUS(clEnqueueFillBuffer,
       (Object q, Object m, const void* p, size_t s, size_t at, size_t n, uint32_t w, Events l,
        Object* e),
       (q, m, p, s, at, n, w, l, e))
STATUS(clEnqueueNDRangeKernel,
       (Object q, Object k, uint32_t r, const size_t* o, const size_t* g, const size_t* i,
        uint32_t w, Events l, Object* e),
       (q, k, r, o, g, i, w, l, e))
STATUS(clEnqueueMarkerWithWaitList, (Object q, uint32_t w, Events l, Object* e), (q, w, l, e))
STATUS(clEnqueueBarrierWithWaitList, (Object q, uint32_t w, Events l, Object* e), (q, w, l, e))
STATUS(clWaitForEvents, (uint32_t n, Events l), (n, l))
STATUS(clGetEventInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s), (o, w, n, to, s))
STATUS(clGetEventProfilingInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s),
       (o, w, n, to, s))
STATUS(clReleaseEvent, (Object o), (o))
OBJECT(clCreateProgramWithSource,
       (Object c, uint32_t n, const char** t, const size_t* s, int32_t* code), (c, n, t, s, code))
OBJECT(clCreateProgramWithBinary,
       (Object c, uint32_t n, const Object* d, const size_t* s, const void* b, int32_t* each,
        int32_t* code),
       (c, n, d, s, b, each, code))
STATUS(clGetProgramInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s), (o, w, n, to, s))
STATUS(clBuildProgram,
       (Object p, uint32_t n, const Object* d, const char* options, void* f, void* u),
       (p, n, d, options, f, u))
STATUS(clGetProgramBuildInfo, (Object o, Object d, uint32_t w, size_t n, void* to, size_t* s),
       (o, d, w, n, to, s))
STATUS(clReleaseProgram, (Object o), (o))
OBJECT(clCreateKernel, (Object p, const char* name, int32_t* code), (p, name, code))
STATUS(clSetKernelArg, (Object k, uint32_t i, size_t n, const void* from), (k, i, n, from))
STATUS(clReleaseKernel, (Object o), (o))

/* ---- For tests. ---- */

/* From the n-th call from now on, functions whose names begin so fail with this code; 0: none does.
 */
__attribute__((visibility("default"))) void fail_from(const char* name, long nth, int32_t code) {
  atomic_store(&failure_code, 0);
  strncpy(victim, name, sizeof victim - 1);
  atomic_store(&calls_left, nth);
  atomic_store(&failures, 0);
  atomic_store(&failure_code, code);
}

/* How many calls have failed so since. */
__attribute__((visibility("default"))) int32_t failed(void) { return atomic_load(&failures); }

/* How often the function did what it is for. */
__attribute__((visibility("default"))) long successes(const char* name) {
  for (int i = 0; i < atomic_load(&num_functions); ++i) {
    if (strcmp(functions[i].name, name) == 0) return atomic_load(&functions[i].successes);
  }
  return -1;
}
