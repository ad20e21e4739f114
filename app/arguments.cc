#include "arguments.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "model_cache.h"
#include "style/objective.h"
#include "style/recipe_fields.h"
#include "weights/read.h"

namespace limn {
namespace {

// What stands in the help for a setting's value, and what it is by default.
template <typename T>
std::string value_name(const T&) {
  if constexpr (std::is_enum_v<T>) {
    std::string names;
    for (const auto& entry : names_of(T{})) {
      names += fmt::format("{}{}", names.empty() ? "" : "|", entry.name);
    }
    return names;
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true|false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return "N";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "TEXT";
  } else {
    return "LIST";
  }
}

template <typename T>
std::string default_text(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(name_of(value));
  } else if constexpr (std::is_same_v<T, std::vector<LayerWeight>>) {
    return to_text(value);
  } else {
    return fmt::format("{}", value);
  }
}

// Whether the losses of a given picture depend on the setting; those of how fast count as well.
bool matters_to_losses(std::string_view key) {
  constexpr std::array kOfTheWay = {"picture.init", "picture.noise", "picture.noise_share",
                                    "picture.seed"};
  if (key.starts_with("optimiser.")) return key == "optimiser.space";
  return !key.starts_with("output.") && std::ranges::find(kOfTheWay, key) == kOfTheWay.end();
}

}  // namespace

void PaintingArguments::add_to(CLI::App& command, Settings settings) {
  command.add_option("PHOTO", photo_, "The picture to be painted")->required()->type_name("FILE");
  command.add_option("PAINTING", painting_, "The picture in whose manner it is painted")
      ->required()
      ->type_name("FILE");
  command
      .add_option(
          "--weights", weights_,
          "Trained weights: a file, builtin, or a name in the cache ('limn model') [the recipe's "
          "network]")
      ->type_name("FILE|NAME");
  command
      .add_option("--recipe", recipe_name_, "A recipe's name ('limn recipes' lists them) or file")
      ->type_name("NAME|FILE")
      ->default_str(recipe_name_);
  const Recipe defaults;
  visit_fields(defaults, [&](const Field& field, const auto& value) {
    if (field.flag.empty()) return;
    if (settings == Settings::of_losses && !matters_to_losses(field.key)) return;
    const std::string key(field.key);
    const std::string flag(field.flag);
    const std::string help = fmt::format("{} [{}]", field.help, default_text(value));
    const char* group = "Settings of the recipe, with their defaults in recipe 'limn'";
    if constexpr (std::is_same_v<decltype(value), const Pinning&>) {
      command
          .add_flag_callback(
              flag, [this, key] { values_[key] = name_of(Pinning::none); }, help)
          ->group(group);
    } else {
      command
          .add_option_function<std::string>(
              flag, [this, key](const std::string& text) { values_[key] = text; }, help)
          ->type_name(value_name(value))
          ->group(group);
    }
  });
}

Recipe PaintingArguments::recipe() const {
  Recipe recipe = find_recipe(recipe_name_);
  visit_fields(recipe, [&](const Field& field, auto&) {
    const auto given = values_.find(std::string(field.key));
    if (given != values_.end()) {
      set_field(recipe, field.key, given->second, std::string(field.flag));
    }
  });
  return recipe;
}

std::optional<std::string> PaintingArguments::weights_file(const Recipe& recipe) const {
  if (!weights_.empty()) return find_weights(weights_);
  const std::string& network = recipe.network.name;
  check_network_name(network);
  if (network == kBuiltinName) return std::nullopt;
  if (std::optional<std::string> cached = cached_weights(network)) return cached;
  fail(ErrorKind::usage,
       "--weights: painting needs the trained weights of {}, and none were given or are in the "
       "cache. 'limn model fetch {}' fetches them; or say --weights FILE, or --network builtin",
       network, network);
}

namespace {

// The recipe that reads the network's deepest layer: weights that serve it serve the others.
const Recipe& deepest(const NetworkTable& network, std::span<const Recipe> recipes) {
  return *std::ranges::max_element(recipes, {}, [&](const Recipe& recipe) {
    return deepest_row(layers_in_use(network, recipe));
  });
}

}  // namespace

Model PaintingArguments::model(std::span<Recipe> recipes) const {
  Weights weights = read_found(weights_file(recipes.front()));
  const std::string network(weights.network->name);
  for (Recipe& recipe : recipes) {
    if (recipe.network.name != kBuiltinName) continue;
    if (given("network.name") && network != kBuiltinName) {
      fail(ErrorKind::usage,
           "--network: the built-in network was asked for, but the weights in '{}' are those of {}",
           weights.source, network);
    }
    recipe.network.name = network;
  }
  // For another network, painting says better what is wrong.
  const auto matches = [&](const Recipe& recipe) { return recipe.network.name == network; };
  if (std::ranges::all_of(recipes, matches)) {
    drop_unread_layers(weights, deepest(*weights.network, recipes));
  }
  return Model(std::make_shared<const Weights>(std::move(weights)));
}

Recipe find_recipe(const std::string& name_or_file) {
  constexpr size_t kMostBytes = 1 << 20;  // a recipe is a page; what is larger is something else
  const bool is_file =
      name_or_file.ends_with(".toml") || name_or_file.find('/') != std::string::npos;
  if (is_file) {
    return parse_recipe(read_text(name_or_file, "recipe file", kMostBytes), name_or_file);
  }
  const std::vector<std::string> names = recipe_names();
  const bool known = std::find(names.begin(), names.end(), name_or_file) != names.end();
  if (!known && std::filesystem::exists(name_or_file)) {
    fail(ErrorKind::usage, "there is no recipe '{}'; if the file is meant, say --recipe ./{}",
         name_or_file, name_or_file);
  }
  return named_recipe(name_or_file);
}

}  // namespace limn
