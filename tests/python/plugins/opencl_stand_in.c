/* Stands in for the OpenCL loader: hands every call on to it, fails those that it is told to, and
 * holds the process to a smaller device than there is. A process loads it by ADDAX_OPENCL_LIBRARY,
 * and by ctypes what stands below under "For tests". */
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
static atomic_long failures_left;
static atomic_int failure_code;
static atomic_int failures;

static void* find(const char* name) {
  static void* library;
  if (library == NULL) library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  void* const function = library == NULL ? NULL : dlsym(library, name);
  if (function == NULL) abort();
  return function;
}

/* Whether this call is to fail: from the one that was asked for on, as many do as were. */
static int fails(const char* name) {
  if (atomic_load(&failure_code) == 0) return 0;
  if (strncmp(name, victim, strlen(victim)) != 0) return 0;
  if (atomic_fetch_sub(&calls_left, 1) > 1) return 0;
  if (atomic_fetch_sub(&failures_left, 1) <= 0) return 0;
  atomic_fetch_add(&failures, 1);
  return 1;
}

/* ---- The smaller device: OPENCL_CLAIMS="1004=16 1005=1024,1024,64 11b0/softmax=8", what
 * clGetDeviceInfo and clGetKernelWorkGroupInfo are to answer, by the numbers of their questions in
 * hexadecimal, of every kernel or of those of one name. ---- */

enum {
  kMaxWorkGroupSize = 0x1004,
  kMaxWorkItemSizes = 0x1005,
  kMaxMemAllocSize = 0x1010,
  kLocalMemSize = 0x1023,
  kDoubleFpConfig = 0x1032,
  kQueueDevice = 0x1091,
  kKernelFunctionName = 0x1190,
  kKernelWorkGroupSize = 0x11B0,
  kKernelLocalMemSize = 0x11B2 /* so much more than there is, if there is any */
};
enum {
  kOutOfResources = -5,
  kInvalidWorkGroupSize = -54,
  kInvalidWorkItemSize = -55,
  kInvalidBufferSize = -61
};
enum { kMostAxes = 3, kMostName = 32, kMostClaims = 32 };

typedef struct {
  uint32_t question;
  char kernel[kMostName]; /* empty: all of them */
  uint64_t answer[kMostAxes];
} Claim;
static Claim claims[kMostClaims + 1]; /* up to the first without a question */

static void read_claims(void) {
  char* text = getenv("OPENCL_CLAIMS");
  for (Claim* claim = claims; text != NULL && *text != '\0'; ++claim) {
    if (claim == claims + kMostClaims) abort();
    claim->question = (uint32_t)strtoul(text, &text, 16);
    if (*text == '/') {
      const size_t length = strcspn(++text, "=");
      if (length >= kMostName) abort();
      memcpy(claim->kernel, text, length);
      text += length;
    }
    if (*text != '=') abort();
    for (int axis = 0; axis < kMostAxes && (*text == '=' || *text == ','); ++axis) {
      claim->answer[axis] = strtoull(text + 1, &text, 10);
    }
    if (*text == ' ') ++text;
  }
}

/* Null where the device's own answer holds. */
static const uint64_t* claimed_of(uint32_t question, const char* kernel) {
  for (const Claim* claim = claims; claim->question != 0; ++claim) {
    const int is_meant = claim->kernel[0] == '\0' || strcmp(claim->kernel, kernel) == 0;
    if (claim->question == question && is_meant) return claim->answer;
  }
  return NULL;
}
static const uint64_t* claimed(uint32_t question) { return claimed_of(question, ""); }

static int exceeds(uint64_t size, uint32_t question) {
  const uint64_t* const most = claimed(question);
  return most != NULL && size > *most;
}

