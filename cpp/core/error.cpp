#include "core/error.h"

namespace addax {

void throw_error(ErrorCode code, const std::string& message) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      throw InvalidArgumentError(message);
    case ErrorCode::Shape:
      throw ShapeError(message);
    case ErrorCode::DType:
      throw DTypeError(message);
    case ErrorCode::OutOfRange:
      throw OutOfRangeError(message);
    case ErrorCode::OutOfMemory:
      throw OutOfMemoryError(message);
    case ErrorCode::Device:
      throw DeviceError(message);
    case ErrorCode::Unsupported:
      throw UnsupportedError(message);
    case ErrorCode::Io:
      throw IoError(message);
    case ErrorCode::Interrupted:
      throw InterruptedError(message);
    case ErrorCode::Ok:
    case ErrorCode::Internal:
      break;
  }
  throw InternalError(message);
}

}  // namespace addax
