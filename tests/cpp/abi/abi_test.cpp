#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "device/plugin.h"
#include "graph/text.h"
#include "runtime/program.h"
#include "runtime/value_check.h"

// The host of this binary is compiled against today's header or against one whose structs have all
// grown; the plug-ins against the header of version 1, today's, or the grown one. Every pair works.

namespace addax {
namespace {

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream text(list);
  for (std::string item; std::getline(text, item, ',');) items.push_back(item);
  return items;
}

std::string name_of(const ::testing::TestParamInfo<std::string>& file) {
  return std::filesystem::path(file.param).stem();
}

// A plug-in whose devices live for ever, as what runs on them expects.
const Plugin& opened(const std::string& file) {
  static auto& plugins = *std::make_unique<std::deque<Plugin>>().release();
  return plugins.emplace_back(open_plugin(std::filesystem::path(file)));
}

template <class T>
Buffer upload(Device& device, const std::vector<T>& numbers) {
  Buffer buffer = device.alloc(numbers.size() * sizeof(T));
  device.copy_from_host(numbers.data(), buffer, numbers.size() * sizeof(T));
  return buffer;
}

template <class T>
std::vector<T> download(const Buffer& buffer) {
  std::vector<T> numbers(buffer.bytes() / sizeof(T));
  buffer.device().copy_to_host(buffer, numbers.data(), buffer.bytes());
  return numbers;
}

class SumsAcrossVersions : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Abi, SumsAcrossVersions, ::testing::ValuesIn(split(SUMS_PLUGINS)),
                         name_of);

constexpr const char* kSums = R"(graph sums {
  %0 = input "x" : f32[4]
  %1 = input "labels" : i32[3]
  %2 = state "w" : f32[4] -> %4
  %3 = constant() {value=f32[4](0, 1, 2, 3)} : f32[4]
  %4 = add(%2, %0) : f32[4]
  %5 = add(%4, %3) : f32[4]
  %6 = sum(%5) {axes=[0], keepdims=false} : f32[]
  %7 = check_range(%1) {low=0, high=10, what="label"} : i32[3]
  return %6, %7
})";

TEST_P(SumsAcrossVersions, ComputeSteps) {
  const Plugin& plugin = opened(GetParam());
  Device& device = *plugin.devices.at(0);
  EXPECT_EQ(device.name(), "sums:0");
  EXPECT_EQ(device.properties().alignment, 16u);
  EXPECT_EQ(device.properties().fast_dtypes, 0u);

  const auto program = Program::compile(parse_graph(kSums), device);
  const Buffer x = upload<float>(device, {1, 2, 3, 4});
  const Buffer w = upload<float>(device, {0, 0, 0, 10});
  const std::vector<Buffer> outputs = {device.alloc(4), device.alloc(12)};
  const Buffer good = upload<int32_t>(device, {3, 0, 9});
  EXPECT_EQ(program->run(std::vector{x, good}, std::vector{w}, outputs, 3), 3u);
  EXPECT_EQ(download<float>(w), (std::vector<float>{3, 6, 9, 22}));
  EXPECT_EQ(download<float>(outputs[0]), (std::vector<float>{46}));
  EXPECT_EQ(download<int32_t>(outputs[1]), (std::vector<int32_t>{3, 0, 9}));

  const Buffer bad = upload<int32_t>(device, {3, 10, 9});
  try {
    program->run(std::vector{x, bad}, std::vector{w}, outputs, 3);
    FAIL();
  } catch (const ValueCheckError& error) {
    EXPECT_NE(std::string(error.what()).find("10"), std::string::npos) << error.what();
  }
  EXPECT_THROW(Program::compile(parse_graph(R"(graph g {
    %0 = input "x" : f32[4]
    %1 = tanh(%0) : f32[4]
    return %1
  })"),
                                device),
               UnsupportedError);
}

class NullAcrossVersions : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Abi, NullAcrossVersions, ::testing::ValuesIn(split(NULL_PLUGINS)),
                         name_of);

constexpr const char* kStep = R"(graph step {
  %0 = input "x" : f32[8,16]
  %1 = state "w" : f32[16,4] -> %7
  %2 = state "steps" : i64[] -> %9
  %3 = matmul(%0, %1) {transpose_a=false, transpose_b=false} : f32[8,4]
  %4 = tanh(%3) : f32[8,4]
  %5 = matmul(%0, %4) {transpose_a=true, transpose_b=false} : f32[16,4]
  %6 = sum(%4) {axes=[0,1], keepdims=false} : f32[]
  %7 = subtract(%1, %5) : f32[16,4]
  %8 = constant() {value=i64[](1)} : i64[]
  %9 = add(%2, %8) : i64[]
  return %6
})";

TEST_P(NullAcrossVersions, CheckWholeGraphs) {
  const Plugin& plugin = opened(GetParam());
  ASSERT_EQ(plugin.devices.size(), 2u);
  EXPECT_TRUE(plugin.devices[0]->has_unified_memory());
  for (const auto& device : plugin.devices) {
    const auto program = Program::compile(parse_graph(kStep), *device);
    const std::vector<Buffer> states = {device->alloc(256), device->alloc(8)};
    EXPECT_EQ(
        program->run(std::vector{device->alloc(512)}, states, std::vector{device->alloc(4)}, 100),
        100u);
    const Buffer text = upload<char>(*device, {'a', 'd', 'd', 'a', 'x'});
    device->fill(text, 'u', 3, 1);
    EXPECT_EQ(download<char>(text), (std::vector<char>{'a', 'u', 'u', 'u', 'x'}));
  }
}

}  // namespace
}  // namespace addax
