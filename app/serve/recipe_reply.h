// A recipe as a page shows it: its full text, and what differs from the one that it is named after.
#pragma once

#include <limn/limn.h>

#include <string>

#include "serve/message.h"
#include "serve/settings.h"

namespace limn {

// The built-in recipe of this name, or "limn" if there is none.
Recipe recipe_to_differ_from(const std::string& name);

// The settings of `recipe` that `from` has otherwise: with_settings(from, differences(recipe,
// from), "") is the recipe, but for its name.
Json differences(const Recipe& recipe, const Recipe& from);

// What POST /api/v1/recipes answers: {"toml": text}, or {"recipe": name, "settings": {...}},
// checked as a job's would be. Throws Problem: 400 (not JSON), 422, whose detail names line and
// key.
Json checked_recipe(const Request& request);

}  // namespace limn
