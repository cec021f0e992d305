#pragma once

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace addax::cpu {

// Treats subnormal floats as zero on this thread while it lives: on most processors they cost a
// hundred times as much as other numbers, and optimizer moments that fade away are full of them.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : saved_(_mm_getcsr()) {
    _mm_setcsr(saved_ | _MM_FLUSH_ZERO_ON | kDenormalsAreZero);
  }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  static constexpr unsigned kDenormalsAreZero = 0x40;
  unsigned saved_;
#else
  FlushDenormals() {}
  ~FlushDenormals() {}
#endif

 public:
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
};

}  // namespace addax::cpu
