// limn paint
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/report.h"
#include "request/arguments.h"
#include "request/command_files.h"
#include "request/opened_inputs.h"
#include "request/outputs.h"
#include "request/painting_sizes.h"
#include "request/saved_pictures.h"
#include "show/console.h"
#include "show/forecast.h"
#include "show/interrupt.h"
#include "show/progress.h"
#include "show/unpainted.h"

namespace limn {
namespace {

constexpr const char* kDescription =
    R"(Paint a photo in the style of a painting, or of several.

Nothing but the pictures is needed: limn has a network inside. They are resized as the recipe
says: by recipe 'limn', the longest side of each becomes --size pixels. The picture of least loss
is written to --output; without it, or if it is a folder, to PHOTO-PAINTING.png in the current
directory or there, where it replaces nothing. Ctrl-C writes the best picture so far and ends with
code 130.

Each PAINTING is a style. The picture is painted in a blend of them, unless masks say where each of
them goes. A mask is a picture of any size, white inside and black outside; alpha counts as a mask.
A picture called - comes through a pipe, and anim.gif[3] is a frame of anim.gif, counted from 0.)";

constexpr const char* kExamples =
    R"(Examples:
  limn paint photo.jpg painting.jpg
  limn paint photo.jpg painting.jpg -o out.png --size 1024 --strength 0.7
  limn paint photo.jpg painting.jpg -o out.png --style-scale 0.5 --colors content
  limn paint photo.jpg oil.jpg ink.jpg -o out.png --blend 0.3,0.7
  limn paint photo.jpg etchings/ -o out.png                  the style of all pictures in it
  limn paint photo.jpg oil.jpg ink.jpg -o out.png --mask-content sky.png   the rest is ink
  limn paint photo.jpg painting.jpg -o out.png --mask-keep face.png --seconds 20
  limn paint photo.jpg painting.jpg -o out.png --seed 7 --report out.json
  limn paint photo.jpg painting.jpg --network vgg19          after 'limn model fetch vgg19'
  limn paint photo.jpg painting.jpg --weights vgg19.h5       any file that limn reads
  cat photo.jpg | limn paint - painting.jpg -o - --format jpg > out.jpg

Exit codes: 0 painted; 2 bad flag or recipe, or nothing was painted (no step lowers the loss, or
--seconds left no time for one; no picture is written); 3 bad file (or a picture of --save-every
could not be written); 4 too large or no memory; 130 interrupted (the best picture so far was
written); 1 a fault of limn's own.)";

// "; ended at 74: ...", of a painting that ended before all its iterations were done.
std::string early_end(const Painted& painted, const Recipe& recipe) {
  const int done = painted.history.empty() ? 0 : painted.history.back().iteration;
  if (done >= recipe.optimiser.iterations) return "";
  const char* why = "the loss hardly fell any more";  // at some size, or the last
  if (painted.outcome == Outcome::stopped) why = "interrupted";
  if (painted.outcome == Outcome::out_of_time) why = "the time was over";
  return fmt::format("; ended at {}: {}", done, why);
}

struct PaintCommand {
  PaintingArguments arguments;
  std::optional<std::string> given_output;
  std::string output;  // that, or the name that was found
  std::optional<std::string> report;
  bool quiet = false;
  WriteOptions write;

