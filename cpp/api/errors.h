#pragma once

#include <string>

#include "core/error.h"

namespace addax {

// A tensor that stands for a value of a graph under construction was used as if its numbers were
// known, or outside of its trace; or a concrete tensor was captured by a trace. Python's
// TracedValueError, a TypeError.
class TracedValueError : public Error {
 public:
  explicit TracedValueError(const std::string& message)
      : Error(ErrorCode::InvalidArgument, message) {}
};

}  // namespace addax
