#include "command.h"

#include <limn/limn.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "models/model_cache.h"
#include "recipe/fields.h"

namespace limn {
namespace {

bool has_capital(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) { return std::isupper(c); });
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// "--dry-run, --json", by name, for the parser keeps them by address.
std::string names_of(const std::set<CLI::Option*>& options) {
  std::set<std::string> names;
  for (const CLI::Option* option : options) names.insert(option->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

// The parser appends to a type what a check allows: "N:INT in [1 - 1000]".
constexpr std::string_view kRange = ":INT in [";

std::string type_of(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";  // a flag
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(kRange));
}

// The help's words with what it puts beside the flag.
std::string help_of(const CLI::Option& option) {
  std::string help = option.get_description();
  const std::string type = option.get_type_name();
  if (const size_t range = type.find(kRange); range != type.npos) {
    help += fmt::format(" (from {}", type.substr(range + kRange.size()));
    help.back() = ')';  // in place of the bracket
    help.replace(help.rfind(" - "), 3, " to ");
  }
  if (!option.get_needs().empty()) help += fmt::format("; with {}", names_of(option.get_needs()));
  if (!option.get_excludes().empty()) {
    help += fmt::format("; not with {}", names_of(option.get_excludes()));
  }
  if (!option.get_default_str().empty()) help += fmt::format(" [{}]", option.get_default_str());
  return help;
}

Argument read_argument(const CLI::Option& option) {
  Argument argument;
  argument.positional = option.get_positional();
  if (argument.positional) {
    argument.names = {option.get_name(true, false)};
  } else {
    for (const std::string& name : option.get_snames()) argument.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) argument.names.push_back("--" + name);
  }
  argument.type = type_of(option);
  argument.help = help_of(option);
  argument.group = option.get_group();
  argument.required = option.get_required();
  argument.several = option.get_expected_max() >= CLI::detail::expected_max_vector_size;
  return argument;
}

Command read_command(const CLI::App& app, const std::string& above) {
  Command command;
  command.name = above.empty() ? app.get_name() : above + " " + app.get_name();
  const std::string text = app.get_description();
  const size_t line = text.find('\n');
  command.summary = text.substr(0, line);
  if (command.summary.ends_with('.')) command.summary.pop_back();
  if (line != text.npos) command.description = text.substr(text.find_first_not_of('\n', line));
  const CLI::App* parent = app.get_parent();
  if (!parent || parent->get_footer() != app.get_footer()) command.footer = app.get_footer();
  command.needs_command = app.get_require_subcommand_min() > 0;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) command.arguments.push_back(read_argument(*option));
  }
  for (const CLI::App* sub : app.get_subcommands({})) {
    if (!sub->get_group().empty()) command.commands.push_back(read_command(*sub, command.name));
  }
  return command;
}

// The settings of recipes, as KEY=VALUE begins.
std::vector<std::string> keys() {
  std::vector<std::string> keys;
  const Recipe recipe;
  visit_fields(recipe, [&](const Field& field, const auto&) {
    if (!field.flag.empty()) keys.push_back(fmt::format("{}=", field.key));
  });
  return keys;
}

void add(std::vector<std::string>& words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

}  // namespace

Command read_command(const CLI::App& app) { return read_command(app, ""); }

std::vector<const Command*> all_of(const Command& command) {
  std::vector<const Command*> all = {&command};
  for (const Command& sub : command.commands) {
    const std::vector<const Command*> below = all_of(sub);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

std::string usage_of(const Command& command) {
  std::string usage = command.name + " [OPTIONS]";
  for (const Argument& argument : command.arguments) {
    if (!argument.positional) continue;
    const std::string name = argument.names.front() + (argument.several ? "..." : "");
    usage += argument.required ? " " + name : " [" + name + "]";
  }
  if (!command.commands.empty()) usage += command.needs_command ? " COMMAND" : " [COMMAND]";
  return usage;
}

Choices choices_of(const Argument& argument) {
  Choices choices;
  for (std::string part : split(argument.type, '|')) {
    part = part.substr(0, part.find(",..."));
    if (part.empty()) continue;
    if (part.starts_with("FILE") || part == "PICTURE") {
      choices.files = true;
    } else if (part == "FOLDER") {
      choices.folders = true;
    } else if (part == "RECIPE") {
      add(choices.words, recipe_names());
    } else if (part == "NETWORK") {
      add(choices.words, network_names());
    } else if (part.starts_with("KEY=")) {
      add(choices.words, keys());
    } else if (!has_capital(part) && part.find("..") == part.npos) {
      choices.words.push_back(part);
    }
  }
  return choices;
}

std::string brief(const std::string& help) {
  size_t end = help.size();
  for (const char* stop : {". ", "; ", " [", " ("}) end = std::min(end, help.find(stop));
  return help.substr(0, end);
}

}  // namespace limn
