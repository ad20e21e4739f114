// --vary KEY=VALUES: one setting of a recipe, and the values that it takes in turn.
#pragma once

#include <limn/limn.h>

#include <string>
#include <vector>

namespace limn {

// A sweep shows at most so many paintings.
inline constexpr int kMostValues = 64;

struct Variation {
  std::string key;                  // in a recipe: "style.weight"
  std::vector<std::string> values;  // as they would stand behind the setting's flag
  std::vector<Recipe> recipes;      // one for each value
};

// Reads "style.weight=0.1,1,10" (or "style-weight=...", by the flag). The values are
//   0.1,1,10              a list; lists of layers or numbers, which hold commas themselves, are
//                         separated by ";", and so may others be
//   0.1..10x5             five numbers in equal factors: 0.1, 0.3162, 1, 3.162, 10
//   0..1+5                five numbers in equal steps: 0, 0.25, 0.5, 0.75, 1
// Numbers inside a range are rounded to four digits, whole ones to the nearest. Every recipe is
// `base` with one of the values. Throws Error (usage), naming --vary: an unknown key with the
// nearest known one, a key that makes no difference to a picture, values that are none or out of
// range, twice the same one, more than kMostValues.
Variation parse_variation(const std::string& text, const Recipe& base);

}  // namespace limn
