// limn resume
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/painting.h"
#include "recipe/fields.h"
#include "request/checkpoint_flags.h"
#include "request/command_files.h"
#include "request/progress_flags.h"
#include "request/provenance.h"

namespace limn {
namespace {

constexpr const char* kResumeDescription =
    R"(Continue a painting from its checkpoint.

The file is what 'limn paint --checkpoint FILE.limn' writes. On the same instruction set, the
picture is the one that the painting would have become without the interruption, byte for byte.
Pictures and weights must be where they were, and unchanged; any that have changed are named.
Checkpoints are still written to the same file.)";

constexpr const char* kResumeExamples =
    R"(Examples:
  limn resume print.limn
  limn resume print.limn -o print.tif --threads 4
  limn resume print.limn --iterations 600     in total, over all sizes: more than before, or fewer
  limn resume print.limn --seconds 300        from now on

Exit codes: the same as for 'limn paint'.)";

struct ResumeCommand {
  std::string path;
  std::optional<std::string> output, report, iterations, seconds, threads;
  std::optional<double> every;
  ProgressFlags progress;

  void add_to(CLI::App& command);
  int run() const;
};

void ResumeCommand::add_to(CLI::App& command) {
  command.add_option("CHECKPOINT", path, "The file that --checkpoint named")
      ->required()
      ->type_name("FILE.limn");
  command.add_option("-o,--output", output, "Where to write the picture [as before]")
      ->type_name("FILE");
  command.add_option("--iterations", iterations, "Total iterations, over all sizes")
      ->type_name("N");
  command.add_option("--seconds", seconds, "Time limit from now on; 0: no limit")->type_name("N");
  command.add_option("--threads", threads, "Threads; 0: one per core. The result is the same")
      ->type_name("N");
  command.add_option("--report", report, "Write settings, seconds, memory and all losses as JSON")
      ->type_name("FILE.json");
  command.add_option("--checkpoint-every", every, "Seconds between checkpoints [as before]")
      ->type_name("N");
  progress.add_to(command);
}

int ResumeCommand::run() const {
  const Checkpoint checkpoint = read_checkpoint(path);
  PaintRequest request = request_of(checkpoint, path);
  Recipe& recipe = request.recipe;
  if (iterations) set_field(recipe, "optimiser.iterations", *iterations, "--iterations");
  if (threads) set_field(recipe, "picture.threads", *threads, "--threads");
  if (seconds) {
    set_field(recipe, "optimiser.seconds", *seconds, "--seconds");
    // The recipe's limit counts from the start of the painting.
    if (recipe.optimiser.seconds > 0) recipe.optimiser.seconds += checkpoint.seconds;
  }
  if (output) request.output = *output;
  if (report) request.report = *report;
  if (every) {
    check_checkpoint_every(*every);
    request.checkpoint_every = *every;
  }
  request.show = progress.options();

  CommandFiles files;
  for (const InputFile& file : input_files(request.names)) {
    files.reads_picture(file.path, std::string(file.role));
  }
  check_results(request, recipe.output.save_every > 0, files);
  std::string note = fmt::format(", continuing from iteration {}", checkpoint.iteration);
  if (checkpoint.instruction_set != instruction_set()) {
    note += fmt::format("; begun on {}, continued on {}: the last digits will differ",
                        checkpoint.instruction_set, instruction_set());
  }
  return carry_out({std::move(request),
                    path,
                    inputs_of(checkpoint, path),
                    fmt::format("the checkpoint '{}'", path),
                    {},
                    note,
                    false});
}

}  // namespace

void add_resume_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("resume", kResumeDescription);
  command->footer(kResumeExamples);
  const auto resume = std::make_shared<ResumeCommand>();
  resume->add_to(*command);
  command->callback([resume, &exit_code] { exit_code = resume->run(); });
}

}  // namespace limn
