// The limn command. Here errors become messages and exit codes, and nowhere else.
#include <limn/limn.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "base/error.h"
#include "commands.h"
#include "exit_code.h"

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
  fmt::print(stderr, "limn: {}\n", message);
  return exit_code;
}

// The chosen sub-command, as deep as the arguments went.
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

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = deepest(app);
  std::string message = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> extras = app.remaining(true);
    if (!extras.empty()) message = describe_unknown(command, extras.front());
  }
  const std::string name = command.get_parent() ? "limn " + command.get_name() : "limn";
  return report_error(kUsageError, fmt::format("{}\nSee '{} --help'.", message, name));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("limn paints a photograph in the manner of a painting.", "limn");
  app.set_version_flag("--version", fmt::format("limn {}", version()));
  app.require_subcommand(1);
  app.footer("'limn COMMAND --help' says more about each.");
  app.get_formatter()->column_width(34);

  int exit_code = kSuccess;
  add_paint_command(app, exit_code);
  add_evaluate_command(app, exit_code);
  add_recipes_command(app, exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error);
  } catch (const Error& error) {
    return report_error(exit_code_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return report_error(kResourceError, "not enough memory; choose a smaller --size");
  } catch (const std::exception& error) {
    return report_error(kInternalError, fmt::format("internal error: {}", error.what()));
  }
}
