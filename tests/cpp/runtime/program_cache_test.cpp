#include "runtime/program_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "graph/text.h"
#include "runtime/devices.h"

namespace addax {
namespace {

std::shared_ptr<Program> any_program() {
  return Program::compile(parse_graph(R"(graph g {
    %0 = input "x" : f32[2]
    %1 = negative(%0) : f32[2]
    return %1
  })"),
                          testing::null_device());
}

TEST(ProgramCache, DropsWhatWasUnusedLongest) {
  ProgramCache cache(2);
  const auto program = any_program();
  cache.insert("a", program);
  cache.insert("b", program);
  EXPECT_EQ(cache.find("a"), program);
  cache.insert("c", program);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_NE(cache.find("c"), nullptr);
  const ProgramCacheInfo info = cache.info();
  EXPECT_EQ(info.size, 2u);
  EXPECT_EQ(info.capacity, 2u);
  EXPECT_EQ(info.hits, 3u);
  EXPECT_EQ(info.misses, 1u);
}

TEST(ProgramCache, ReplacesAndResizes) {
  ProgramCache cache(3);
  const auto one = any_program();
  const auto two = any_program();
  cache.insert("a", one);
  cache.insert("a", two);
  EXPECT_EQ(cache.info().size, 1u);
  EXPECT_EQ(cache.find("a"), two);
  EXPECT_EQ(one.use_count(), 1);
  cache.insert("b", one);
  cache.set_capacity(1);
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("b"), one);
  cache.set_capacity(0);
  EXPECT_EQ(cache.info().size, 0u);
  cache.insert("c", one);
  EXPECT_EQ(cache.info().size, 0u);
  EXPECT_EQ(one.use_count(), 1);
}

TEST(ProgramCache, CompilesOnce) {
  ProgramCache cache;
  int compiled = 0;
  const auto compile = [&] {
    ++compiled;
    return any_program();
  };
  const auto first = cache.get_or_compile("k", compile);
  EXPECT_EQ(cache.get_or_compile("k", compile), first);
  EXPECT_EQ(compiled, 1);
  cache.clear();
  EXPECT_NE(cache.get_or_compile("k", compile), first);
}

TEST(ProgramCache, ServesManyThreads) {
  ProgramCache cache(8);
  const auto program = any_program();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const std::string key = std::to_string((i * (t + 1)) % 20);
        EXPECT_EQ(cache.get_or_compile(key, [&] { return program; }), program);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.info().size, 8u);
}

}  // namespace
}  // namespace addax
