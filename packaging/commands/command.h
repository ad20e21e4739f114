// What the parser knows of limn's commands, in the form that man pages and completions need. The
// commands' own help is the one source of both: what is added there appears in all of them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace limn {

// A flag, an option with a value, or a positional argument.
struct Argument {
  std::vector<std::string> names;  // "-o", "--output"; of a positional its only one, "PHOTO"
  bool positional = false;
  std::string type;   // what its value is: "FILE|FOLDER", "max|average"; empty: a flag
  std::string help;   // with its default, "[max]", and what else the help says of it
  std::string group;  // the heading in the help: "Optimiser settings"
  bool required = false;
  bool several = false;

  bool takes_value() const { return !type.empty(); }
};

struct Command {
  std::string name;         // "limn model fetch"
  std::string summary;      // the first line of its description, without a full stop
  std::string description;  // the other lines
  std::string footer;       // examples, exit codes; empty if they are those of the command above it
  bool needs_command = false;  // one of those below it
  std::vector<Argument> arguments;
  std::vector<Command> commands;

  std::string last_name() const { return name.substr(name.rfind(' ') + 1); }
};

// Without what the help hides.
Command read_command(const CLI::App& app);

// A command and all below it, in the order of the help.
std::vector<const Command*> all_of(const Command& command);

// "PHOTO PAINTING... [OPTIONS]"
std::string usage_of(const Command& command);

// What a value can be, as far as its type in the help says: small letters are the value itself,
// capitals are what it stands for.
struct Choices {
  std::vector<std::string> words;  // "max", "average"; the names of recipes; "style.weight="
  bool files = false;
  bool folders = false;
};
Choices choices_of(const Argument& argument);

// The beginning of a help text that says what the argument is, for a line in a list.
std::string brief(const std::string& help);

}  // namespace limn
