#include "commands/commands.h"

#include <limn/limn.h>

#include <fmt/format.h>

#include <memory>

namespace limn {
namespace {

constexpr const char* kFooter =
    R"(Run 'limn COMMAND --help' for details.

Exit codes: 0 done; 1 a bug in limn; 2 a bad flag, recipe or setting; 3 a file that cannot be read,
understood or written; 4 a picture that is too large, or too little memory; 130 interrupted. The
help of a command says where it has others.

Environment:
  XDG_CACHE_HOME                  Fetched weights are in limn/models in it [~/.cache])";

// Lists each command on one line: the first of its description.
class ShortListFormatter : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* sub) const override {
    const std::string description = sub->get_description();
    return fmt::format("{:<{}}{}\n", "  " + sub->get_name(), get_column_width(),
                       description.substr(0, description.find('\n')));
  }
};

}  // namespace

void add_commands(CLI::App& app, int& exit_code) {
  app.name("limn");
  app.description("limn paints a photograph in the style of a painting.");
  app.set_version_flag("--version", fmt::format("limn {}", version()));
  app.require_subcommand(1);
  app.footer(kFooter);
  app.formatter(std::make_shared<ShortListFormatter>());
  app.get_formatter()->column_width(34);

  add_paint_command(app, exit_code);
  add_texture_command(app, exit_code);
  add_inpaint_command(app, exit_code);
  add_season_command(app, exit_code);
  add_resume_command(app, exit_code);
  add_replay_command(app, exit_code);
  add_info_command(app, exit_code);
  add_sweep_command(app, exit_code);
  add_batch_command(app, exit_code);
  add_evaluate_command(app, exit_code);
  add_recipes_command(app, exit_code);
  add_model_command(app, exit_code);
  add_bench_command(app, exit_code);
  add_server_commands(app, exit_code);
}

}  // namespace limn
