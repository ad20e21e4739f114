#include "serve/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/error.h"
#include "recipe/fields.h"
#include "recipe/stages.h"
#include "serve/problem.h"

namespace limn {
namespace {

constexpr int kDeepest = 16;

[[noreturn]] void reject(const std::string& pointer, const std::string& what) {
  throw Problem(422, fmt::format("{}: {}", pointer.empty() ? "/" : pointer, what), pointer);
}

template <typename T>
constexpr bool kIsLayers = std::is_same_v<T, std::vector<LayerWeight>>;
template <typename T>
constexpr bool kIsNumbers =
    std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<double>>;

std::string number_text(const Json& value, bool whole, const std::string& pointer) {
  if (whole && !value.is_number_integer()) reject(pointer, "should be a whole number");
  if (!value.is_number()) reject(pointer, "should be a number");
  if (value.is_number_unsigned()) return fmt::format("{}", value.get<std::uint64_t>());
  if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
  return fmt::format("{}", value.get<double>());
}

// The text that a command line would have for a value of this type (fields.h: set_field).
template <typename T>
std::string text_of(const T&, const Json& value, const std::string& pointer) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_boolean()) reject(pointer, "should be true or false");
    return value.get<bool>() ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number_text(value, std::is_integral_v<T>, pointer);
  } else if constexpr (kIsNumbers<T>) {
    if (!value.is_array()) reject(pointer, "should be a list of numbers");
    std::string text;
    for (size_t i = 0; i < value.size(); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : ",",
                          number_text(value[i], std::is_same_v<T, std::vector<int>>,
                                      pointer_to(pointer, std::to_string(i))));
    }
    return text;
  } else if constexpr (kIsLayers<T>) {
    if (!value.is_object()) reject(pointer, "should be an object of layers and weights");
    std::string text;
    for (const auto& [layer, weight] : value.items()) {
      const std::string at = pointer_to(pointer, layer);
      const bool plain = !layer.empty() && layer.find_first_of(",: ") == std::string::npos;
      if (!plain) reject(at, "is no layer's name");
      text +=
          fmt::format("{}{}:{}", text.empty() ? "" : ",", layer, number_text(weight, false, at));
    }
    return text;
  } else {
    if (!value.is_string()) reject(pointer, "should be a string");
    return value.get<std::string>();
  }
}

// Calls each(key, text, pointer) for every setting in an object, sections and all.
class SettingsWalk {
 public:
  using Each = std::function<void(const std::string&, const std::string&, const std::string&)>;

  SettingsWalk(std::initializer_list<std::string_view> others, Each each)
      : others_(others), each_(std::move(each)) {}

  void walk(const Json& object, const std::string& pointer) const {
    if (!object.is_object()) reject(pointer, "should be an object");
    for (const auto& [name, value] : object.items()) {
      if (std::ranges::find(others_, name) != others_.end()) continue;
      const std::string at = pointer_to(pointer, name);
      if (name.find('.') != std::string::npos) {
        reject(at, "has a dot; sections are objects of their own");
      }
      if (is_section(name)) {
        walk_section(name, value, at);
      } else {
        set(name, value, at);
      }
    }
  }

 private:
  static bool is_section(const std::string& name) {
    bool found = false;
    const Recipe recipe;
    visit_fields(recipe, [&](const Field& field, const auto&) {
      const bool longer = field.key.size() > name.size() && field.key[name.size()] == '.';
      found = found || (longer && field.key.starts_with(name));
    });
    return found;
  }

  void walk_section(const std::string& section, const Json& object,
                    const std::string& pointer) const {
    if (!object.is_object()) reject(pointer, "is a section, and should be an object");
    for (const auto& [name, value] : object.items()) {
      set(fmt::format("{}.{}", section, name), value, pointer_to(pointer, name));
    }
  }

  void set(const std::string& key, const Json& value, const std::string& pointer) const {
    bool found = false;
    const Recipe recipe;
    visit_fields(recipe, [&](const Field& field, const auto& of_type) {
      if (field.key != key) return;
      found = true;
      each_(key, text_of(of_type, value, pointer), pointer);
    });
    if (found) return;
    std::vector<std::string> known(others_.begin(), others_.end());
    visit_fields(recipe, [&](const Field& field, const auto&) { known.emplace_back(field.key); });
    reject(pointer, fmt::format("unknown setting{}", did_you_mean(key, known)));
  }

  std::vector<std::string_view> others_;
  Each each_;
};

// set_field, whose errors name the place in the request.
void set_at(Recipe& recipe, const std::string& key, const std::string& text,
            const std::string& pointer) {
  try {
    set_field(recipe, key, text, pointer);
  } catch (const Error& error) {
    throw Problem(422, error.what(), pointer);
  }
}

