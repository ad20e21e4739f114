// Recipes as TOML: reading, writing, and the ones inside the library.
#include <limn/limn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include "base/error.h"
#include "recipe/builtin_recipes.h"
#include "recipe/fields.h"
#include "recipe/listed_settings.h"
#include "recipe/stages.h"

namespace limn {
namespace {

std::vector<std::string> all_keys() {
  std::vector<std::string> keys;
  const Recipe recipe;
  visit_fields(recipe, [&](const Field& field, const auto&) { keys.emplace_back(field.key); });
  return keys;
}

// "'max' or 'average'"; `last` goes before the last name.
template <typename Enum>
std::string allowed_names(Enum, const char* last = " or ") {
  std::string text;
  const auto names = kNames<Enum>;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? last : ", ";
    text += fmt::format("'{}'", names[i].name);
  }
  return text;
}

template <typename Enum>
void set_enum(Enum& value, std::string_view name, const std::string& origin) {
  for (const auto& entry : kNames<Enum>) {
    if (entry.name == name) {
      value = entry.value;
      return;
    }
  }
  fail(ErrorKind::usage, "{}: '{}' is not one of {}", origin, name, allowed_names(value, ", "));
}

// -------------------------------------------------------------------------------------- ranges --

void check_number(const Field& field, double value, const std::string& origin) {
  if (!std::isfinite(value)) fail(ErrorKind::usage, "{}: {} is not a finite number", origin, value);
  if (value >= field.least && value <= field.most) return;
  const std::string range = field.most == kUnbounded
                                ? fmt::format("at least {}", field.least)
                                : fmt::format("{} to {}", field.least, field.most);
  fail(ErrorKind::usage, "{}: is {}, but should be {}", origin, value, range);
}

template <typename T>
constexpr bool kIsNumberList =
    std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<double>>;
constexpr size_t kMostInList = 1000;

// Throws unless the field allows the value.
template <typename T>
void check_value(const Field& field, const T& value, const std::string& origin) {
  if constexpr (std::is_same_v<T, std::vector<LayerWeight>>) {
    for (size_t i = 0; i < value.size(); ++i) {
      check_number(field, value[i].weight, origin + "." + value[i].layer);
      const auto same = [&](const LayerWeight& other) { return other.layer == value[i].layer; };
      if (std::any_of(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(i), same)) {
        fail(ErrorKind::usage, "{}: layer {} is named twice", origin, value[i].layer);
      }
    }
  } else if constexpr (kIsNumberList<T>) {
    if (value.size() > kMostInList) {
      fail(ErrorKind::usage, "{}: has {} numbers, but at most {} are allowed", origin, value.size(),
           kMostInList);
    }
    for (const auto number : value) check_number(field, static_cast<double>(number), origin);
  } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    check_number(field, static_cast<double>(value), origin);
  }
}

// ----------------------------------------------------------------------------------- from text --

template <typename Number>
requires std::is_arithmetic_v<Number>
void set_from_text(Number& value, const std::string& text, const std::string& origin) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    fail(ErrorKind::usage, "{}: {} is too large or too small", origin, text);
  }
  if (error != std::errc() || stopped != end) {
    fail(ErrorKind::usage, "{}: '{}' is not a {}", origin, text,
         std::is_integral_v<Number> ? "whole number" : "number");
  }
}

void set_from_text(bool& value, const std::string& text, const std::string& origin) {
  if (text != "true" && text != "false") {
    fail(ErrorKind::usage, "{}: '{}' is neither 'true' nor 'false'", origin, text);
  }
  value = text == "true";
}

void set_from_text(std::string& value, const std::string& text, const std::string&) {
  value = text;
}

template <typename Enum>
requires std::is_enum_v<Enum>
void set_from_text(Enum& value, const std::string& text, const std::string& origin) {
  set_enum(value, text, origin);
}

