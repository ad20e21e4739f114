// Completion in bash. Files are left to readline (complete -o default), which knows about quotes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "writers.h"

namespace limn {
namespace {

constexpr const char* kBefore = R"(# bash completion for limn. Made from its help.

_limn() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $cur == = ]]; then  # --flag=VALUE is three words
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  local command=limn word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
)";

// What comes next, in $words and $kind: "files", "folders" or nothing else than the words.
constexpr const char* kAfter = R"(
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace
  elif [[ $kind == folders ]]; then
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$cur")
    compopt -o filenames
  elif [[ $kind != files ]]; then
    compopt +o default
  fi
}
complete -o default -F _limn limn
)";

// What sets $words and $kind.
std::string assignment(const Choices& choices) {
  const char* kind = choices.files ? "files" : choices.folders ? "folders" : "words";
  return fmt::format("words=\"{}\" kind={}", fmt::join(choices.words, " "), kind);
}

// Branches of a case; patterns that lead to the same have one.
class Branches {
 public:
  void add(const std::string& pattern, const std::string& then) {
    patterns_[then].push_back('"' + pattern + '"');
  }
  std::string text(const std::string& indent) const {
    std::string text;
    for (const auto& [then, patterns] : patterns_) {
      text +=
          fmt::format("{}{}) {} ;;\n", indent, fmt::join(patterns, " |\\\n" + indent + "  "), then);
    }
    return text;
  }

 private:
  std::map<std::string, std::vector<std::string>> patterns_;
};

// All that may stand where a command has its positionals.
Choices positionals_of(const Command& command) {
  Choices all;
  for (const Command& sub : command.commands) all.words.push_back(sub.last_name());
  for (const Argument& argument : command.arguments) {
    if (!argument.positional) continue;
    const Choices choices = choices_of(argument);
    all.words.insert(all.words.end(), choices.words.begin(), choices.words.end());
    all.files |= choices.files;
    all.folders |= choices.folders;
  }
  return all;
}

}  // namespace

std::string bash_completion(const Command& limn) {
  Branches names, values, flags, positionals;
  for (const Command* command : all_of(limn)) {
    if (command != &limn) names.add(command->name, "command+=\" $word\"");
    Choices known;
    for (const Argument& argument : command->arguments) {
      if (argument.positional) continue;
      for (const std::string& name : argument.names) {
        known.words.push_back(name);
        if (!argument.takes_value()) continue;
        values.add(command->name + " " + name, assignment(choices_of(argument)));
      }
    }
    flags.add(command->name, assignment(known));
    positionals.add(command->name, assignment(positionals_of(*command)));
  }
  return fmt::format(
      "{}{}    esac\n  done\n\n  local words= kind=\n  case \"$command $prev\" in\n{}"
      "    *)\n      if [[ $cur == -* ]]; then\n        case $command in\n{}"
      "        esac\n      else\n        case $command in\n{}"
      "        esac\n      fi\n      ;;\n  esac\n{}",
      kBefore, names.text("      "), values.text("    "), flags.text("          "),
      positionals.text("          "), kAfter);
}

}  // namespace limn
