/* Preloaded into a process, stands before the C library's aligned_alloc, which is where the CPU
 * device has its memory from, and fails it on demand. By ctypes: what stands below. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_long calls_left;
static atomic_int is_armed;
static atomic_int failures;

__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t bytes) {
  static void* (*real)(size_t, size_t);
  if (atomic_load(&is_armed) && atomic_fetch_sub(&calls_left, 1) <= 1) {
    atomic_fetch_add(&failures, 1);
    return NULL;
  }
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "aligned_alloc");
  return real(alignment, bytes);
}

/* From the n-th call from now on, all fail; 0: none does. */
__attribute__((visibility("default"))) void fail_from(long nth) {
  atomic_store(&is_armed, 0);
  atomic_store(&calls_left, nth);
  atomic_store(&failures, 0);
  atomic_store(&is_armed, nth > 0);
}

/* How many calls have failed so since. */
__attribute__((visibility("default"))) int failed(void) { return atomic_load(&failures); }
