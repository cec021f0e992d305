#include "core/error.h"

#include <gtest/gtest.h>

namespace addax {
namespace {

template <typename E>
void expect_comes_back(ErrorCode code) {
  try {
    throw_error(code, "[op] text");
  } catch (const E& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_STREQ(error.what(), "[op] text");
    return;
  }
  FAIL();
}

TEST(Error, CodesComeBackAsTheirTypes) {
  expect_comes_back<InvalidArgumentError>(ErrorCode::InvalidArgument);
  expect_comes_back<ShapeError>(ErrorCode::Shape);
  expect_comes_back<DTypeError>(ErrorCode::DType);
  expect_comes_back<OutOfRangeError>(ErrorCode::OutOfRange);
  expect_comes_back<OutOfMemoryError>(ErrorCode::OutOfMemory);
  expect_comes_back<DeviceError>(ErrorCode::Device);
  expect_comes_back<UnsupportedError>(ErrorCode::Unsupported);
  expect_comes_back<IoError>(ErrorCode::Io);
  expect_comes_back<InternalError>(ErrorCode::Internal);
  expect_comes_back<InterruptedError>(ErrorCode::Interrupted);
}

}  // namespace
}  // namespace addax
