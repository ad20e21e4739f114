// limn recipes
#include <limn/limn.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "commands/commands.h"
#include "commands/exit_code.h"
#include "show/console.h"

namespace limn {

void add_recipes_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("recipes", "List the recipes, or show one");
  command->footer(
      "Examples:\n"
      "  limn recipes\n"
      "  limn recipes show limn > mine.toml\n"
      "  limn paint photo.jpg painting.jpg -o out.png --recipe mine.toml");
  CLI::App* show = command->add_subcommand("show", "Print a recipe as TOML, to read or edit");
  const auto name = std::make_shared<std::string>();
  show->add_option("NAME", *name, "The recipe's name")->required()->type_name("RECIPE");
  command->require_subcommand(0, 1);
  command->callback([=, &exit_code] {
    exit_code = kSuccess;
    if (*show) {
      print(recipe_text(*name));
      return;
    }
    std::string list;
    size_t widest = 0;
    for (const std::string& known : recipe_names()) widest = std::max(widest, known.size());
    for (const std::string& known : recipe_names()) {
      list += fmt::format("{:<{}}  {}\n", known, widest, named_recipe(known).summary);
    }
    print(list);
  });
}

}  // namespace limn
