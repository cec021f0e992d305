#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/eager.h"
#include "api/trace.h"
#include "api/variable.h"

namespace addax {

// A process with the built-in device, and short ways to make and read float tensors.
class ApiTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();

  static Tensor floats(const std::vector<float>& numbers, const Shape& shape);
  static Tensor floats(const std::vector<float>& numbers);
  static Tensor ints(const std::vector<int32_t>& numbers);
  static std::vector<float> read(const Tensor& tensor);
  static std::shared_ptr<Variable> variable(const std::vector<float>& numbers,
                                            const std::string& name = "v");
  static Device& device();
};

}  // namespace addax
