#pragma once

#include <stdexcept>
#include <string>

namespace addax {

// Codes cross the device ABI (`adx_code`); the numeric values never change.
enum class ErrorCode : int {
  Ok = 0,
  InvalidArgument = 1,
  Shape = 2,
  DType = 3,
  OutOfRange = 4,
  OutOfMemory = 5,
  Device = 6,
  Unsupported = 7,
  Io = 8,
  Internal = 9,
  Interrupted = 10,
};

// Base of everything that Addax throws. Messages begin with "[op]" where an op is concerned, name
// the shapes or dtypes, and say what to do. Each subclass has a Python exception of the same name.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

template <ErrorCode kCode>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(kCode, message) {}
};

using InvalidArgumentError = ErrorOf<ErrorCode::InvalidArgument>;
using ShapeError = ErrorOf<ErrorCode::Shape>;
using DTypeError = ErrorOf<ErrorCode::DType>;
using OutOfRangeError = ErrorOf<ErrorCode::OutOfRange>;
using OutOfMemoryError = ErrorOf<ErrorCode::OutOfMemory>;
using DeviceError = ErrorOf<ErrorCode::Device>;
using UnsupportedError = ErrorOf<ErrorCode::Unsupported>;
using IoError = ErrorOf<ErrorCode::Io>;
using InternalError = ErrorOf<ErrorCode::Internal>;
using InterruptedError = ErrorOf<ErrorCode::Interrupted>;

// Rethrows a code and message that came over a boundary as the matching type above.
[[noreturn]] void throw_error(ErrorCode code, const std::string& message);

}  // namespace addax