  void add_to(CLI::App& command);
  int run();
  int paint_to_output() const;
  void check(const Recipe& recipe, CommandFiles& files) const;
  bool save_on_the_way(const Progress& progress, const SavedPictures& saved,
                       ProgressDisplay& display) const;
  void write_report(const Painted& painted, const Plan& plan, const Model& model) const;
};

void PaintCommand::add_to(CLI::App& command) {
  arguments.add_to(command);
  command
      .add_option("-o,--output", given_output,
                  "Where to write the picture: its ending is its format; a folder; - for a pipe "
                  "[PHOTO-PAINTING.png]")
      ->type_name("FILE|FOLDER");
  command.add_option("--report", report, "Write settings, seconds, memory and all losses as JSON")
      ->type_name("FILE.json");
  add_write_flags(command, write);
  command.add_flag("--quiet", quiet, "Show no progress");
}

void PaintCommand::write_report(const Painted& painted, const Plan& plan,
                                const Model& model) const {
  nlohmann::ordered_json json = to_json(arguments.names(), output, model);
  if (is_unpainted(painted)) json["output"] = nullptr;
  json["recipe"] = to_json(plan.recipe);
  json["width"] = painted.picture.width;
  json["height"] = painted.picture.height;
  json["outcome"] = outcome_name(painted.outcome);
  if (painted.unchanged) json["unchanged"] = true;
  json["iteration"] = painted.iteration;
  json["best_iteration"] = painted.best_iteration;
  json["rejected_steps"] = painted.rejected_steps;
  json["seconds"] = painted.seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["predicted_memory_bytes"] = static_cast<std::int64_t>(plan.bytes);
  json["history"] = nlohmann::ordered_json::array();
  for (const IterationRecord& record : painted.history) {
    nlohmann::ordered_json entry = {{"iteration", record.iteration},
                                    {"seconds", record.seconds},
                                    {"width", record.width},
                                    {"height", record.height}};
    entry.update(to_json(record.losses));
    json["history"].push_back(std::move(entry));
  }
  ::limn::write_report(json, *report);
}

// All that can be known to fail is found before the painting begins.
void PaintCommand::check(const Recipe& recipe, CommandFiles& files) const {
  check_write_flags(write);
  check_output(output, write, recipe.picture.size);
  if (report) check_report(*report);
  arguments.add_inputs_of(std::span(&recipe, 1), files);
  if (is_standard_output(output)) {
    if (recipe.output.save_every > 0 && arguments.given("output.save_every")) {
      fail(ErrorKind::usage, "--save-every: a pipe takes one picture; name a file with --output");
    }
  } else {
    files.writes("--output", output, "picture");
  }
  if (report) files.writes("--report", *report, "report");
  files.writes(SavedPictures(output, recipe));
  files.check();
}

int PaintCommand::run() {
  std::optional<FreshName> name;
  const bool is_file = given_output && !is_output_folder(*given_output);
  output = is_file
               ? *given_output
               : name.emplace(base_name(arguments.names()), given_output.value_or(""), write.format)
                     .path();
  return paint_to_output();
}

int PaintCommand::paint_to_output() const {
  CommandFiles files;
  arguments.add_inputs(files);
  Recipe recipe = arguments.recipe();
  check(recipe, files);
  const std::span<const Recipe> recipes(&recipe, 1);
  OpenedInputs opened(arguments.names(), recipes, arguments.read_options());
  const Size result = opened.result(recipe);
  check_output(output, write, std::max(result.height, result.width));
  const Model model = arguments.model(recipe);
  Inputs inputs = std::move(opened).read(opened.plan(model, recipes));
  const Plan& plan = inputs.plans.front();

  std::vector<std::string> notes = inputs.notes;
  std::ranges::move(notes_on_enlarging(inputs, *model.weights().network, plan),
                    std::back_inserter(notes));

  const SavedPictures saved(output, recipe);

  catch_interrupts();
  ProgressDisplay display(suitable_progress_style(quiet));
  Forecast forecast(inputs.plans);
  int exit_code = kSuccess;
  const auto on_progress = [&](const Progress& progress) {
    if (progress.iteration == 0) {
      display.note(fmt::format("painting {} x {} pixels by recipe '{}'{}", result.width,
                               result.height, recipe.name, arguments.drawn_seed_note()));
      for (const std::string& note : notes) display.note(note);
    }
    display.show(progress, forecast.standing(0, progress));
    const bool save = saved.takes(progress.iteration);
    if (save && !save_on_the_way(progress, saved, display)) exit_code = kFileError;
    return !interrupted();
  };
  const Painted painted = paint(model, std::move(inputs.pictures), plan, on_progress);
  display.finish();
  if (painted.outcome == Outcome::failed) {
    fail(ErrorKind::usage,
         "the loss of the first picture is not finite, so nothing was painted; choose smaller "
         "weights");
  }

  if (!is_unpainted(painted)) write_image(painted.picture, output, write);
  if (report) write_report(painted, plan, model);
  if (is_unpainted(painted)) {
    const auto& [cause, next_step] = why_unchanged(painted, recipe);
    fail(ErrorKind::usage, "nothing was painted: {}; {}", cause, next_step);
  }
  display.note(fmt::format("{}: iteration {} of {}, {:.1f} s{}", output_name(output),
                           painted.iteration, recipe.optimiser.iterations, painted.seconds,
                           early_end(painted, recipe)));
  if (is_unchanged(painted)) {
    const auto& [cause, next_step] = why_unchanged(painted, recipe);
    display.note(fmt::format("{} is still the first picture: {}; {}", output_name(output), cause,
                             next_step));
  }
  return painted.outcome == Outcome::stopped ? kInterrupted : exit_code;
}

// A picture on the way is worth a warning when it cannot be written, not the painting.
bool PaintCommand::save_on_the_way(const Progress& progress, const SavedPictures& saved,
                                   ProgressDisplay& display) const {
  try {
    const std::string name = saved.path(progress.iteration);
    write_image(progress.picture(), name, write);
    display.note(fmt::format("iteration {}/{}: {}, {}", progress.iteration, progress.iterations,
                             losses_text(progress.losses), name));
    return true;
  } catch (const Error& error) {
    display.finish();
    say(fmt::format("limn: {}; painting goes on\n", error.what()));
    return false;
  }
}

}  // namespace

void add_paint_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("paint", kDescription);
  command->footer(kExamples);
  const auto paint = std::make_shared<PaintCommand>();
  paint->add_to(*command);
  command->callback([paint, &exit_code] { exit_code = paint->run(); });
}

}  // namespace limn