// Without surrounding blanks: people write "0.7, 0.3".
std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// "0.7,0.3"; nothing, or "none", is the empty list.
template <typename List>
requires kIsNumberList<List>
void set_from_text(List& value, const std::string& text, const std::string& origin) {
  value.clear();
  if (text == "none") return;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    set_from_text(value.emplace_back(), trimmed(item), origin);
  }
  if (text.ends_with(',')) fail(ErrorKind::usage, "{}: '{}' ends with a comma", origin, text);
}

// "relu1_1:0.5,relu2_1": a layer without a weight has weight 1.
void set_from_text(std::vector<LayerWeight>& value, const std::string& text,
                   const std::string& origin) {
  value.clear();
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const size_t colon = item.find(':');
    LayerWeight layer = {trimmed(item.substr(0, colon)), 1.0};
    if (colon != std::string::npos) {
      set_from_text(layer.weight, trimmed(item.substr(colon + 1)), origin);
    }
    if (layer.layer.empty()) fail(ErrorKind::usage, "{}: '{}' names no layer", origin, text);
    value.push_back(layer);
  }
  if (value.empty()) fail(ErrorKind::usage, "{}: names no layer", origin);
  // In the order of a TOML table, so that the same layers make the same recipe.
  std::sort(value.begin(), value.end(),
            [](const LayerWeight& a, const LayerWeight& b) { return a.layer < b.layer; });
}

// ----------------------------------------------------------------------------------- from TOML --

// The TOML library recurses once for every part of a dotted key and would run out of stack on a
// hostile one. A recipe has a dot in each number and sentence, about a hundred in all.
void check_dots(std::string_view text, const std::string& source) {
  constexpr std::ptrdiff_t kMostDots = 2000;
  if (std::count(text.begin(), text.end(), '.') > kMostDots) {
    fail(ErrorKind::usage, "{}: has more than {} dots, which no recipe has", source, kMostDots);
  }
}

// The place of something in a recipe: "recipe.toml, line 7, content.weight".
std::string origin_of(const toml::node& node, const std::string& source, std::string_view key) {
  return fmt::format("{}, line {}, {}", source, node.source().begin.line, key);
}

// A value and its place.
struct TomlValue {
  const toml::node& node;
  const std::string& file;
  std::string key;

  std::string origin() const { return origin_of(node, file, key); }
};

template <typename Number>
requires std::is_arithmetic_v<Number>
void set_from_toml(Number& value, const TomlValue& given) {
  if constexpr (std::is_same_v<Number, bool>) {
    if (!given.node.is_boolean()) {
      fail(ErrorKind::usage, "{}: should be true or false", given.origin());
    }
    value = given.node.as_boolean()->get();
  } else if constexpr (std::is_integral_v<Number>) {
    if (!given.node.is_integer()) {
      fail(ErrorKind::usage, "{}: should be a whole number", given.origin());
    }
    const std::int64_t number = given.node.as_integer()->get();
    if (!std::in_range<Number>(number)) {
      fail(ErrorKind::usage, "{}: {} is out of range", given.origin(), number);
    }
    value = static_cast<Number>(number);
  } else {
    if (!given.node.is_number()) fail(ErrorKind::usage, "{}: should be a number", given.origin());
    value = given.node.is_integer() ? static_cast<double>(given.node.as_integer()->get())
                                    : given.node.as_floating_point()->get();
  }
}

void set_from_toml(std::string& value, const TomlValue& given) {
  if (!given.node.is_string()) fail(ErrorKind::usage, "{}: should be a string", given.origin());
  value = given.node.as_string()->get();
}

template <typename Enum>
requires std::is_enum_v<Enum>
void set_from_toml(Enum& value, const TomlValue& given) {
  if (!given.node.is_string()) {
    fail(ErrorKind::usage, "{}: should be {}", given.origin(), allowed_names(value));
  }
  set_enum(value, given.node.as_string()->get(), given.origin());
}

