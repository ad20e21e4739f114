// Settings of a recipe as JSON, in the structure of its TOML:
//
//   {"style": {"weight": 2, "layers": {"relu1_1": 0.5}}, "picture": {"size": 256}}
//
// Only what differs from a recipe need be given.
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace limn {

using Json = nlohmann::ordered_json;

// Text as JSON. Throws Problem (400): not JSON, nested deeper than 16, a key twice in an object.
Json parse_json(std::string_view text, const std::string& what);

// The recipe with these settings. `pointer` is where they lie in the request: "/settings". Throws
// Problem (422) with the pointer to what is wrong: an unknown key (naming the nearest known one), a
// value of another type or out of range, a strength where weights are fixed, a key that every stage
// has its own value of.
Recipe with_settings(Recipe recipe, const Json& settings, const std::string& pointer);

// All settings of a recipe: with_settings(Recipe(), recipe_json(r), "") is r.
Json recipe_json(const Recipe& recipe);

// A key as part of a JSON pointer (RFC 6901).
std::string pointer_to(const std::string& pointer, std::string_view key);

}  // namespace limn