Stage stage_from(const Json& json, size_t number, const std::string& pointer) {
  Stage stage;
  stage.name = fmt::format("{}", number + 1);
  if (!json.is_object()) reject(pointer, "should be an object");
  if (const auto name = json.find("name"); name != json.end()) {
    if (!name->is_string()) reject(pointer + "/name", "should be a string");
    stage.name = name->get<std::string>();
  }
  if (const auto share = json.find("share"); share != json.end()) {
    if (!share->is_number()) reject(pointer + "/share", "should be a number");
    stage.share = share->get<double>();
  }
  Recipe scratch;
  const SettingsWalk settings({"name", "share"},
                              [&](const std::string& key, const std::string& text, const auto& at) {
                                if (!may_differ(key)) reject(at, "is the same for all stages");
                                set_at(scratch, key, text, at);
                                stage.changes[key] = text;
                              });
  settings.walk(json, pointer);
  return stage;
}

std::vector<Stage> stages_from(const Json& json, const std::string& pointer) {
  if (!json.is_array()) reject(pointer, "should be a list of stages");
  if (json.size() > kMostStages) {
    reject(pointer,
           fmt::format("has {} stages, but at most {} are allowed", json.size(), kMostStages));
  }
  std::vector<Stage> stages;
  stages.reserve(json.size());
  for (const Json& stage : json) {
    stages.push_back(
        stage_from(stage, stages.size(), fmt::format("{}/{}", pointer, stages.size())));
  }
  return stages;
}

// A setting that no stage follows would do nothing.
void check_stages_follow_setting(const Recipe& recipe, const std::string& key,
                                 const std::string& pointer) {
  const auto changes = [&](const Stage& stage) { return stage.changes.contains(key); };
  if (recipe.stages.empty() || !std::ranges::all_of(recipe.stages, changes)) return;
  reject(pointer, fmt::format("every stage of recipe '{}' has its own value of it; change the "
                              "stages",
                              shown(recipe.name)));
}

template <typename T>
Json json_of_value(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return name_of(value);
  } else if constexpr (kIsLayers<T>) {
    Json layers = Json::object();
    for (const LayerWeight& layer : value) layers[layer.layer] = layer.weight;
    return layers;
  } else {
    return value;
  }
}

void put(Json& json, std::string_view key, Json value) {
  const size_t dot = key.find('.');
  if (dot == std::string_view::npos) {
    json[std::string(key)] = std::move(value);
  } else {
    json[std::string(key.substr(0, dot))][std::string(key.substr(dot + 1))] = std::move(value);
  }
}

Json stage_json(const Stage& stage) {
  Json json = {{"name", stage.name}, {"share", stage.share}};
  for (const auto& [key, text] : stage.changes) {
    Recipe scratch;
    set_field(scratch, key, text, key);
    visit_fields(scratch, [&, name = std::string_view(key)](const Field& field, const auto& value) {
      if (field.key == name) put(json, name, json_of_value(value));
    });
  }
  return json;
}

}  // namespace

std::string pointer_to(const std::string& pointer, std::string_view key) {
  std::string text = pointer + "/";
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

Json parse_json(std::string_view text, const std::string& what) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto look = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kDeepest) {
      throw Problem(400, fmt::format("{}: is nested deeper than {}", what, kDeepest));
    }
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Problem(
          400, fmt::format("{}: has the key '{}' twice", what, shown(parsed.get<std::string>())));
    }
    return true;
  };
  try {
    return Json::parse(text, look);
  } catch (const Json::exception& error) {
    throw Problem(400, fmt::format("{}: is not valid JSON: {}", what, shown(error.what())));
  }
}

Recipe with_settings(Recipe recipe, const Json& settings, const std::string& pointer) {
  if (!settings.is_object()) reject(pointer, "should be an object");
  if (const auto stages = settings.find("stages"); stages != settings.end()) {
    recipe.stages = stages_from(*stages, pointer + "/stages");
  }
  const bool own_stages = settings.contains("stages");
  std::string strength;
  const SettingsWalk walk(
      {"stages"}, [&](const std::string& key, const std::string& text, const std::string& at) {
        set_at(recipe, key, text, at);
        if (!own_stages) check_stages_follow_setting(recipe, key, at);
        if (key == "balance.strength") strength = at;
      });
  walk.walk(settings, pointer);
  const bool complete = settings.contains("balance") && settings["balance"].contains("kind");
  if (!strength.empty() && recipe.balance.kind != Balance::measured && !complete) {
    reject(strength, fmt::format("makes no difference to recipe '{}', which uses fixed weights; "
                                 "set the style's weight, or balance.kind to \"measured\"",
                                 shown(recipe.name)));
  }
  try {
    check_ranges(recipe, "settings");
  } catch (const Error& error) {
    throw Problem(422, error.what(), pointer);
  }
  return recipe;
}

Json recipe_json(const Recipe& recipe) {
  Json json = Json::object();
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    put(json, field.key, json_of_value(value));
  });
  if (!recipe.stages.empty()) {
    Json stages = Json::array();
    for (const Stage& stage : recipe.stages) stages.push_back(stage_json(stage));
    json["stages"] = std::move(stages);
  }
  return json;
}

}  // namespace limn
