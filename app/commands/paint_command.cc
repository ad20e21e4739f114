#include "commands/paint_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "canvas/initial.h"
#include "canvas/sizes.h"
#include "commands/painting.h"
#include "image/read.h"
#include "paint/periods.h"
#include "request/checkpoint_flags.h"
#include "request/command_files.h"
#include "request/memory_flags.h"
#include "request/outputs.h"
#include "request/progress_flags.h"
#include "request/provenance.h"

namespace limn {
namespace {

struct PaintCommand {
  PaintingArguments::Task task = PaintingArguments::Task::painting;
  PaintingArguments arguments;
  std::optional<std::string> output;
  std::optional<std::string> report;
  CheckpointFlags checkpoint;
  MemoryFlags memory;
  bool no_metadata = false;
  ProgressFlags progress;
  bool dry_run = false;
  PlanFlags plan;
  WriteOptions write;

  const CLI::Option* bits = nullptr;

  void add_to(CLI::App& command);
  int run();
  PaintRequest request(CommandFiles& files) const;
  void keep_depth(PaintRequest& request) const;
  std::string follow_periods(PaintRequest& request) const;
};

const char* default_output(PaintingArguments::Task task) {
  switch (task) {
    case PaintingArguments::Task::painting:
      break;
    case PaintingArguments::Task::texture:
      return "EXEMPLAR-texture.png";
    case PaintingArguments::Task::inpainting:
      return "PICTURE-inpainted.png";
    case PaintingArguments::Task::season:
      return "PHOTO-EXAMPLE.png";
  }
  return "PHOTO-PAINTING.png";
}

void PaintCommand::add_to(CLI::App& command) {
  arguments.add_to(command, task);
  command
      .add_option("-o,--output", output,
                  fmt::format("Where to write the picture: a file, whose extension gives the "
                              "format; a folder; - for a pipe [{}]",
                              default_output(task)))
      ->type_name("FILE|FOLDER");
  command.add_option("--report", report, "Write settings, seconds, memory and all losses as JSON")
      ->type_name("FILE.json");
  add_write_flags(command, write);
  bits = command.get_option("--bits");
  checkpoint.add_to(command);
  memory.add_to(command);
  command.add_flag("--no-metadata", no_metadata, "Do not store in the picture how it was painted");
  CLI::Option* dry = command.add_flag("--dry-run", dry_run,
                                      "Only print what would be painted: sizes, memory, time");
  command.add_flag("--json", plan.json, "Print it as JSON")->needs(dry);
  command
      .add_flag("--untimed", plan.untimed,
                "Leave out the time, which takes a second or two to measure")
      ->needs(dry);
  progress.add_to(command);
}

// A checkpoint may be resumed from another folder.
void make_initial_absolute(Recipe& recipe) {
  std::string& init = recipe.picture.init;
  if (!names_picture(init)) return;
  std::error_code ignored;
  const std::filesystem::path whole = std::filesystem::absolute(init, ignored);
  if (!whole.empty()) init = whole.string();
}

PaintRequest PaintCommand::request(CommandFiles& files) const {
  arguments.add_inputs(files);
  PaintRequest request;
  request.names = arguments.names();
  request.recipe = arguments.recipe();
  arguments.add_inputs_of({&request.recipe, 1}, files);
  request.max_pixels = arguments.read_options().max_pixels;
  request.budget = memory.given();
  request.weights = arguments.weights_file(request.recipe);
  request.network_given = arguments.given("network.name");
  request.write = write;
  request.write.dpi = arguments.dpi();
  request.metadata = !no_metadata;
  request.report = report;
  request.checkpoint = checkpoint.path();
  if (request.checkpoint) make_initial_absolute(request.recipe);
  request.checkpoint_every = checkpoint.every();
  request.show = progress.options();
  return request;
}

// What is not painted keeps its 16 bits too, if the format has them.
void PaintCommand::keep_depth(PaintRequest& request) const {
  if (task != PaintingArguments::Task::inpainting || bits->count() > 0) return;
  const std::string ending = std::filesystem::path(request.output).extension().string();
  const std::string format = write.format.empty() ? ending : "." + write.format;
  const bool deep = format == ".png" || format == ".tif" || format == ".tiff";
  const std::string& photo = request.names.photo;
  if (!deep || is_stream(photo)) return;  // a stream can be read only once
  if (read_header(photo, {.max_pixels = request.max_pixels}).bits > 8) request.write.bits = 16;
}

// Unless distances were given. Returns a note.
std::string PaintCommand::follow_periods(PaintRequest& request) const {
  using Task = PaintingArguments::Task;
  const std::string& exemplar = request.names.paintings.front();
  const bool wanted = (task == Task::texture || task == Task::inpainting) &&
                      !arguments.given("style.shifts") && !arguments.given("style.shifts_across") &&
                      !arguments.given("style.shifts_down") && may_follow_periods(request.recipe);
  if (!wanted || request.names.paintings.size() > 1 || is_folder(exemplar) || is_stream(exemplar)) {
    return "";
  }
  const PictureHeader header = read_header(exemplar, {.max_pixels = request.max_pixels});
  PictureSizes sizes = {{header.height, header.width}, {{{header.height, header.width}}}};
  if (request.names.canvas) sizes.photo = *request.names.canvas;
  const Size size = working_sizes(sizes, request.recipe).paintings.front();
  ReadOptions options = {.max_pixels = request.max_pixels};
  options.width = size.width;
  options.height = size.height;
  const Periods periods =
      periods_of(resized(read_image(exemplar, options), size.width, size.height));
  if (periods.across == 0 && periods.down == 0) return "";
  limn::follow_periods(request.recipe, periods);
  const auto text = [](int period) { return period > 0 ? fmt::format("{}", period) : "-"; };
  return fmt::format(", repeating every {} x {} pixels", text(periods.across), text(periods.down));
}

int PaintCommand::run() {
  CommandFiles files;
  PaintRequest request = this->request(files);
  const std::string repeating = follow_periods(request);
  keep_dpi(request);
  if (dry_run) {
    request.output = output.value_or(base_name(arguments.names()) + ".png");
    print_plan(std::move(request), plan);
    return 0;
  }
  std::optional<FreshName> name;
  const bool is_file = output && !is_output_folder(*output);
  request.output =
      is_file
          ? *output
          : name.emplace(base_name(arguments.names()), output.value_or(""), write.format).path();
  keep_depth(request);
  check_results(
      request, request.recipe.output.save_every > 0 && arguments.given("output.save_every"), files);
  if (request.checkpoint) check_unfinished(*request.checkpoint);
  return carry_out({std::move(request),
                    std::nullopt,
                    {},
                    {},
                    {},
                    repeating + arguments.drawn_seed_note(),
                    false});
}

}  // namespace

void add_painting_command(CLI::App& app, int& exit_code, PaintingArguments::Task task,
                          const CommandText& text) {
  CLI::App* command = app.add_subcommand(text.name, text.description);
  command->footer(text.examples);
  const auto paint = std::make_shared<PaintCommand>();
  paint->task = task;
  paint->add_to(*command);
  command->callback([paint, &exit_code] { exit_code = paint->run(); });
}

}  // namespace limn
