// limn info
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/painting.h"
#include "commands/report.h"
#include "image/read.h"
#include "request/memory_flags.h"
#include "request/print_size.h"
#include "request/provenance.h"
#include "show/console.h"
#include "show/progress.h"

namespace limn {
namespace {

constexpr const char* kInfoDescription =
    R"(Show how a picture was painted, or how far a checkpoint has got.

Pictures that limn writes carry their recipe, seed, version, instruction set, and the names and
SHA-256 of their inputs, as XMP: other programs, such as exiftool, show them too.)";

constexpr const char* kInfoExamples =
    R"(Examples:
  limn info out.png
  limn info out.png --json
  limn info print.limn

Exit codes: 0; 2 bad flag; 3 bad file, or a picture without limn's metadata.)";

using Json = nlohmann::ordered_json;

void print_json(const Json& json) {
  print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json as_json(const std::vector<InputDigest>& inputs) {
  Json json = Json::array();
  for (const auto& [role, name, sha256] : inputs) {
    json.push_back({{"role", role}, {"name", name}, {"sha256", sha256}});
  }
  return json;
}

std::string as_text(const std::vector<InputDigest>& inputs) {
  std::string text;
  for (const auto& [role, name, sha256] : inputs) {
    text += fmt::format("{:<16}  {}{}{}\n", role, name, sha256.empty() ? "" : "  sha256 ", sha256);
  }
  return text;
}

struct InfoCommand {
  std::string file;
  bool json = false;

  int run() const { return file.ends_with(".limn") ? of_checkpoint() : of_picture(); }
  int of_picture() const;
  int of_checkpoint() const;
};

int InfoCommand::of_picture() const {
  const PictureHeader header = read_header(file);
  const std::optional<Origin> provenance = origin_of(read_notes(file), file);
  if (!provenance) {
    fail(ErrorKind::file,
         "'{}' does not say how it was painted: it is not limn's, it was written with "
         "--no-metadata, or another program removed its metadata",
         file);
  }
  const auto& [version, set, recipe, inputs, levels, bits, quality, dpi] = *provenance;
  if (json) {
    Json sizes = Json::array();
    for (const auto& [stage, size, iterations, tile, saving] : levels) {
      Json entry = {{"width", size.width}, {"height", size.height}, {"iterations", iterations}};
      if (!recipe.stages.empty()) entry["stage"] = stage_name(recipe, stage);
      if (tile != Size()) entry["tile"] = {{"width", tile.width}, {"height", tile.height}};
      if (saving != Saving()) entry["saving"] = to_json(saving);
      sizes.push_back(std::move(entry));
    }
    Json object = {{"limn", version},          {"instruction_set", set},    {"width", header.width},
                   {"height", header.height},  {"inputs", as_json(inputs)}, {"sizes", sizes},
                   {"recipe", to_json(recipe)}};
    if (dpi > 0) object["dpi"] = dpi;
    print_json(object);
    return kSuccess;
  }
  std::string text =
      fmt::format("{:<16}  {} x {} pixels\n", "picture", header.width, header.height);
  if (dpi > 0) {
    text += fmt::format("{:<16}  {}\n", "print", print_text({header.height, header.width}, dpi));
  }
  text += fmt::format("{:<16}  limn {} on {}\n{}{:<16}  {}\n", "painted by", version, set,
                      as_text(inputs), "seed", recipe.picture.seed);
  std::string reached;
  for (const auto& [stage, size, iterations, tile, saving] : levels) {
    if (iterations < 0) continue;
    const std::string name = stage_name(recipe, stage);
    reached += fmt::format("{}{}{}{} x {}: {}", reached.empty() ? "" : ", ", name,
                           name.empty() ? "" : " at ", size.width, size.height, iterations);
    if (tile != Size()) reached += fmt::format(" in tiles of {} x {}", tile.width, tile.height);
    if (saving != Saving()) reached += fmt::format(" with {}", chosen_text({}, saving));
  }
  print(text + fmt::format("{:<16}  {}\n\n{}", "iterations", reached, to_toml(recipe)));
  return kSuccess;
}

int InfoCommand::of_checkpoint() const {
  const Checkpoint checkpoint = read_checkpoint(file);
  const PaintRequest request = request_of(checkpoint, file);
  if (json) {
    Json object = {{"limn", checkpoint.version},
                   {"instruction_set", checkpoint.instruction_set},
                   {"iteration", checkpoint.iteration},
                   {"iterations", checkpoint.recipe.optimiser.iterations},
                   {"seconds", checkpoint.seconds},
                   {"photo", photo_of(request.names)},
                   {"paintings", request.names.paintings},
                   {"output", request.output}};
    object["recipe"] = to_json(checkpoint.recipe);
    print_json(object);
    return kSuccess;
  }
  std::string text = fmt::format("{:<16}  {} of {}, after {}\n{:<16}  limn {} on {}\n", "iteration",
                                 checkpoint.iteration, checkpoint.recipe.optimiser.iterations,
                                 clock_text(checkpoint.seconds), "written by", checkpoint.version,
                                 checkpoint.instruction_set);
  if (!request.names.is_texture()) {
    text += fmt::format("{:<16}  {}\n", "photo", request.names.photo);
  }
  for (const std::string& painting : request.names.paintings) {
    text += fmt::format("{:<16}  {}\n", "painting", painting);
  }
  print(text +
        fmt::format("{:<16}  {}\n\n{}", "picture", request.output, to_toml(checkpoint.recipe)));
  return kSuccess;
}

}  // namespace

void add_info_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("info", kInfoDescription);
  command->footer(kInfoExamples);
  const auto info = std::make_shared<InfoCommand>();
  command->add_option("FILE", info->file, "A picture, or a checkpoint")
      ->required()
      ->type_name("PICTURE|FILE.limn");
  command->add_flag("--json", info->json, "Print JSON");
  command->callback([info, &exit_code] { exit_code = info->run(); });
}

}  // namespace limn
