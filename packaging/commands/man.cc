// Man pages in roff, with the macros of man(7).
//
// The parts of a help's footer are known by how they begin: "Examples:", "Exit codes:" and
// "Environment:"; any other paragraph belongs to the description.
#include <limn/limn.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "writers.h"

namespace limn {
namespace {

// ---- roff ----

// Text as it is: no hyphen, quote or backslash means anything to roff, nor does the line's start.
std::string plain(const std::string& text) {
  std::string roff = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    switch (c) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      default:
        roff += c;
    }
  }
  return roff;
}

std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

std::string section(const std::string& title, const std::string& text) {
  return text.empty() ? "" : fmt::format(".SH {}\n{}", title, text);
}

std::string verbatim(const std::string& lines) { return ".EX\n" + lines + ".EE\n"; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> paragraphs_of(const std::string& text) {
  std::vector<std::string> paragraphs;
  bool inside = false;
  for (const std::string& line : lines_of(text)) {
    if (line.empty()) {
      inside = false;
    } else if (inside) {
      paragraphs.back() += "\n" + line;
    } else {
      paragraphs.push_back(line);
      inside = true;
    }
  }
  return paragraphs;
}

std::string prose(const std::vector<std::string>& paragraphs) {
  std::string roff;
  for (const std::string& paragraph : paragraphs) {
    if (!roff.empty()) roff += ".PP\n";
    for (const std::string& line : lines_of(paragraph)) roff += plain(line) + "\n";
  }
  return roff;
}

std::string item(const std::string& head, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", head, plain(text));
}

// ---- a footer ----

struct Footer {
  std::vector<std::string> description;
  std::vector<std::string> examples, environment;  // lines
  std::string exit_codes;
};

Footer read_footer(const std::string& text) {
  Footer footer;
  std::vector<std::string>* indented = nullptr;
  for (const std::string& paragraph : paragraphs_of(text)) {
    std::vector<std::string> lines = lines_of(paragraph);
    if (lines.front().starts_with("Examples:")) {
      indented = &footer.examples;
      lines.erase(lines.begin());
    } else if (lines.front().starts_with("Environment:")) {
      indented = &footer.environment;
      lines.erase(lines.begin());
    } else if (paragraph.starts_with("Exit codes: ")) {
      footer.exit_codes = fmt::format("{}", fmt::join(lines, " ")).substr(12);
      continue;
    } else if (!paragraph.starts_with(' ') || !indented) {
      footer.description.push_back(paragraph);
      continue;
    } else if (!indented->empty()) {
      indented->emplace_back();
    }
    indented->insert(indented->end(), lines.begin(), lines.end());
  }
  return footer;
}

std::string examples(const Footer& footer) {
  std::string lines;
  for (const std::string& line : footer.examples) {
    lines += plain(line.substr(std::min<size_t>(line.size(), 2))) + "\n";
  }
  return lines.empty() ? "" : verbatim(lines);
}

// "0 painted; 2 bad flag or recipe, ...; 1 a bug in limn." is a list of codes, anything else a
// sentence.
std::string exit_status(const Footer& footer) {
  const std::string& codes = footer.exit_codes;
  if (codes.empty()) return "As for\n.BR limn (1).\n";
  const auto digit = [&](size_t at) {
    return at < codes.size() && std::isdigit(static_cast<unsigned char>(codes[at]));
  };
  if (!digit(0)) return plain(codes) + "\n";
  std::string roff;
  for (size_t at = 0; at < codes.size();) {
    size_t end = codes.find("; ", at);
    while (end != codes.npos && !digit(end + 2)) end = codes.find("; ", end + 2);
    const std::string entry = codes.substr(at, end == codes.npos ? end : end - at);
    const size_t space = std::min(entry.find(' '), entry.size());
    roff += item(bold(entry.substr(0, space)),
                 space == entry.size() ? "done" : entry.substr(space + 1));
    at = end == codes.npos ? codes.size() : end + 2;
  }
  return roff;
}

// "  NAME      what it is", over more lines where these are indented further.
std::string environment(const Footer& footer) {
  std::string roff;
  for (const std::string& line : footer.environment) {
    const size_t name = line.find_first_not_of(' ');
    const size_t end = std::min(line.find(' ', name), line.size());
    const size_t text = std::min(line.find_first_not_of(' ', end), line.size());
    roff += name == 2 ? item(bold(line.substr(name, end - name)), line.substr(text))
                      : plain(line.substr(name)) + "\n";
  }
  return roff;
}

// ---- arguments ----

// "FILE|auto": a value is bold, what stands for one is not; a line may end after each.
std::string type_text(const std::string& type) {
  std::string roff;
  size_t at = 0;
  while (at <= type.size()) {
    const size_t end = std::min(type.find('|', at), type.size());
    const std::string part = type.substr(at, end - at);
    const bool stands_for =
        std::ranges::any_of(part, [](unsigned char c) { return std::isupper(c); });
    if (!roff.empty()) roff += "|\\:";
    roff += stands_for ? italic(part) : bold(part);
    at = end + 1;
  }
  return roff;
}

std::string argument_text(const Argument& argument) {
  std::vector<std::string> names;
  names.reserve(argument.names.size());
  for (const std::string& name : argument.names) {
    names.push_back(argument.positional ? italic(name) : bold(name));
  }
  std::string head = fmt::format("{}", fmt::join(names, ", "));
  if (argument.positional) {
    if (argument.several) head += " ...";
    if (argument.type != "TEXT") head += " (" + type_text(argument.type) + ")";
    return item(head, argument.help);
  }
  if (argument.takes_value()) head += " " + type_text(argument.type);
  return item(head, argument.help + (argument.required ? " (required)" : ""));
}

std::string positionals(const Command& command) {
  std::string roff;
  for (const Argument& argument : command.arguments) {
    if (argument.positional) roff += argument_text(argument);
  }
  return roff;
}

// Those of one heading of the help after those of another, in the help's order.
std::string options(const Command& command) {
  std::vector<std::string> groups;
  for (const Argument& argument : command.arguments) {
    const bool known = std::ranges::find(groups, argument.group) != groups.end();
    if (!argument.positional && !known) groups.push_back(argument.group);
  }
  std::string roff;
  for (const std::string& group : groups) {
    if (!roff.empty()) roff += fmt::format(".SS {}\n", plain(group));
    for (const Argument& argument : command.arguments) {
      if (!argument.positional && argument.group == group) roff += argument_text(argument);
    }
  }
  return roff;
}

// ---- commands ----

std::string page_reference(const Command& command) {
  return fmt::format(".BR {} (1)", plain(page_name(command)));
}

std::string synopsis(const Command& command) {
  std::string roff;
  for (const Command* each : all_of(command)) {
    if (each != &command && command.name.find(' ') == command.name.npos) break;  // own pages
    if (!roff.empty()) roff += ".br\n";
    roff += bold(each->name) + plain(usage_of(*each).substr(each->name.size())) + "\n";
  }
  return roff;
}

std::string description(const Command& command, const Footer& footer) {
  std::vector<std::string> paragraphs = paragraphs_of(command.description);
  if (paragraphs.empty()) paragraphs.push_back(command.summary + ".");
  paragraphs.insert(paragraphs.end(), footer.description.begin(), footer.description.end());
  return prose(paragraphs);
}

// Of limn, the names of its commands; of one of them, all of those below it.
std::string commands(const Command& command, bool by_name) {
  std::string roff;
  for (const Command& sub : command.commands) {
    if (by_name) {
      roff += fmt::format(".TP\n{}\n{}\n", page_reference(sub), plain(sub.summary));
      continue;
    }
    const Footer footer = read_footer(sub.footer);
    roff += fmt::format(".SS {}\n{}.\n", plain(usage_of(sub)), plain(sub.summary));
    if (const std::string more = sub.description; !more.empty()) {
      roff += ".PP\n" + prose(paragraphs_of(more));
    }
    roff += positionals(sub) + options(sub);
    if (!footer.examples.empty()) roff += ".PP\n" + examples(footer);
    if (!footer.exit_codes.empty()) roff += ".PP\nExit codes:\n" + exit_status(footer);
    roff += commands(sub, false);
  }
  return roff;
}

// limn, and the commands that the help speaks of.
std::string see_also(const Command& command, const Command& limn) {
  std::vector<std::string> pages;
  if (&command != &limn) pages.push_back(page_reference(limn));
  std::string words;
  for (const Command* each : all_of(command)) {
    words += each->description + each->footer;
    for (const Argument& argument : each->arguments) words += argument.help + "\n";
  }
  std::ranges::replace(words, '\n', ' ');
  for (const Command& other : limn.commands) {
    const bool said = &command != &limn && words.find(other.name) != words.npos;
    if (&other != &command && said) pages.push_back(page_reference(other));
  }
  return pages.empty() ? "" : fmt::format("{}\n", fmt::join(pages, ",\n"));
}

std::string capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

std::string page_name(const Command& command) {
  std::string name = command.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string man_page(const Command& command, const Command& limn, const std::string& date) {
  const Footer footer = read_footer(command.footer);
  const bool is_limn = &command == &limn;
  const std::string name = plain(page_name(command));
  std::string summary = command.summary;
  if (summary.starts_with("limn ")) summary.erase(0, 5);
  summary.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(summary.front())));

  std::string roff =
      fmt::format(".TH {} 1 {} \"limn {}\" \"User Commands\"\n", capitals(name), date, version());
  roff += section("NAME", fmt::format("{} \\- {}\n", name, plain(summary)));
  roff += section("SYNOPSIS", synopsis(command));
  roff += section("DESCRIPTION", description(command, footer));
  roff += section("COMMANDS", commands(command, is_limn));
  roff += section("ARGUMENTS", positionals(command));
  roff += section("OPTIONS", options(command));
  roff += section("EXIT STATUS", exit_status(footer));
  roff += section("ENVIRONMENT", environment(footer));
  roff += section("EXAMPLES", examples(footer));
  return roff + section("SEE ALSO", see_also(command, limn));
}

}  // namespace limn
