// Completion in zsh: a function for each command, which describes its arguments to _arguments.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "writers.h"

namespace limn {
namespace {

// With a backslash before each of some characters.
std::string escaped(const std::string& text, std::string_view characters) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || characters.find(c) != characters.npos) result += '\\';
    result += c;
  }
  return result;
}

// As one word of the shell.
std::string in_quotes(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string function_name(const Command& command) {
  std::string name = "_" + command.name;
  std::ranges::replace(name, ' ', '_');
  return name;
}

// What follows ":MESSAGE:".
std::string action(const Choices& choices) {
  const std::string words = fmt::format("{}", fmt::join(choices.words, " "));
  const bool begun = !choices.words.empty() && choices.words.front().ends_with('=');
  if (begun) return fmt::format("{{compadd -S \"\" -- {}}}", words);
  const char* files = choices.files ? "_files" : choices.folders ? "_files -/" : "";
  if (choices.words.empty()) return *files ? files : " ";
  if (!*files) return "(" + words + ")";
  return fmt::format("{{_alternative \"values:value:({})\" \"files:file:{}\"}}", words, files);
}

std::string value(const Argument& argument) {
  const std::string& message = argument.positional ? argument.names.front() : argument.type;
  return fmt::format(":{}:{}", escaped(message, ":"), escaped(action(choices_of(argument)), ":"));
}

// One word of _arguments, or several that the shell makes of a list in braces.
std::string specification(const Argument& argument) {
  if (argument.positional) return in_quotes((argument.several ? "*" : "") + value(argument));
  const std::string words = fmt::format("[{}]", escaped(brief(argument.help), "[]"));
  const std::string after = argument.takes_value() ? words + value(argument) : words;
  const auto name = [&](const std::string& given) {
    if (!argument.takes_value()) return given;
    return given + (given.starts_with("--") ? "=" : "+");
  };
  if (argument.several) return in_quotes("*" + name(argument.names.back()) + after);
  if (argument.names.size() == 1) return in_quotes(name(argument.names.front()) + after);
  std::vector<std::string> names;
  names.reserve(argument.names.size());
  for (const std::string& given : argument.names) names.push_back(name(given));
  return fmt::format("'({})'{{{}}}{}", fmt::join(argument.names, " "), fmt::join(names, ","),
                     in_quotes(after));
}

std::string function_of(const Command& command) {
  std::string text = fmt::format("{}() {{\n", function_name(command));
  if (!command.commands.empty()) text += "  local line state\n";
  text += command.commands.empty() ? "  _arguments" : "  _arguments -C";
  for (const Argument& argument : command.arguments) {
    text += " \\\n    " + specification(argument);
  }
  if (command.commands.empty()) return text + "\n}\n\n";

  text += " \\\n    '1: :->command' '*:: :->arguments' && return\n";
  text += "  case $state in\n    command)\n      local -a commands=(\n";
  for (const Command& sub : command.commands) {
    text += fmt::format("        {}\n",
                        in_quotes(sub.last_name() + ":" + escaped(brief(sub.summary), ":")));
  }
  text += "      )\n      _describe command commands\n      ;;\n";
  text += "    arguments)\n      case $line[1] in\n";
  for (const Command& sub : command.commands) {
    text += fmt::format("        {}) {} ;;\n", sub.last_name(), function_name(sub));
  }
  return text + "      esac\n      ;;\n  esac\n}\n\n";
}

}  // namespace

std::string zsh_completion(const Command& limn) {
  std::string text = "#compdef limn\n# zsh completion for limn. Made from its help.\n\n";
  for (const Command* command : all_of(limn)) text += function_of(*command);
  // The file is the function's body where zsh finds it by itself, and may also be sourced.
  return text +
         "if [[ $funcstack[1] == _limn ]]; then\n  _limn \"$@\"\nelse\n  compdef _limn limn\nfi\n";
}

}  // namespace limn
