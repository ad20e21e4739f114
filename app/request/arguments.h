// What paint, sweep and evaluate have in common: pictures, weights, and a recipe that flags
// override.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "request/command_files.h"
#include "request/inputs.h"

namespace limn {

class PaintingArguments {
 public:
  // The settings that flags are added for.
  enum class Settings {
    all,
    of_losses,  // those that make a difference to the losses of a given picture
    none,       // nor a recipe: it is known already
  };
  // What a picture is painted from.
  enum class Styles {
    several,  // one painting or more, and masks
    one,      // one painting
  };

  // Adds PHOTO, PAINTING, --weights, --recipe, the masks' flags and one for every such setting of a
  // recipe.
  void add_to(CLI::App& command, Settings settings = Settings::all,
              Styles styles = Styles::several);

  const InputNames& names() const { return names_; }
  const std::string& photo() const { return names_.photo; }
  // The one painting, or the first.
  const std::string& painting() const { return names_.paintings.front(); }
  // How pictures are to be read, but for their sizes. Throws Error (usage).
  ReadOptions read_options() const;

  // The recipe with the flags that were given. Throws Error: what they say wrongly, and where a
  // PAINTING may have been meant as a mask.
  Recipe recipe() const;
  // ", seed 123" where --seed -1 had one drawn; otherwise empty.
  std::string drawn_seed_note() const;
  bool given(const std::string& key) const { return values_.contains(key); }

  // The file of the weights that were asked for, or none for the built-in network; without
  // --weights, those of the recipe's network. Throws Error when there are none, saying how to get
  // them.
  std::optional<std::string> weights_file(const Recipe& recipe) const;

  // Tells `files` what is read: pictures and the recipe's file, which are known before the recipe
  // is; and what recipes add to them, their weights and the pictures that they begin from. Throw
  // Error.
  void add_inputs(CommandFiles& files) const;
  void add_inputs_of(std::span<const Recipe> recipes, CommandFiles& files) const;

  // Those weights, as far down as one of the recipes reads. Recipes for the built-in network are
  // not particular (Recipe::network): from here on they name the network that they got. Throws
  // Error (usage) where --network itself asked for another one.
  Model model(std::span<Recipe> recipes) const;
  Model model(Recipe& recipe) const { return model(std::span(&recipe, 1)); }

 private:
  void add_recipe(CLI::App& command);
  void add_masks(CLI::App& command);
  void check_masks() const;
  void add_setting(CLI::App& command, std::string_view key);

  InputNames names_;
  std::int64_t max_pixels_ = ReadOptions().max_pixels;
  const CLI::App* command_ = nullptr;  // that was given these arguments
  std::string weights_;
  std::string drawn_seed_;  // where --seed -1 was given
  std::string recipe_name_ = "limn";
  std::map<std::string, std::string>
      values_;  // by recipe key, as text, in the flags that were given
};

// Throws Error (usage), naming the flag, where a strength was asked for of a recipe whose weights
// stand as they are: it would make no difference.
void check_strength_matters(const Recipe& recipe, const std::string& flag);

// The recipe of a name or a file: whatever ends in .toml or holds a slash is a file.
Recipe find_recipe(const std::string& name_or_file);

}  // namespace limn
