// The commands of the job server, where it is built.
#include "commands/commands.h"

namespace limn {
namespace {

constexpr const char* kEnvironment = R"(
  XDG_STATE_HOME                  Jobs of 'limn serve' and its token are in limn in it
                                  [~/.local/state]
  LIMN_TOKEN                      The token for 'limn jobs')";

}  // namespace

void add_server_commands(CLI::App& app, int& exit_code) {
  app.footer(app.get_footer() + kEnvironment);
  add_serve_command(app, exit_code);
  add_worker_command(app, exit_code);
  add_jobs_command(app, exit_code);
}

}  // namespace limn