template <typename List>
requires kIsNumberList<List>
void set_from_toml(List& value, const TomlValue& given) {
  if (!given.node.is_array()) {
    fail(ErrorKind::usage, "{}: should be a list of numbers, [1, 2]", given.origin());
  }
  value.clear();
  for (const toml::node& number : *given.node.as_array()) {
    set_from_toml(value.emplace_back(), {number, given.file, given.key});
  }
}

void set_from_toml(std::vector<LayerWeight>& value, const TomlValue& given) {
  if (!given.node.is_table()) {
    fail(ErrorKind::usage, "{}: should be a table of layers and weights, {{ relu4_2 = 1.0 }}",
         given.origin());
  }
  value.clear();
  for (const auto& [layer, weight] : *given.node.as_table()) {
    LayerWeight entry = {std::string(layer.str()), 0};
    set_from_toml(entry.weight, {weight, given.file, given.key + "." + entry.layer});
    value.push_back(entry);
  }
}

// The keys and the sections that they are in.
std::vector<std::string> with_sections(std::vector<std::string> keys) {
  for (size_t i = 0, count = keys.size(); i < count; ++i) {
    const size_t dot = keys[i].find('.');
    if (dot != std::string::npos) keys.push_back(keys[i].substr(0, dot));
  }
  return keys;
}

// Fails on an unknown key. `prefix` is that of the table, "" or "content."; `others` are allowed
// besides the settings.
void check_keys(const toml::table& table, const std::string& prefix, const std::string& source,
                std::span<const std::string_view> others) {
  static const std::vector<std::string> keys = all_keys();
  static const std::vector<std::string> keys_and_sections = with_sections(keys);
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (std::ranges::find(others, key) != others.end()) continue;
    const bool dotted =
        name.str().find('.') != std::string_view::npos;  // a quoted name, not a path
    if (!dotted && std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const bool section =
        !dotted && std::any_of(keys.begin(), keys.end(), [&](const std::string& known) {
          return known.starts_with(key + ".");
        });
    if (section && node.is_table()) {
      check_keys(*node.as_table(), key + ".", source, {});
    } else if (section) {
      fail(ErrorKind::usage, "{}: should be a section, [{}]", origin_of(node, source, key), key);
    } else {
      fail(ErrorKind::usage, "{}: unknown key{}", origin_of(node, source, key),
           did_you_mean(key, keys_and_sections));
    }
  }
}

// Sets a recipe's values from a table, and reports each one: each(field, value, place).
void set_values(Recipe& recipe, const toml::table& table, const std::string& source,
                const auto& each) {
  visit_fields(recipe, [&](const Field& field, auto& value) {
    const toml::node* node = table.at_path(field.key).node();
    if (!node) return;
    const TomlValue given = {*node, source, std::string(field.key)};
    set_from_toml(value, given);
    check_value(field, value, given.origin());
    each(field, value, given);
  });
}

// ------------------------------------------------------------------------------------- to text --

// As on the command line.
template <typename Value>
std::string flag_text(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return std::string(name_of(value));
  } else if constexpr (std::is_same_v<Value, std::vector<LayerWeight>>) {
    return to_text(value);
  } else if constexpr (kIsNumberList<Value>) {
    return fmt::format("{}", fmt::join(value, ","));
  } else {
    return fmt::format("{}", value);
  }
}

// A table of the list [[stages]].
Stage stage_from_toml(const toml::table& table, size_t number, const std::string& source) {
  constexpr std::array<std::string_view, 2> kOwn = {"name", "share"};
  check_keys(table, "", source, kOwn);
  Stage stage;
  stage.name = fmt::format("{}", number + 1);
  const auto own = [&](const char* key, auto& value) {
    if (const toml::node* node = table.get(key)) set_from_toml(value, {*node, source, key});
  };
  own("name", stage.name);
  own("share", stage.share);
  Recipe changed;
  set_values(changed, table, source,
             [&](const Field& field, const auto& value, const TomlValue& at) {
               if (field.key == "name") return;
               if (!may_differ(field.key)) {
                 fail(ErrorKind::usage, "{}: is the same for all stages", at.origin());
               }
               stage.changes[std::string(field.key)] = flag_text(value);
             });
  return stage;
}

