#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace addax {

// How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b`, ignoring
// case.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `text`, the first among equals; nothing when none is so near that it was
// plausibly meant (a third of the longer name's letters, at least one).
std::optional<std::string> nearest_name(std::string_view text,
                                        std::span<const std::string> candidates);

// "; did you mean 'add'?" for an error message; empty when no candidate is near.
std::string did_you_mean(std::string_view text, std::span<const std::string> candidates);

}  // namespace addax
