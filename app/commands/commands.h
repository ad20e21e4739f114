// The commands. Each function adds one to the parser, with a callback that runs the command and
// returns the exit code in `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

namespace limn {

// Makes of an empty parser limn's own, with all that follows.
void add_commands(CLI::App& app, int& exit_code);

void add_paint_command(CLI::App& app, int& exit_code);
void add_texture_command(CLI::App& app, int& exit_code);
void add_inpaint_command(CLI::App& app, int& exit_code);
void add_season_command(CLI::App& app, int& exit_code);
void add_resume_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);
void add_info_command(CLI::App& app, int& exit_code);
void add_evaluate_command(CLI::App& app, int& exit_code);
void add_bench_command(CLI::App& app, int& exit_code);
void add_sweep_command(CLI::App& app, int& exit_code);
void add_batch_command(CLI::App& app, int& exit_code);
void add_recipes_command(CLI::App& app, int& exit_code);
void add_model_command(CLI::App& app, int& exit_code);

// The job server's, if they are built.
void add_server_commands(CLI::App& app, int& exit_code);
void add_serve_command(CLI::App& app, int& exit_code);
// Of limn serve itself: for its own use, and for tests.
void add_own_serve_commands(CLI::App& serve, int& exit_code);
void add_worker_command(CLI::App& app, int& exit_code);
void add_jobs_command(CLI::App& app, int& exit_code);

}  // namespace limn
