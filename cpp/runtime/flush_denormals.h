#pragma once

#include <cstdint>

namespace addax {

// While in scope this thread takes and returns zero for denormal floats, which are tens of times
// slower than others.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  uint64_t before_;
};

}  // namespace addax