/* What such a device says of a kernel. */
static int32_t kernel_info(void* kernel, void* device, uint32_t question, size_t size, void* to,
                           size_t* needed) {
  typedef int32_t (*GroupInfo)(void*, void*, uint32_t, size_t, void*, size_t*);
  typedef int32_t (*Info)(void*, uint32_t, size_t, void*, size_t*);
  char name[kMostName] = "";
  int32_t code =
      ((Info)find("clGetKernelInfo"))(kernel, kKernelFunctionName, sizeof name, name, NULL);
  if (code == 0) {
    code =
        ((GroupInfo)find("clGetKernelWorkGroupInfo"))(kernel, device, question, size, to, needed);
  }
  const uint64_t* const claim = claimed_of(question, name);
  if (code != 0 || to == NULL || claim == NULL) return code;
  uint64_t* const answer = to;
  if (question == kKernelLocalMemSize) {
    *answer += *answer != 0 ? *claim : 0;
  } else {
    *answer = *claim;
  }
  return code;
}

/* What it says of this launch; 0: takes it. */
static int32_t launch_breach(void* queue, void* kernel, uint32_t rank, const size_t* group) {
  typedef int32_t (*Info)(void*, uint32_t, size_t, void*, size_t*);
  const uint64_t* const most = claimed(kMaxWorkItemSizes);
  void* device = NULL;
  ((Info)find("clGetCommandQueueInfo"))(queue, kQueueDevice, sizeof device, &device, NULL);
  uint64_t items = 1, admitted = UINT64_MAX, local = 0;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (most != NULL && group[axis] > most[axis]) return kInvalidWorkItemSize;
    items *= group[axis];
  }
  kernel_info(kernel, device, kKernelWorkGroupSize, sizeof admitted, &admitted, NULL);
  if (items > admitted || exceeds(items, kMaxWorkGroupSize)) return kInvalidWorkGroupSize;
  kernel_info(kernel, device, kKernelLocalMemSize, sizeof local, &local, NULL);
  return exceeds(local, kLocalMemSize) ? kOutOfResources : 0;
}

/* In front of each program: without float64 a program that names the type does not compile. */
static const char* program_head(void) {
  const uint64_t* const config = claimed(kDoubleFpConfig);
  return config != NULL && *config == 0 ? "#define double no_such_type\n" : "\n";
}

/* ---- The end: as the process exits, what a driver made for its first program is destroyed before
 * what was there earlier, and nothing may call it from then on. ---- */

static atomic_int is_gone;
static void end(void) { atomic_store(&is_gone, 1); }

static int32_t end_at_exit(void) {
  static atomic_flag registered = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&registered)) atexit(end);
  return 0;
}

static Function* made(const char* name) {
  Function* const function = &functions[atomic_fetch_add(&num_functions, 1)];
  function->name = name;
  return function;
}

/* Why this call fails, which the smaller device takes or not; 0: it does not. */
static int32_t refusal(const char* name, int32_t breach) {
  if (atomic_load(&is_gone)) abort();
  return breach == 0 && fails(name) ? atomic_load(&failure_code) : breach;
}

