// Completion in fish: a line for each argument of each command.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "writers.h"

namespace limn {
namespace {

std::string in_quotes(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') result += '\\';
    result += c;
  }
  return result + "'";
}

// "--colors" is a long name, "-o" a short one.
std::string names(const Argument& argument) {
  std::string text;
  for (const std::string& name : argument.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return text;
}

// Files, unless -f or -x say that there are none, and the words.
std::string values(const Choices& choices, bool of_option) {
  std::string text = choices.files ? (of_option ? " -r -F" : " -F") : (of_option ? " -x" : " -f");
  std::string words = fmt::format("{}", fmt::join(choices.words, " "));
  if (choices.folders && !choices.files) words += " (__fish_complete_directories)";
  return words.empty() ? text : fmt::format("{} -a {}", text, in_quotes(words));
}

std::string lines_of(const Command& command) {
  const std::string start = fmt::format("complete -c limn -n '__limn_is {}'", command.name);
  std::string text;
  bool files = false;
  for (const Command& sub : command.commands) {
    text +=
        fmt::format("{} -f -a {} -d {}\n", start, sub.last_name(), in_quotes(brief(sub.summary)));
  }
  for (const Argument& argument : command.arguments) {
    const Choices choices = choices_of(argument);
    if (argument.positional) {
      files |= choices.files || choices.folders;
      if (!choices.words.empty()) text += start + values(choices, false) + "\n";
      continue;
    }
    text += start + names(argument);
    if (argument.takes_value()) text += values(choices, true);
    text += fmt::format(" -d {}\n", in_quotes(brief(argument.help)));
  }
  return files ? text : fmt::format("{} -f\n", start) + text;
}

}  // namespace

std::string fish_completion(const Command& limn) {
  std::vector<std::string> known, lines;
  for (const Command* command : all_of(limn)) {
    if (command != &limn) known.push_back(in_quotes(command->name));
    lines.push_back(lines_of(*command));
  }
  return fmt::format(
      "# fish completion for limn. Made from its help.\n\n"
      "function __limn_is --description 'Whether the words so far are those of this command'\n"
      "    set -l name limn\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        contains -- \"$name $word\" {}\n"
      "        and set name \"$name $word\"\n"
      "    end\n"
      "    test \"$name\" = \"$argv\"\n"
      "end\n\n{}",
      fmt::join(known, " \\\n            "), fmt::join(lines, "\n"));
}

}  // namespace limn
