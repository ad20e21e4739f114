// limn sweep
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/painting.h"
#include "commands/sweep_results.h"
#include "image/animation.h"
#include "image/label.h"
#include "paint/estimate.h"
#include "request/arguments.h"
#include "request/command_files.h"
#include "request/memory_flags.h"
#include "request/opened_inputs.h"
#include "request/outputs.h"
#include "request/painting_sizes.h"
#include "request/progress_flags.h"
#include "request/vary.h"
#include "show/console.h"
#include "show/forecast.h"
#include "show/interrupt.h"
#include "show/progress.h"
#include "show/unpainted.h"

namespace limn {
namespace {

constexpr const char* kSweepDescription =
    R"(Paint a photo once for each value of one setting, keeping all others fixed.

The results go on one labelled sheet, after the photo and the painting. Their common targets are
measured only once. The values are a list or a range:
  --vary style.weight=0.1,1,10         these; any key of a recipe, or its flag's name
  --vary style.weight=0.1..10x5        five in equal factors: 0.1 0.3162 1 3.162 10
  --vary strength=0..1+5               five in equal steps: 0 0.25 0.5 0.75 1
  --vary 'blend=1,0;0.5,0.5;0,1'       lists of numbers or layers: semicolons between them
The sheet is rewritten after each painting. Ctrl-C keeps what there is and exits with code 130.)";

constexpr const char* kSweepExamples =
    R"(Examples:
  limn sweep photo.jpg painting.jpg --vary strength=0.1..0.9+5 -o sheet.png \
      --animation sweep.webp --report sweep.json
  limn sweep photo.jpg painting.jpg --vary style-scale=0.5..2x3 -o sheet.png
  limn sweep photo.jpg painting.jpg --vary pooling=max,average -o sheet.png \
      --weights vgg19.h5 --size 384 --iterations 100

Exit codes: the same as for 'limn paint'.)";

struct SweepCommand {
  PaintingArguments arguments;
  std::string vary;
  SweepOutputs outputs;
  ProgressFlags progress;
  bool dry_run = false;
  PlanFlags plan;

  void add_to(CLI::App& command);
  int run();
  int paint_to_sheet() const;
  int print_plans(const Model& model, std::span<const Plan> plans) const;
  void check(const Recipe& base, const Variation& variation, CommandFiles& files) const;
  std::exception_ptr paint_all(const Model& model, Inputs inputs, const Variation& variation,
                               std::span<const std::string> notes, SweepResults& results,
                               Forecast& forecast, ProgressDisplay& display) const;
};

void SweepCommand::add_to(CLI::App& command) {
  arguments.add_to(command);
  command.add_option("--vary", vary, "The setting that varies and its values: a list or a range")
      ->type_name("KEY=VALUES")
      ->required();
  command
      .add_option("-o,--output", outputs.sheet,
                  "Where to write the sheet: a file, whose extension gives the format; a folder; - "
                  "for a pipe")
      ->type_name("FILE|FOLDER")
      ->required();
  command
      .add_option("--animation", outputs.animation,
                  "Also write an animation of the results: WebP or GIF")
      ->type_name("FILE");
  command
      .add_option("--report", outputs.report, "Write settings, seconds and losses of each as JSON")
      ->type_name("FILE.json");
  add_write_flags(command, outputs.write);
  progress.add_to(command);
  CLI::Option* dry = command.add_flag("--dry-run", dry_run,
                                      "Only print what would be painted: how many, memory, time");
  command.add_flag("--json", plan.json, "Print it as JSON")->needs(dry);
  command.add_flag("--untimed", plan.untimed, "Leave out the time, which takes seconds to measure")
      ->needs(dry);
}

// Finds what would fail before pictures and weights are read.
void SweepCommand::check(const Recipe& base, const Variation& variation,
                         CommandFiles& files) const {
  if (arguments.given(variation.key)) {
    fail(ErrorKind::usage, "--vary: {} is also given as a flag", variation.key);
  }
  if (variation.key == "balance.strength") check_strength_matters(base, "--vary");
  if (arguments.given("output.save_every") && base.output.save_every > 0) {
    fail(ErrorKind::usage, "--save-every: a sweep does not save intermediate pictures");
  }
  const auto& [sheet, animation, report, write] = outputs;
  check_write_flags(write);
  check_labels();
  check_output(sheet, write);
  arguments.add_inputs_of(variation.recipes, files);
  if (!is_standard_output(sheet)) files.writes("--output", sheet, "sheet");
  if (animation) {
    check_animation_writable(*animation);
    files.writes("--animation", *animation, "animation");
  }
  if (report) {
    check_report(*report);
    files.writes("--report", *report, "report");
  }
  ProgressFlags::check(progress.options(), files);
  files.check();
}

