// limn paint
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "canvas/initial.h"
#include "commands/commands.h"
#include "commands/painting.h"
#include "request/arguments.h"
#include "request/checkpoint_flags.h"
#include "request/command_files.h"
#include "request/outputs.h"

namespace limn {
namespace {

constexpr const char* kPaintDescription =
    R"(Paint a photo in the style of one or more paintings.

Only the pictures are needed: limn has a built-in network. The recipe says how they are resized;
with recipe 'limn', the longest side of each becomes --size pixels. The picture with the lowest
loss is written to --output. If that is a folder, or missing, the picture becomes PHOTO-PAINTING.png
in that folder or the current directory, and existing files are never overwritten. Ctrl-C writes the
best picture so far and exits with code 130.

Each PAINTING is a style. Several styles are blended, unless masks say where each of them goes. A
mask is a picture of any size, white inside and black outside; alpha counts as a mask. A picture
named - is read from a pipe, and anim.gif[3] is a frame of anim.gif, counted from 0.

With --checkpoint nothing is lost: 'limn resume' continues from that file and ends with the same
picture, byte for byte. The picture itself carries its recipe and the digests of its inputs
('limn info', 'limn replay'), unless --no-metadata is given.)";

constexpr const char* kPaintExamples =
    R"(Examples:
  limn paint photo.jpg painting.jpg
  limn paint photo.jpg painting.jpg -o out.png --size 1024 --strength 0.7
  limn paint photo.jpg painting.jpg -o out.png --style-scale 0.5 --colors content
  limn paint photo.jpg oil.jpg ink.jpg -o out.png --blend 0.3,0.7
  limn paint photo.jpg etchings/ -o out.png                  one style from all its pictures
  limn paint photo.jpg oil.jpg ink.jpg -o out.png --mask-content sky.png   the rest is ink
  limn paint photo.jpg painting.jpg -o out.png --mask-keep face.png --seconds 20
  limn paint photo.jpg painting.jpg -o out.png --seed 7 --report out.json
  limn paint photo.jpg painting.jpg -o print.tif --size 4096 --checkpoint print.limn
  limn paint photo.jpg painting.jpg --size 4096 --dry-run    sizes, memory, time; no painting
  limn paint photo.jpg painting.jpg --recipe out.png         the way out.png was painted
  limn paint photo.jpg painting.jpg --network vgg19          after 'limn model fetch vgg19'
  limn paint photo.jpg painting.jpg --weights vgg19.h5       any file that limn reads
  cat photo.jpg | limn paint - painting.jpg -o - --format jpg > out.jpg

Exit codes: 0 painted; 2 bad flag or recipe, or nothing was painted (no step lowers the loss, or
--seconds left no time for one; no picture is written); 3 bad file (or a --save-every picture
or a checkpoint could not be written); 4 too large or no memory; 130 interrupted (the best picture
so far was written); 1 a bug in limn.)";

struct PaintCommand {
  PaintingArguments arguments;
  std::optional<std::string> output;
  std::optional<std::string> report;
  CheckpointFlags checkpoint;
  bool no_metadata = false;
  bool quiet = false;
  bool dry_run = false;
  bool json = false;
  WriteOptions write;

  void add_to(CLI::App& command);
  int run();
  PaintRequest request(CommandFiles& files) const;
};

void PaintCommand::add_to(CLI::App& command) {
  arguments.add_to(command);
  command
      .add_option("-o,--output", output,
                  "Where to write the picture: a file, whose extension gives the format; a folder; "
                  "- for a pipe [PHOTO-PAINTING.png]")
      ->type_name("FILE|FOLDER");
  command.add_option("--report", report, "Write settings, seconds, memory and all losses as JSON")
      ->type_name("FILE.json");
  add_write_flags(command, write);
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
  check_results(
      request, request.recipe.output.save_every > 0 && arguments.given("output.save_every"), files);
  if (request.checkpoint) check_unfinished(*request.checkpoint);
  return carry_out(
      {std::move(request), std::nullopt, {}, {}, {}, arguments.drawn_seed_note(), false});
}

}  // namespace

void add_paint_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("paint", kPaintDescription);
  command->footer(kPaintExamples);
  const auto paint = std::make_shared<PaintCommand>();
  paint->add_to(*command);
  command->callback([paint, &exit_code] { exit_code = paint->run(); });
}

}  // namespace limn