std::vector<Stage> stages_from_toml(const toml::node& node, const std::string& source) {
  const std::string origin = origin_of(node, source, "stages");
  if (!node.is_array_of_tables()) {
    fail(ErrorKind::usage, "{}: should be sections, [[stages]]", origin);
  }
  const toml::array& tables = *node.as_array();
  if (tables.size() > kMostStages) {
    fail(ErrorKind::usage, "{}: there are {}, but at most {} are allowed", origin, tables.size(),
         kMostStages);
  }
  std::vector<Stage> stages;
  stages.reserve(tables.size());
  for (const toml::node& table : tables) {
    stages.push_back(stage_from_toml(*table.as_table(), stages.size(), source));
  }
  return stages;
}

// ------------------------------------------------------------------------------------- to TOML --

// A TOML basic string: quotes, backslashes and control characters are escaped.
std::string toml_value(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      text += fmt::format("\\u{:04X}", c);
    } else {
      text += c;
    }
  }
  return text + '"';
}
std::string toml_value(bool value) { return value ? "true" : "false"; }
template <typename Number>
requires std::is_arithmetic_v<Number> std::string toml_value(Number value) {
  return fmt::format("{}", value);
}
template <typename Enum>
requires std::is_enum_v<Enum> std::string toml_value(Enum value) {
  return fmt::format("\"{}\"", name_of(value));
}
template <typename List>
requires kIsNumberList<List> std::string toml_value(const List& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}
std::string toml_value(const std::vector<LayerWeight>& layers) {
  std::string text = "{";
  for (const LayerWeight& layer : layers) {
    text +=
        fmt::format("{} {} = {}", text == "{" ? "" : ",", toml_value(layer.layer), layer.weight);
  }
  return text + " }";
}

}  // namespace

void set_field(Recipe& recipe, std::string_view key, const std::string& text,
               const std::string& origin) {
  bool found = false;
  visit_fields(recipe, [&](const Field& field, auto& value) {
    if (field.key != key) return;
    set_from_text(value, text, origin);
    check_value(field, value, origin);
    found = true;
  });
  if (!found)
    fail(ErrorKind::usage, "{}: unknown key '{}'{}", origin, key, did_you_mean(key, all_keys()));
}

void check_ranges(const Recipe& recipe, const std::string& source) {
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    check_value(field, value, fmt::format("{}, {}", source, field.key));
  });
  stages_of(recipe);
}

std::string to_text(std::span<const LayerWeight> layers) {
  std::string text;
  for (const LayerWeight& layer : layers) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", layer.layer, layer.weight);
  }
  return text;
}

namespace {

toml::table parse_toml(std::string_view text, const std::string& source) try {
  return toml::parse(text, source);
} catch (const toml::parse_error& error) {
  fail(ErrorKind::usage, "{}, line {}: {}", source, error.source().begin.line, error.description());
}

}  // namespace

Recipe parse_recipe(std::string_view text, const std::string& source) {
  check_dots(text, source);
  const toml::table table = parse_toml(text, source);
  constexpr std::array<std::string_view, 1> kStages = {"stages"};
  check_keys(table, "", source, kStages);
  Recipe recipe;
  recipe.name = source;
  set_values(recipe, table, source, [](const auto&...) {});
  if (const toml::node* stages = table.get("stages")) {
    recipe.stages = stages_from_toml(*stages, source);
    stages_of(recipe);
  }
  return recipe;
}

