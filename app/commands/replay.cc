// limn replay
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "canvas/initial.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/painting.h"
#include "request/arguments.h"
#include "request/command_files.h"
#include "request/outputs.h"
#include "request/progress_flags.h"
#include "request/provenance.h"
#include "show/console.h"

namespace limn {
namespace {

constexpr const char* kReplayDescription =
    R"(Paint a picture again, from the recipe that it carries.

PICTURE carries its recipe, and the digests of the photo, the paintings, the masks and the weights
that it was made from. Those given now are checked, and any that differ are named. On the same
instruction set, with the same version of limn, the result is the same file, byte for byte.)";

constexpr const char* kReplayExamples =
    R"(Examples:
  limn replay out.png photo.jpg painting.jpg -o again.png
  limn replay out.png photo.jpg painting.jpg --verify
  limn replay out.png photo.jpg oil.jpg ink.jpg --mask-content sky.png --verify
  limn replay bricks-texture.png bricks.jpg --verify
  limn replay wall-inpainted.png wall.png --hole sign.png --verify

Exit codes: 0 painted, and with --verify the same; 1 --verify found a difference; others as for
'limn paint'.)";

// A temporary file, removed at the end.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& ending) {
    std::string name = (std::filesystem::temp_directory_path() / "limn-XXXXXX").string();
    if (!mkdtemp(name.data())) fail(ErrorKind::file, "cannot create the folder '{}'", name);
    folder_ = name;
    path_ = name + "/replayed" + ending;
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
};

struct ReplayCommand {
  std::string picture;
  PaintingArguments arguments;
  std::optional<std::string> output, initial, hole;
  bool verify = false;
  ProgressFlags progress;

  void add_to(CLI::App& command);
  int run();
  InputNames names(const Origin& provenance) const;
  PaintRequest request(const Origin& provenance) const;
  int compare(const std::string& again, const Origin& provenance) const;
};

void ReplayCommand::add_to(CLI::App& command) {
  command.add_option("PICTURE", picture, "The picture that limn painted")
      ->required()
      ->type_name("FILE");
  arguments.add_to(command, PaintingArguments::Settings::none);
  command.add_option("--hole", hole, "The mask of the hole, of an inpainted picture")
      ->type_name("FILE");
  command
      .add_option("--init", initial, "The picture that the painting began with, if it was a file")
      ->type_name("FILE");
  command
      .add_option("-o,--output", output,
                  "Where to write the picture [PHOTO-PAINTING.png; nowhere with --verify]")
      ->type_name("FILE");
  command.add_flag("--verify", verify,
                   "Say whether the bytes are the same; exit with 1 if they are not");
  progress.add_to(command);
}

// What PHOTO and PAINTING are depends on the picture: a texture has no photo, and a hole may be
// filled from the photo itself.
InputNames ReplayCommand::names(const Origin& provenance) const {
  InputNames names = arguments.names();
  const auto has = [&](std::string_view role) {
    return std::ranges::any_of(provenance.inputs,
                               [&](const InputDigest& input) { return input.role == role; });
  };
  if (!has("photo")) {
    names.paintings.insert(names.paintings.begin(), std::exchange(names.photo, ""));
    names.canvas = provenance.levels.empty() ? Size() : provenance.levels.back().size;
    if (!is_canvas(*names.canvas)) {
      fail(ErrorKind::file, "'{}': its metadata is damaged: it has no size", picture);
    }
    return names;
  }
  if (has("hole") && !hole) {
    fail(ErrorKind::usage, "--hole: '{}' is an inpainted picture; give the mask of its hole",
         picture);
  }
  names.hole = hole;
  if (names.paintings.empty() && has("hole")) names.paintings = {names.photo};
  if (names.paintings.empty()) {
    fail(ErrorKind::usage, "PAINTING is required: '{}' was painted from a photo and paintings",
         picture);
  }
  return names;
}

PaintRequest ReplayCommand::request(const Origin& provenance) const {
  PaintRequest request;
  request.names = names(provenance);
  request.recipe = provenance.recipe;
  request.max_pixels = arguments.read_options().max_pixels;
  const std::string& init = request.recipe.picture.init;
  if (names_picture(init)) {
    if (!initial) {
      fail(ErrorKind::usage, "--init: '{}' began with the picture '{}'; give its file", picture,
           init);
    }
    request.recipe.picture.init = *initial;
  }
  request.weights = arguments.weights_file(request.recipe);
  request.write.bits = provenance.bits;
  request.write.quality = provenance.quality;
  request.write.dpi = provenance.dpi;
  request.show = progress.options();
  return request;
}

int ReplayCommand::compare(const std::string& again, const Origin& provenance) const {
  if (sha256_of_file(picture) == sha256_of_file(again)) {
    print(fmt::format("{}: identical, byte for byte\n", picture));
    return kSuccess;
  }
  const Image before = read_image(picture), after = read_image(again);
  const bool same_pixels = before.rgb == after.rgb && before.alpha == after.alpha;
  std::string why =
      same_pixels ? "the pixels are the same, but the files differ" : "a different picture";
  if (provenance.version != version() || provenance.instruction_set != instruction_set()) {
    why +=
        fmt::format("; it was painted by limn {} on {}, this is limn {} on {}", provenance.version,
                    provenance.instruction_set, version(), instruction_set());
  }
  print(fmt::format("{}: {}\n", picture, why));
  return kInternalError;
}

int ReplayCommand::run() {
  const Origin origin = read_origin(picture);
  PaintRequest request = this->request(origin);

  const std::string ending = std::filesystem::path(picture).extension().string();
  std::optional<FreshName> fresh;
  std::optional<ScratchFile> scratch;
  if (output) {
    request.output = *output;
  } else if (verify) {
    request.output = scratch.emplace(ending).path();
  } else {
    request.output = fresh.emplace(base_name(request.names), "", ending.substr(1)).path();
  }
  CommandFiles files;
  files.reads_picture(picture, "picture");
  arguments.add_inputs(files);
  check_results(request, false, files);
  const std::string again = request.output;
  const auto adjust = [&](Plan& plan) { stop_at(plan, origin.levels, picture); };
  const int painted =
      carry_out({std::move(request), std::nullopt, origin.inputs, fmt::format("'{}'", picture),
                 adjust, ", again", scratch.has_value()});
  if (painted != kSuccess || !verify) return painted;
  return compare(again, origin);
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("replay", kReplayDescription);
  command->footer(kReplayExamples);
  const auto replay = std::make_shared<ReplayCommand>();
  replay->add_to(*command);
  command->callback([replay, &exit_code] { exit_code = replay->run(); });
}

}  // namespace limn
