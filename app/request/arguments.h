// The arguments that commands which paint share: pictures, weights, and a recipe that flags
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
#include "request/print_size.h"

namespace limn {

class PaintingArguments {
 public:
  // The settings to add flags for.
  enum class Settings {
    all,
    of_losses,  // those that affect the losses of a given picture
    none,       // and no recipe: it is already known, as is whether there are paintings
  };
  // The styles of a picture.
  enum class Styles {
    several,  // one or more paintings, and masks
    one,      // one painting
    none,     // they have other names
  };

  // What is painted. Each has its pictures, and its recipe unless --recipe names another.
  enum class Task {
    painting,    // PHOTO in the style of PAINTING, with masks
    texture,     // from EXEMPLAR, at --size
    inpainting,  // the --hole in PICTURE
    season,      // PHOTO in the season of EXAMPLE, with masks
  };

  // Adds PHOTO, PAINTING, --weights, --recipe, the masks' flags and one for every such setting of a
  // recipe.
  void add_to(CLI::App& command, Settings settings = Settings::all,
              Styles styles = Styles::several);
  // The same for a task: with its own pictures.
  void add_to(CLI::App& command, Task task);
  // All but the pictures and masks, for commands that know theirs by other names.
  void add_settings_to(CLI::App& command);

  // Throws Error (usage): invalid texture sizes.
  InputNames names() const;
  const std::string& photo() const { return names_.photo; }
  // The only painting, or the first.
  const std::string& painting() const { return names_.paintings.front(); }
  // How to read pictures, except for their sizes. Throws Error (usage).
  ReadOptions read_options() const;

  // Pixels per inch of what is painted, by --dpi or a print's --size; 0: neither was given. Throws
  // Error (usage).
  double dpi() const;

  // The recipe with the given flags applied. Throws Error if they are invalid, or if a PAINTING may
  // have been meant as a mask.
  Recipe recipe() const { return recipe(recipe_name_, {}); }
  // The same with another recipe in place of --recipe's, and with these settings, by key, as if
  // they were flags given after the others; `origin` names them in messages.
  Recipe recipe(const std::string& name_or_file, const std::map<std::string, std::string>& settings,
                const std::string& origin = "") const;
  const std::string& recipe_name() const { return recipe_name_; }
  // ", seed 123" if --seed -1 drew one; otherwise empty.
  std::string drawn_seed_note() const;
  bool given(const std::string& key) const { return values_.contains(key); }

  // The file of the requested weights, or none for the built-in network; without --weights, those
  // of the recipe's network. Throws Error if there are none, saying how to get them.
  std::optional<std::string> weights_file(const Recipe& recipe) const;

  // Tell `files` what is read. The first adds pictures and the recipe's file, which are known
  // before the recipe is; the second only that file; the third what recipes add: weights and first
  // pictures. Throw Error.
  void add_inputs(CommandFiles& files) const;
  void add_recipe_file(CommandFiles& files) const;
  void add_inputs_of(std::span<const Recipe> recipes, CommandFiles& files) const;

  // Those weights, down to the deepest layer read by any of the recipes. Recipes for the built-in
  // network accept any (Recipe::network): they are changed to name the network they got. Throws
  // Error (usage) if --network itself requested another one.
  Model model(std::span<Recipe> recipes) const;
  Model model(Recipe& recipe) const { return model(std::span(&recipe, 1)); }

 private:
  void add_inputs(CLI::App& command, Settings settings, Styles styles);
  void add_common(CLI::App& command, Settings settings, Styles styles);
  void add_recipe(CLI::App& command);
  void add_masks(CLI::App& command);
  void check_masks() const;
  void add_setting(CLI::App& command, std::string_view key);
  void add_dpi(CLI::App& command);
  std::optional<PrintSize> print() const;

  InputNames names_;
  std::int64_t max_pixels_ = ReadOptions().max_pixels;
  const CLI::App* command_ = nullptr;  // the command with these arguments
  std::string weights_;
  std::string drawn_seed_;  // with --seed -1
  Task task_ = Task::painting;
  std::string recipe_name_ = "limn";
  Recipe defaults_;             // of that recipe, for the help
  std::string canvas_ = "512";  // of a texture
  std::optional<double> dpi_;
  std::optional<std::string> source_;  // of what fills a hole
  std::map<std::string, std::string>
      values_;  // by recipe key, as text, for the flags that were given
};

// Throws Error (usage), naming the flag, if a strength was requested for a recipe with fixed
// weights, where it has no effect.
void check_strength_matters(const Recipe& recipe, const std::string& flag);

// The recipe of a name or a file: anything ending in .toml or containing a slash is a file.
Recipe find_recipe(const std::string& name_or_file);

}  // namespace limn
