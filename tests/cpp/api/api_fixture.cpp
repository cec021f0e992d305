#include "api/api_fixture.h"

#include "api/devices.h"
#include "cpu/plugin.h"
#include "runtime/host_services.h"

namespace addax {
namespace {

void start() {
  static const bool started = [] {
    start_runtime();
    DeviceRegistry::instance().register_builtin(&adx_cpu_plugin);
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace

void ApiTest::SetUpTestSuite() { on_first_device_use(&start); }

Device& ApiTest::device() { return device_registry().default_device(); }

Tensor ApiTest::floats(const std::vector<float>& numbers, const Shape& shape) {
  return Tensor::from_host(numbers.data(), {DType::Float32, shape}, device());
}

Tensor ApiTest::floats(const std::vector<float>& numbers) {
  return floats(numbers, Shape{static_cast<int64_t>(numbers.size())});
}

Tensor ApiTest::ints(const std::vector<int32_t>& numbers) {
  return Tensor::from_host(numbers.data(),
                           {DType::Int32, Shape{static_cast<int64_t>(numbers.size())}}, device());
}

std::vector<float> ApiTest::read(const Tensor& tensor) {
  EXPECT_EQ(tensor.dtype(), DType::Float32);
  std::vector<float> numbers(static_cast<size_t>(tensor.shape().num_elements()));
  tensor.copy_to_host(numbers.data());
  return numbers;
}

std::shared_ptr<Variable> ApiTest::variable(const std::vector<float>& numbers,
                                            const std::string& name) {
  return std::make_shared<Variable>(floats(numbers), name, true);
}

}  // namespace addax
