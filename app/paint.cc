// limn paint
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>

#include "arguments.h"
#include "base/error.h"
#include "base/parallel.h"
#include "commands.h"
#include "console.h"
#include "exit_code.h"
#include "forecast.h"
#include "image/write.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "report.h"
#include "style/memory.h"
#include "unpainted.h"

namespace limn {
namespace {

constexpr const char* kDescription =
    "Paint a photo in the manner of a painting, or of several.\n\n"
    "Nothing but the pictures is needed: limn has a network inside. They are resized as the "
    "recipe\n"
    "says: by recipe 'limn', the longest side of each becomes --size pixels. The picture of least "
    "loss\n"
    "is written to --output; without it, to PHOTO-PAINTING.png in the current directory, where it\n"
    "replaces nothing. Ctrl-C writes the best picture so far and ends with code 130.\n\n"
    "Each PAINTING is a style. The picture is painted in a blend of them, unless masks say where "
    "each\n"
    "of them goes. A mask is a picture of any size, white inside and black outside.";

constexpr const char* kExamples =
    "Examples:\n"
    "  limn paint photo.jpg painting.jpg\n"
    "  limn paint photo.jpg painting.jpg -o out.png --size 1024 --strength 0.7\n"
    "  limn paint photo.jpg painting.jpg -o out.png --style-scale 0.5 --colors content\n"
    "  limn paint photo.jpg oil.jpg ink.jpg -o out.png --blend 0.3,0.7\n"
    "  limn paint photo.jpg etchings/ -o out.png                  the manner of all pictures in "
    "it\n"
    "  limn paint photo.jpg oil.jpg ink.jpg -o out.png --mask-content sky.png   the rest is ink\n"
    "  limn paint photo.jpg painting.jpg -o out.png --mask-keep face.png --seconds 20\n"
    "  limn paint photo.jpg painting.jpg -o out.png --seed 7 --report out.json\n"
    "  limn paint photo.jpg painting.jpg --network vgg19          after 'limn model fetch vgg19'\n"
    "  limn paint photo.jpg painting.jpg --weights vgg19.h5       any file that limn reads\n\n"
    "Exit codes: 0 painted, 2 bad flag or recipe, or nothing was painted (no step lowers the "
    "loss, or\n"
    "--seconds left no time for one; no picture is written), 3 bad file (or a picture of "
    "--save-every\n"
    "could not be written), 4 too large or no memory, 130 interrupted (the best picture so far "
    "was\n"
    "written), 1 a fault of limn's own.";

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
  void check(const Recipe& recipe) const;
  std::string name_on_the_way(const Progress& progress, SavedName name) const;
  bool save_on_the_way(const Progress& progress, const Recipe& recipe,
                       ProgressDisplay& display) const;
  void write_report(const Painted& painted, const Recipe& recipe, const Model& model,
                    double predicted_bytes) const;
};

void PaintCommand::add_to(CLI::App& command) {
  arguments.add_to(command);
  command
      .add_option("-o,--output", given_output,
                  "Where to write the picture; its ending is its format [PHOTO-PAINTING.png]")
      ->type_name("FILE");
  command.add_option("--report", report, "Write settings, seconds, memory and all losses as JSON")
      ->type_name("FILE.json");
  add_write_flags(command, write);
  command.add_flag("--quiet", quiet, "Show no progress");
}

// out.png becomes out-0020.png or out-20260131-235959-0020.png, with enough digits that names sort
// like iterations.
std::string PaintCommand::name_on_the_way(const Progress& progress, SavedName name) const {
  const std::filesystem::path path(output);
  const size_t digits = std::max<size_t>(4, std::to_string(progress.iterations).size());
  const std::string time =
      name == SavedName::time ? fmt::format("-{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr)))
                              : "";
  return (path.parent_path() / fmt::format("{}{}-{:0{}}{}", path.stem().string(), time,
                                           progress.iteration, digits, path.extension().string()))
      .string();
}

void PaintCommand::write_report(const Painted& painted, const Recipe& recipe, const Model& model,
                                double predicted_bytes) const {
  nlohmann::ordered_json json = to_json(arguments.names(), output, model);
  if (is_unpainted(painted)) json["output"] = nullptr;
  json["recipe"] = to_json(recipe);
  json["width"] = painted.picture.width;
  json["height"] = painted.picture.height;
  json["outcome"] = outcome_name(painted.outcome);
  if (painted.unchanged) json["unchanged"] = true;
  json["iteration"] = painted.iteration;
  json["best_iteration"] = painted.best_iteration;
  json["rejected_steps"] = painted.rejected_steps;
  json["seconds"] = painted.seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["predicted_memory_bytes"] = static_cast<std::int64_t>(predicted_bytes);
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
void PaintCommand::check(const Recipe& recipe) const {
  check_write_flags(write);
  check_writable(output, write, recipe.picture.size);
  if (report) check_report(*report);
  std::vector<Written> written = {{"--output", output, "picture"}};
  if (report) written.push_back({"--report", *report, "report"});
  check_kept(written, arguments.names(), arguments.weights_file(recipe));
}

int PaintCommand::run() {
  std::optional<FreshName> name;
  output = given_output ? *given_output : name.emplace(arguments.names()).path();
  return paint_to_output();
}

int PaintCommand::paint_to_output() const {
  Recipe recipe = arguments.recipe();
  check(recipe);
  Inputs inputs = arguments.inputs();
  const Model model = arguments.model(recipe);

  const WorkingSizes sizes = working_sizes(inputs.pictures, recipe);
  check_writable(output, write, std::max(sizes.picture.height, sizes.picture.width));
  const std::vector<std::string> notes = notes_on_enlarging(inputs, sizes, recipe);
  const auto predict = [&, regions = mask_regions(inputs.pictures)] {
    const int threads = recipe.picture.threads == 0 ? available_cores() : recipe.picture.threads;
    return predict_painting_bytes(model.weights(), recipe, sizes, regions, threads);
  };

  catch_interrupts();
  ProgressDisplay display(suitable_progress_style(quiet));
  Forecast forecast(inputs.pictures, std::span(&recipe, 1));
  int exit_code = kSuccess;
  const auto on_progress = [&](const Progress& progress) {
    if (progress.iteration == 0) {
      display.note(fmt::format("painting {} x {} pixels by recipe '{}'", sizes.picture.width,
                               sizes.picture.height, recipe.name));
      for (const std::string& note : notes) display.note(note);
    }
    display.show(progress, forecast.standing(0, progress));
    const int every = recipe.output.save_every;
    const bool save = every > 0 && progress.iteration > 0 && progress.iteration % every == 0;
    if (save && !save_on_the_way(progress, recipe, display)) exit_code = kFileError;
    return !interrupted();
  };
  const Painted painted = paint(model, std::move(inputs.pictures), recipe, on_progress);
  display.finish();
  if (painted.outcome == Outcome::failed) {
    fail(ErrorKind::usage,
         "the loss of the first picture is not finite, so nothing was painted; choose smaller "
         "weights");
  }

  if (!is_unpainted(painted)) write_image(painted.picture, output, write);
  if (report) write_report(painted, recipe, model, predict());
  if (is_unpainted(painted)) {
    const auto& [cause, next_step] = why_unchanged(painted, recipe);
    fail(ErrorKind::usage, "nothing was painted: {}; {}", cause, next_step);
  }
  display.note(fmt::format("{}: iteration {} of {}, {:.1f} s{}", output, painted.iteration,
                           recipe.optimiser.iterations, painted.seconds,
                           early_end(painted, recipe)));
  if (is_unchanged(painted)) {
    const auto& [cause, next_step] = why_unchanged(painted, recipe);
    display.note(fmt::format("{} is still the first picture: {}; {}", output, cause, next_step));
  }
  return painted.outcome == Outcome::stopped ? kInterrupted : exit_code;
}

// A picture on the way is worth a warning when it cannot be written, not the painting.
bool PaintCommand::save_on_the_way(const Progress& progress, const Recipe& recipe,
                                   ProgressDisplay& display) const {
  try {
    const std::string name = name_on_the_way(progress, recipe.output.save_name);
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
