// Recipes as TOML: reading, writing, and the ones inside the library.
#include <limn/limn.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include "base/error.h"
#include "style/builtin_recipes.h"
#include "style/recipe_fields.h"

namespace limn {
namespace {

std::vector<std::string> all_keys() {
  std::vector<std::string> keys;
  const Recipe recipe;
  visit_fields(recipe, [&](const Field& field, const auto&) { keys.emplace_back(field.key); });
  return keys;
}

// "'max' or 'average'"
template <typename Enum>
std::string allowed_names(Enum) {
  std::string text;
  const auto names = names_of(Enum{});
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += fmt::format("'{}'", names[i].name);
  }
  return text;
}

template <typename Enum>
void set_enum(Enum& value, std::string_view name, const std::string& origin) {
  for (const auto& entry : names_of(value)) {
    if (entry.name == name) {
      value = entry.value;
      return;
    }
  }
  fail(ErrorKind::usage, "{}: '{}' is none of {}", origin, name, allowed_names(value));
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

// Throws unless the value is one that its field may have.
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

// "relu1_1:0.5,relu2_1": a layer without a weight has weight 1.
void set_from_text(std::vector<LayerWeight>& value, const std::string& text,
                   const std::string& origin) {
  value.clear();
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const size_t colon = item.find(':');
    LayerWeight layer = {item.substr(0, colon), 1.0};
    if (colon != std::string::npos) set_from_text(layer.weight, item.substr(colon + 1), origin);
    if (layer.layer.empty()) fail(ErrorKind::usage, "{}: '{}' names no layer", origin, text);
    value.push_back(layer);
  }
  if (value.empty()) fail(ErrorKind::usage, "{}: names no layer", origin);
  // As a TOML table would give them, so that the same layers make the same recipe.
  std::sort(value.begin(), value.end(),
            [](const LayerWeight& a, const LayerWeight& b) { return a.layer < b.layer; });
}

// ----------------------------------------------------------------------------------- from TOML --

// The TOML library descends once for every part of a dotted key and would run out of stack on a
// hostile one. No honest line comes near the limit.
void check_lines(std::string_view text, const std::string& source) {
  constexpr size_t kLongestLine = 4000;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > kLongestLine) {
      fail(ErrorKind::usage,
           "{}, line {}: has {} characters, more than the {} that a line may have", source, line,
           end, kLongestLine);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Where something stands: "recipe.toml, line 7, content.weight".
std::string origin_of(const toml::node& node, const std::string& source, std::string_view key) {
  return fmt::format("{}, line {}, {}", source, node.source().begin.line, key);
}

template <typename Number>
requires std::is_arithmetic_v<Number>
void set_from_node(Number& value, const toml::node& node, const std::string& origin) {
  if constexpr (std::is_same_v<Number, bool>) {
    if (!node.is_boolean()) fail(ErrorKind::usage, "{}: should be true or false", origin);
    value = node.as_boolean()->get();
  } else if constexpr (std::is_integral_v<Number>) {
    if (!node.is_integer()) fail(ErrorKind::usage, "{}: should be a whole number", origin);
    const std::int64_t number = node.as_integer()->get();
    if (!std::in_range<Number>(number))
      fail(ErrorKind::usage, "{}: {} is out of range", origin, number);
    value = static_cast<Number>(number);
  } else {
    if (!node.is_number()) fail(ErrorKind::usage, "{}: should be a number", origin);
    value = node.is_integer() ? static_cast<double>(node.as_integer()->get())
                              : node.as_floating_point()->get();
  }
}

void set_from_node(std::string& value, const toml::node& node, const std::string& origin) {
  if (!node.is_string()) fail(ErrorKind::usage, "{}: should be a string", origin);
  value = node.as_string()->get();
}

template <typename Enum>
requires std::is_enum_v<Enum>
void set_from_node(Enum& value, const toml::node& node, const std::string& origin) {
  if (!node.is_string()) fail(ErrorKind::usage, "{}: should be {}", origin, allowed_names(value));
  set_enum(value, node.as_string()->get(), origin);
}

void set_from_node(std::vector<LayerWeight>& value, const toml::node& node,
                   const std::string& origin) {
  if (!node.is_table()) {
    fail(ErrorKind::usage, "{}: should be a table of layers and weights, {{ relu4_2 = 1.0 }}",
         origin);
  }
  value.clear();
  for (const auto& [layer, weight] : *node.as_table()) {
    LayerWeight entry = {std::string(layer.str()), 0};
    set_from_node(entry.weight, weight, fmt::format("{}.{}", origin, layer.str()));
    value.push_back(entry);
  }
}

// Fails on a key that no field has. `prefix` is the table at hand, "" or "content.".
void check_keys(const toml::table& table, const std::string& prefix, const std::string& source) {
  static const std::vector<std::string> keys = all_keys();
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const bool section = std::any_of(keys.begin(), keys.end(), [&](const std::string& known) {
      return known.starts_with(key + ".");
    });
    if (section && node.is_table()) {
      check_keys(*node.as_table(), key + ".", source);
    } else if (section) {
      fail(ErrorKind::usage, "{}: should be a section, [{}]", origin_of(node, source, key), key);
    } else {
      fail(ErrorKind::usage, "{}: unknown key{}", origin_of(node, source, key),
           did_you_mean(key, keys));
    }
  }
}

// ------------------------------------------------------------------------------------- to TOML --

std::string toml_value(const std::string& value) {
  std::ostringstream text;
  text << toml::toml_formatter(toml::value<std::string>(value));
  return text.str();
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
}

std::string to_text(std::span<const LayerWeight> layers) {
  std::string text;
  for (const LayerWeight& layer : layers) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", layer.layer, layer.weight);
  }
  return text;
}

Recipe parse_recipe(std::string_view text, const std::string& source) {
  check_lines(text, source);
  toml::table table;
  try {
    table = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::usage, "{}, line {}: {}", source, error.source().begin.line,
         error.description());
  }
  check_keys(table, "", source);
  Recipe recipe;
  recipe.name = source;
  visit_fields(recipe, [&](const Field& field, auto& value) {
    const toml::node* node = table.at_path(field.key).node();
    if (!node) return;
    const std::string origin = origin_of(*node, source, field.key);
    set_from_node(value, *node, origin);
    check_value(field, value, origin);
  });
  return recipe;
}

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
  fail(ErrorKind::usage, "there is no recipe '{}'{} (recipes here: {})", name,
       did_you_mean(name, names), fmt::join(names, ", "));
}

Recipe named_recipe(std::string_view name) {
  return parse_recipe(recipe_text(name), std::string(name));
}

}  // namespace limn
