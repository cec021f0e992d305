#include "runtime/flush_denormals.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace addax {
namespace {

#if defined(__x86_64__)
constexpr uint64_t kFlush = 0x8040;  // MXCSR: flush to zero, denormals are zero
uint64_t read_mode() { return _mm_getcsr(); }
void write_mode(uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(__aarch64__)
constexpr uint64_t kFlush = uint64_t{1} << 24;  // FPCR: FZ
uint64_t read_mode() {
  uint64_t mode = 0;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
void write_mode(uint64_t mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
constexpr uint64_t kFlush = 0;
uint64_t read_mode() { return 0; }
void write_mode(uint64_t) {}
#endif

}  // namespace

FlushDenormals::FlushDenormals() : before_(read_mode()) {
  if ((before_ & kFlush) != kFlush) write_mode(before_ | kFlush);
}

FlushDenormals::~FlushDenormals() {
  if ((before_ & kFlush) != kFlush) write_mode(before_);
}

}  // namespace addax
