// What paint and evaluate have in common: two pictures, weights, and a recipe that flags override.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace limn {

class PaintingArguments {
 public:
  // The settings that flags are added for.
  enum class Settings {
    all,
    of_losses,  // those that make a difference to the losses of a given picture
  };

  // Adds PHOTO, PAINTING, --weights, --recipe and a flag for every such setting of a recipe.
  void add_to(CLI::App& command, Settings settings = Settings::all);

  const std::string& photo() const { return photo_; }
  const std::string& painting() const { return painting_; }

  // The recipe with the flags that were given. Throws Error.
  Recipe recipe() const;
  bool given(const std::string& key) const { return values_.contains(key); }

  // The file of the weights that were asked for; without --weights, the cached one of the recipe's
  // network. Throws Error when there is none, saying how to get it.
  std::string weights_file(const Recipe& recipe) const;

  // Those weights, as far down as the recipe reads.
  Model model(const Recipe& recipe) const;

 private:
  std::string photo_, painting_, weights_;
  std::string recipe_name_ = "limn";
  std::map<std::string, std::string>
      values_;  // by recipe key, as text, in the flags that were given
};

// The recipe of a name or a file: whatever ends in .toml or holds a slash is a file.
Recipe find_recipe(const std::string& name_or_file);

}  // namespace limn
