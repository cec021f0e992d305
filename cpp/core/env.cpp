#include "core/env.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "core/error.h"

namespace addax::env {
namespace {

constexpr std::array<std::string_view, 4> kTopics = {"graph", "passes", "plan", "kernels"};

std::set<std::string, std::less<>> read_topics() {
  std::set<std::string, std::less<>> topics;
  const std::string text = get("ADDAX_LOG").value_or("");
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string topic = text.substr(begin, end - begin);
    if (std::find(kTopics.begin(), kTopics.end(), topic) == kTopics.end()) {
      throw InvalidArgumentError("ADDAX_LOG names the unknown topic '" + topic +
                                 "'; known topics are graph, passes, plan, kernels");
    }
    topics.insert(topic);
    begin = end + 1;
  }
  return topics;
}

}  // namespace

std::optional<std::string> get(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<int64_t> get_positive(const char* variable) {
  const std::optional<std::string> text = get(variable);
  if (!text) return std::nullopt;
  int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, status] = std::from_chars(text->data(), end, value);
  if (status != std::errc() || stop != end || value <= 0) {
    throw InvalidArgumentError(std::string(variable) + " must be a positive integer, got '" +
                               *text + "'");
  }
  return value;
}

bool get_flag(const char* variable) {
  const std::string text = get(variable).value_or("0");
  if (text != "0" && text != "1") {
    throw InvalidArgumentError(std::string(variable) + " must be 0 or 1, got '" + text + "'");
  }
  return text == "1";
}

bool log_enabled(std::string_view topic) {
  static const std::set<std::string, std::less<>> topics = read_topics();
  return topics.contains(topic);
}

void log(std::string_view topic, std::string_view text) {
  std::fprintf(stderr, "[addax:%.*s] %.*s\n", static_cast<int>(topic.size()), topic.data(),
               static_cast<int>(text.size()), text.data());
}

}  // namespace addax::env
