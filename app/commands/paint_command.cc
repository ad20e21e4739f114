#include "commands/paint_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "canvas/initial.h"
#include "commands/painting.h"
#include "image/read.h"
#include "request/checkpoint_flags.h"
#include "request/command_files.h"
#include "request/outputs.h"

namespace limn {
namespace {

struct PaintCommand {
  PaintingArguments::Task task = PaintingArguments::Task::painting;
  PaintingArguments arguments;
  std::optional<std::string> output;
  std::optional<std::string> report;
  CheckpointFlags checkpoint;
  bool no_metadata = false;
  bool quiet = false;
  bool dry_run = false;
  bool json = false;
  WriteOptions write;

  const CLI::Option* bits = nullptr;

  void add_to(CLI::App& command);
  int run();
  PaintRequest request(CommandFiles& files) const;
  void keep_depth(PaintRequest& request) const;
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
  command.add_flag("--no-metadata", no_metadata, "Do not store in the picture how it was painted");
  CLI::Option* dry = command.add_flag("--dry-run", dry_run,
                                      "Only print what would be painted: sizes, memory, time");
  command.add_flag("--json", json, "Print it as JSON")->needs(dry);
  command.add_flag("--quiet", quiet, "Show no progress");
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
  request.weights = arguments.weights_file(request.recipe);
  request.network_given = arguments.given("network.name");
  request.write = write;
  request.metadata = !no_metadata;
  request.report = report;
  request.checkpoint = checkpoint.path();
  if (request.checkpoint) make_initial_absolute(request.recipe);
  request.checkpoint_every = checkpoint.every();
  request.quiet = quiet;
  return request;
}

// What is not painted keeps its 16 bits too, if the format has them.
void PaintCommand::keep_depth(PaintRequest& request) const {
  if (task != PaintingArguments::Task::inpainting || bits->count() > 0) return;
  const std::string ending = std::filesystem::path(request.output).extension().string();
  const std::string format = write.format.empty() ? ending : "." + write.format;
  const bool deep = format == ".png" || format == ".tif" || format == ".tiff";
  if (deep && read_header(request.names.photo).bits > 8) request.write.bits = 16;
}

int PaintCommand::run() {
  CommandFiles files;
  PaintRequest request = this->request(files);
  if (dry_run) {
    request.output = output.value_or(base_name(arguments.names()) + ".png");
    print_plan(std::move(request), json);
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
  return carry_out(
      {std::move(request), std::nullopt, {}, {}, {}, arguments.drawn_seed_note(), false});
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