namespace {

// Lists may be long, but none of their lines is.
void check_dots_in_lines(std::string_view text, const std::string& source) {
  constexpr size_t kMostDots = 500;
  size_t dots = 0, line = 1;
  for (const char c : text) {
    dots = c == '\n' ? 0 : dots + (c == '.' ? 1 : 0);
    if (dots > kMostDots) {
      fail(ErrorKind::usage, "{}, line {}: has more than {} dots", source, line, kMostDots);
    }
    line += c == '\n' ? 1 : 0;
  }
}

// A text, or a list of them.
std::vector<std::string> texts_from_toml(const TomlValue& given) {
  std::vector<std::string> texts;
  if (!given.node.is_array()) {
    set_from_toml(texts.emplace_back(), given);
    return texts;
  }
  for (const toml::node& text : *given.node.as_array()) {
    set_from_toml(texts.emplace_back(), {text, given.file, given.key});
  }
  return texts;
}

ListedSettings listed_from_toml(const toml::table& table, std::span<const std::string_view> texts,
                                const std::string& source) {
  check_keys(table, "", source, texts);
  ListedSettings listed;
  listed.line = static_cast<int>(table.source().begin.line);
  for (const std::string_view name : texts) {
    const std::string key(name);
    const toml::node* node = table.get(name);
    if (node) listed.texts[key] = texts_from_toml({*node, source, key});
  }
  Recipe recipe;
  set_values(recipe, table, source,
             [&](const Field& field, const auto& value, const TomlValue& at) {
               if (listed.texts.contains(at.key)) return;
               listed.settings[std::string(field.key)] = flag_text(value);
             });
  return listed;
}

}  // namespace

std::vector<ListedSettings> parse_listed(std::string_view text, const std::string& section,
                                         std::span<const std::string_view> texts,
                                         const std::string& source) {
  check_dots_in_lines(text, source);
  const toml::table table = parse_toml(text, source);
  for (const auto& [name, node] : table) {
    if (name.str() == section && node.is_array_of_tables()) continue;
    fail(ErrorKind::usage, "{}: a list consists of sections, [[{}]]",
         origin_of(node, source, name.str()), section);
  }
  const toml::node* const sections = table.get(section);
  if (!sections) fail(ErrorKind::usage, "{}: has no section [[{}]]", source, section);
  std::vector<ListedSettings> listed;
  listed.reserve(sections->as_array()->size());
  for (const toml::node& node : *sections->as_array()) {
    listed.push_back(listed_from_toml(*node.as_table(), texts, source));
  }
  return listed;
}

namespace {

// A value as on the command line, in TOML.
std::string toml_of_flag(const std::string& key, const std::string& text) {
  Recipe recipe;
  set_field(recipe, key, text, key);
  std::string toml;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    if (field.key == key) toml = toml_value(value);
  });
  return toml;
}

std::string to_toml(const Stage& stage) {
  std::string text = fmt::format("\n[[stages]]\nname = {}\nshare = {}\n", toml_value(stage.name),
                                 toml_value(stage.share));
  for (const auto& [key, value] : stage.changes) {
    text += fmt::format("{} = {}\n", key, toml_of_flag(key, value));
  }
  return text;
}

}  // namespace

std::string to_toml(const Recipe& recipe) {
  std::string text;
  std::string_view section;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    const size_t dot = field.key.find('.');
    if (dot != std::string_view::npos && field.key.substr(0, dot) != section) {
      section = field.key.substr(0, dot);
      text += fmt::format("\n[{}]\n", section);
    }
    const std::string_view name =
        dot == std::string_view::npos ? field.key : field.key.substr(dot + 1);
    text += fmt::format("{} = {}\n", name, toml_value(value));
  });
  for (const Stage& stage : recipe.stages) text += to_toml(stage);
  return text;
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const BuiltinRecipe& recipe : builtin_recipes()) names.emplace_back(recipe.name);
  return names;
}

std::string recipe_text(std::string_view name) {
  for (const BuiltinRecipe& recipe : builtin_recipes()) {
    if (recipe.name == name) return std::string(recipe.text);
  }
  const std::vector<std::string> names = recipe_names();
  fail(ErrorKind::usage, "there is no recipe '{}'{} (known recipes: {})", name,
       did_you_mean(name, names), fmt::join(names, ", "));
}

Recipe named_recipe(std::string_view name) {
  return parse_recipe(recipe_text(name), std::string(name));
}

}  // namespace limn
