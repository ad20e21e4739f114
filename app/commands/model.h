// The sub-commands of limn model, added like those in commands.h.
#pragma once

#include <CLI/CLI.hpp>

namespace limn {

void add_model_info_command(CLI::App& model, int& exit_code);
void add_model_convert_command(CLI::App& model, int& exit_code);
void add_model_fetch_command(CLI::App& model, int& exit_code);
void add_model_list_command(CLI::App& model, int& exit_code);

}  // namespace limn