/* Functions that return a status. */
#define STATUS_UNLESS(name, parameters, arguments, breach)               \
  __attribute__((visibility("default"))) int32_t name parameters {       \
    int32_t code = refusal(#name, breach);                               \
    if (code == 0) code = ((int32_t(*) parameters)name##_real)arguments; \
    if (code == 0) atomic_fetch_add(&name##_function->successes, 1);     \
    return code;                                                         \
  }
#define STATUS(name, parameters, arguments) STATUS_UNLESS(name, parameters, arguments, 0)
/* Functions that return an object, and their status by the last argument. */
#define OBJECT_UNLESS(name, parameters, arguments, breach)                \
  __attribute__((visibility("default"))) void* name parameters {          \
    const int32_t refused = refusal(#name, breach);                       \
    if (refused != 0) {                                                   \
      *code = refused;                                                    \
      return NULL;                                                        \
    }                                                                     \
    void* const object = ((void*(*)parameters)name##_real)arguments;      \
    if (object != NULL) atomic_fetch_add(&name##_function->successes, 1); \
    return object;                                                        \
  }
#define OBJECT(name, parameters, arguments) OBJECT_UNLESS(name, parameters, arguments, 0)

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
  read_claims();
}

typedef void* Object;
typedef const void* Events;

STATUS(clGetPlatformIDs, (uint32_t n, Object* out, uint32_t* count), (n, out, count))
STATUS(clGetDeviceIDs, (Object p, uint64_t t, uint32_t n, Object* out, uint32_t* c),
       (p, t, n, out, c))
__attribute__((visibility("default"))) int32_t clGetDeviceInfo(Object o, uint32_t w, size_t n,
                                                               void* to, size_t* s) {
  typedef int32_t (*Info)(Object, uint32_t, size_t, void*, size_t*);
  int32_t code = refusal("clGetDeviceInfo", 0);
  if (code == 0) code = ((Info)clGetDeviceInfo_real)(o, w, n, to, s);
  if (code == 0 && to != NULL && claimed(w) != NULL) memcpy(to, claimed(w), n);
  return code;
}
OBJECT(clCreateContext,
       (const void* p, uint32_t n, const Object* d, void* f, void* u, int32_t* code),
       (p, n, d, f, u, code))
STATUS(clReleaseContext, (Object o), (o))
OBJECT_UNLESS(clCreateBuffer, (Object c, uint64_t f, size_t n, void* from, int32_t* code),
              (c, f, n, from, code), exceeds(n, kMaxMemAllocSize) ? kInvalidBufferSize : 0)
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
STATUS_UNLESS(clEnqueueNDRangeKernel,
              (Object q, Object k, uint32_t r, const size_t* o, const size_t* g, const size_t* i,
               uint32_t w, Events l, Object* e),
              (q, k, r, o, g, i, w, l, e), launch_breach(q, k, r, i))
STATUS(clEnqueueMarkerWithWaitList, (Object q, uint32_t w, Events l, Object* e), (q, w, l, e))
STATUS(clEnqueueBarrierWithWaitList, (Object q, uint32_t w, Events l, Object* e), (q, w, l, e))
STATUS(clWaitForEvents, (uint32_t n, Events l), (n, l))
STATUS(clGetEventInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s), (o, w, n, to, s))
STATUS(clGetEventProfilingInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s),
       (o, w, n, to, s))
STATUS(clReleaseEvent, (Object o), (o))
OBJECT(clCreateProgramWithSource,
       (Object c, uint32_t n, const char** t, const size_t* s, int32_t* code),
       (c, n + 1, (const char*[]){program_head(), t[0]},
        (const size_t[]){strlen(program_head()), s[0]}, code))
OBJECT(clCreateProgramWithBinary,
       (Object c, uint32_t n, const Object* d, const size_t* s, const void* b, int32_t* each,
        int32_t* code),
       (c, n, d, s, b, each, code))
STATUS(clGetProgramInfo, (Object o, uint32_t w, size_t n, void* to, size_t* s), (o, w, n, to, s))
STATUS_UNLESS(clBuildProgram,
              (Object p, uint32_t n, const Object* d, const char* options, void* f, void* u),
              (p, n, d, options, f, u), end_at_exit())
STATUS(clGetProgramBuildInfo, (Object o, Object d, uint32_t w, size_t n, void* to, size_t* s),
       (o, d, w, n, to, s))
STATUS(clReleaseProgram, (Object o), (o))
OBJECT(clCreateKernel, (Object p, const char* name, int32_t* code), (p, name, code))
STATUS(clSetKernelArg, (Object k, uint32_t i, size_t n, const void* from), (k, i, n, from))
__attribute__((visibility("default"))) int32_t clGetKernelWorkGroupInfo(Object k, Object d,
                                                                        uint32_t w, size_t n,
                                                                        void* to, size_t* s) {
  const int32_t code = refusal("clGetKernelWorkGroupInfo", 0);
  return code != 0 ? code : kernel_info(k, d, w, n, to, s);
}
STATUS(clReleaseKernel, (Object o), (o))

/* ---- For tests. ---- */

/* From the n-th call from now on, so many calls of functions whose names begin so fail with this
 * code; 0: none does. */
__attribute__((visibility("default"))) void fail_from(const char* name, long nth, int32_t code,
                                                      long times) {
  atomic_store(&failure_code, 0);
  strncpy(victim, name, sizeof victim - 1);
  atomic_store(&calls_left, nth);
  atomic_store(&failures_left, times);
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
