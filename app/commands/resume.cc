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
#include "request/provenance.h"

namespace limn {
namespace {

constexpr const char* kDescription =
    R"(Go on with a painting from its checkpoint.

The file is what 'limn paint --checkpoint FILE.limn' writes. The picture is the one that the painting
would have become without the interruption, to the byte, on the same instruction set. Pictures and
weights must still be where they were, and the same; what has changed is named. Checkpoints go on
being written to the same file.)";

constexpr const char* kExamples =
    R"(Examples:
  limn resume print.limn
  limn resume print.limn -o print.tif --threads 4
  limn resume print.limn --iterations 600     of all sizes together: more of them, or fewer
  limn resume print.limn --seconds 300        from now on

Exit codes: the same as for 'limn paint'.)";

struct ResumeCommand {
  std::string path;
  std::optional<std::string> output, report, iterations, seconds, threads;
  std::optional<double> every;
  bool quiet = false;

  void add_to(CLI::App& command);
  int run() const;
};

void ResumeCommand::add_to(CLI::App& command) {
  command.add_option("CHECKPOINT", path, "The file that --checkpoint named")
      ->required()
      ->type_name("FILE.limn");
  command.add_option("-o,--output", output, "Where to write the picture [as it was asked for]")
      ->type_name("FILE");
  command.add_option("--iterations", iterations, "Iterations, of all sizes together")
      ->type_name("N");
  command.add_option("--seconds", seconds, "Time limit from now on; 0: no limit")->type_name("N");
  command.add_option("--threads", threads, "Threads; 0: one for each core. The result is the same")
      ->type_name("N");
  command.add_option("--report", report, "Write settings, seconds, memory and all losses as JSON")
      ->type_name("FILE.json");
  command.add_option("--checkpoint-every", every, "Seconds between checkpoints [as before]")
      ->type_name("N");
  command.add_flag("--quiet", quiet, "Show no progress");
}

int ResumeCommand::run() const {
  const Checkpoint checkpoint = read_checkpoint(path);
  PaintRequest request = request_of(checkpoint, path);
  Recipe& recipe = request.recipe;
  if (iterations) set_field(recipe, "optimiser.iterations", *iterations, "--iterations");
  if (threads) set_field(recipe, "picture.threads", *threads, "--threads");
  if (seconds) {
    set_field(recipe, "optimiser.seconds", *seconds, "--seconds");
    // The recipe's limit counts from the painting's beginning.
    if (recipe.optimiser.seconds > 0) recipe.optimiser.seconds += checkpoint.seconds;
  }
  if (output) request.output = *output;
  if (report) request.report = *report;
  if (every) {
    check_checkpoint_every(*every);
    request.checkpoint_every = *every;
  }
  request.quiet = quiet;

  CommandFiles files;
  for (const InputFile& file : input_files(request.names)) {
    files.reads_picture(file.path, std::string(file.role));
  }
  check_results(request, recipe.output.save_every > 0, files);
  std::string note = fmt::format(", going on from iteration {}", checkpoint.iteration);
  if (checkpoint.instruction_set != instruction_set()) {
    note += fmt::format("; it was begun on {} and goes on on {}: last digits will differ",
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
  CLI::App* command = app.add_subcommand("resume", kDescription);
  command->footer(kExamples);
  const auto resume = std::make_shared<ResumeCommand>();
  resume->add_to(*command);
  command->callback([resume, &exit_code] { exit_code = resume->run(); });
}

}  // namespace limn
