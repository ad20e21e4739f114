// The commands of the job server, where it is built.
#include "commands/commands.h"

namespace limn {

void add_server_commands(CLI::App& app, int& exit_code) {
  add_serve_command(app, exit_code);
  add_worker_command(app, exit_code);
  add_jobs_command(app, exit_code);
}

}  // namespace limn