// Paints with each recipe in turn, after showing the notes. Returns the error that ended it early,
// if any, so that what was painted before is not lost.
std::exception_ptr SweepCommand::paint_all(const Model& model, Inputs inputs,
                                           const Variation& variation,
                                           std::span<const std::string> notes,
                                           SweepResults& results, Forecast& forecast,
                                           ProgressDisplay& display) const {
  const auto on_progress = [&](size_t index, const Progress& progress) {
    const Standing standing = forecast.standing(index, progress);
    if (progress.iteration == 0) {
      for (const std::string& note : notes) {
        if (index == 0) display.note(note);
      }
      display.note(fmt::format("painting {} of {}, {} x {} pixels: {}", standing.number,
                               standing.count, standing.result.width, standing.result.height,
                               results.label(index)));
    }
    display.show(progress, standing);
    return !interrupted();
  };
  const auto on_done = [&](size_t index, const Painted& painted) {
    results.add(index, painted);
    if (painted.outcome == Outcome::failed) {
      display.note(
          fmt::format("{}: the loss of the first picture is not finite", results.label(index)));
    }
    if (is_unchanged(painted)) {
      const std::string cause = why_unchanged(painted, variation.recipes[index]).cause;
      display.note(fmt::format("{}: {}: {}", results.label(index),
                               is_unpainted(painted) ? "not painted" : "still the first picture",
                               cause));
    }
    const bool end = results.stopped() || results.size() == variation.recipes.size();
    // A pipe takes the sheet once, when it is complete.
    if (end || results.empty() || is_standard_output(outputs.sheet)) return;
    try {
      results.write_sheet_and_report(forecast.seconds());
    } catch (const Error& error) {  // worth a warning, but not the paintings to come
      display.warn(fmt::format("{}; painting continues", error.what()));
    }
  };
  try {
    sweep(model, std::move(inputs.pictures), inputs.plans, on_done, on_progress);
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

[[noreturn]] void fail_unpainted(const SweepResults& results) {
  if (!results.first_unpainted()) {
    fail(ErrorKind::usage,
         "nothing was painted: the first picture's loss is not finite for any of the values; "
         "choose smaller weights");
  }
  const auto& [index, why] = *results.first_unpainted();
  fail(ErrorKind::usage, "nothing was painted for any of the values; {}: {}; {}",
       results.label(index), why.cause, why.next_step);
}

int SweepCommand::run() {
  outputs.write.dpi = arguments.dpi();
  std::optional<FreshName> name;
  if (is_output_folder(outputs.sheet)) {
    outputs.sheet =
        name.emplace(base_name(arguments.names()) + "-sweep", outputs.sheet, outputs.write.format)
            .path();
  }
  return paint_to_sheet();
}

// They are painted in turn, so the largest one's memory is all of theirs, without the sheet's.
int SweepCommand::print_plans(const Model& model, std::span<const Plan> plans) const {
  double bytes = 0, seconds = 0;
  for (const Plan& each : plans) {
    bytes = std::max(bytes, each.bytes);
    if (!plan.untimed) seconds += estimated_seconds(model, each);
  }
  if (plan.json) {
    nlohmann::ordered_json object = {{"limn", version()},
                                     {"paintings", plans.size()},
                                     {"predicted_memory_bytes", static_cast<std::int64_t>(bytes)}};
    if (!plan.untimed) object["predicted_seconds"] = seconds;
    print(object.dump(2) + "\n");
    return kSuccess;
  }
  print(fmt::format("{:<12}{}\n{:<12}about {}\n", "paintings", plans.size(), "memory",
                    bytes_text(static_cast<std::uint64_t>(bytes))));
  if (!plan.untimed) print(fmt::format("{:<12}about {}\n", "time", clock_text(seconds)));
  return kSuccess;
}

int SweepCommand::paint_to_sheet() const {
  CommandFiles files;
  arguments.add_inputs(files);
  const Recipe base = arguments.recipe();
  Variation variation = parse_variation(vary, base);
  check(base, variation, files);
  OpenedInputs opened(arguments.names(), variation.recipes, arguments.read_options());
  const Model model = arguments.model(variation.recipes);
  std::vector<Plan> plans = opened.plan(model, variation.recipes, within_machine({}));
  if (dry_run) return print_plans(model, plans);
  Inputs inputs = std::move(opened).read(std::move(plans));
  SweepResults results(arguments, outputs, variation, model, inputs);
  std::vector<std::string> notes = inputs.notes;
  std::ranges::move(notes_on_enlarging(inputs, *model.weights().network, inputs.plans.front()),
                    std::back_inserter(notes));
  Forecast forecast(inputs.plans);

  catch_interrupts();
  ProgressDisplay display(progress.options());
  const std::exception_ptr trouble =
      paint_all(model, std::move(inputs), variation, notes, results, forecast, display);
  display.finish();
  if (results.empty()) {
    if (trouble) std::rethrow_exception(trouble);
    fail_unpainted(results);
  }
  results.write_sheet_and_report(forecast.seconds());
  results.write_animation();
  if (trouble) std::rethrow_exception(trouble);
  display.result({outputs.sheet, results.stopped() ? "stopped" : "finished",
                  static_cast<int>(results.painted()), static_cast<int>(variation.recipes.size()),
                  forecast.seconds()},
                 fmt::format("{}: {} of {} paintings, {:.1f} s", output_name(outputs.sheet),
                             results.painted(), variation.recipes.size(), forecast.seconds()));
  return results.stopped() ? kInterrupted : kSuccess;
}

}  // namespace

void add_sweep_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("sweep", kSweepDescription);
  command->footer(kSweepExamples);
  const auto sweep = std::make_shared<SweepCommand>();
  sweep->add_to(*command);
  command->callback([sweep, &exit_code] { exit_code = sweep->run(); });
}

}  // namespace limn
