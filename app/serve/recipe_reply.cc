#include "serve/recipe_reply.h"

#include <fmt/format.h>

#include <algorithm>

#include "serve/job_request.h"
#include "serve/problem.h"

namespace limn {
namespace {

// Objects that are values as a whole: what one does not name is not in it.
bool is_whole(const std::string& key) { return key == "layers"; }

Json changed_keys(const Json& now, const Json& before) {
  Json changed = Json::object();
  for (const auto& [key, value] : now.items()) {
    const auto old = before.find(key);
    if (old != before.end() && *old == value) continue;
    const bool deeper = value.is_object() && old != before.end() && !is_whole(key);
    changed[key] = deeper ? changed_keys(value, *old) : value;
  }
  return changed;
}

Recipe recipe_of_text(const Json& toml) {
  if (!toml.is_string()) throw Problem(422, "/toml: should be a string", "/toml");
  try {
    return parse_recipe(toml.get<std::string>(), "the recipe");
  } catch (const Error& error) {
    throw Problem(422, error.what(), "/toml");
  }
}

Recipe recipe_of_name(const Json& json) {
  const Json name = json.value("recipe", Json("limn"));
  if (!name.is_string()) throw Problem(422, "/recipe: should be a string", "/recipe");
  Recipe recipe;
  try {
    recipe = named_recipe(name.get<std::string>());
  } catch (const Error& error) {
    throw Problem(422, error.what(), "/recipe");
  }
  return json.contains("settings") ? with_settings(recipe, json["settings"], "/settings") : recipe;
}

}  // namespace

Recipe recipe_to_differ_from(const std::string& name) {
  const std::vector<std::string> names = recipe_names();
  return named_recipe(std::ranges::find(names, name) == names.end() ? "limn" : name);
}

Json differences(const Recipe& recipe, const Recipe& from) {
  const Json now = recipe_json(recipe);
  Json changed = changed_keys(now, recipe_json(from));
  changed.erase("name");
  changed.erase("summary");
  if (recipe.stages.empty() && !from.stages.empty()) changed["stages"] = Json::array();
  return changed;
}

Json checked_recipe(const Request& request) {
  const Json json = parse_json(request.text, "the request");
  if (!json.is_object()) throw Problem(422, "the request should be a JSON object");
  const bool text = json.contains("toml");
  for (const auto& [key, value] : json.items()) {
    const bool known = text ? key == "toml" : key == "recipe" || key == "settings";
    if (known) continue;
    throw Problem(422,
                  fmt::format("{}: should be {{\"toml\": TEXT}}, or {{\"recipe\": NAME, "
                              "\"settings\": {{...}}}}",
                              pointer_to("", shown(key))),
                  pointer_to("", shown(key)));
  }
  const Recipe recipe = text ? recipe_of_text(json["toml"]) : recipe_of_name(json);
  check_recipe_of_client(recipe, text ? "/toml" : "/settings");
  return {{"name", recipe.name},
          {"settings", differences(recipe, recipe_to_differ_from(recipe.name))},
          {"toml", to_toml(recipe)}};
}

}  // namespace limn
