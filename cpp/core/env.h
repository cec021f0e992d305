#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace addax::env {

// The settings ADDAX_*: one accessor each, read when called.

// Raw value of a variable; nothing when unset or empty.
std::optional<std::string> get(const char* variable);

// A positive integer; throws InvalidArgumentError naming the variable and its value otherwise.
std::optional<int64_t> get_positive(const char* variable);

// Whether a variable is 1; unset and 0 are false, anything else throws InvalidArgumentError.
bool get_flag(const char* variable);

// ADDAX_LOG=graph,passes,plan,kernels: whether `topic` is among them. An unknown topic throws
// InvalidArgumentError at the first call. Read once.
bool log_enabled(std::string_view topic);

// Writes one line "[addax:topic] text" to stderr.
void log(std::string_view topic, std::string_view text);

}  // namespace addax::env
