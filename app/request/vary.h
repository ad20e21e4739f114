// --vary KEY=VALUES: one setting of a recipe and the values to try in turn.
#pragma once

#include <limn/limn.h>

#include <string>
#include <vector>

namespace limn {

// The most paintings in a sweep.
inline constexpr int kMostValues = 64;

struct Variation {
  std::string key;                  // in a recipe: "style.weight"
  std::vector<std::string> values;  // as given after the setting's flag
  std::vector<Recipe> recipes;      // one per value
};

// Reads "style.weight=0.1,1,10" (or "style-weight=...", like the flag). The values are
//   0.1,1,10              a list; lists of layers or numbers, which contain commas themselves, are
//                         separated by ";", which other lists may use too
//   0.1..10x5             five numbers in equal factors: 0.1, 0.3162, 1, 3.162, 10
//   0..1+5                five numbers in equal steps: 0, 0.25, 0.5, 0.75, 1
// Numbers inside a range are rounded to four digits, whole ones to the nearest. Every recipe is
// `base` with one of the values. Throws Error (usage), naming --vary: an unknown key with the
// nearest known one, a key that does not affect a picture, invalid or repeated values, values out
// of range, more than kMostValues.
Variation parse_variation(const std::string& text, const Recipe& base);

}  // namespace limn
