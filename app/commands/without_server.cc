// In place of server_commands.cc, where the job server is not built.
#include "commands/commands.h"

namespace limn {

void add_server_commands(CLI::App&, int&) {}

}  // namespace limn
