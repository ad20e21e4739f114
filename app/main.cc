// The limn command. Errors become messages and exit codes here, and nowhere else.
#include <limn/limn.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string_view>
#include <system_error>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/error.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/together.h"
#include "ranks/launched.h"
#include "show/console.h"

namespace {

using namespace limn;

int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return kUsageError;
    case ErrorKind::file:
      return kFileError;
    case ErrorKind::resources:
      return kResourceError;
  }
  return kInternalError;
}

int report_error(int exit_code, const std::string& message) {
  say_failure(message, exit_code);
  return exit_code;
}

// The innermost subcommand that the arguments chose.
const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

// "unknown flag '--sytle-weight'; did you mean '--style-weight'?"
std::string describe_unknown(const CLI::App& command, const std::string& argument) {
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
  }
  for (const CLI::App* sub : command.get_subcommands({})) known.push_back(sub->get_name());
  const bool flag = argument.starts_with("-");
  const std::string name = argument.substr(0, argument.find('='));
  return fmt::format("{} '{}'{}", flag ? "unknown flag" : "unexpected argument", name,
                     did_you_mean(name, known));
}

// The parser's messages in limn's own style: "--size: what is wrong".
std::string describe(const CLI::ParseError& error) {
  std::string text = error.what();
  const std::string flag = text.substr(0, text.find(':'));
  const auto says = [&](const char* phrase) { return text.find(phrase) != std::string::npos; };
  if (says("At Most 1 required")) return flag + ": given more than once";
  if (says("1 required") && says("missing")) return flag + ": needs a value";
  constexpr std::string_view kConversion = "Could not convert: ";
  if (text.starts_with(kConversion)) {  // "Could not convert: --bits = abc"
    const size_t equals = text.find(" = ");
    return fmt::format("{}: '{}' is not a valid value",
                       text.substr(kConversion.size(), equals - kConversion.size()),
                       equals == std::string::npos ? "" : text.substr(equals + 3));
  }
  return text;
}

// "limn recipes show"
std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent ? full_name(*parent) + " " + command.get_name() : command.get_name();
}

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = deepest(app);
  // A misspelt argument may be why a required one is missing, so it is reported first.
  const std::vector<std::string> extras = app.remaining(true);
  const std::string message =
      extras.empty() ? describe(error) : describe_unknown(command, extras.front());
  return report_error(kUsageError,
                      fmt::format("{}\nSee '{} --help'.", message, full_name(command)));
}

int run(int argc, char** argv) {
  CLI::App app;
  int exit_code = kSuccess;
  add_commands(app, exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error);
  }
}

// Whether --progress json was given: known before the arguments are parsed, because a program that
// asked for JSON wants to read in JSON too which of its arguments were wrong.
bool asks_for_json(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--progress=json") return true;
    if (argument == "--progress" && i + 1 < argc && argv[i + 1] == std::string_view("json")) {
      return true;
    }
  }
  return false;
}

// Returns blocks of a megabyte or more to the system as soon as they are freed. glibc starts out
// that way, but keeps larger and larger blocks once some have been freed, so the memory of finished
// pictures would never be returned.
void give_back_large_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

// What act() returns; of an error that it throws, the exit code, after saying what was wrong.
template <typename Act>
int reported(const Act& act) {
  try {
    return act();
  } catch (const Error& error) {
    return report_error(exit_code_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return report_error(kResourceError, "not enough memory; choose a smaller --size");
  } catch (const std::filesystem::filesystem_error& error) {  // a safety net: paths throw Error
    return report_error(kFileError, fmt::format("cannot use '{}': {}", error.path1().string(),
                                                error.code().message()));
  } catch (const std::system_error& error) {
    const bool short_of = error.code() == std::errc::resource_unavailable_try_again;  // threads
    return report_error(short_of ? kResourceError : kFileError, error.what());
  } catch (const std::exception& error) {
    return report_error(kInternalError, fmt::format("internal error: {}", error.what()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  give_back_large_blocks();
  if (asks_for_json(argc, argv)) speak_json();
  LaunchedRanks* ranks = nullptr;  // or several, of which rank 0 carries out the command
  const int exit_code = reported([&]() -> int {
    ranks = launched_ranks();
    if (!ranks || ranks->rank() == 0) return run(argc, argv);
    follow(*ranks);
    return kSuccess;
  });
  if (!ranks) return exit_code;
  if (ranks->busy()) ranks->abandon(exit_code);
  if (ranks->rank() == 0) dismiss(*ranks);
  return exit_code;
}
