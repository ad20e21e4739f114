// Recipes: their settings by key, from the one list of all settings.
#include <pybind11/stl.h>

#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "binding.h"
#include "recipe/fields.h"

namespace limn::python {
namespace {

// ---- a setting's type and value, as Python has them ----

template <typename Value>
const char* type_of() {
  if constexpr (std::is_same_v<Value, std::string>) return "str";
  if constexpr (std::is_same_v<Value, bool>) return "bool";
  if constexpr (std::is_enum_v<Value>) return "choice";
  if constexpr (std::is_same_v<Value, std::vector<LayerWeight>>) return "layers";
  if constexpr (std::is_same_v<Value, std::vector<int>>) return "ints";
  if constexpr (std::is_same_v<Value, std::vector<double>>) return "floats";
  return std::is_integral_v<Value> ? "int" : "float";
}

// The names of an enumeration's values; empty for other types.
template <typename Value>
py::tuple choices_of() {
  if constexpr (std::is_enum_v<Value>) {
    py::list names;
    for (const auto& entry : kNames<Value>) names.append(py::str(std::string(entry.name)));
    return py::tuple(names);
  }
  return py::tuple();
}

template <typename Value>
py::object value_of(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return py::str(std::string(name_of(value)));
  } else if constexpr (std::is_same_v<Value, std::vector<LayerWeight>>) {
    py::dict layers;
    for (const auto& [layer, weight] : value) layers[py::str(layer)] = weight;
    return layers;
  } else if constexpr (std::is_same_v<Value, std::vector<int>> ||
                       std::is_same_v<Value, std::vector<double>>) {
    return py::tuple(py::cast(value));
  } else {
    return py::cast(value);
  }
}

// (key, flag, help, type, least, most, choices) of every setting; `most` is None if unbounded.
py::list fields() {
  py::list all;
  const Recipe recipe;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    const py::object most =
        field.most == kUnbounded ? py::object(py::none()) : py::cast(field.most);
    all.append(py::make_tuple(std::string(field.key), std::string(field.flag),
                              std::string(field.help), type_of<Value>(), field.least, most,
                              choices_of<Value>()));
  });
  return all;
}

// ---- reading and changing ----

py::object get(const Recipe& recipe, const std::string& key) {
  py::object found = py::none();
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    if (field.key == key) found = value_of(value);
  });
  return found;
}

// Copies one setting.
void copy_field(Recipe& to, const Recipe& from, const std::string& key) {
  visit_fields(to, [&](const Field& field, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if (field.key != key) return;
    visit_fields(from, [&](const Field& other, const auto& given) {
      if constexpr (std::is_same_v<Value, std::remove_cvref_t<decltype(given)>>) {
        if (other.key == key) value = given;
      }
    });
  });
}

// Sets one setting from a value in TOML. The library's message then begins with the key, not with a
// place in a text that nobody wrote.
void set(Recipe& recipe, const std::string& key, const std::string& toml) {
  const std::string place = "recipe, line 1, ";
  try {
    copy_field(recipe, parse_recipe(key + " = " + toml, "recipe"), key);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (!message.starts_with(place)) throw;
    throw Error(error.kind(), message.substr(place.size()));
  }
}

using StageTuple = std::tuple<std::string, double, std::map<std::string, std::string>>;

std::vector<StageTuple> stages(const Recipe& recipe) {
  std::vector<StageTuple> all;
  all.reserve(recipe.stages.size());
  for (const auto& [name, share, changes] : recipe.stages) all.emplace_back(name, share, changes);
  return all;
}

void set_stages(Recipe& recipe, const std::vector<StageTuple>& stages) {
  Recipe changed = recipe;
  changed.stages.clear();
  changed.stages.reserve(stages.size());
  for (const auto& [name, share, changes] : stages) {
    changed.stages.push_back({name, share, changes});
  }
  recipe = parse_recipe(to_toml(changed), recipe.name);
}

}  // namespace

void add_recipe(py::module_& module) {
  py::class_<Recipe>(module, "Recipe")
      .def_static("named", &named_recipe)
      .def_static("parse", &parse_recipe)
      .def("copy", [](const Recipe& recipe) { return recipe; })
      .def("toml", [](const Recipe& recipe) { return to_toml(recipe); })
      .def("get", &get)
      .def("set", &set)
      .def("stages", &stages)
      .def("set_stages", &set_stages);
  module.def("fields", &fields);
  module.def("recipe_names", &recipe_names);
  module.def("recipe_text", &recipe_text);
}

}  // namespace limn::python
