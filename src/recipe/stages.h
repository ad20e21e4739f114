// Recipes whose paintings have several stages (limn.h: Stage).
#pragma once

#include <limn/limn.h>

#include <span>
#include <string_view>
#include <vector>

namespace limn {

inline constexpr size_t kMostStages = 100;

// Whether stages may differ in this setting: not in those that the pictures, the network or the
// whole painting depend on.
bool may_differ(std::string_view key);

// Divides a whole number by these shares, so that partial sums are closest to the shares'.
std::vector<int> shared_out(int whole, std::span<const double> shares);

// The recipe of each stage, itself without stages: with the stage's changes, and its part of the
// iterations. At least one. Throws Error (usage), naming the recipe and the stage: unknown
// settings, or such that may not differ; values out of range.
std::vector<Recipe> stages_of(const Recipe& recipe);

}  // namespace limn
